"""`createIndexes`, `dropIndexes`, `listIndexes`."""

from typing import Any

import pytest
from pymongo import IndexModel
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, OperationFailure


def test_every_collection_has_an_id_index(database: Database[Any]) -> None:
    database.things.insert_one({})
    assert database.things.index_information() == {"_id_": {"v": 2, "key": [("_id", 1)]}}


def test_an_index_is_created_and_listed(database: Database[Any]) -> None:
    assert database.things.create_index([("a", 1), ("b", -1)], unique=True) == "a_1_b_-1"
    assert database.things.index_information()["a_1_b_-1"] == {"v": 2, "key": [("a", 1), ("b", -1)], "unique": True}


def test_an_index_remembers_that_it_was_wanted_in_the_background(database: Database[Any]) -> None:
    database.things.create_index("a", background=True)
    assert database.things.index_information()["a_1"]["background"] is True
    assert database.things.create_index("a") == "a_1"  # the same index: the option means nothing else
    database.things.create_index("b")
    assert "background" not in database.things.index_information()["b_1"]


def test_the_reply_counts_indexes_and_notes_repetition(database: Database[Any]) -> None:
    spec = {"key": {"a": 1}, "name": "a_1"}
    first = database.command("createIndexes", "things", indexes=[spec])
    assert (first["numIndexesBefore"], first["numIndexesAfter"]) == (1, 2)
    assert first["createdCollectionAutomatically"] is True
    again = database.command("createIndexes", "things", indexes=[spec])
    assert (again["numIndexesBefore"], again["numIndexesAfter"]) == (2, 2)
    assert again["note"] == "all indexes already exist"


def test_several_indexes_come_in_one_command(database: Database[Any]) -> None:
    names = database.things.create_indexes([IndexModel("a"), IndexModel([("b", -1)], name="by_b", sparse=True)])
    assert names == ["a_1", "by_b"]


def test_a_unique_index_refuses_the_second(database: Database[Any]) -> None:
    database.things.create_index("email", unique=True)
    database.things.insert_one({"email": "a@example.org"})
    with pytest.raises(DuplicateKeyError) as caught:
        database.things.insert_one({"email": "a@example.org"})
    assert caught.value.details is not None
    assert caught.value.details["keyPattern"] == {"email": 1}


def test_a_unique_index_counts_missing_as_null(database: Database[Any]) -> None:
    database.things.create_index("email", unique=True)
    database.things.insert_one({})
    with pytest.raises(DuplicateKeyError):
        database.things.insert_one({"email": None})


def test_a_sparse_unique_index_does_not_count_missing(database: Database[Any]) -> None:
    database.things.create_index("email", unique=True, sparse=True)
    database.things.insert_many([{}, {}])
    assert database.things.count_documents({}) == 2


def test_a_partial_index_covers_what_its_filter_matches(database: Database[Any]) -> None:
    database.things.create_index("code", unique=True, partialFilterExpression={"active": True})
    database.things.insert_many([{"code": 1}, {"code": 1}, {"code": 1, "active": True}])
    with pytest.raises(DuplicateKeyError):
        database.things.insert_one({"code": 1, "active": True})


def test_a_unique_index_over_duplicates_cannot_be_built(database: Database[Any]) -> None:
    database.things.insert_many([{"a": 1}, {"a": 1}])
    with pytest.raises(DuplicateKeyError):
        database.things.create_index("a", unique=True)
    assert list(database.things.index_information()) == ["_id_"]


def test_indexes_are_dropped_by_name_by_key_and_all(database: Database[Any]) -> None:
    things = database.things
    for field in "abcd":
        things.create_index(field)
    things.drop_index("a_1")
    things.drop_index([("b", 1)])
    assert set(things.index_information()) == {"_id_", "c_1", "d_1"}
    assert database.command("dropIndexes", "things", index="*")["nIndexesWas"] == 3
    assert set(things.index_information()) == {"_id_"}


@pytest.mark.parametrize(
    ("selector", "code"), [("_id_", 72), ("nonsense", 27), ({"x": 1}, 27), (5, 14), (["nonsense"], 27)]
)
def test_what_is_not_there_cannot_be_dropped(database: Database[Any], selector: Any, code: int) -> None:
    database.things.insert_one({})
    with pytest.raises(OperationFailure) as caught:
        database.command("dropIndexes", "things", index=selector)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"key": {"a": 1}}, 9),
        ({"key": {"a": "text"}, "name": "x"}, 238),
        ({"key": {"a": "2dsphere"}, "name": "x"}, 238),
        ({"key": {"a": "hashed"}, "name": "x"}, 238),
        ({"key": {"a": 0}, "name": "x"}, 67),
        ({"key": {}, "name": "x"}, 67),
        ({"key": {"a": 1}, "name": "x", "nonsense": 1}, 197),
    ],
)
def test_impossible_indexes_are_refused(database: Database[Any], spec: dict[str, Any], code: int) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.command("createIndexes", "things", indexes=[spec])
    assert caught.value.code == code, caught.value


def test_an_index_cannot_change_under_its_name(database: Database[Any]) -> None:
    database.things.create_index("a", name="x")
    with pytest.raises(OperationFailure) as caught:
        database.things.create_index("b", name="x")
    assert caught.value.code == 86
    with pytest.raises(OperationFailure) as caught:
        database.things.create_index("a", name="y")
    assert caught.value.code == 85


def test_an_empty_list_of_indexes_is_refused(database: Database[Any]) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.command("createIndexes", "things", indexes=[])
    assert caught.value.code == 2


def test_indexes_of_a_missing_collection_are_not_found(database: Database[Any]) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.command("listIndexes", "nowhere")
    assert caught.value.code == 26
    with pytest.raises(OperationFailure) as caught:
        database.command("dropIndexes", "nowhere", index="*")
    assert caught.value.code == 26


def test_two_arrays_cannot_be_indexed_together(database: Database[Any]) -> None:
    database.things.create_index([("a", 1), ("b", 1)])
    with pytest.raises(OperationFailure) as caught:
        database.things.insert_one({"a": [1], "b": [2]})
    assert caught.value.code == 171


def test_a_query_uses_the_index(database: Database[Any]) -> None:
    database.things.insert_many([{"a": number} for number in range(100)])
    database.things.create_index("a")
    plan = database.things.find({"a": {"$gt": 90}}).explain()
    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])
    assert database.things.count_documents({"a": {"$gt": 90}}) == 9


def test_documents_of_one_insert_make_an_index_multikey_each_in_its_own_field(database: Database[Any]) -> None:
    """What one document of a batch says of the index must not be forgotten over the next one."""
    database.things.create_index([("a", 1), ("b", 1)])
    database.things.insert_many([{"_id": 1, "a": [1, 9], "b": 1}, {"_id": 2, "a": 1, "b": [1, 9]}])
    (plan,) = [database.things.find({"a": 1}).explain()["queryPlanner"]["winningPlan"]["inputStage"]]
    assert plan["multiKeyPaths"] == {"a": ["a"], "b": ["b"]}
    outside = {"$gt": 5, "$lt": 3}
    assert [each["_id"] for each in database.things.find({"a": outside})] == [1]
    assert [each["_id"] for each in database.things.find({"a": {"$gte": 1}, "b": outside})] == [2]
    assert database.things.count_documents({"a": outside}) == 1
