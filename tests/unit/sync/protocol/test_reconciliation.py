import pytest

from skerry.sync.protocol.document_state import BEGINNING, Position, Shadow, State
from skerry.sync.protocol.reconciliation import Action, decide, decide_read, decide_unread

A, B, C = b"a", b"b", b"c"
CLEAN, DIRTY = Shadow(State.CLEAN, A), Shadow(State.DIRTY, A)
NOW = Position(5, 0)


@pytest.mark.parametrize(
    ("shadow", "local", "remote", "expected"),
    [
        (None, None, A, Action.APPLY),
        (None, None, None, Action.SKIP),
        (None, A, A, Action.AGREE),
        (None, A, B, Action.MERGE),
        (None, A, None, Action.SKIP),
        (CLEAN, A, B, Action.APPLY),
        (CLEAN, A, None, Action.APPLY),
        (CLEAN, A, A, Action.ADVANCE),
        (CLEAN, None, A, Action.APPLY),
        (CLEAN, B, A, Action.CAPTURE),
        (CLEAN, B, B, Action.AGREE),
        (CLEAN, B, C, Action.MERGE),
        (DIRTY, B, A, Action.ADVANCE),
        (DIRTY, B, B, Action.AGREE),
        (DIRTY, None, None, Action.AGREE),
        (DIRTY, B, C, Action.MERGE),
        (DIRTY, B, None, Action.MERGE),
        (DIRTY, None, B, Action.MERGE),
        (Shadow(State.DIRTY, None), A, B, Action.MERGE),
        (Shadow(State.DIRTY, None), A, None, Action.ADVANCE),
        (Shadow(State.QUARANTINED, A), B, C, Action.MERGE),
        (Shadow(State.AWAIT, A, batch=1, pushed=B), B, C, Action.SKIP),
    ],
)
def test_base_local_and_hub_decide(
    shadow: Shadow | None, local: bytes | None, remote: bytes | None, expected: Action
) -> None:
    assert decide(shadow, local=local, remote=remote, position=NOW) is expected


def test_an_event_that_is_part_of_the_base_is_skipped() -> None:
    shadow = Shadow(State.CLEAN, A, NOW)
    assert decide(shadow, local=A, remote=B, position=NOW) is Action.SKIP
    assert decide(shadow, local=A, remote=B, position=Position(4, 9)) is Action.SKIP
    assert decide(shadow, local=A, remote=B, position=Position(5, 1)) is Action.APPLY


def test_what_is_read_counts_whatever_the_position() -> None:
    assert decide_read(Shadow(State.CLEAN, A, NOW), local=A, remote=B) is Action.APPLY


def test_what_is_only_here_is_pushed_when_it_is_missed_on_the_hub() -> None:
    assert decide_read(None, local=A, remote=None) is Action.PUSH
    assert decide_read(CLEAN, local=A, remote=None) is Action.APPLY


@pytest.mark.parametrize(
    ("shadow", "local", "trusts_absence", "expected"),
    [
        (None, A, False, Action.PUSH),
        (None, None, True, Action.SKIP),
        (CLEAN, A, True, Action.SKIP),
        (CLEAN, B, False, Action.CAPTURE),
        (CLEAN, None, False, Action.SKIP),
        (CLEAN, None, True, Action.CAPTURE),
        (DIRTY, B, True, Action.SKIP),
    ],
)
def test_what_only_travels_upwards_is_decided_without_the_hub(
    shadow: Shadow | None, local: bytes | None, trusts_absence: bool, expected: Action
) -> None:
    assert decide_unread(shadow, local=local, trusts_absence=trusts_absence) is expected


def test_a_document_in_flight_cannot_be_decided() -> None:
    with pytest.raises(ValueError, match="in flight"):
        decide(Shadow(State.INFLIGHT, A, BEGINNING, 3), local=B, remote=C, position=NOW)


def test_what_was_pushed_without_a_clear_outcome_is_the_base_when_it_comes_back() -> None:
    assert decide(DIRTY, local=B, remote=C, position=NOW, in_doubt={C}) is Action.ECHO
    assert decide_read(DIRTY, local=B, remote=None, in_doubt={None}) is Action.ECHO
    assert decide(DIRTY, local=B, remote=C, position=NOW, in_doubt={C}, adds_up=True) is Action.MERGE
    assert decide(CLEAN, local=A, remote=C, position=NOW, in_doubt={C}) is Action.APPLY
