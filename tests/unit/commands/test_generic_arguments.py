"""Write concerns, sessions, time limits and transaction fields become an `OperationContext`."""

import time
import uuid
from typing import Any

import pytest
from bson import Binary, Int64

from skerry.commands.command_registry import COMMANDS
from skerry.commands.generic_arguments import durability, operation_context, write_concern_error
from skerry.engine.operation_context import Durability
from skerry.errors import CommandError

UUID = uuid.uuid4().bytes
LSID = {"id": Binary(UUID, 4)}


def context(name: str, *, is_local: bool = False, **fields: Any) -> Any:
    return operation_context({name: "a", "$db": "d", **fields}, COMMANDS[name], is_local=is_local)


@pytest.mark.parametrize(
    ("concern", "expected"),
    [
        ({}, Durability.FSYNCED),
        ({"w": "majority"}, Durability.FSYNCED),
        ({"w": "majority", "j": False}, Durability.FSYNCED),
        ({"w": 1}, Durability.FSYNCED),
        ({"w": 1, "j": True}, Durability.FSYNCED),
        ({"w": 1, "j": False}, Durability.RELAXED),
        ({"w": 1, "j": False, "fsync": True}, Durability.FSYNCED),
        ({"w": 0}, Durability.RELAXED),
        ({"w": Int64(1), "wtimeout": 5}, Durability.FSYNCED),
    ],
)
def test_durability_follows_the_write_concern(concern: dict[str, Any], expected: Durability) -> None:
    assert durability(concern) is expected
    assert context("insert", writeConcern=concern).durability is expected


def test_without_a_write_concern_a_write_is_fsynced() -> None:
    assert context("insert").durability is Durability.FSYNCED


@pytest.mark.parametrize(
    ("concern", "code"), [(None, None), ({"w": 1}, None), ({"w": "majority"}, None), ({"w": 2}, 100), ({"w": "eu"}, 79)]
)
def test_a_concern_beyond_one_node_cannot_be_satisfied(concern: Any, code: int | None) -> None:
    error = write_concern_error({"writeConcern": concern})
    assert (None if error is None else error["code"]) == code


def test_a_time_limit_is_a_deadline_except_where_it_waits() -> None:
    assert context("find", maxTimeMS=1000).deadline == pytest.approx(time.monotonic() + 1, abs=0.5)
    assert context("find", maxTimeMS=0).deadline is None
    assert context("getMore", maxTimeMS=1000).deadline is None


@pytest.mark.parametrize(("value", "code"), [(2**31, 2), (-1, 51024), ("x", 14), (1.5, 2)])
def test_an_impossible_time_limit_is_refused(value: Any, code: int) -> None:
    with pytest.raises(CommandError) as caught:
        context("find", maxTimeMS=value)
    assert caught.value.code == code


def test_a_session_is_16_bytes() -> None:
    assert context("find", lsid=LSID).lsid == UUID


def test_a_number_without_autocommit_is_a_retryable_write_over_the_network_only() -> None:
    remote = context("insert", lsid=LSID, txnNumber=Int64(3))
    assert (remote.is_retryable_write, remote.txn_number) == (True, 3)
    assert context("insert", is_local=True, lsid=LSID, txnNumber=Int64(3)).is_retryable_write is False


def test_a_number_with_autocommit_is_a_transaction() -> None:
    ctx = context("find", lsid=LSID, txnNumber=Int64(3), autocommit=False, startTransaction=True)
    assert (ctx.is_retryable_write, ctx.txn_number) == (False, 3)


@pytest.mark.parametrize(
    ("name", "fields", "code"),
    [
        ("find", {"lsid": LSID, "txnNumber": Int64(1)}, 50768),
        ("insert", {"txnNumber": Int64(1)}, 72),
        ("insert", {"lsid": LSID, "txnNumber": Int64(-1)}, 72),
        ("insert", {"lsid": LSID, "txnNumber": "x"}, 14),
        ("insert", {"lsid": LSID, "autocommit": False}, 72),
        ("insert", {"lsid": LSID, "txnNumber": Int64(1), "autocommit": True}, 72),
        ("insert", {"lsid": LSID, "txnNumber": Int64(1), "startTransaction": True}, 72),
        ("insert", {"lsid": LSID, "txnNumber": Int64(1), "autocommit": False, "startTransaction": False}, 72),
        ("insert", {"lsid": LSID, "txnNumber": Int64(1), "autocommit": False, "writeConcern": {}}, 72),
        ("find", {"lsid": LSID, "txnNumber": Int64(1), "autocommit": False, "readConcern": {}}, 72),
        ("count", {"lsid": LSID, "txnNumber": Int64(1), "autocommit": False}, 263),
        ("hello", {"lsid": LSID, "txnNumber": Int64(1), "autocommit": False, "startTransaction": True}, 263),
        ("find", {"readConcern": {"level": "snapshot"}}, 238),
        ("find", {"readConcern": {"atClusterTime": 1}}, 238),
        ("find", {"readConcern": {"nonsense": 1}}, 40415),
        ("find", {"readConcern": 1}, 14),
        ("find", {"apiStrict": True}, 322),
    ],
)
def test_fields_at_odds_are_refused(name: str, fields: dict[str, Any], code: int) -> None:
    with pytest.raises(CommandError) as caught:
        context(name, **fields)
    assert caught.value.code == code
