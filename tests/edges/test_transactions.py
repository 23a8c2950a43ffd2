"""Multi-document transactions (manual: Transactions)."""

from typing import Any

import pytest
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError, InvalidOperation, OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern


@pytest.fixture
def accounts(database: Database[Any]) -> Any:
    database.accounts.insert_many([{"_id": "a", "balance": 100}, {"_id": "b", "balance": 0}])
    return database.accounts


def balances(accounts: Any) -> dict[str, int]:
    return {each["_id"]: each["balance"] for each in accounts.find()}


def transfer(accounts: Any, session: ClientSession) -> None:
    accounts.update_one({"_id": "a"}, {"$inc": {"balance": -10}}, session=session)
    accounts.update_one({"_id": "b"}, {"$inc": {"balance": 10}}, session=session)


def test_a_committed_transaction_happens_as_a_whole(accounts: Any) -> None:
    with accounts.database.client.start_session() as session, session.start_transaction():
        transfer(accounts, session)
        assert balances(accounts) == {"a": 100, "b": 0}
        assert accounts.find_one({"_id": "a"}, session=session)["balance"] == 90
    assert balances(accounts) == {"a": 90, "b": 10}


def test_an_aborted_transaction_leaves_nothing(accounts: Any) -> None:
    with accounts.database.client.start_session() as session:
        session.start_transaction()
        transfer(accounts, session)
        session.abort_transaction()
    assert balances(accounts) == {"a": 100, "b": 0}


def test_the_callback_form_commits(accounts: Any) -> None:
    with accounts.database.client.start_session() as session:
        session.with_transaction(
            lambda own: transfer(accounts, own),
            read_concern=ReadConcern("snapshot"),
            write_concern=WriteConcern("majority"),
        )
    assert balances(accounts) == {"a": 90, "b": 10}


def test_reads_see_the_snapshot_and_the_transactions_own_writes(accounts: Any) -> None:
    with accounts.database.client.start_session() as session, session.start_transaction():
        assert accounts.count_documents({}, session=session) == 2
        accounts.insert_one({"_id": "c", "balance": 5})
        assert accounts.count_documents({}, session=session) == 2
        accounts.insert_one({"_id": "d", "balance": 7}, session=session)
        found = accounts.find({}, session=session).sort("_id", -1)
        assert [each["_id"] for each in found] == ["d", "b", "a"]
        total = accounts.aggregate([{"$group": {"_id": None, "n": {"$sum": "$balance"}}}], session=session)
        assert list(total) == [{"_id": None, "n": 107}]
        assert accounts.distinct("balance", {}, session=session) == [0, 7, 100]


def test_a_conflicting_write_is_transient_and_aborts(accounts: Any) -> None:
    client = accounts.database.client
    with client.start_session() as one, client.start_session() as other:
        one.start_transaction()
        other.start_transaction()
        accounts.update_one({"_id": "a"}, {"$inc": {"balance": 1}}, session=one)
        with pytest.raises(OperationFailure) as caught:
            accounts.update_one({"_id": "a"}, {"$inc": {"balance": 2}}, session=other)
        assert caught.value.code == 112
        assert caught.value.has_error_label("TransientTransactionError")
        one.commit_transaction()
        with pytest.raises(OperationFailure) as caught:
            other.commit_transaction()
        assert caught.value.code == 251
    assert balances(accounts)["a"] == 101


def test_a_conflict_of_one_of_many_inserts_is_an_error_of_the_command(accounts: Any) -> None:
    client = accounts.database.client
    with client.start_session() as one, client.start_session() as other:
        one.start_transaction()
        other.start_transaction()
        accounts.insert_many([{"_id": "c"}, {"_id": "d"}], session=one)
        with pytest.raises(OperationFailure) as caught:
            accounts.insert_many([{"_id": "e"}, {"_id": "d"}], session=other)
        assert caught.value.code == 112
        assert caught.value.has_error_label("TransientTransactionError")
        one.commit_transaction()
    assert sorted(each["_id"] for each in accounts.find()) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("count", [1, 3])
def test_inserts_of_what_others_have_inserted_since_the_snapshot_conflict(accounts: Any, count: int) -> None:
    new = [{"_id": number} for number in range(count)]
    with accounts.database.client.start_session() as session:
        session.start_transaction()
        accounts.find_one({"_id": "b"}, session=session)
        accounts.insert_one(new[-1])
        with pytest.raises(OperationFailure) as caught:
            accounts.insert_many(new, session=session)
        assert caught.value.code == 112
        assert caught.value.has_error_label("TransientTransactionError")
    assert [each["_id"] for each in accounts.find({"_id": {"$type": "int"}})] == [count - 1]


@pytest.mark.parametrize("count", [1, 3])
def test_a_collection_that_was_replaced_since_the_snapshot_conflicts(accounts: Any, count: int) -> None:
    with accounts.database.client.start_session() as session:
        session.start_transaction()
        accounts.insert_one({"_id": "c"}, session=session)
        accounts.drop()
        accounts.insert_one({"_id": "new"})
        with pytest.raises(OperationFailure) as caught:
            accounts.insert_many([{"_id": number} for number in range(count)], session=session)
        assert caught.value.code == 112
        assert caught.value.has_error_label("TransientTransactionError")
    assert [each["_id"] for each in accounts.find()] == ["new"]


