from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.timestamp import Timestamp

from skerry.errors import CommandError
from skerry.update.binary_equality import binary_equal

Update = Callable[..., dict[str, Any]]
INT64_MAX = 2**63 - 1


@pytest.mark.parametrize(
    ("document", "specification", "expected"),
    [
        ({"a": 1}, {"$set": {"a": 2}}, {"a": 2}),
        ({"a": 1}, {"$set": {"a": 1.0}}, {"a": 1.0}),
        ({"a": 1, "b": 2}, {"$set": {"a": None}}, {"a": None, "b": 2}),
        ({}, {"$set": {"a.b.c": 1}}, {"a": {"b": {"c": 1}}}),
        ({"a": {"x": 1}}, {"$set": {"a.b": [1]}}, {"a": {"x": 1, "b": [1]}}),
        ({"a": {"x": 1, "y": 2}}, {"$set": {"a": {"y": 2, "x": 1}}}, {"a": {"y": 2, "x": 1}}),
        ({}, {"$set": {"a": {"$x": 1, "b.c": 2}}}, {"a": {"$x": 1, "b.c": 2}}),
        ({"a": 1, "b": 2}, {"$unset": {"a": ""}}, {"b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"$unset": {"a.b": 1}}, {"a": {"c": 2}}),
        ({"a": {"b": 1}}, {"$unset": {"a.b": 1}}, {"a": {}}),
        ({"a": [1, 2, 3]}, {"$unset": {"a.1": 1}}, {"a": [1, None, 3]}),
        ({"a": 1}, {"$inc": {"a": 2}}, {"a": 3}),
        ({"a": 1}, {"$inc": {"a": -1.5}}, {"a": -0.5}),
        ({"a": 1}, {"$inc": {"a": Int64(2)}}, {"a": Int64(3)}),
        ({"a": 2**31 - 1}, {"$inc": {"a": 1}}, {"a": Int64(2**31)}),
        ({"a": 1}, {"$inc": {"a": Decimal128("0.1")}}, {"a": Decimal128("1.1")}),
        ({}, {"$inc": {"a": 2}}, {"a": 2}),
        ({"a": 1}, {"$inc": {"a": Int64(0)}}, {"a": Int64(1)}),
        ({"a": 3}, {"$mul": {"a": 2}}, {"a": 6}),
        ({"a": 3}, {"$mul": {"a": 0.5}}, {"a": 1.5}),
        ({}, {"$mul": {"a": 5}}, {"a": 0}),
        ({}, {"$mul": {"a": Int64(5)}}, {"a": Int64(0)}),
        ({}, {"$mul": {"a": 5.5}}, {"a": 0.0}),
        ({"a": 5}, {"$min": {"a": 3}}, {"a": 3}),
        ({"a": 5}, {"$min": {"a": None}}, {"a": None}),
        ({}, {"$min": {"a": 3}}, {"a": 3}),
        ({"a": 5}, {"$max": {"a": 7.5}}, {"a": 7.5}),
        ({"a": 5}, {"$max": {"a": "x"}}, {"a": "x"}),
        ({}, {"$max": {"a": 3}}, {"a": 3}),
        ({"a": [1, 2]}, {"$inc": {"a.1": 5}}, {"a": [1, 7]}),
    ],
)
def test_operator_changes_the_field(
    update: Update, document: dict[str, Any], specification: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert binary_equal(update(document, specification), expected)


@pytest.mark.parametrize(
    ("document", "specification"),
    [
        ({"a": 1}, {"$set": {"a": 1}}),
        ({"a": {"b": [1, 2]}}, {"$set": {"a.b": [1, 2]}}),
        ({"a": float("nan")}, {"$set": {"a": float("nan")}}),
        ({"a": 1}, {"$unset": {"b": 1}}),
        ({"a": 1}, {"$unset": {"b.c": 1}}),
        ({"a": 1}, {"$unset": {"a.b": 1}}),
        ({"a": [1]}, {"$unset": {"a.b": 1, "a.5": 1}}),
        ({"a": 1}, {"$inc": {"a": 0}}),
        ({"a": 1.5}, {"$inc": {"a": 0}}),
        ({"a": Int64(1)}, {"$inc": {"a": 0}}),
        ({"a": 1}, {"$mul": {"a": 1}}),
        ({"a": 5}, {"$min": {"a": 5.0}}),
        ({"a": 5}, {"$max": {"a": 5}}),
        ({"a": 5}, {"$max": {"a": None}}),
        ({"a": 5}, {"$setOnInsert": {"b.c": 2, "a.x": 1}}),
        ({"a": 5}, {"$set": {}}),
    ],
)
def test_identical_document_is_returned_when_nothing_changes(
    update: Update, document: dict[str, Any], specification: dict[str, Any]
) -> None:
    assert update(document, specification) is document


def test_set_on_insert_sets_only_in_an_insert(update: Update) -> None:
    specification = {"$setOnInsert": {"b.c": 2}, "$set": {"a": 1}}
    assert update({}, specification) == {"a": 1}
    assert update({}, specification, is_upsert_insert=True) == {"a": 1, "b": {"c": 2}}


def test_current_date_sets_the_time_of_the_statement(update: Update, now: datetime, timestamp: Timestamp) -> None:
    specification = {"$currentDate": {"a": True, "b": {"$type": "date"}, "c": {"$type": "timestamp"}, "d": False}}
    assert update({}, specification) == {"a": now, "b": now, "c": timestamp, "d": now}


@pytest.mark.parametrize(
    ("document", "specification", "code"),
    [
        ({"a": "x"}, {"$inc": {"a": 1}}, 14),
        ({"a": None}, {"$inc": {"a": 1}}, 14),
        ({"a": True}, {"$inc": {"a": 1}}, 14),
        ({"a": []}, {"$mul": {"a": 1}}, 14),
        ({"a": 1}, {"$inc": {"a": "x"}}, 14),
        ({"a": 1}, {"$inc": {"a": True}}, 14),
        ({"a": 1}, {"$mul": {"a": None}}, 14),
        ({"a": Int64(INT64_MAX)}, {"$inc": {"a": 1}}, 2),
        ({"a": Int64(INT64_MAX)}, {"$mul": {"a": 2}}, 2),
        ({}, {"$currentDate": {"a": 1}}, 2),
        ({}, {"$currentDate": {"a": {"$type": "x"}}}, 2),
        ({}, {"$currentDate": {"a": {"x": "date"}}}, 2),
        ({}, {"$currentDate": {"a": {}}}, 2),
        ({"a": 5}, {"$set": {"a.b": 1}}, 28),
        ({"a": None}, {"$inc": {"a.b": 1}}, 28),
        ({"a": [1]}, {"$set": {"a.b": 1}}, 28),
        ({"a": {"b": "x"}}, {"$set": {"a.b.c.d": 1}}, 28),
    ],
)
def test_operator_refuses_what_it_cannot_change(
    update: Update, document: dict[str, Any], specification: dict[str, Any], code: int
) -> None:
    with pytest.raises(CommandError) as caught:
        update({"_id": 1, **document}, specification)
    assert caught.value.code == code


def test_errors_name_the_document_and_the_field(update: Update) -> None:
    with pytest.raises(CommandError) as caught:
        update({"_id": 7, "o": {"a": "x"}}, {"$inc": {"o.a": 1}})
    assert caught.value.message == (
        "Cannot apply $inc to a value of non-numeric type. {_id: 7} has the field 'a' of non-numeric type string"
    )
    with pytest.raises(CommandError) as caught:
        update({"_id": 7, "o": {"a": "x"}}, {"$set": {"o.a.b": 1}})
    assert caught.value.message == "Cannot create field 'b' in element {a: \"x\"}"
