"""`create`, `drop`, `renameCollection`, `collMod`, `listCollections`, `collStats`, `validate`."""

from typing import Any

import pytest
from bson import ObjectId
from pymongo.database import Database
from pymongo.errors import CollectionInvalid, OperationFailure


def test_a_collection_is_created_and_listed(database: Database[Any]) -> None:
    database.create_collection("things")
    (listed,) = database.list_collections()
    assert (listed["name"], listed["type"], listed["options"]) == ("things", "collection", {})
    assert listed["info"]["readOnly"] is False
    assert listed["idIndex"] == {"v": 2, "key": {"_id": 1}, "name": "_id_"}


def test_a_write_creates_its_collection(database: Database[Any]) -> None:
    database.things.insert_one({})
    assert database.list_collection_names() == ["things"]


def test_collections_are_filtered_and_named(database: Database[Any]) -> None:
    for name in ("a", "b", "c"):
        database.create_collection(name)
    assert database.list_collection_names(filter={"name": {"$in": ["a", "c"]}}) == ["a", "c"]
    reply = database.command("listCollections", nameOnly=True)
    assert reply["cursor"]["firstBatch"][0] == {"name": "a", "type": "collection"}
    assert reply["cursor"]["ns"] == f"{database.name}.$cmd.listCollections"


def test_the_list_of_collections_comes_in_batches(database: Database[Any]) -> None:
    for number in range(5):
        database.create_collection(f"c{number}")
    first = database.command("listCollections", cursor={"batchSize": 2})["cursor"]
    assert len(first["firstBatch"]) == 2
    rest = database.command("getMore", first["id"], collection="$cmd.listCollections")["cursor"]
    assert len(rest["nextBatch"]) == 3


def test_creating_twice_is_refused_only_with_other_options(database: Database[Any]) -> None:
    database.create_collection("things")
    with pytest.raises(CollectionInvalid):
        database.create_collection("things")
    assert database.command("create", "things")["ok"] == 1.0
    with pytest.raises(OperationFailure) as caught:
        database.command("create", "things", validator={"a": 1})
    assert caught.value.code == 48


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"size": 1024}, 72),
        ({"capped": True, "size": 100}, 238),
        ({"timeseries": {"timeField": "t"}}, 238),
        ({"nonsense": 1}, 40415),
        ({"pipeline": []}, 72),
        ({"collation": {"locale": "de"}}, 238),
        ({"validator": {"$nonsense": 1}}, 2),
    ],
)
def test_unsupported_options_are_refused_by_name(database: Database[Any], options: dict[str, Any], code: int) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.command("create", "things", **options)
    assert caught.value.code == code, caught.value
    assert database.list_collection_names() == []


def test_a_dropped_collection_is_gone_with_its_indexes(database: Database[Any]) -> None:
    database.things.insert_one({})
    database.things.create_index("a")
    assert database.command("drop", "things")["nIndexesWas"] == 2
    assert database.list_collection_names() == []
    assert database.things.find_one() is None


def test_dropping_what_is_not_there_succeeds(database: Database[Any]) -> None:
    assert database.command("drop", "nowhere")["ok"] == 1.0


def test_a_renamed_collection_keeps_documents_and_indexes(database: Database[Any]) -> None:
    database.old.insert_one({"_id": 1})
    database.old.create_index("a")
    database.old.rename("new")
    assert database.list_collection_names() == ["new"]
    assert database.new.find_one() == {"_id": 1}
    assert "a_1" in database.new.index_information()


def test_renaming_over_another_needs_permission(database: Database[Any]) -> None:
    database.old.insert_one({"_id": 1})
    database.new.insert_one({"_id": 2})
    with pytest.raises(OperationFailure) as caught:
        database.old.rename("new")
    assert caught.value.code == 48
    database.old.rename("new", dropTarget=True)
    assert list(database.new.find()) == [{"_id": 1}]


def test_renaming_what_is_not_there_fails(database: Database[Any]) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.nowhere.rename("new")
    assert caught.value.code == 26


