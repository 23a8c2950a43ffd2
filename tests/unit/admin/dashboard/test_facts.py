"""What the dashboard decides to show, from the answers of the API."""

from typing import Any

import pytest

from skerry.admin.dashboard.collection_facts import collection_facts, copy_progress
from skerry.admin.dashboard.comparison_facts import full_sync_facts, verify_facts
from skerry.admin.dashboard.link_facts import link_facts, link_is_off
from skerry.admin.dashboard.operation_facts import operation_facts, quantile

DIRECTION = {"successful": 5, "failed": 0}
DIRECTIONS = {
    "enabled": True,
    "localToHub": DIRECTION,
    "hubToLocal": {"successful": 7, "failed": 2},
    "conflicts": {"kept": 3, "rate": None},
}
SYNC: dict[str, Any] = {
    "link": "hub",
    "state": "streaming",
    "error": None,
    "dirty": 0,
    "in_flight": 0,
    "oldest_dirty_ms": None,
    "stream_age_ms": 40,
    "dead_letters": 0,
    "quarantined": 0,
    "tier": "A",
    "history_headroom_seconds": 7200,
    "history_is_short": False,
    "health": {"status": "healthy", "reasons": []},
}
FULL: dict[str, Any] = {
    "state": "running",
    "reason": "asked for",
    "started_ms": 1_000,
    "ended_ms": None,
    "collections_done": ["shop.a"],
    "collections_pending": ["shop.b", "shop.c"],
    "progress": 1 / 3,
    "changes": {"pulled_applied": 2, "pushed": 0},
}
VERIFY: dict[str, Any] = {
    "state": "done",
    "started_ms": 1_000,
    "ended_ms": 4_000,
    "collections": 2,
    "collections_done": 2,
    "collection": None,
    "differences": 0,
    "by_kind": {},
    "shown": [],
    "error": None,
}


def test_a_link_that_is_well_says_what_it_has_done() -> None:
    facts = link_facts(SYNC, DIRECTIONS)
    shown = dict(facts.facts)
    assert (facts.health, facts.tone, facts.reasons) == ("healthy", "positive", ())
    assert shown["Sent since the start"] == "5"
    assert shown["Taken since the start"] == "7, 2 refused"
    assert shown["Oldest waiting write"] == "none"
    assert shown["Headroom of the hub's history"] == "2 h"


def test_a_link_without_its_hub_says_why_once_and_what_to_do() -> None:
    reason = {"message": "the hub is out of reach: refused", "advice": "check the network"}
    health = {"status": "degraded", "reasons": [reason]}
    facts = link_facts(
        {**SYNC, "state": "offline", "error": "refused", "dirty": 1, "oldest_dirty_ms": 1500, "health": health},
        DIRECTIONS,
    )
    assert facts.state == "hub out of reach"
    assert facts.reasons == (("the hub is out of reach: refused", "check the network"),)
    assert dict(facts.facts)["Waiting to be sent"] == "1 document"
    assert dict(facts.facts)["Oldest waiting write"] == "1.5 s"


def test_a_hub_with_a_short_history_is_a_reason() -> None:
    ((message, _),) = link_facts({**SYNC, "history_is_short": True}, DIRECTIONS).reasons
    assert "history" in message


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        ("streaming", {"can_pause", "can_stop"}),
        ("paused", {"can_resume", "can_stop"}),
        ("stopped", {"can_start"}),
        ("refused", {"can_resume", "can_stop"}),
        ("offline", {"can_pause", "can_resume", "can_stop"}),
    ],
)
def test_the_buttons_are_those_that_do_something(state: str, buttons: set[str]) -> None:
    facts = link_facts({**SYNC, "state": state}, DIRECTIONS)
    names = ("can_pause", "can_resume", "can_start", "can_stop")
    assert {name for name in names if getattr(facts, name)} == buttons


