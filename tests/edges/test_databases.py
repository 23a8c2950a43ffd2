"""`listDatabases`, `dropDatabase`."""

from typing import Any

from pymongo.database import Database


def test_a_database_exists_while_it_has_collections(database: Database[Any]) -> None:
    names = database.client.list_database_names
    assert database.name not in names()
    database.things.insert_one({})
    assert database.name in names()
    database.client.drop_database(database.name)
    assert database.name not in names()


def test_databases_are_listed_with_their_sizes(database: Database[Any]) -> None:
    database.things.insert_one({"text": "x" * 1000})
    reply = database.client.admin.command("listDatabases", filter={"name": database.name})
    (listed,) = reply["databases"]
    assert listed["name"] == database.name
    assert listed["sizeOnDisk"] >= 1000
    assert listed["empty"] is False
    assert reply["totalSize"] == listed["sizeOnDisk"]


def test_only_names_are_listed_when_asked(database: Database[Any]) -> None:
    database.things.insert_one({})
    reply = database.client.admin.command("listDatabases", nameOnly=True)
    assert {"name": database.name} in reply["databases"]
    assert "totalSize" not in reply


def test_a_dropped_database_names_itself(database: Database[Any]) -> None:
    database.things.insert_one({})
    assert database.command("dropDatabase")["dropped"] == database.name
    assert "dropped" not in database.command("dropDatabase")


def test_databases_do_not_see_each_other(database: Database[Any]) -> None:
    other = database.client[f"{database.name}_other"]
    database.things.insert_one({"_id": 1})
    other.things.insert_one({"_id": 2})
    assert list(database.things.find()) == [{"_id": 1}]
    assert list(other.things.find()) == [{"_id": 2}]
