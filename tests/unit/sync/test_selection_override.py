"""What an operator changes of the rules, and the rules that come out."""

import pytest

from skerry.config.sync_config import Direction, SelectionRule, parse_rule
from skerry.errors import ConfigurationError
from skerry.sync.selection import Selection
from skerry.sync.selection_override import SelectionOverride, checked_patterns, intersection
from skerry.values.namespace import Namespace

RULES = tuple(parse_rule(text) for text in ("shop.log=push", "shop.*=both", "news.*=pull"))


def directions(override: SelectionOverride) -> dict[str, str]:
    selection = Selection(override.applied_to(RULES))
    names = ("shop.log", "shop.cart", "shop.old", "news.today", "other.x")
    return {name: selection.direction(Namespace.parse(name)).value for name in names}


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        (SelectionOverride(), {}),
        (SelectionOverride(both_ways=False), {"shop.cart": "push", "shop.old": "push", "news.today": "none"}),
        (SelectionOverride(excluded=("old",)), {"shop.old": "none"}),
        (SelectionOverride(excluded=("shop.*",)), {"shop.log": "none", "shop.cart": "none", "shop.old": "none"}),
        (SelectionOverride(excluded_from_pull=("shop.old", "today")), {"shop.old": "push", "news.today": "none"}),
        (
            SelectionOverride(excluded_from_pull=("*.*",)),
            {"shop.cart": "push", "shop.old": "push", "news.today": "none"},
        ),
        (SelectionOverride(directions=(SelectionRule("other.*", Direction.PUSH),)), {"other.x": "push"}),
        (
            SelectionOverride(excluded_from_pull=("old",), directions=(SelectionRule("shop.old", Direction.PULL),)),
            {"shop.old": "none"},
        ),
    ],
)
def test_an_override_changes_what_it_names_and_nothing_else(
    override: SelectionOverride, changed: dict[str, str]
) -> None:
    configured = {"shop.log": "push", "shop.cart": "both", "shop.old": "both", "news.today": "pull", "other.x": "none"}
    assert directions(override) == {**configured, **changed}
    assert SelectionOverride.from_document(override.to_document()) == override


def test_a_direction_replaces_the_one_set_before_and_can_be_taken_back() -> None:
    once = SelectionOverride().with_direction("shop.a", Direction.PUSH)
    twice = once.with_direction("shop.a", Direction.NONE)
    assert twice.directions == (SelectionRule("shop.a", Direction.NONE),)
    assert twice.with_direction("shop.a", None) == SelectionOverride()


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("shop.a", "shop.a", "shop.a"),
        ("shop.*", "*.a", "shop.a"),
        ("*.a*", "shop.*", "shop.a*"),
        ("shop.a*", "shop.abc", "shop.abc"),
        ("shop.a", "shop.b", None),
        ("shop.b*", "shop.abc", None),
        ("a.b.c", "a.*", "a.b.c"),
    ],
)
def test_two_patterns_share_a_pattern(first: str, second: str, shared: str | None) -> None:
    assert intersection(first, second) == shared
    assert intersection(second, first) == shared


def test_patterns_that_no_one_pattern_describes_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="can be combined"):
        intersection("shop.a*", "shop.*z")


def test_lists_are_trimmed_and_empty_names_refused() -> None:
    assert checked_patterns([" logs", "logs ", "shop.a"]) == ("logs", "shop.a")
    with pytest.raises(ConfigurationError):
        checked_patterns(["a", " "])
