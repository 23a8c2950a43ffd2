from typing import Any

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from skerry.errors import CommandError
from skerry.matcher.compile import compile_filter


@pytest.mark.parametrize(
    ("schema", "document", "expected"),
    [
        ({}, {"a": 1}, True),
        ({"required": ["a"]}, {"a": None}, True),
        ({"required": ["a"]}, {"b": 1}, False),
        ({"properties": {"a": {"bsonType": "int"}}}, {"a": 1}, True),
        ({"properties": {"a": {"bsonType": "int"}}}, {"a": Int64(1)}, False),
        ({"properties": {"a": {"bsonType": "int"}}}, {}, True),
        ({"properties": {"a": {"bsonType": "int"}}}, {"a": [1]}, False),
        ({"properties": {"a": {"bsonType": ["int", "null"]}}}, {"a": None}, True),
        ({"properties": {"a": {"bsonType": "number"}}}, {"a": Decimal128("1")}, True),
        ({"properties": {"a": {"type": "number"}}}, {"a": 1.5}, True),
        ({"properties": {"a": {"type": "boolean"}}}, {"a": True}, True),
        ({"properties": {"a": {"type": "object", "required": ["b"]}}}, {"a": {}}, False),
        ({"properties": {"a": {"enum": [1, "x", None]}}}, {"a": 1.0}, True),
        ({"properties": {"a": {"enum": [1, "x"]}}}, {"a": 2}, False),
        ({"properties": {"a": {"minimum": 1, "maximum": 3}}}, {"a": 3}, True),
        ({"properties": {"a": {"minimum": 1, "exclusiveMinimum": True}}}, {"a": 1}, False),
        ({"properties": {"a": {"minimum": 1, "exclusiveMinimum": False}}}, {"a": 1}, True),
        ({"properties": {"a": {"minimum": 1}}}, {"a": "x"}, True),
        ({"properties": {"a": {"multipleOf": 3}}}, {"a": 9}, True),
        ({"properties": {"a": {"multipleOf": Decimal128("0.1")}}}, {"a": 0.3}, True),
        ({"properties": {"a": {"multipleOf": 3}}}, {"a": 10}, False),
        ({"properties": {"a": {"minLength": 2, "maxLength": 3}}}, {"a": "éa"}, True),
        ({"properties": {"a": {"minLength": 2}}}, {"a": "é"}, False),
        ({"properties": {"a": {"pattern": "^x"}}}, {"a": "ax"}, False),
        ({"properties": {"a": {"pattern": "^x"}}}, {"a": 1}, True),
        ({"properties": {"a": {"items": {"bsonType": "int"}}}}, {"a": [1, 2]}, True),
        ({"properties": {"a": {"items": {"bsonType": "int"}}}}, {"a": [1, "x"]}, False),
        ({"properties": {"a": {"items": [{"bsonType": "int"}], "additionalItems": False}}}, {"a": [1]}, True),
        ({"properties": {"a": {"items": [{"bsonType": "int"}], "additionalItems": False}}}, {"a": [1, 2]}, False),
        ({"properties": {"a": {"minItems": 1, "maxItems": 2}}}, {"a": []}, False),
        ({"properties": {"a": {"uniqueItems": True}}}, {"a": [{"x": 1, "y": 2}, {"y": 2, "x": 1}]}, False),
        ({"properties": {"a": {"uniqueItems": True}}}, {"a": [1, 2]}, True),
        ({"minProperties": 2}, {"a": 1}, False),
        ({"maxProperties": 1}, {"a": 1}, True),
        ({"additionalProperties": False, "properties": {"a": {}}}, {"a": 1, "b": 1}, False),
        ({"additionalProperties": False, "patternProperties": {"^x": {"bsonType": "int"}}}, {"xa": 1}, True),
        ({"additionalProperties": {"bsonType": "int"}}, {"a": "x"}, False),
        ({"patternProperties": {"^x": {"bsonType": "int"}}}, {"xa": "s"}, False),
        ({"dependencies": {"a": ["b"]}}, {"a": 1}, False),
        ({"dependencies": {"a": ["b"]}}, {"c": 1}, True),
        ({"dependencies": {"a": {"required": ["b"]}}}, {"a": 1, "b": 1}, True),
        ({"allOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1}, False),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1}, True),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 1}, False),
        ({"not": {"required": ["a"]}}, {"a": 1}, False),
        ({"title": "t", "description": "d"}, {}, True),
        ({"properties": {"a": {"multipleOf": 3}}}, {"a": "x"}, True),
        ({"properties": {"a": {"items": {}, "additionalItems": False}}}, {"a": [1]}, True),
        ({"properties": {"a": {"uniqueItems": False}}}, {"a": [1, 1]}, True),
        ({"properties": {"a": {"uniqueItems": True}}}, {"a": [[1], [1]]}, False),
    ],
)
def test_schema(schema: dict[str, Any], document: dict[str, Any], expected: bool) -> None:
    assert compile_filter({"$jsonSchema": schema}).matches(document) is expected


def test_schema_combines_with_other_clauses() -> None:
    filter = compile_filter({"$or": [{"$jsonSchema": {"required": ["a"]}}, {"b": 1}]})
    assert filter.matches({"a": 1})
    assert filter.matches({"b": 1})
    assert not filter.matches({"b": 2})


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        (5, 14),
        ({"nosuch": 1}, 9),
        ({"$ref": "x"}, 9),
        ({"encrypt": {}}, 238),
        ({"type": "integer"}, 9),
        ({"type": "nosuch"}, 2),
        ({"bsonType": 5}, 14),
        ({"type": "object", "bsonType": "object"}, 9),
        ({"required": []}, 9),
        ({"required": "a"}, 14),
        ({"required": ["a", "a"]}, 9),
        ({"properties": 5}, 14),
        ({"minimum": "x"}, 14),
        ({"exclusiveMinimum": True}, 9),
        ({"multipleOf": 0}, 9),
        ({"maxLength": -1}, 9),
        ({"minItems": "x"}, 14),
        ({"pattern": 5}, 14),
        ({"allOf": []}, 2),
        ({"enum": []}, 9),
        ({"enum": [1, 1.0]}, 9),
        ({"title": 5}, 14),
        ({"uniqueItems": 1}, 14),
        ({"not": 5}, 14),
        ({"allOf": 5}, 14),
        ({"required": ["a", 5]}, 14),
        ({"type": [5]}, 14),
        ({"enum": 5}, 14),
        ({"minimum": 1, "exclusiveMinimum": 1}, 14),
        ({"multipleOf": "x"}, 14),
        ({"additionalProperties": 1}, 14),
        ({"dependencies": 1}, 14),
    ],
)
def test_malformed_schema_is_refused(schema: Any, code: int) -> None:
    with pytest.raises(CommandError) as caught:
        compile_filter({"$jsonSchema": schema})
    assert caught.value.code == code
