from datetime import datetime
from math import inf, nan

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.timestamp import Timestamp

LONG_MAX = 2**63 - 1
ID = ObjectId("5ab9c3da31c2ab715d421285")
ID_TIME = datetime(2018, 3, 27, 4, 8, 58)
NOON = datetime(2024, 2, 29, 12)


@pytest.mark.parametrize(
    ("value", "target", "expected"),
    [
        (1.9, "double", 1.9),
        (1.9, "string", "1.9"),
        (2.0, "string", "2"),
        (1e21, "string", "1e+21"),
        (nan, "string", "NaN"),
        (-inf, "string", "-Infinity"),
        (1.9, "bool", True),
        (1.9, "date", datetime(1970, 1, 1, 0, 0, 0, 1000)),
        (1.9, "int", 1),
        (-1.9, "int", -1),
        (1.9, "long", Int64(1)),
        (1.9, "decimal", Decimal128("1.90000000000000")),
        ("1.9", "double", 1.9),
        ("-5", "int", -5),
        ("+5", "long", Int64(5)),
        ("1e-3", "decimal", Decimal128("0.001")),
        ("", "bool", True),
        ("5ab9c3da31c2ab715d421285", "objectId", ID),
        ("2018-03-27T04:08:58Z", "date", ID_TIME),
        (ID, "string", "5ab9c3da31c2ab715d421285"),
        (ID, "date", ID_TIME),
        (ID, "objectId", ID),
        (ID, "bool", True),
        (True, "int", 1),
        (False, "double", 0.0),
        (True, "string", "true"),
        (True, "decimal", Decimal128("1")),
        (0.0, "bool", False),
        (Decimal128("0"), "bool", False),
        (NOON, "double", 1709208000000.0),
        (NOON, "long", Int64(1709208000000)),
        (NOON, "decimal", Decimal128("1709208000000")),
        (NOON, "string", "2024-02-29T12:00:00.000Z"),
        (NOON, "bool", True),
        (Timestamp(5, 1), "date", datetime(1970, 1, 1, 0, 0, 5)),
        (5, "long", Int64(5)),
        (5, "double", 5.0),
        (5, "decimal", Decimal128("5")),
        (5, "string", "5"),
        (Int64(5), "int", 5),
        (Int64(5), "date", datetime(1970, 1, 1, 0, 0, 0, 5000)),
        (Decimal128("1.90"), "string", "1.90"),
        (Decimal128("1.90"), "int", 1),
        (Decimal128("1.5"), "double", 1.5),
        ({"a": 1}, "object", {"a": 1}),
        (5, 1, 5.0),
        (5, 2, "5"),
        (5, 16.0, 5),
    ],
)
def test_values_convert_as_the_manual_says(check, value, target, expected):
    check({"$convert": {"input": {"$literal": value}, "to": target}}, expected)


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("1.5", "int"),
        ("0x6400", "int"),
        (" 1", "int"),
        ("abc", "double"),
        ("1e400", "double"),
        ("1" * 30, "long"),
        ("zzz", "objectId"),
        ("not a date", "date"),
        (nan, "int"),
        (inf, "long"),
        (1e10, "int"),
        (1e300, "long"),
        (Int64(LONG_MAX), "int"),
        (Decimal128("1E+500"), "double"),
        (5, "date"),
        (5, "objectId"),
        (True, "date"),
        (ID, "int"),
        (NOON, "int"),
        ({"a": 1}, "string"),
        ([1], "decimal"),
        ({"a": 1}, "array"),
    ],
)
def test_what_does_not_convert_is_an_error_or_on_error(check, fails, value, target):
    spec = {"input": {"$literal": value}, "to": target}
    fails({"$convert": spec}, 241)
    check({"$convert": {**spec, "onError": "bad"}}, "bad")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"$convert": {"input": "$missing", "to": "int"}}, None),
        ({"$convert": {"input": None, "to": "int", "onNull": 0}}, 0),
        ({"$convert": {"input": 5, "to": None}}, None),
        ({"$toInt": "12"}, 12),
        ({"$toInt": "$missing"}, None),
        ({"$toBool": {"$literal": [0]}}, True),
        ({"$toString": Int64(7)}, "7"),
        ({"$toDecimal": "1.10"}, Decimal128("1.10")),
        ({"$toDouble": 3}, 3.0),
        ({"$toLong": 3}, Int64(3)),
        ({"$toObjectId": "5ab9c3da31c2ab715d421285"}, ID),
        ({"$toDate": Int64(0)}, datetime(1970, 1, 1)),
        ({"$isNumber": 1.5}, True),
        ({"$isNumber": True}, False),
        ({"$type": "$missing"}, "missing"),
        ({"$type": None}, "null"),
        ({"$type": Int64(1)}, "long"),
        ({"$type": [[1]]}, "array"),
        ({"$type": ID}, "objectId"),
    ],
)
def test_null_and_short_forms(check, spec, expected):
    check(spec, expected)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"$convert": 1}, 9),
        ({"$convert": {"input": 1}}, 9),
        ({"$convert": {"input": 1, "to": "int", "what": 1}}, 9),
        ({"$convert": {"input": 1, "to": "nonsense"}}, 2),
        ({"$convert": {"input": 1, "to": "number"}}, 2),
        ({"$convert": {"input": 1, "to": True}}, 9),
        ({"$convert": {"input": 1, "to": 1.5}}, 9),
    ],
)
def test_malformed_conversions_have_the_servers_codes(fails, spec, code):
    fails(spec, code)
