"""Logical sessions (manual: Server Sessions)."""

from typing import Any

import pytest
from bson import Binary
from pymongo.database import Database
from pymongo.errors import OperationFailure


def test_a_session_works_for_any_command(database: Database[Any]) -> None:
    with database.client.start_session() as session:
        database.things.insert_one({"_id": 1}, session=session)
        assert database.things.find_one({}, session=session) == {"_id": 1}
        assert session.operation_time is not None
        assert session.cluster_time is not None


def test_ended_and_refreshed_sessions_are_acknowledged(database: Database[Any]) -> None:
    admin = database.client.admin
    lsid = admin.command("startSession")["id"]
    assert isinstance(lsid["id"], Binary)
    assert admin.command("refreshSessions", [lsid])["ok"] == 1.0
    assert admin.command("endSessions", [lsid])["ok"] == 1.0


def test_ending_a_session_aborts_its_transaction(database: Database[Any]) -> None:
    database.create_collection("things")
    session = database.client.start_session()
    session.start_transaction()
    database.things.insert_one({"_id": 1}, session=session)
    database.client.admin.command("killSessions", [session.session_id])
    with pytest.raises(OperationFailure) as caught:
        database.things.insert_one({"_id": 2}, session=session)
    assert caught.value.code == 251
    assert caught.value.has_error_label("TransientTransactionError")
    assert database.things.count_documents({}) == 0


@pytest.mark.parametrize(("lsid", "code"), [(5, 14), ({}, 40414), ({"id": 5}, 14), ({"id": Binary(b"short", 4)}, 14)])
def test_a_malformed_session_id_is_refused(database: Database[Any], lsid: Any, code: int) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.client.admin.command("refreshSessions", [lsid])
    assert caught.value.code == code


def test_snapshot_sessions_are_refused_by_name(database: Database[Any]) -> None:
    with database.client.start_session(snapshot=True) as session, pytest.raises(OperationFailure) as caught:
        database.things.find_one({}, session=session)
    assert caught.value.code == 238
    assert "snapshot" in str(caught.value)
