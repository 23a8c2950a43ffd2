from typing import Any

import pytest
from bson.int64 import Int64

from skerry.sync.protocol.push_batch import (
    Candidate,
    Failure,
    Fence,
    HubStep,
    StreamFailure,
    classify_failure,
    classify_stream_failure,
    compare_with_base,
    minimal_update,
    plan_batch,
    read_fence,
)

A, B, C = b"a", b"b", b"c"


def plan(*candidates: Candidate, documents_max: int = 10, bytes_max: int = 100) -> list[int]:
    return plan_batch(candidates, documents_max=documents_max, bytes_max=bytes_max, now_ms=50)


def test_the_oldest_go_first_within_the_limits() -> None:
    small = Candidate("shop", 30, None)
    assert plan(small, small, small, small) == [0, 1, 2]
    assert plan(small, small, small, documents_max=2) == [0, 1]


def test_a_document_beyond_the_limit_travels_alone() -> None:
    large, small = Candidate("shop", 500, None), Candidate("shop", 1, None)
    assert plan(large, small) == [0]
    assert plan(small, large, small) == [0]


def test_a_batch_is_of_one_database() -> None:
    assert plan(Candidate("a", 1, None), Candidate("b", 1, None), Candidate("a", 1, None)) == [0, 2]


def test_documents_that_wait_for_their_retry_are_passed_over() -> None:
    assert plan(Candidate("a", 1, 51), Candidate("b", 1, 50)) == [1]


@pytest.mark.parametrize(
    ("base", "local", "hub", "one_way", "step"),
    [
        (A, B, A, False, HubStep.WRITE),
        (None, B, None, False, HubStep.WRITE),
        (A, None, A, False, HubStep.WRITE),
        (A, B, C, False, HubStep.LEAVE),
        (A, B, None, False, HubStep.LEAVE),
        (None, B, C, False, HubStep.LEAVE),
        (A, B, B, False, HubStep.ALREADY),
        (A, None, None, False, HubStep.ALREADY),
        (A, B, C, True, HubStep.OVERWRITE),
    ],
)
def test_only_what_still_is_the_base_is_written(
    base: bytes | None, local: bytes | None, hub: bytes | None, one_way: bool, step: HubStep
) -> None:
    assert compare_with_base(base, local, hub, one_way=one_way) is step


LONG = "x" * 200


@pytest.mark.parametrize(
    ("base", "local", "update"),
    [
        ({"_id": 1, "t": LONG, "a": 1}, {"_id": 1, "t": LONG, "a": 2}, {"$set": {"a": 2}}),
        ({"_id": 1, "t": LONG, "a": 1}, {"_id": 1, "t": LONG, "a": Int64(1)}, {"$set": {"a": Int64(1)}}),
        ({"_id": 1, "t": LONG, "a": 1}, {"_id": 1, "t": LONG}, {"$unset": {"a": ""}}),
        ({"_id": 1, "t": LONG}, {"_id": 1, "t": LONG, "a": None}, {"$set": {"a": None}}),
        ({"_id": 1, "t": LONG}, {"_id": 1, "t": LONG, "b": 1, "a": 1}, None),
        ({"_id": 1, "t": LONG}, {"_id": 1, "a": 1, "t": LONG}, None),
        ({"_id": 1, "t": LONG}, {"_id": 1, "t": LONG, "a.b": 1}, None),
        ({"_id": 1, "t": LONG}, {"_id": 1, "t": LONG, "$a": 1}, None),
        ({"_id": 1, "t": LONG}, {"_id": 1, "t": LONG + "y"}, None),
        ({"_id": 1, "a": 1, "b": 2}, {"_id": 1, "b": 2, "a": 1}, None),
    ],
)
def test_an_update_is_sent_only_where_it_surely_gives_the_very_document(
    base: dict[str, Any], local: dict[str, Any], update: dict[str, Any] | None
) -> None:
    found = minimal_update(base, local)
    assert (None if found is None else found.to_document()) == update


@pytest.mark.parametrize(
    ("code", "labels", "committing", "meaning"),
    [
        (None, ["UnknownTransactionCommitResult"], True, Failure.UNKNOWN),
        (None, [], True, Failure.UNKNOWN),
        (64, ["UnknownTransactionCommitResult"], True, Failure.UNKNOWN),
        (112, ["TransientTransactionError"], True, Failure.ABORTED),
        (112, [], False, Failure.ABORTED),
        (None, ["TransientTransactionError"], False, Failure.LINK),
        (None, [], False, Failure.LINK),
        (251, ["TransientTransactionError"], False, Failure.ABORTED),
        (121, [], False, Failure.DOCUMENT),
        (11000, [], True, Failure.DOCUMENT),
        (13, [], False, Failure.DENIED),
        (91, [], False, Failure.LINK),
        (91, [], True, Failure.UNKNOWN),
    ],
)
def test_what_an_error_says_about_the_batch(
    code: int | None, labels: list[str], committing: bool, meaning: Failure
) -> None:
    assert classify_failure(code, labels, committing=committing) is meaning


def test_a_fence_tells_what_became_of_a_batch() -> None:
    assert read_fence(None) is Fence.ABORTED
    assert read_fence(11000, taken_by_fence=True) is Fence.ABORTED
    assert read_fence(11000) is Fence.COMMITTED
    assert read_fence(112) is Fence.OPEN
    with pytest.raises(ValueError, match="91"):
        read_fence(91)


@pytest.mark.parametrize(
    ("code", "labels", "by_token", "meaning"),
    [
        (286, ["NonResumableChangeStreamError"], True, StreamFailure.HISTORY_LOST),
        (286, [], True, StreamFailure.HISTORY_LOST),
        (280, ["NonResumableChangeStreamError"], True, StreamFailure.START_AT_TIME),
        (280, [], False, StreamFailure.HISTORY_LOST),
        (9999, ["NonResumableChangeStreamError"], True, StreamFailure.HISTORY_LOST),
        (43, [], True, StreamFailure.REOPEN),
        (None, [], True, StreamFailure.REOPEN),
        (13, [], True, StreamFailure.DENIED),
    ],
)
def test_how_to_go_on_when_the_stream_fails(
    code: int | None, labels: list[str], by_token: bool, meaning: StreamFailure
) -> None:
    assert classify_stream_failure(code, labels, by_token=by_token) is meaning