def test_a_collection_says_whether_both_sides_are_known_to_agree() -> None:
    collections = [
        {
            "namespace": "shop.a",
            "direction": "both",
            "documents": 1200,
            "waiting": 2,
            "state": "following",
            "frozen": None,
        },
        {
            "namespace": "shop.b",
            "direction": "pull",
            "documents": 0,
            "waiting": 0,
            "state": "comparing",
            "frozen": None,
        },
        {"namespace": "shop.c", "direction": "none", "documents": 0, "waiting": 0, "state": "local", "frozen": None},
        {
            "namespace": "shop.d",
            "direction": "both",
            "documents": 0,
            "waiting": 0,
            "state": "frozen",
            "frozen": "dropped",
        },
    ]
    a, b, c, d = collection_facts(collections, {"shop.a": {"at_ms": 1_000, "differences": 1}}, 61_000)
    assert (a.state, a.tone, a.verified) == ("consistent: compared, following", "positive", "1 difference, 1 min ago")
    assert (b.direction, b.state, b.verified) == ("from the hub", "bootstrapping: being compared", "never")
    assert (c.direction, c.verified) == ("stays here", "")
    assert d.state == "frozen: dropped"


def test_a_comparison_under_way_says_how_far_it_has_come() -> None:
    assert copy_progress(FULL) == (1 / 3, "1 of 3 collections compared")
    assert copy_progress({**FULL, "state": "idle"}) is None
    facts = full_sync_facts(FULL)
    assert facts.is_running
    assert facts.lines == (
        "Began 1970-01-01 00:00:01 UTC",
        "1 of 3 collections compared",
        "Reason: asked for",
        "Since it began: 2 taken from the hub",
    )


def test_a_full_sync_that_found_nothing_says_so() -> None:
    done = {**FULL, "state": "done", "ended_ms": 3_500, "progress": 1.0, "changes": {"pushed": 0}}
    facts = full_sync_facts(done)
    assert facts.lines == ("Began 1970-01-01 00:00:01 UTC, took 2.5 s", "Since it began: nothing had to be changed")
    idle = full_sync_facts({**FULL, "state": "idle", "started_ms": None})
    assert (idle.progress, idle.lines) == (0.0, ("Not asked for since the node started",))


@pytest.mark.parametrize(
    ("change", "tone", "line"),
    [
        ({}, "positive", "No difference found"),
        ({"state": "running", "collections_done": 1}, "info", "No difference yet"),
        ({"differences": 3, "by_kind": {"only here": 3}}, "warning", "3 differences: 3 only here"),
        ({"state": "failed", "error": "the hub did not answer"}, "negative", "the hub did not answer"),
    ],
)
def test_the_outcome_of_a_comparison_is_told_in_words(change: dict[str, Any], tone: str, line: str) -> None:
    facts = verify_facts({**VERIFY, **change})
    assert facts.tone == tone
    assert line in facts.lines


def test_commands_are_ordered_by_how_often_they_are_slow_and_waiting_ones_come_last() -> None:
    bounds = (0.01, 0.1, 1.0)
    operations = {
        "find": {"count": 100, "failed": 1, "seconds": 1.0, "buckets": [100, 0, 0, 0]},
        "aggregate": {"count": 10, "failed": 0, "seconds": 20.0, "buckets": [5, 0, 4, 1]},
        "getMore": {"count": 5, "failed": 0, "seconds": 50.0, "buckets": [0, 0, 0, 5]},
        "ping": {"count": 0, "failed": 1, "seconds": 0.0, "buckets": [0, 0, 0, 0]},
    }
    found = operation_facts(operations, bounds)
    assert [each.command for each in found] == ["aggregate", "find", "getMore"]
    assert (found[0].mean, found[0].most, found[0].slow) == ("2 s", "> 1 s", "5 (50%)")
    assert (found[1].mean, found[1].most, found[1].slow) == ("10 ms", "≤ 10 ms", "none")
    assert found[2].waits


def test_a_quantile_is_the_bound_of_its_bucket() -> None:
    assert quantile([98, 1, 1], (1.0, 2.0), 0.98) == 1.0
    assert quantile([98, 1, 1], (1.0, 2.0), 0.99) == 2.0
    assert quantile([98, 1, 1], (1.0, 2.0), 0.999) is None


def test_a_link_that_a_wrong_setting_has_turned_off_is_no_missing_hub() -> None:
    assert "no hub" in link_is_off(None).text
    off = link_is_off({"message": "a wrong sync setting has turned the link off: sync.rules", "advice": "restart"})
    assert off.title == "The link is off"
    assert "sync.rules. What to do: restart." in off.text