@pytest.mark.parametrize(
    "taken",
    [[{"_id": "a"}], [{"_id": 1}, {"_id": 1}], [{"_id": "c"}], [{"_id": 1, "number": 7}, {"_id": 2, "number": 7}]],
)
def test_the_one_of_many_inserts_that_cannot_go_in_is_named(accounts: Any, taken: list[dict[str, Any]]) -> None:
    if "number" in taken[0]:
        accounts.create_index("number", unique=True, sparse=True)
    with accounts.database.client.start_session() as session:
        session.start_transaction()
        accounts.insert_many([{"_id": "c"}, {"_id": "d"}], session=session)
        with pytest.raises(BulkWriteError) as caught:
            accounts.insert_many([{"_id": "e"}, *taken], session=session)
        (error,) = caught.value.details["writeErrors"]
        assert (error["index"], error["code"]) == (len(taken), 11000)
    assert set(balances(accounts)) == {"a", "b"}


def test_a_document_changed_since_the_snapshot_conflicts(accounts: Any) -> None:
    with accounts.database.client.start_session() as session:
        session.start_transaction()
        accounts.find_one({"_id": "b"}, session=session)
        accounts.update_one({"_id": "a"}, {"$set": {"balance": 1}})
        with pytest.raises(OperationFailure) as caught:
            accounts.update_one({"_id": "a"}, {"$inc": {"balance": 5}}, session=session)
        assert caught.value.code == 112
        session.abort_transaction()
    assert balances(accounts)["a"] == 1


def test_a_failed_statement_aborts_the_transaction(accounts: Any) -> None:
    with accounts.database.client.start_session() as session:
        session.start_transaction()
        accounts.insert_one({"_id": "c", "balance": 1}, session=session)
        with pytest.raises(OperationFailure) as caught:
            accounts.insert_one({"_id": "a"}, session=session)
        assert caught.value.code == 11000
        with pytest.raises(OperationFailure) as caught:
            accounts.find_one({}, session=session)
        assert caught.value.code == 251
        session.abort_transaction()
    assert set(balances(accounts)) == {"a", "b"}


def test_a_transaction_may_create_its_collection(accounts: Any) -> None:
    database = accounts.database
    with database.client.start_session() as session, session.start_transaction():
        database.log.insert_one({"_id": 1}, session=session)
        assert "log" not in database.list_collection_names()
    assert database.log.find_one() == {"_id": 1}


def test_a_collection_and_its_indexes_are_created_with_the_transaction(accounts: Any) -> None:
    database = accounts.database
    with database.client.start_session() as session, session.start_transaction():
        log = database.create_collection("log", validator={"n": {"$gt": 0}}, check_exists=False, session=session)
        assert log.create_index("n", unique=True, session=session) == "n_1"
        assert list(log.find({}, session=session).sort("n")) == []
        log.insert_one({"_id": 1, "n": 1}, session=session)
        assert log.find_one({"n": 1}, session=session) == {"_id": 1, "n": 1}
        assert "log" not in database.list_collection_names()
    assert database.log.index_information()["n_1"]["unique"] is True
    assert database.log.options() == {"validator": {"n": {"$gt": 0}}}
    with pytest.raises(DuplicateKeyError):
        database.log.insert_one({"_id": 2, "n": 1})


def test_a_key_is_unique_in_the_transaction_that_created_its_index(accounts: Any) -> None:
    log = accounts.database.log
    with accounts.database.client.start_session() as session:
        session.start_transaction()
        log.create_index("n", unique=True, session=session)
        log.insert_one({"n": 1}, session=session)
        with pytest.raises(DuplicateKeyError):
            log.insert_one({"n": 1}, session=session)
    assert "log" not in accounts.database.list_collection_names()


def test_an_empty_collection_alone_makes_a_transaction(accounts: Any) -> None:
    database = accounts.database
    with database.client.start_session() as session:
        session.start_transaction()
        database.create_collection("log", check_exists=False, session=session)
        session.abort_transaction()
        assert "log" not in database.list_collection_names()
        session.start_transaction()
        database.create_collection("log", check_exists=False, session=session)
        session.commit_transaction()
    assert "log" in database.list_collection_names()


def test_a_collection_that_somebody_else_creates_first_conflicts(accounts: Any) -> None:
    database = accounts.database
    with database.client.start_session() as session:
        session.start_transaction()
        database.create_collection("log", check_exists=False, session=session)
        database.create_collection("log")
        with pytest.raises(OperationFailure) as caught:
            session.commit_transaction()
    assert caught.value.code == 112


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"createIndexes": "accounts", "indexes": [{"key": {"balance": 1}, "name": "balance_1"}]}, 263),
        ({"create": "seen", "viewOn": "accounts", "pipeline": []}, 263),
        ({"create": "accounts"}, 48),
    ],
)
def test_what_a_transaction_cannot_create_is_refused(accounts: Any, command: dict[str, Any], code: int) -> None:
    with accounts.database.client.start_session() as session:
        session.start_transaction()
        with pytest.raises(OperationFailure) as caught:
            run(accounts.database, session, command)
    assert caught.value.code == code


