import struct
from collections.abc import Callable
from typing import Any

import bson
import pytest
from bson.binary import Binary
from bson.code import Code
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from skerry.errors import (
    BadValueError,
    BsonObjectTooLargeError,
    DollarPrefixedFieldNameError,
    InvalidBsonError,
    InvalidIdFieldError,
    NumericOverflowError,
)
from skerry.values import documents
from skerry.values.missing import MISSING

AN_ID = ObjectId("65a000000000000000000001")
IDS = [
    AN_ID,
    5,
    Int64(5),
    1.5,
    "tëxt",
    "",
    Binary(b"\x01" * 16, 4),
    b"raw",
    None,
    True,
    {"a": 1},
    Timestamp(1, 2),
    Decimal128("1"),
]


def raw_of(*elements: tuple[str, Any]) -> bytes:
    """Encode fields in exactly this order, `_id` wherever it is."""
    body = b"".join(bson.encode({name: value})[4:-1] for name, value in elements)
    return struct.pack("<i", len(body) + 5) + body + b"\x00"


def nested(levels: int, wrap: Callable[[Any], Any] = lambda inner: {"a": inner}) -> dict[str, Any]:
    value: Any = {}
    for _ in range(levels - 1):
        value = wrap(value)
    return {"_id": 1, "a": value} if isinstance(value, list) else {"_id": 1, **value}


@pytest.mark.parametrize("value", IDS, ids=repr)
def test_a_leading_id_is_read_without_changing_the_document(value: Any) -> None:
    raw = raw_of(("_id", value), ("a", 1), ("_id2", 2))
    prepared, found = documents.prepare_for_insert(raw)
    assert prepared is raw
    assert found == value
    assert type(found) is type(value)
    assert documents.id_of(raw) == value
    assert documents.id_document(raw) == raw_of(("_id", value))
    assert documents.raw_id(raw) == raw_of(("_id", value))[4:-1]


@pytest.mark.parametrize("value", IDS, ids=repr)
def test_an_id_elsewhere_is_moved_to_the_front(value: Any) -> None:
    raw = raw_of(("a", 1), ("_id", value), ("b", {"_id": 9}))
    prepared, found = documents.prepare_for_insert(raw)
    assert prepared == raw_of(("_id", value), ("a", 1), ("b", {"_id": 9}))
    assert found == value
    assert documents.raw_id(raw) is None
    assert documents.id_of(raw) == value
    assert documents.id_document(raw) == raw_of(("_id", value))


@pytest.mark.parametrize("fields", [{}, {"a": 1}, {"a": {"_id": 3}}, {"x_id": 1}, {"_idx": "_id\x00"}], ids=repr)
def test_a_missing_id_is_added_as_an_object_id(fields: dict[str, Any]) -> None:
    prepared, found = documents.prepare_for_insert(bson.encode(fields))
    assert isinstance(found, ObjectId)
    assert bson.decode(prepared) == {"_id": found, **fields}
    assert list(bson.decode(prepared)) == ["_id", *fields]


def test_a_document_without_id_has_no_id() -> None:
    assert documents.id_of(bson.encode({"a": 1})) is MISSING


@pytest.mark.parametrize(("value", "kind"), [([1], "array"), (Regex("a"), "regex")])
def test_arrays_and_patterns_are_refused_as_id(value: Any, kind: str) -> None:
    for raw in (raw_of(("_id", value)), raw_of(("a", 1), ("_id", value))):
        with pytest.raises(InvalidIdFieldError, match=f"cannot be of type {kind}"):
            documents.prepare_for_insert(raw)


def test_undefined_is_refused_as_id() -> None:
    raw = b"\x0a\x00\x00\x00\x06_id\x00\x00"
    with pytest.raises(InvalidIdFieldError, match="undefined"):
        documents.prepare_for_insert(raw)


def test_an_id_document_may_not_have_fields_with_a_dollar() -> None:
    with pytest.raises(DollarPrefixedFieldNameError):
        documents.prepare_for_insert(raw_of(("_id", {"$a": 1})))


def test_two_ids_are_refused() -> None:
    with pytest.raises(BadValueError):
        documents.prepare_for_insert(raw_of(("a", 1), ("_id", 1), ("_id", 2)))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x05\x00\x00\x00",
        b"\x06\x00\x00\x00\x00",
        b"\x05\x00\x00\x00\x01",
        b"\x0c\x00\x00\x00\x07_id\x00ab\x00",
        b"\x0c\x00\x00\x00\x10_id\x00ab\x00",
        b"\x0e\x00\x00\x00\x02_id\x00\xff\x00\x00\x00\x00",
        b"\x0a\x00\x00\x00\x44_id\x00\x00",
        b"\x0c\x00\x00\x00\x02a\x00_id\x00\x00",
    ],
    ids=repr,
)
def test_bytes_that_are_no_document_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidBsonError):
        documents.prepare_for_insert(raw)


