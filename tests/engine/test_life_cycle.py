"""Databases and collections come, are opened and go; index documents bring collections back."""

from collections.abc import Callable
from pathlib import Path

import apsw
import bson
import pytest
from pymongo.errors import OperationFailure

import skerry
from skerry.catalog.file_service import FileService
from skerry.config import EngineConfig
from skerry.engine.doctor import examine
from skerry.engine.engine import Engine
from skerry.engine.index_backup import Outcome, backup_index, recover
from skerry.engine.life_cycle import create_database, has_database, open_database
from skerry.engine.operation_context import OperationContext
from skerry.engine.requests import CountQuery, UpdateStatement
from skerry.errors import (
    DatabaseExistsError,
    DatabaseNotFoundError,
    DuplicateKeyError,
    InvalidJsonError,
    MissingFileError,
)
from skerry.values.namespace import Namespace

ORDERS = Namespace("shop", "orders")
NAMESPACE_NOT_FOUND = 26
EXPLICIT = EngineConfig(auto_create_collections=False)


def fill(engine: Engine, ctx: OperationContext, namespace: Namespace = ORDERS) -> None:
    engine.create_indexes(namespace, [{"key": {"n": 1}, "name": "n_1", "unique": True}], ctx)
    documents = [bson.encode({"_id": number, "n": number, "tags": [1, 2]}) for number in range(10)]
    engine.insert(namespace, documents, ordered=True, ctx=ctx)
    engine.create_indexes(namespace, [{"key": {"tags": 1}, "name": "tags_1"}], ctx)


def count(engine: Engine, ctx: OperationContext, namespace: Namespace = ORDERS) -> int:
    return engine.count(namespace, CountQuery({}), ctx)


def test_a_database_is_created_once_and_opened_when_it_is_there(tmp_path: Path, ctx: OperationContext) -> None:
    directory = tmp_path / "data"
    with pytest.raises(DatabaseNotFoundError):
        open_database(directory)
    assert not directory.exists()
    engine = create_database(directory)
    fill(engine, ctx)
    engine.close()
    with pytest.raises(DatabaseExistsError) as caught:
        create_database(directory)
    assert caught.value.path == str(directory)
    engine = open_database(directory)
    assert count(engine, ctx) == 10
    engine.close()


@pytest.mark.parametrize("remains", [b"", "wal"])
def test_the_remains_of_an_interrupted_making_are_no_database(tmp_path: Path, remains: bytes | str) -> None:
    file = tmp_path / "skerry.db"
    if remains == "wal":
        connection = apsw.Connection(str(file))
        connection.pragma("journal_mode", "wal")
        connection.close()
    else:
        file.write_bytes(b"")
    assert not has_database(tmp_path)
    create_database(tmp_path).close()
    assert has_database(tmp_path)
    assert examine(tmp_path) == []


def test_dropping_what_is_not_there_does_nothing(engine: Engine, ctx: OperationContext) -> None:
    fill(engine, ctx)
    assert engine.drop_collection(ORDERS, ctx) == {"nIndexesWas": 3, "ns": "shop.orders"}
    assert engine.drop_collection(ORDERS, ctx) == {}
    assert engine.drop_database("shop", ctx) is False


def test_without_auto_create_a_collection_has_to_be_created_explicitly(tmp_path: Path) -> None:
    words = r"shop\.orders does not exist and auto-create is disabled"
    with skerry.connect(tmp_path, config=EXPLICIT) as client:
        orders = client.shop.orders

        def insert_in_a_transaction() -> None:
            with client.start_session() as session, session.start_transaction():
                orders.insert_one({"_id": 1}, session=session)

        for attempt in (
            lambda: orders.insert_one({"_id": 1}),
            lambda: orders.update_one({"_id": 1}, {"$set": {"n": 1}}, upsert=True),
            lambda: orders.create_index("n"),
            insert_in_a_transaction,
        ):
            with pytest.raises(OperationFailure, match=words) as caught:
                attempt()
            assert caught.value.code == NAMESPACE_NOT_FOUND
        assert orders.update_one({"_id": 1}, {"$set": {"n": 1}}).matched_count == 0
        assert client.shop.list_collection_names() == []
        client.shop.create_collection("orders")
        insert_in_a_transaction()
        assert orders.count_documents({}) == 1


def test_the_index_document_brings_collections_back_empty_elsewhere(
    open_engine: Callable[..., Engine], ctx: OperationContext, tmp_path: Path
) -> None:
    first, second = open_engine("first"), open_engine("second")
    fill(first, ctx)
    first.create_collection(Namespace("shop", "checked"), {"validator": {"n": {"$gt": 1}}}, ctx)
    url = str(tmp_path / "index.json")
    assert backup_index(first.storage, url) == 2
    fill(second, ctx, Namespace("other", "kept"))
    report = {str(each.namespace): each for each in recover(second.storage, url)}
    assert {name: each.outcome for name, each in report.items()} == {
        "shop.orders": Outcome.CREATED,
        "shop.checked": Outcome.CREATED,
    }
    assert second.list_indexes(ORDERS) == first.list_indexes(ORDERS)
    assert second.list_collections("shop") == first.list_collections("shop")
    assert [each.outcome for each in recover(second.storage, url)] == [Outcome.KEPT, Outcome.KEPT]
    assert second.validate_collection(ORDERS)["valid"]


def test_documents_whose_name_was_lost_get_it_back_with_their_indexes(
    open_engine: Callable[..., Engine], ctx: OperationContext
) -> None:
    engine = open_engine()
    fill(engine, ctx)
    files = FileService("memory://lost-name")
    backup_index(engine.storage, "index.json", files)

    def lose(view: object) -> None:
        view.run("DELETE FROM collection")  # type: ignore[attr-defined]
        view.run("DELETE FROM collection_index")  # type: ignore[attr-defined]
        engine.storage.catalog.renew(view)  # type: ignore[arg-type]

    engine.storage.store.write(lose, durable=False)
    assert count(engine, ctx) == 0
    (recovered,) = recover(engine.storage, "index.json", files)
    assert (recovered.outcome, recovered.documents) == (Outcome.REATTACHED, 10)
    assert count(engine, ctx) == 10
    assert engine.validate_collection(ORDERS)["errors"] == []
    assert [index["name"] for index in engine.list_indexes(ORDERS)] == ["_id_", "n_1", "tags_1"]


def test_a_recovery_that_fails_changes_nothing(open_engine: Callable[..., Engine], ctx: OperationContext) -> None:
    engine = open_engine()
    fill(engine, ctx)
    files = FileService("memory://failing-recovery")
    backup_index(engine.storage, "index.json", files)
    engine.drop_indexes(ORDERS, "n_1", ctx)
    engine.update(ORDERS, [UpdateStatement({}, {"$set": {"n": 1}}, multi=True)], ordered=True, ctx=ctx)
    engine.storage.store.write(lambda view: view.run("DELETE FROM collection"), durable=False)
    engine.storage.store.write(engine.storage.catalog.renew, durable=False)
    with pytest.raises(DuplicateKeyError):
        recover(engine.storage, "index.json", files)
    assert engine.list_databases() == []


def test_a_bad_index_document_is_refused_by_its_url(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        recover(engine.storage, str(tmp_path / "none.json"))
    (tmp_path / "bad.json").write_bytes(b"{")
    with pytest.raises(InvalidJsonError, match=r"bad\.json"):
        recover(engine.storage, str(tmp_path / "bad.json"))
