from typing import Any

import pytest

from skerry.config.sync_config import ConflictPolicy, DeletePolicy, Granularity
from skerry.sync.protocol.conflict_resolution import Rules, Stamps, Winner, resolve

BASE, HERE, THERE = {"_id": 1, "a": 0, "b": 0}, {"_id": 1, "a": 1, "b": 0}, {"_id": 1, "a": 2, "b": 2}
EARLIER, LATER, TIE = Stamps(1, 2), Stamps(2, 1), Stamps(1, 1)


@pytest.mark.parametrize(
    ("policy", "stamps", "winner"),
    [
        (ConflictPolicy.LWW, LATER, Winner.LOCAL),
        (ConflictPolicy.LWW, EARLIER, Winner.REMOTE),
        (ConflictPolicy.LWW, TIE, Winner.REMOTE),
        (ConflictPolicy.FIRST_WINS, EARLIER, Winner.LOCAL),
        (ConflictPolicy.FIRST_WINS, TIE, Winner.REMOTE),
        (ConflictPolicy.LOCAL_WINS, EARLIER, Winner.LOCAL),
        (ConflictPolicy.REMOTE_WINS, LATER, Winner.REMOTE),
    ],
)
def test_the_policy_decides_about_overlapping_paths(policy: ConflictPolicy, stamps: Stamps, winner: Winner) -> None:
    found = resolve(BASE, HERE, THERE, stamps, Rules(conflict=policy))
    assert (found.winner, found.paths) == (winner, ("a",))
    assert found.is_conflict
    assert found.document == {"_id": 1, "a": 1 if winner is Winner.LOCAL else 2, "b": 2}


def test_disjoint_changes_are_no_conflict() -> None:
    found = resolve(BASE, HERE, {"_id": 1, "a": 0, "b": 5}, EARLIER, Rules())
    assert found.document == {"_id": 1, "a": 1, "b": 5}
    assert not found.is_conflict


def test_documents_as_a_whole_conflict_where_that_is_configured() -> None:
    rules = Rules(granularity=Granularity.DOCUMENT)
    found = resolve(BASE, HERE, {"_id": 1, "a": 0, "b": 5}, LATER, rules)
    assert (found.document, found.winner, found.paths) == (HERE, Winner.LOCAL, ("",))
    assert not resolve(BASE, HERE, dict(HERE), LATER, rules).is_conflict


@pytest.mark.parametrize(
    ("policy", "local", "remote", "stamps", "survives"),
    [
        (DeletePolicy.LWW, None, THERE, LATER, None),
        (DeletePolicy.LWW, None, THERE, EARLIER, THERE),
        (DeletePolicy.LWW, HERE, None, LATER, HERE),
        (DeletePolicy.DELETE_WINS, None, THERE, EARLIER, None),
        (DeletePolicy.DELETE_WINS, HERE, None, LATER, None),
        (DeletePolicy.UPDATE_WINS, None, THERE, LATER, THERE),
        (DeletePolicy.UPDATE_WINS, HERE, None, EARLIER, HERE),
    ],
)
def test_a_deletion_against_a_change(
    policy: DeletePolicy, local: Any, remote: Any, stamps: Stamps, survives: Any
) -> None:
    found = resolve(BASE, local, remote, stamps, Rules(delete=policy))
    assert found.document == survives
    assert found.is_conflict


def test_two_deletions_agree() -> None:
    assert not resolve(BASE, None, None, TIE, Rules()).is_conflict
