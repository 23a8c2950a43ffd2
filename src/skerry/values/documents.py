"""The stored form of a document: BSON bytes with `_id` first, within MongoDB's limits.

Rules: documents stay bytes wherever possible, so the functions on `raw` read only what they must. A decoded document is a
plain dict; references (`$ref`) stay plain dicts too, though the codec would make them objects and lose their field order.
Source of the limits: MongoDB manual, "MongoDB Limits and Thresholds" (16 MiB); nesting is the server's default of 180.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import bson
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp

from skerry.errors import (
    BadValueError,
    BsonObjectTooLargeError,
    DollarPrefixedFieldNameError,
    InvalidBsonError,
    InvalidIdFieldError,
    NumericOverflowError,
)
from skerry.values.missing import MISSING

MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
MAX_NESTING_DEPTH: Final = 180

CODEC_OPTIONS: Final[CodecOptions[dict[str, Any]]] = CodecOptions(
    tz_aware=False,
    uuid_representation=UuidRepresentation.UNSPECIFIED,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
RAW_OPTIONS: Final[CodecOptions[RawBSONDocument]] = CodecOptions(
    document_class=RawBSONDocument,
    tz_aware=False,
    uuid_representation=UuidRepresentation.UNSPECIFIED,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)

_OBJECT_ID_TYPE: Final = 0x07
_DOCUMENT_TYPE: Final = 0x03
_ARRAY_TYPE: Final = 0x04
_STRING_TYPE: Final = 0x02
_UNDEFINED_TYPE: Final = 0x06
_INT_TYPE: Final = 0x10
_LONG_TYPE: Final = 0x12
_CODE_WITH_SCOPE_TYPE: Final = 0x0F
_TIMESTAMP_TYPE: Final = 0x11
_NUL_AND_EMPTY_TIMESTAMP: Final = bytes(9)  # the end of a field's name, then seconds and increment
_PLAIN_ID_TYPES: Final = frozenset((_STRING_TYPE, _INT_TYPE, _LONG_TYPE, _OBJECT_ID_TYPE))
_ID_NAME: Final = b"_id\x00"
_REFERENCE_NAME: Final = b"$ref\x00"
_ID_VALUE_AT: Final = 9  # length (4), type (1), "_id\0" (4)
_ID_STRING_AT: Final = _ID_VALUE_AT + 4
_OBJECT_ID_ELEMENT_BYTES: Final = 17
_SHORTEST_WITH_OBJECT_ID: Final = 4 + _OBJECT_ID_ELEMENT_BYTES + 1
_DEEP_DOCUMENT_BYTES: Final = MAX_NESTING_DEPTH * 7  # type, name's NUL, length and end are 7 bytes a level
_FIXED_SIZES: Final[dict[int, int]] = {
    0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0x7F: 0, 0xFF: 0,
}  # fmt: skip
_SIZE_AFTER_LENGTH: Final[dict[int, int]] = {
    0x02: 4, 0x03: 0, 0x04: 0, 0x05: 5, 0x0C: 16, 0x0D: 4, 0x0E: 4, 0x0F: 0,
}  # fmt: skip

_int32_at: Final = struct.Struct("<i").unpack_from
_int64_at: Final = struct.Struct("<q").unpack_from
_pack_int32: Final = struct.Struct("<i").pack
_pack_timestamp: Final = struct.Struct("<II").pack


def decode(raw: bytes) -> dict[str, Any]:
    """Return a document as a dict.

    Raises InvalidBsonError.
    """
    try:
        if _REFERENCE_NAME in raw:
            return _plain(RawBSONDocument(raw, RAW_OPTIONS))
        return bson.decode(raw, CODEC_OPTIONS)
    except BSONError as error:
        raise InvalidBsonError(str(error)) from error


def decode_array_of(raws: Sequence[bytes]) -> list[dict[str, Any]]:
    """Return many documents as dicts, faster than one by one.

    Raises InvalidBsonError.
    """
    joined = b"".join(raws)
    if _REFERENCE_NAME in joined:
        return [decode(raw) for raw in raws]
    try:
        return bson.decode_all(joined, CODEC_OPTIONS)
    except BSONError as error:
        raise InvalidBsonError(str(error)) from error


def encode(document: Mapping[str, Any]) -> bytes:
    """Return a document as BSON, `_id` first.

    Raises NumericOverflowError for an integer beyond 64 bits, InvalidBsonError for what has no BSON form.
    """
    try:
        return bson.encode(document, codec_options=CODEC_OPTIONS)
    except OverflowError as error:
        raise NumericOverflowError(str(error)) from error
    except (BSONError, TypeError, ValueError) as error:
        raise InvalidBsonError(str(error)) from error


def check_size(raw: bytes) -> None:
    """Raise BsonObjectTooLargeError if a document is beyond 16 MiB."""
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise BsonObjectTooLargeError(
            f"BSONObj size: {len(raw)} (0x{len(raw):X}) is invalid. Size must be between 0 and {MAX_DOCUMENT_BYTES}"
        )


def check_depth(raw: bytes) -> None:
    """Raise NumericOverflowError (the server's code 15) if documents and arrays nest deeper than 180 levels.

    A document with fewer type bytes than that cannot, which settles almost every call by counting bytes.
    """
    if len(raw) < _DEEP_DOCUMENT_BYTES:
        return
    if raw.count(b"\x03") + raw.count(b"\x04") + raw.count(b"\x0f") < MAX_NESTING_DEPTH:
        return
    pending = [(0, 1)]
    while pending:
        start, depth = pending.pop()
        if depth > MAX_NESTING_DEPTH:
            raise NumericOverflowError(f"Document exceeds maximum nested object depth of {MAX_NESTING_DEPTH}")
        for kind, _, value_at, _ in elements(raw, start):
            if kind in (_DOCUMENT_TYPE, _ARRAY_TYPE):
                pending.append((value_at, depth + 1))
            elif kind == _CODE_WITH_SCOPE_TYPE:
                pending.append((value_at + 8 + int(_int32_at(raw, value_at + 4)[0]), depth + 1))


def raw_id(raw: bytes) -> bytes | None:
    """Return the BSON element (type, name, value) of a leading `_id`, None if another field or none leads."""
    if raw[5:_ID_VALUE_AT] != _ID_NAME:
        return None
    return raw[4 : _value_end(raw, raw[4], _ID_VALUE_AT)]


def id_document(raw: bytes) -> bytes:
    """Return the BSON document `{_id: …}` of a stored document."""
    element = raw_id(raw)
    if element is None:
        return encode({"_id": decode(raw)["_id"]})
    return _pack_int32(len(element) + 5) + element + b"\x00"


def id_of(raw: bytes) -> Any:
    """Return the `_id` of a document, `MISSING` if it has none; of a leading one only those bytes are decoded."""
    if raw[5:_ID_VALUE_AT] != _ID_NAME:
        return decode(raw).get("_id", MISSING)
    kind = raw[4]
    if kind == _OBJECT_ID_TYPE:
        return ObjectId(raw[_ID_VALUE_AT : _ID_VALUE_AT + 12])
    if kind == _INT_TYPE:
        return _int32_at(raw, _ID_VALUE_AT)[0]
    if kind == _LONG_TYPE:
        return Int64(_int64_at(raw, _ID_VALUE_AT)[0])
    if kind == _STRING_TYPE:
        return str(raw[_ID_STRING_AT : _ID_STRING_AT + _int32_at(raw, _ID_VALUE_AT)[0] - 1], "utf-8")
    return decode(id_document(raw))["_id"]


def prepare_for_insert(raw: bytes) -> tuple[bytes, Any]:
    """Return a document as it is to be stored, and its `_id`: added as an ObjectId if missing, moved first if not there.

    Raises InvalidBsonError for bytes that are not one document, InvalidIdFieldError, DollarPrefixedFieldNameError (in an
    `_id` document), BsonObjectTooLargeError, NumericOverflowError (nesting). The inner bytes are not validated.
    """
    size = len(raw)
    if size < 5 or _int32_at(raw, 0)[0] != size or raw[-1]:
        raise InvalidBsonError("the document's length does not agree with its bytes")
    if size > MAX_DOCUMENT_BYTES:
        check_size(raw)
    if size >= _DEEP_DOCUMENT_BYTES:
        check_depth(raw)
    if raw[5:_ID_VALUE_AT] != _ID_NAME:
        moved = _with_id_moved_first(raw) if _ID_NAME in raw else None
        if moved is None:
            new_id = ObjectId()
            raw = b"".join((_pack_int32(size + _OBJECT_ID_ELEMENT_BYTES), b"\x07_id\x00", new_id.binary, raw[4:]))
            check_size(raw)
            return raw, new_id
        raw = moved
    kind = raw[4]
    try:
        if kind == _OBJECT_ID_TYPE and size >= _SHORTEST_WITH_OBJECT_ID:
            return raw, ObjectId(raw[_ID_VALUE_AT : _ID_VALUE_AT + 12])
        if _value_end(raw, kind, _ID_VALUE_AT) >= size:
            raise InvalidBsonError("the document's _id runs past its end")
        value = id_of(raw)
    except (BSONError, ValueError, struct.error) as error:
        raise InvalidBsonError(f"the document's _id is damaged: {error}") from error
    if kind not in _PLAIN_ID_TYPES:
        check_id(value, undefined=kind == _UNDEFINED_TYPE)
    return raw, value


def fill_empty_timestamps(raw: bytes, timestamp: Timestamp) -> bytes:
    """Return a document with `timestamp` in its own fields, but for `_id`, that hold `Timestamp(0, 0)`.

    Source: MongoDB manual, "BSON Types", Timestamps.
    """
    if _NUL_AND_EMPTY_TIMESTAMP not in raw:
        return raw
    filled = bytearray(raw)
    for kind, start, value_at, end in elements(raw, 0):
        if kind == _TIMESTAMP_TYPE and not any(raw[value_at:end]) and raw[start + 1 : value_at] != _ID_NAME:
            filled[value_at:end] = _pack_timestamp(timestamp.inc, timestamp.time)
    return bytes(filled)


def check_id(value: Any, *, undefined: bool = False) -> None:
    """Check that a value may be an `_id`.

    Raises InvalidIdFieldError for arrays, regular expressions and undefined, DollarPrefixedFieldNameError for a document
    with a field that starts with `$`.
    """
    if isinstance(value, list | bson.Regex) or undefined:
        kind = "undefined" if undefined else "array" if isinstance(value, list) else "regex"
        raise InvalidIdFieldError(f"The '_id' value cannot be of type {kind}")
    if isinstance(value, dict):
        for name in value:
            if name.startswith("$"):
                raise DollarPrefixedFieldNameError(
                    f"_id fields may not contain '$'-prefixed fields: {name} is not valid for storage."
                )


def _with_id_moved_first(raw: bytes) -> bytes | None:
    found = [(start, end) for _, start, value_at, end in elements(raw, 0) if raw[start + 1 : value_at] == _ID_NAME]
    if len(found) > 1:
        raise BadValueError("can't have multiple _id fields in one document")
    if not found:
        return None
    start, end = found[0]
    return b"".join((raw[:4], raw[start:end], raw[4:start], raw[end:]))


def elements(raw: bytes, start: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (type, start, start of the value, end) of each element of the document that begins at `start`."""
    at = start + 4
    try:
        while raw[at]:
            value_at = raw.index(b"\x00", at + 1) + 1
            end = _value_end(raw, raw[at], value_at)
            yield raw[at], at, value_at, end
            at = end
    except (IndexError, ValueError, struct.error) as error:
        raise InvalidBsonError("an element of the document runs past its end") from error


def _value_end(raw: bytes, kind: int, at: int) -> int:
    fixed = _FIXED_SIZES.get(kind)
    if fixed is not None:
        return at + fixed
    after_length = _SIZE_AFTER_LENGTH.get(kind)
    if after_length is not None:
        length = int(_int32_at(raw, at)[0])
        if length < 0:
            raise InvalidBsonError("an element of the document has a negative length")
        return at + length + after_length
    if kind == 0x0B:
        return raw.index(b"\x00", raw.index(b"\x00", at) + 1) + 1
    raise InvalidBsonError(f"unknown BSON type 0x{kind:02x}")


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in document.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, RawBSONDocument):
        return _plain(value)
    if value.__class__ is list:
        return [_plain_value(each) for each in value]
    return value
