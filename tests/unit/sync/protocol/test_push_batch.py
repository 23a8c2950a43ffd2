from typing import Any

import pytest
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

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
    why_not_together,
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


@given(
    candidates=st.lists(
        st.builds(
            Candidate,
            db=st.sampled_from("ab"),
            size=st.integers(0, 60),
            next_retry=st.sampled_from((None, 50, 51)),
            documents=st.integers(1, 6),
        ),
        max_size=12,
    ),
    documents_max=st.integers(1, 8),
)
def test_batch_after_batch_everything_due_goes_once_whole_and_in_order(
    candidates: list[Candidate], documents_max: int
) -> None:
    """A group is one candidate, so it is never split; within a database nothing overtakes what has waited longer."""
    left = list(enumerate(candidates))
    gone: list[int] = []
    while chosen := plan(*(each for _, each in left), documents_max=documents_max):
        batch = [left[at] for at in chosen]
        assert len({each.db for _, each in batch}) == 1
        assert batch[0][1] == next(each for _, each in left if each.next_retry != 51)
        if len(batch) > 1:
            assert sum(each.documents for _, each in batch) <= documents_max
            assert sum(each.size for _, each in batch) <= 100
        gone += [number for number, _ in batch]
        left = [each for at, each in enumerate(left) if at not in chosen]
    due = [number for number, each in enumerate(candidates) if each.next_retry != 51]
    assert sorted(gone) == due
    for db in "ab":
        assert [number for number in gone if candidates[number].db == db] == [n for n in due if candidates[n].db == db]


@given(sizes=st.lists(st.integers(0, 3), min_size=1, max_size=1200), databases=st.integers(1, 3))
def test_a_group_goes_together_only_within_the_limits_and_one_database(sizes: list[int], databases: int) -> None:
    fits = databases == 1 and len(sizes) <= 1000 and (len(sizes) == 1 or sum(sizes) <= 1500)
    assert (why_not_together(sizes, databases, bytes_max=1500) is None) == fits


def test_a_single_large_document_is_no_group_to_split() -> None:
    assert why_not_together([2000], 1, bytes_max=1000) is None
    assert why_not_together([1000, 1], 1, bytes_max=1000) == "1001 bytes are more than 1000"
    assert why_not_together([0] * 1001, 1, bytes_max=1000) == "1001 documents are more than 1000"
    assert why_not_together([1, 1], 2, bytes_max=1000) == "it is spread over 2 databases"


def test_what_a_transaction_only_reads_is_not_settled_by_it() -> None:
    """Somebody may change it before the commit; where only this side counts, that does not matter."""
    assert compare_with_base(A, B, B, in_transaction=True) is HubStep.LEAVE
    assert compare_with_base(A, B, B, in_transaction=True, one_way=True) is HubStep.ALREADY
    assert compare_with_base(A, B, A, in_transaction=True) is HubStep.WRITE
