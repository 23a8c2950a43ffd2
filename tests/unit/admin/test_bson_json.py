"""BSON in the API's JSON."""

import datetime
from typing import Any

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId

from skerry.admin.bson_json import as_json, from_json, id_from_text
from skerry.errors import BadValueError

ID = ObjectId("0123456789abcdef01234567")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"n": 1, "s": "x", "l": [None, True]}, {"n": 1, "s": "x", "l": [None, True]}),
        (ID, {"$oid": str(ID)}),
        (Decimal128("1.5"), {"$numberDecimal": "1.5"}),
        (datetime.datetime(2024, 1, 2, 3, 4, 5), {"$date": "2024-01-02T03:04:05Z"}),
    ],
)
def test_values_without_a_json_form_become_extended_json_and_come_back(value: Any, shown: Any) -> None:
    assert as_json(value) == shown
    assert from_json(shown) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("kiosk-7", "kiosk-7"),
        ("5", 5),
        ('"5"', "5"),
        (f'{{"$oid": "{ID}"}}', ID),
        ('{"$numberLong": "5"}', Int64(5)),
        ("{unfinished", "{unfinished"),
        ('{"$oid": "short"}', '{"$oid": "short"}'),
    ],
)
def test_an_id_is_extended_json_or_else_a_string(text: str, value: Any) -> None:
    assert id_from_text(text) == value


def test_what_is_no_extended_json_is_refused() -> None:
    with pytest.raises(BadValueError):
        from_json({"_id": {"$oid": "short"}})
