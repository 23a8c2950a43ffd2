"""The handshake and what a node says of itself."""

from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure


def test_the_node_is_the_only_member_and_primary_of_a_replica_set(client: MongoClient[Any]) -> None:
    hello = client.admin.command("hello")
    assert hello["isWritablePrimary"] is True
    assert hello["setName"] == "skerry"
    assert hello["hosts"] == [hello["me"]] == [hello["primary"]]
    assert client.is_primary


def test_hello_offers_mongodb_8_sessions_and_the_usual_limits(client: MongoClient[Any]) -> None:
    hello = client.admin.command("hello")
    assert (hello["minWireVersion"], hello["maxWireVersion"]) == (0, 25)
    assert hello["logicalSessionTimeoutMinutes"] == 30
    assert hello["maxBsonObjectSize"] == 16 * 1024 * 1024
    assert hello["maxMessageSizeBytes"] == 48_000_000
    assert hello["maxWriteBatchSize"] == 100_000
    assert "topologyVersion" not in hello


def test_the_old_name_says_ismaster(client: MongoClient[Any]) -> None:
    assert client.admin.command("isMaster")["ismaster"] is True


def test_every_reply_carries_the_cluster_time(database: Database[Any]) -> None:
    reply = database.command("ping")
    assert reply["ok"] == 1.0
    assert reply["$clusterTime"]["clusterTime"] == reply["operationTime"]
    assert set(reply["$clusterTime"]["signature"]) == {"hash", "keyId"}


def test_the_cluster_time_grows_with_each_write(database: Database[Any]) -> None:
    before = database.command("ping")["operationTime"]
    database.things.insert_one({})
    assert database.command("ping")["operationTime"] > before


def test_an_error_reply_carries_the_cluster_time_too(database: Database[Any]) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.command("nonsense")
    assert caught.value.details is not None
    assert caught.value.details["operationTime"] is not None


@pytest.mark.parametrize(
    ("command", "field"),
    [
        ("buildInfo", "version"),
        ("connectionStatus", "authInfo"),
        ("getCmdLineOpts", "argv"),
        ("getDefaultRWConcern", "defaultWriteConcern"),
        ("hostInfo", "system"),
        ("replSetGetStatus", "members"),
        ("serverStatus", "uptime"),
        ("startSession", "timeoutMinutes"),
        ("whatsmyuri", "you"),
    ],
)
def test_diagnostic_commands_answer(client: MongoClient[Any], command: str, field: str) -> None:
    assert field in client.admin.command(command)


def test_a_parameter_can_be_asked_for(client: MongoClient[Any]) -> None:
    reply = client.admin.command("getParameter", 1, featureCompatibilityVersion=1)
    assert reply["featureCompatibilityVersion"] == {"version": "8.0"}


def test_an_unknown_parameter_is_refused(client: MongoClient[Any]) -> None:
    with pytest.raises(OperationFailure) as caught:
        client.admin.command("getParameter", 1, nonsense=1)
    assert caught.value.code == 72


def test_the_start_up_warnings_are_empty(client: MongoClient[Any]) -> None:
    assert client.admin.command("getLog", "startupWarnings")["log"] == []


def test_admin_commands_are_refused_elsewhere(database: Database[Any]) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.command("listDatabases")
    assert caught.value.code == 13


def test_the_stable_api_is_declared_with_version_1_only(database: Database[Any]) -> None:
    assert database.command("ping", apiVersion="1", apiStrict=True)["ok"] == 1.0
    with pytest.raises(OperationFailure) as caught:
        database.command("ping", apiVersion="2")
    assert caught.value.code == 322
    with pytest.raises(OperationFailure) as caught:
        database.command("collStats", "things", apiVersion="1", apiStrict=True)
    assert caught.value.code == 323
