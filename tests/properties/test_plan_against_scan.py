"""Whatever plan the planner takes, the answer is that of a full scan: same documents, same order, same count."""

from collections.abc import Iterator
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId, Regex
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, OperationFailure

import skerry

PATHS = ("a", "b", "a.x", "b.y")
scalars = st.one_of(
    st.integers(-2, 3),
    st.sampled_from([1.5, -0.0, float("nan"), Int64(2), Decimal128("1.5")]),
    st.sampled_from(["", "ab", "abc", "b"]),
    st.none(),
    st.booleans(),
    st.just(ObjectId("65f000000000000000000000")),
)
subdocuments = st.dictionaries(st.sampled_from(["x", "y"]), scalars, max_size=2)
values = st.one_of(scalars, subdocuments, st.lists(st.one_of(scalars, subdocuments), max_size=3))
documents = st.lists(st.dictionaries(st.sampled_from(["a", "b"]), values, max_size=2), min_size=1, max_size=12)
bounds = st.one_of(
    st.builds(lambda operator, value: {operator: value}, st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), scalars),
    st.builds(lambda low, high: {"$gte": low, "$lt": high}, scalars, scalars),
)
predicates = st.one_of(
    scalars,
    subdocuments,
    bounds,
    st.builds(lambda chosen: {"$in": chosen}, st.lists(scalars, max_size=3)),
    st.builds(lambda chosen: {"$nin": chosen}, st.lists(scalars, max_size=2)),
    st.builds(lambda value: {"$ne": value}, scalars),
    st.builds(lambda wanted: {"$exists": wanted}, st.booleans()),
    st.builds(lambda bound: {"$not": bound}, bounds),
    st.builds(lambda bound: {"$elemMatch": bound}, bounds),
    st.just({"$type": "number"}),
    st.just(Regex("^ab")),
    st.just({"$size": 2}),
)
clauses = st.dictionaries(st.sampled_from(PATHS), predicates, min_size=1, max_size=2)
filters = st.one_of(
    clauses,
    st.builds(lambda parts: {"$or": parts}, st.lists(clauses, min_size=1, max_size=3)),
    st.builds(lambda parts: {"$and": parts}, st.lists(clauses, min_size=1, max_size=2)),
)
directions = st.sampled_from([1, -1])
keys = st.lists(st.tuples(st.sampled_from(PATHS), directions), min_size=1, max_size=2, unique_by=lambda pair: pair[0])
options = st.sampled_from([{}, {}, {"sparse": True}, {"partialFilterExpression": {"a": {"$gt": 0}}}])
indexes = st.lists(st.tuples(keys, options), min_size=1, max_size=3)
sorts = st.one_of(st.none(), keys)


@pytest.fixture(scope="module")
def collection() -> Iterator[Collection[dict[str, Any]]]:
    with skerry.connect(":memory:") as client:
        yield client.shop.things


def shown(found: Any) -> list[int]:
    return [each["_id"] for each in found]


def insert(collection: Collection[dict[str, Any]], batch: list[dict[str, Any]]) -> None:
    refused: set[int] = set()
    try:
        collection.insert_many([{"_id": number, **each} for number, each in enumerate(batch)], ordered=False)
    except BulkWriteError as error:
        refused = {each["code"] for each in error.details["writeErrors"]}
    assert refused <= {171}, "only parallel arrays"


def create_index(
    collection: Collection[dict[str, Any]], key: list[tuple[str, int]], name: str, option: dict[str, Any]
) -> int | None:
    try:
        collection.create_index(key, name=name, **option)
    except OperationFailure as error:
        return error.code
    return None


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(batch=documents, wanted=filters, chosen=indexes, sort=sorts, indexes_first=st.booleans())
def test_planned_and_scanned_answers_are_the_same(
    collection: Collection[dict[str, Any]],
    batch: list[dict[str, Any]],
    wanted: dict[str, Any],
    chosen: list[tuple[list[tuple[str, int]], dict[str, Any]]],
    sort: list[tuple[str, int]] | None,
    indexes_first: bool,
) -> None:
    collection.drop()
    if not indexes_first:
        insert(collection, batch)
    for at, (key, option) in enumerate(chosen):
        refused = create_index(collection, key, f"index{at}", option)
        assert refused in (None, 85, 86, 171), "only the same key twice, or parallel arrays"
    if indexes_first:
        insert(collection, batch)
    scanned = shown(collection.find(wanted).hint([("$natural", 1)]))
    assert sorted(shown(collection.find(wanted))) == scanned
    assert collection.count_documents(wanted) == len(scanned)
    if sort is not None:
        order = [*sort, ("_id", 1)]
        by_scan = shown(collection.find(wanted).sort(order).hint([("$natural", 1)]))
        assert shown(collection.find(wanted).sort(order)) == by_scan
        plain = collection.find(wanted).sort(sort)
        assert sorted(shown(plain)) == scanned
    deleted = collection.delete_many(wanted).deleted_count
    assert deleted == len(scanned)
