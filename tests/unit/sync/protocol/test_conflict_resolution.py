from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.config.sync_config import ConflictPolicy, DeletePolicy, Granularity
from skerry.sync.protocol.combined_values import combine_counters, combine_sets
from skerry.sync.protocol.conflict_resolution import ConflictContext, Rules, Stamps, Verdict, Winner, resolve
from skerry.values import documents

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


COUNTED = Rules(paths={"n": ConflictPolicy.COUNTER, "s.n": ConflictPolicy.COUNTER, "tags": ConflictPolicy.SET_UNION})


@pytest.mark.parametrize(
    ("base", "local", "remote", "expected"),
    [
        ({"n": 5}, {"n": 6}, {"n": 6}, {"n": 7}),
        ({"n": 5}, {"n": 2}, {"n": 15}, {"n": 12}),
        ({}, {"n": 1}, {"n": 2}, {"n": 3}),
        ({"n": 5}, {"n": 5, "a": 1}, {"n": 6}, {"n": 6, "a": 1}),
        ({"n": 1}, {"n": 1.5}, {"n": 2}, {"n": 2.5}),
        ({"s": {"n": 1}}, {"s": {"n": 2}}, {"s": {"n": 3, "m": 1}}, {"s": {"n": 4, "m": 1}}),
        ({"tags": [1, 2]}, {"tags": [1, 2, 3]}, {"tags": [2, 4]}, {"tags": [2, 4, 3]}),
        ({"tags": []}, {"tags": [1]}, {"tags": [1]}, {"tags": [1]}),
        ({}, {"tags": [1]}, {"tags": [1.0]}, {"tags": [1.0, 1]}),
    ],
)
def test_counters_add_up_and_sets_are_united(base: Any, local: Any, remote: Any, expected: Any) -> None:
    for granularity in (Granularity.FIELD, Granularity.DOCUMENT):
        found = resolve(base, local, remote, EARLIER, replace(COUNTED, granularity=granularity))
        only_combined = "a" not in local and "m" not in remote.get("s", {})
        if granularity is Granularity.FIELD or only_combined:
            assert documents.encode(found.document or {}) == documents.encode(expected)
            assert not found.is_conflict


@pytest.mark.parametrize(
    ("base", "local", "remote"),
    [({"n": 5}, {"n": "x"}, {"n": 6}), ({"n": 5}, {}, {"n": 6}), ({"tags": [1]}, {"tags": [2]}, {"tags": "x"})],
)
def test_what_is_no_number_or_array_is_decided_by_the_policy(base: Any, local: Any, remote: Any) -> None:
    found = resolve(base, local, remote, LATER, COUNTED)
    assert (found.document, found.winner) == (local, Winner.LOCAL)


def test_a_rule_for_a_path_decides_about_it_and_what_is_below() -> None:
    base = {"_id": 1, "a": 0, "b": {"c": 0, "d": 0}}
    local, remote = {"_id": 1, "a": 1, "b": {"c": 1, "d": 0}}, {"_id": 1, "a": 2, "b": {"c": 2, "d": 2}}
    rules = Rules(paths={"b": ConflictPolicy.LOCAL_WINS})
    found = resolve(base, local, remote, EARLIER, rules)
    assert found.document == {"_id": 1, "a": 2, "b": {"c": 1, "d": 2}}
    assert (found.winner, found.paths) == (Winner.BOTH, ("a", "b.c"))


def longest(base: Any, local: Any, remote: Any, context: ConflictContext) -> Any:
    return max(local, remote, key=len)


