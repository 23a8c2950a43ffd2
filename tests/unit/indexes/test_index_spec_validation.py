from typing import Any

import pytest
from bson.decimal128 import Decimal128

from skerry.errors import CommandError, NotImplementedYetError
from skerry.indexes.index_spec_validation import validate_index_spec


def spec(**options: Any) -> dict[str, Any]:
    return {"key": {"a": 1}, "name": "a_1", **options}


@pytest.mark.parametrize(
    "valid",
    [
        spec(),
        spec(v=1),
        spec(v=2.0, unique=1, sparse=0, background=True, dropDups=True, ns="d.c"),
        spec(expireAfterSeconds=0),
        spec(expireAfterSeconds=Decimal128("2147483647")),
        spec(collation={"locale": "simple"}),
        spec(key={"a.b": 1, "c.0": -1.5, "ref.$id": 1}),
        spec(key={"_id": 1, "a": 1}),
        spec(key={"_id": 1}),
        spec(partialFilterExpression={}),
        spec(
            partialFilterExpression={
                "a": 1,
                "b": {"$gt": 1, "$lte": 4},
                "c": {"$exists": True},
                "d": {"$type": "string"},
            }
        ),
        spec(partialFilterExpression={"$or": [{"a": {"$in": [1, 2]}}, {"$and": [{"b": 1}]}]}),
    ],
    ids=repr,
)
def test_specifications_of_the_manual_pass(valid: dict[str, Any]) -> None:
    validate_index_spec(valid)


@pytest.mark.parametrize(
    ("invalid", "code"),
    [
        ({"name": "a"}, 9),
        ({"key": {"a": 1}}, 9),
        (spec(key="a"), 14),
        (spec(key={}), 67),
        (spec(key={f"f{n}": 1 for n in range(33)}), 67),
        (spec(key={"": 1}), 67),
        (spec(key={"a.": 1}), 67),
        (spec(key={"a..b": 1}), 67),
        (spec(key={"$a": 1}), 67),
        (spec(key={"a.$b": 1}), 67),
        (spec(key={"a": 0}), 67),
        (spec(key={"a": float("nan")}), 67),
        (spec(key={"a": float("inf")}), 67),
        (spec(key={"a": True}), 67),
        (spec(key={"a": None}), 67),
        (spec(key={"a": {}}), 67),
        (spec(key={"a": "up"}), 67),
        (spec(key={"_id": -1}), 2),
        (spec(key={"_id": 1}, unique=True), 197),
        (spec(key={"_id": 1}, partialFilterExpression={"a": 1}), 197),
        (spec(name=1), 14),
        (spec(name=""), 67),
        (spec(name="*"), 2),
        (spec(name="a\x00"), 67),
        (spec(v=3), 67),
        (spec(v="2"), 67),
        (spec(unique="yes"), 14),
        (spec(foo=1), 197),
        (spec(collation="simple"), 14),
        (spec(expireAfterSeconds="1"), 67),
        (spec(expireAfterSeconds=-1), 67),
        (spec(expireAfterSeconds=float("nan")), 67),
        (spec(expireAfterSeconds=2147483648), 67),
        (spec(key={"a": 1, "b": 1}, expireAfterSeconds=1), 67),
        (spec(partialFilterExpression=1), 14),
        (spec(partialFilterExpression={"a": 1}, sparse=True), 67),
        (spec(partialFilterExpression={"a": {"$ne": 1}}), 67),
        (spec(partialFilterExpression={"a": {"$exists": False}}), 67),
        (spec(partialFilterExpression={"a": {"$regex": "^a"}}), 67),
        (spec(partialFilterExpression={"$expr": {"$eq": ["$a", 1]}}), 67),
        (spec(partialFilterExpression={"a": {"$frob": 1}}), 2),
    ],
    ids=repr,
)
def test_what_the_server_refuses_is_refused_with_its_code(invalid: dict[str, Any], code: int) -> None:
    with pytest.raises(CommandError) as refusal:
        validate_index_spec(invalid)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("invalid", "named"),
    [
        (spec(key={"a": "text"}), "text"),
        (spec(key={"a": "2dsphere"}), "2dsphere"),
        (spec(key={"a": "2d"}), "2d"),
        (spec(key={"_id": "hashed"}), "hashed"),
        (spec(key={"$**": 1}), "wildcard"),
        (spec(key={"a.$**": 1}), "wildcard"),
        (spec(wildcardProjection={"a": 1}), "wildcardProjection"),
        (spec(storageEngine={}), "storageEngine"),
        (spec(collation={"locale": "en"}), "en"),
    ],
    ids=repr,
)
def test_what_is_not_there_is_refused_by_name(invalid: dict[str, Any], named: str) -> None:
    with pytest.raises(NotImplementedYetError, match=named):
        validate_index_spec(invalid)
