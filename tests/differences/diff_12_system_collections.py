"""There are no system collections and no databases but those of the user.

MongoDB shows the oplog in `local`, views in `system.views`, and always has the databases `admin`, `config` and `local` (manual:
System Collections). What they are read for is in change streams, `listCollections` and `listDatabases`.
"""

from typing import Any

from pymongo.database import Database


def test_only_databases_with_collections_are_listed(database: Database[Any]) -> None:
    assert database.client.list_database_names() == []
    database.things.insert_one({})
    assert database.client.list_database_names() == ["differences"]


def test_views_are_listed_and_their_definitions_are_no_collection(database: Database[Any]) -> None:
    database.create_collection("seen", viewOn="things", pipeline=[])
    assert database.list_collection_names() == ["seen"]
    assert database["system.views"].find_one() is None


def test_the_oplog_is_no_collection(database: Database[Any]) -> None:
    database.things.insert_one({})
    assert database.client.local["oplog.rs"].find_one() is None