def test_deletes_and_find_and_modify_take_part(accounts: Any) -> None:
    with accounts.database.client.start_session() as session, session.start_transaction():
        accounts.delete_one({"_id": "b"}, session=session)
        found = accounts.find_one_and_update(
            {"_id": "a"}, {"$set": {"balance": 1}}, return_document=True, session=session
        )
        assert found["balance"] == 1
        assert accounts.find_one({"_id": "b"}, session=session) is None
    assert balances(accounts) == {"a": 1}


def test_a_cursor_of_a_transaction_goes_on_in_it(accounts: Any) -> None:
    accounts.insert_many([{"_id": number, "balance": 0} for number in range(300)])
    with accounts.database.client.start_session() as session, session.start_transaction():
        found = accounts.find({}, session=session, batch_size=50)
        next(found)
        accounts.delete_many({"_id": {"$gte": 200}})
        assert 1 + sum(1 for _ in found) == 302


def run(database: Database[Any], session: ClientSession, command: dict[str, Any]) -> Any:
    return database.command(command, session=session)


@pytest.mark.parametrize(
    "command",
    [
        {"count": "accounts"},
        {"listCollections": 1},
        {"drop": "accounts"},
        {"explain": {"find": "accounts"}},
        {"collStats": "accounts"},
    ],
)
def test_other_commands_are_refused_in_a_transaction(accounts: Any, command: dict[str, Any]) -> None:
    with accounts.database.client.start_session() as session:
        session.start_transaction()
        accounts.find_one({}, session=session)
        with pytest.raises(OperationFailure) as caught:
            run(accounts.database, session, command)
        assert caught.value.code == 263, caught.value
        session.abort_transaction()


@pytest.mark.parametrize("name", ["admin", "config", "local"])
def test_the_servers_own_databases_take_no_part_in_transactions(accounts: Any, name: str) -> None:
    """Manual, Transactions and Operations: "You cannot read/write to collections in the config, admin, or local databases"."""
    things = accounts.database.client[name].things
    with accounts.database.client.start_session() as session:
        for run_one in (lambda: things.find_one({}, session=session), lambda: things.insert_one({}, session=session)):
            session.start_transaction()
            with pytest.raises(OperationFailure) as caught:
                run_one()
            assert caught.value.code == 263, caught.value
            session.abort_transaction()


def test_the_rest_of_a_bulk_writes_results_is_fetched_in_its_transaction(accounts: Any) -> None:
    """They come as a cursor of `admin`, which is none of a collection there."""
    admin = accounts.database.client.admin
    with accounts.database.client.start_session() as session, session.start_transaction():
        command = {
            "bulkWrite": 1,
            "ops": [{"insert": 0, "document": {"_id": number}} for number in (1, 2)],
            "nsInfo": [{"ns": f"{accounts.database.name}.accounts"}],
            "cursor": {"batchSize": 1},
        }
        cursor = admin.command(command, session=session)["cursor"]
        more = {"getMore": cursor["id"], "collection": cursor["ns"].partition(".")[2]}
        rest = admin.command(more, session=session)["cursor"]["nextBatch"]
    assert [each["idx"] for each in [*cursor["firstBatch"], *rest]] == [0, 1]
    assert accounts.count_documents({"_id": {"$in": [1, 2]}}) == 2


def test_committing_again_is_answered_again(accounts: Any) -> None:
    with accounts.database.client.start_session() as session:
        session.start_transaction()
        transfer(accounts, session)
        session.commit_transaction()
        session.commit_transaction()
    assert balances(accounts) == {"a": 90, "b": 10}


def test_an_empty_transaction_commits(accounts: Any) -> None:
    with accounts.database.client.start_session() as session:
        session.start_transaction()
        session.commit_transaction()
        session.start_transaction()
        accounts.find_one({}, session=session)
        session.commit_transaction()
        with pytest.raises(InvalidOperation):
            session.abort_transaction()


def test_a_session_may_run_one_transaction_after_another(accounts: Any) -> None:
    with accounts.database.client.start_session() as session:
        for _ in range(3):
            with session.start_transaction():
                transfer(accounts, session)
    assert balances(accounts) == {"a": 70, "b": 30}


def test_indexes_are_right_after_a_transaction(accounts: Any) -> None:
    accounts.create_index("balance")
    with accounts.database.client.start_session() as session, session.start_transaction():
        transfer(accounts, session)
        assert accounts.find_one({"balance": 90}, session=session)["_id"] == "a"
        assert accounts.find_one({"balance": 100}, session=session) is None
    assert accounts.find_one({"balance": 90})["_id"] == "a"
    assert accounts.database.command("validate", "accounts")["valid"] is True