def test_documents_beyond_sixteen_mebibytes_are_refused() -> None:
    overhead = len(bson.encode({"_id": AN_ID, "a": ""}))
    fits = bson.encode({"_id": AN_ID, "a": "x" * (documents.MAX_DOCUMENT_BYTES - overhead)})
    assert documents.prepare_for_insert(fits) == (fits, AN_ID)
    with pytest.raises(BsonObjectTooLargeError, match="16777217"):
        documents.prepare_for_insert(
            bson.encode({"_id": AN_ID, "a": "x" * (documents.MAX_DOCUMENT_BYTES - overhead + 1)})
        )


def test_an_added_id_counts_for_the_limit() -> None:
    overhead = len(bson.encode({"a": ""}))
    with pytest.raises(BsonObjectTooLargeError):
        documents.prepare_for_insert(bson.encode({"a": "x" * (documents.MAX_DOCUMENT_BYTES - overhead)}))


@pytest.mark.parametrize("wrap", [lambda inner: {"a": inner}, lambda inner: {"a": [inner]}])
def test_nesting_deeper_than_the_limit_is_refused(wrap: Callable[[Any], Any]) -> None:
    step = 1 if wrap(0) == {"a": 0} else 2
    deepest = (documents.MAX_NESTING_DEPTH - 1) // step + 1
    documents.prepare_for_insert(bson.encode(nested(deepest, wrap)))
    with pytest.raises(NumericOverflowError, match="180"):
        documents.prepare_for_insert(bson.encode(nested(deepest + 1, wrap)))


def test_many_nested_values_side_by_side_are_not_deep() -> None:
    documents.check_depth(bson.encode({"_id": 1, "a": [{"b": []} for _ in range(500)]}))


def test_references_stay_plain_documents_in_their_order() -> None:
    reference = {"$ref": "c", "$id": 1, "extra": {"$ref": "d", "$id": 2}}
    raw = raw_of(("_id", 1), ("r", reference), ("list", [reference, 1]), ("code", Code("x", {"a": 1})))
    decoded = documents.decode(raw)
    assert decoded["r"] == reference
    assert list(decoded["r"]) == list(reference)
    assert type(decoded["r"]["extra"]) is dict
    assert type(decoded["list"]) is list
    assert type(decoded["list"][0]) is dict
    assert documents.encode(decoded) == raw
    assert documents.decode_array_of([raw, raw]) == [decoded, decoded]


def test_several_documents_are_decoded_at_once() -> None:
    raws = [bson.encode({"_id": number}) for number in range(3)]
    assert documents.decode_array_of(raws) == [{"_id": 0}, {"_id": 1}, {"_id": 2}]
    with pytest.raises(InvalidBsonError):
        documents.decode_array_of([b"\x05\x00\x00\x00\x01"])


def test_encoding_puts_the_id_first_and_refuses_what_has_no_bson_form() -> None:
    assert documents.encode({"a": 1, "_id": 2}) == raw_of(("_id", 2), ("a", 1))
    with pytest.raises(NumericOverflowError):
        documents.encode({"a": 1 << 64})
    with pytest.raises(InvalidBsonError):
        documents.encode({"a": {1, 2}})
    with pytest.raises(InvalidBsonError):
        documents.encode({"a\x00b": 1})


def test_decoding_damaged_bytes_is_refused() -> None:
    with pytest.raises(InvalidBsonError):
        documents.decode(b"\x0c\x00\x00\x00\x02a\x00_id\x00\x00")


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "_id", "_i", "x_id"]),
        st.one_of(st.integers(-9, 9), st.sampled_from(["", "_id"])),
        max_size=4,
    )
)
def test_preparing_keeps_every_field(fields: dict[str, Any]) -> None:
    raw = raw_of(*fields.items())
    prepared, found = documents.prepare_for_insert(raw)
    assert bson.decode(prepared) == {**fields, "_id": found}
    assert next(iter(bson.decode(prepared))) == "_id"
    assert documents.prepare_for_insert(prepared)[0] is prepared


def test_empty_timestamps_are_filled_in_own_fields_only() -> None:
    now, empty = Timestamp(1_700_000_000, 3), Timestamp(0, 0)
    document = {
        "_id": 1,
        "a": empty,
        "b": 0.0,
        "c": Int64(0),
        "d": {"e": empty},
        "f": [empty],
        "g": empty,
        "h": Timestamp(1, 0),
    }
    filled = documents.decode(documents.fill_empty_timestamps(documents.encode(document), now))
    assert filled == {**document, "a": now, "g": now}
    assert list(filled) == list(document)


def test_an_empty_timestamp_stays_as_an_id() -> None:
    raw = documents.encode({"_id": Timestamp(0, 0)})
    assert documents.fill_empty_timestamps(raw, Timestamp(5, 5)) == raw
