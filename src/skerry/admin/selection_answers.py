"""What the API says of the selection, field by field."""

from typing import Any

from skerry.admin.bson_json import as_json
from skerry.admin.link_answers import Rule
from skerry.admin.responses import Answer
from skerry.config.sync_config import SelectionRule
from skerry.sync.selection_override import SelectionOverride


class Enabled(Answer):
    enabled: bool


class Exclusions(Answer):
    """`bidirectional`: they take nothing from the hub; `excluded`: they do not travel; `warnings`: what is in both lists."""

    bidirectional: list[str]
    excluded: list[str]
    warnings: list[str]


class OverrideFacts(Answer):
    both_ways: bool
    excluded: list[str]
    excluded_from_pull: list[str]
    directions: list[Rule]


class SelectionFacts(Answer):
    """`version` grows with every change; `frozen` says why, by collection."""

    configured: list[Rule]
    override: OverrideFacts
    effective: list[Rule]
    frozen: dict[str, str]
    version: int


class CollectionFacts(Answer):
    """`state`: following, comparing, frozen, or local, which does not travel."""

    namespace: str
    direction: str
    filter: dict[str, Any] | None
    documents: int
    waiting: int
    state: str
    frozen: str | None


class DirectionFacts(Answer):
    """`direction`: "as configured" when what was set has been taken back."""

    namespace: str
    direction: str
    filter: dict[str, Any] | None


class Thawed(Answer):
    namespace: str
    thawed: bool


def rules(found: tuple[SelectionRule, ...]) -> list[dict[str, Any]]:
    """Return rules as `Rule` has them."""
    return [
        {"pattern": rule.pattern, "direction": rule.direction.value, "filter": as_json(rule.query()) or None}
        for rule in found
    ]


def exclusions_of(stored: SelectionOverride) -> dict[str, Any]:
    """Return what is excluded as `Exclusions` has it."""
    twice = [name for name in stored.excluded_from_pull if name in stored.excluded]
    return {
        "bidirectional": list(stored.excluded_from_pull),
        "excluded": list(stored.excluded),
        "warnings": [f"{name} is in both lists: it does not travel at all" for name in twice],
    }


def override_facts(stored: SelectionOverride) -> dict[str, Any]:
    """Return what was changed of the rules as `OverrideFacts` has it."""
    return {
        "both_ways": stored.both_ways,
        "excluded": list(stored.excluded),
        "excluded_from_pull": list(stored.excluded_from_pull),
        "directions": rules(stored.directions),
    }
