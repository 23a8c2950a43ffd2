"""Replies are spliced from bytes and read back as documents."""

from typing import Any

import bson
import pytest
from bson import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from skerry.commands.raw_reply import RawReply, cursor_reply, finish, finish_error, stored_reply, whole

TIME = Timestamp(1_700_000_000, 7)


def read(reply: bytes) -> dict[str, Any]:
    return bson.decode(reply)


@pytest.mark.parametrize("count", [0, 1, 9, 11, 101, 5000])
def test_a_batch_is_an_array_of_the_same_documents(count: int) -> None:
    batch = [bson.encode({"_id": number}) for number in range(count)]
    reply = read(finish(cursor_reply(batch, cursor_id=2**40, namespace="d.c", batch_name=b"firstBatch"), TIME))
    assert reply["cursor"] == {"firstBatch": [{"_id": number} for number in range(count)], "id": 2**40, "ns": "d.c"}
    assert reply["ok"] == 1.0


def test_a_resume_token_stands_beside_the_batch() -> None:
    reply = cursor_reply([], cursor_id=1, namespace="d.c", batch_name=b"nextBatch", resume_token={"_data": "x"})
    assert read(finish(reply, TIME))["cursor"] == {
        "nextBatch": [],
        "postBatchResumeToken": {"_data": "x"},
        "id": 1,
        "ns": "d.c",
    }


def test_a_finished_reply_ends_with_ok_and_the_cluster_time() -> None:
    reply = read(finish({"n": 1}, TIME))
    assert list(reply) == ["n", "ok", "$clusterTime", "operationTime"]
    assert reply["$clusterTime"] == {"clusterTime": TIME, "signature": {"hash": bytes(20), "keyId": 0}}
    assert reply["operationTime"] == TIME


def test_an_error_reply_keeps_its_own_ok() -> None:
    assert read(finish_error({"ok": 0.0, "code": 2}, TIME))["ok"] == 0.0


@given(st.dictionaries(st.text("abc", min_size=1), st.integers(-(2**31), 2**31 - 1) | st.text() | st.none()))
def test_a_stored_reply_is_the_reply(elements: dict[str, Any]) -> None:
    raw = whole(RawReply([bson.encode(elements)[4:-1]]))
    assert read(raw) == elements
    assert read(finish(stored_reply(raw), TIME)) == read(finish(elements, TIME))