def test_a_collection_may_be_renamed_into_another_database(database: Database[Any]) -> None:
    database.old.insert_one({"_id": 1})
    target = f"{database.name}_b"
    database.client.admin.command("renameCollection", f"{database.name}.old", to=f"{target}.new")
    assert database.client[target].new.find_one() == {"_id": 1}
    database.client.drop_database(target)


def test_coll_mod_changes_the_validator(database: Database[Any]) -> None:
    database.create_collection("things")
    database.command("collMod", "things", validator={"a": {"$exists": True}})
    with pytest.raises(OperationFailure) as caught:
        database.things.insert_one({"b": 1})
    assert caught.value.code == 121
    database.command("collMod", "things", validator={})
    database.things.insert_one({"b": 1})


def test_coll_mod_changes_when_an_index_expires(database: Database[Any]) -> None:
    database.things.create_index("at", expireAfterSeconds=100)
    database.command("collMod", "things", index={"name": "at_1", "expireAfterSeconds": 7200})
    assert database.things.index_information()["at_1"]["expireAfterSeconds"] == 7200


def test_coll_mod_needs_a_collection(database: Database[Any]) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.command("collMod", "nowhere", validator={})
    assert caught.value.code == 26


def test_statistics_count_documents_and_bytes(database: Database[Any]) -> None:
    database.things.insert_many([{"_id": ObjectId(), "text": "x" * 100} for _ in range(10)])
    database.things.create_index("text")
    statistics = database.command("collStats", "things")
    assert statistics["count"] == 10
    assert statistics["size"] > 1000
    assert set(statistics["indexSizes"]) == {"_id_", "text_1"}
    totals = database.command("dbStats")
    assert (totals["collections"], totals["objects"], totals["indexes"]) == (1, 10, 2)


def test_a_scale_divides_sizes(database: Database[Any]) -> None:
    database.things.insert_one({"text": "x" * 4096})
    assert database.command("collStats", "things", scale=1024)["size"] == 4
    with pytest.raises(OperationFailure) as caught:
        database.command("collStats", "things", scale=0)
    assert caught.value.code == 2


def test_a_sound_collection_is_valid(database: Database[Any]) -> None:
    database.things.insert_many([{"a": [1, 2]}, {"a": 3}])
    database.things.create_index("a")
    report = database.command("validate", "things")
    assert report["valid"] is True
    assert report["nrecords"] == 2
    assert report["keysPerIndex"] == {"_id_": 2, "a_1": 3}


def test_compact_gives_back_what_deleted_documents_have_left(database: Database[Any]) -> None:
    database.things.insert_many([{"_id": n, "text": "x" * 10_000} for n in range(200)])
    database.things.delete_many({"_id": {"$gte": 1}})
    estimate = database.command("compact", "things", dryRun=True)
    assert estimate["bytesFreed"] > 1_000_000
    assert database.command("compact", "things", freeSpaceTargetMB=1000)["bytesFreed"] == 0
    done = database.command("compact", "things", force=True, freeSpaceTargetMB=1, comment="nightly")
    assert done["bytesFreed"] >= estimate["bytesFreed"]
    assert database.command("compact", "things", dryRun=True)["bytesFreed"] == 0
    assert [document["_id"] for document in database.things.find()] == [0]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"compact": "nothing"}, 26),
        ({"compact": "view"}, 166),
        ({"compact": 1}, 73),
        ({"compact": "things", "freeSpaceTargetMB": 0}, 2),
        ({"compact": "things", "dryRun": "yes"}, 14),
        ({"compact": "things", "paddingBytes": 1}, 40415),
    ],
)
def test_compact_refuses_what_it_cannot_do(database: Database[Any], arguments: dict[str, Any], code: int) -> None:
    database.things.insert_one({})
    database.create_collection("view", viewOn="things", pipeline=[])
    with pytest.raises(OperationFailure) as caught:
        database.command(arguments)
    assert caught.value.code == code
