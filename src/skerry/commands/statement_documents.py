"""The statements of a write command: in a document sequence beside the body, or in an array inside it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from skerry.commands.command import Request
from skerry.errors import InvalidLengthError
from skerry.values import documents

WRITE_BATCH_SIZE_MAX: Final = 100_000  # `maxWriteBatchSize` of hello
_RAW_OPTIONS: Final[CodecOptions[RawBSONDocument]] = CodecOptions(document_class=RawBSONDocument)


def raw_statements(request: Request, field: str) -> Sequence[bytes]:
    """Return the documents of `field` as bytes, undecoded. Raises InvalidLengthError for none, or for too many."""
    raws: Sequence[bytes] | None = request.sequences.get(field)
    if raws is None:
        raws = [bytes(each.raw) for each in RawBSONDocument(request.raw_body, _RAW_OPTIONS)[field]]
    _check_batch_size(len(raws))
    return raws


def check_readable(raws: Sequence[bytes]) -> None:
    """Raise InvalidBsonError when bytes that came over a network are no BSON: stored, they would spoil every later read."""
    decode = documents.decode
    for raw in raws:
        decode(raw)


def statements(request: Request, field: str) -> Sequence[Mapping[str, Any]]:
    """Return the documents of `field`, decoded. Raises InvalidLengthError for none, or for too many."""
    raws = request.sequences.get(field)
    found = request.arguments[field] if raws is None else documents.decode_array_of(raws)
    _check_batch_size(len(found))
    return list(found)


def _check_batch_size(size: int) -> None:
    if not 1 <= size <= WRITE_BATCH_SIZE_MAX:
        raise InvalidLengthError(
            f"Write batch sizes must be between 1 and {WRITE_BATCH_SIZE_MAX}. Got {size} operations."
        )
