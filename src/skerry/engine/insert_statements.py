"""The documents of one `insert` command: together when nothing speaks against it, one by one to find what does."""

from collections.abc import Sequence
from typing import Any

from bson.timestamp import Timestamp

from skerry.engine.requests import InsertResult, WriteError, is_statement_error
from skerry.engine.write_target import WriteTarget
from skerry.errors import CommandError
from skerry.values import documents, key_string

_Prepared = tuple[int, bytes, Any]
"""Place in the command, final bytes, `_id`."""


def run_inserts(
    target: WriteTarget, raws: Sequence[bytes], first: int, now: Timestamp | None, *, ordered: bool
) -> InsertResult:
    """Insert raw documents; errors carry the document's place in the command, counted from `first`.

    Empty timestamps become `now`, and stay when that is None. The error of a lone document is raised.
    """
    if now is not None:
        raws = [documents.fill_empty_timestamps(raw, now) for raw in raws]
    if len(raws) == 1:
        target.insert(*documents.prepare_for_insert(raws[0]))
        return InsertResult(inserted=1)
    prepared, errors = _prepare(raws, first, ordered=ordered)
    encode = key_string.encode
    if target.insert_together([(encode(id_value), raw) for _, raw, id_value in prepared]):
        return InsertResult(len(prepared), errors)
    result = InsertResult(errors=errors)
    for place, raw, id_value in prepared:
        try:
            with target.statement():
                target.insert(raw, id_value)
            result.inserted += 1
        except CommandError as error:
            if not is_statement_error(error):
                raise
            if ordered:
                result.errors = [WriteError(place, error)]
                return result
            result.errors.append(WriteError(place, error))
    result.errors.sort(key=lambda error: error.index)
    return result


def _prepare(raws: Sequence[bytes], first: int, *, ordered: bool) -> tuple[list[_Prepared], list[WriteError]]:
    """Check all documents. An ordered command never gets beyond the first that is refused."""
    prepared: list[_Prepared] = []
    errors: list[WriteError] = []
    prepare = documents.prepare_for_insert
    for place, raw in enumerate(raws, first):
        try:
            prepared.append((place, *prepare(raw)))
        except CommandError as error:
            errors.append(WriteError(place, error))
            if ordered:
                break
    return prepared, errors