@pytest.mark.parametrize(
    ("resolver", "document", "winner", "needs_review"),
    [
        (lambda b, m, t, c: {**t, "a": m["a"] + t["a"]}, {"_id": 1, "a": 3, "b": 2}, Winner.RESOLVER, False),
        (lambda b, m, t, c: Verdict.DELETE, None, Winner.RESOLVER, False),
        (lambda b, m, t, c: Verdict.DEFER, THERE, Winner.REMOTE, True),
        (lambda b, m, t, c: {"_id": 2}, THERE, Winner.REMOTE, True),
        (lambda b, m, t, c: 17, THERE, Winner.REMOTE, True),
        (lambda b, m, t, c: m["missing"], THERE, Winner.REMOTE, True),
    ],
)
def test_a_function_of_the_application_decides(
    resolver: Any, document: Any, winner: Winner, needs_review: bool
) -> None:
    found = resolve(BASE, HERE, THERE, EARLIER, Rules(resolver=resolver))
    assert (found.document, found.winner, found.review is not None) == (document, winner, needs_review)
    assert found.is_conflict


def test_a_function_is_not_asked_where_changes_do_not_overlap() -> None:
    assert not resolve(BASE, HERE, {"_id": 1, "a": 0, "b": 5}, TIE, Rules(resolver=longest)).is_conflict


def test_a_function_is_asked_about_a_deletion() -> None:
    found = resolve(BASE, None, THERE, TIE, Rules(resolver=lambda b, m, t, c: t))
    assert (found.document, found.winner) == (THERE, Winner.RESOLVER)


def test_a_function_for_a_path_gets_its_values() -> None:
    base, local, remote = {"_id": 1}, {"_id": 1, "t": "abc", "x": 1}, {"_id": 1, "t": "ab", "x": 2}
    found = resolve(base, local, remote, EARLIER, Rules(paths={"t": longest}))
    assert found.document == {"_id": 1, "t": "abc", "x": 2}
    assert found.winner is Winner.RESOLVER
    broken = resolve(base, local, remote, EARLIER, Rules(paths={"t": lambda *_: 1 // 0, "x": longest}))
    assert broken.document == remote
    assert broken.review is not None


NUMBERS = st.integers(-(2**40), 2**40)
SETS = st.lists(st.integers(0, 5), unique=True)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_counters_are_commutative(base: int, local: int, remote: int) -> None:
    assert combine_counters(base, local, remote) == combine_counters(base, remote, local)
    assert combine_counters(base, base + local, base + remote) == base + local + remote


@given(NUMBERS, st.lists(NUMBERS, max_size=5))
def test_a_counter_gets_every_increment_in_any_order_of_merges(base: int, increments: list[int]) -> None:
    hub = base
    for each in increments:  # each made by a node that still has the base
        hub = combine_counters(base, base + each, hub)
    assert hub == base + sum(increments)


@given(SETS, SETS, SETS)
def test_sets_are_commutative_and_keep_every_addition_and_removal(
    base: list[int], local: list[int], remote: list[int]
) -> None:
    found = combine_sets(base, local, remote)
    assert set(found) == set(combine_sets(base, remote, local))
    assert set(found) == (set(local) | set(remote)) - ((set(base) - set(local)) | (set(base) - set(remote)))


@given(SETS, SETS)
def test_what_one_side_left_alone_is_the_others(base: list[int], changed: list[int]) -> None:
    for combine in (combine_counters, combine_sets):
        assert combine(base, base, changed) == combine(base, changed, base) == changed


DOCUMENTS = st.fixed_dictionaries(
    {"_id": st.just(1)},
    optional={"a": st.integers(0, 2), "n": st.integers(0, 3), "tags": SETS, "s": st.fixed_dictionaries({"n": NUMBERS})},
)


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS, st.sampled_from([EARLIER, LATER]))
def test_both_sides_come_to_the_same_whoever_decides(base: Any, local: Any, remote: Any, stamps: Stamps) -> None:
    here = resolve(base, local, remote, stamps, COUNTED)
    there = resolve(base, remote, local, Stamps(stamps.remote, stamps.local), COUNTED)
    assert _unordered(here.document) == _unordered(there.document)
    assert here.is_conflict == there.is_conflict


def _unordered(document: Any) -> Any:
    return {**document, "tags": set(document["tags"])} if "tags" in document else document
