"""What an operator has changed of a link's rules while it ran: kept in the store, in front of the configured rules.

Patterns are `database.collection` with `*`, as in the rules; a name without a dot means that collection in every database.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from skerry.config.sync_config import Direction, SelectionRule
from skerry.errors import ConfigurationError
from skerry.storage import ReadView, WriteView
from skerry.sync import link_records

OVERRIDE: Final = "override"
_WITHOUT_PULL: Final = {Direction.BOTH: Direction.PUSH, Direction.PULL: Direction.NONE}


@dataclass(frozen=True, slots=True)
class SelectionOverride:
    """Applied in this order: `excluded` patterns do not travel, `excluded_from_pull` take nothing from the hub, `directions`
    replace the configured direction; without `both_ways` nothing at all comes down."""

    both_ways: bool = True
    excluded: tuple[str, ...] = ()
    excluded_from_pull: tuple[str, ...] = ()
    directions: tuple[SelectionRule, ...] = ()

    def applied_to(self, rules: tuple[SelectionRule, ...]) -> tuple[SelectionRule, ...]:
        """Return the rules in effect. Raises `ConfigurationError` for patterns that cannot be combined."""
        found = (*self.directions, *rules)
        for pattern in self.excluded_from_pull:
            narrowed = []
            for rule in found:
                shared = intersection(qualified(pattern), rule.pattern)
                if shared is not None:
                    narrowed.append(replace(rule, pattern=shared, direction=_without_pull(rule)))
            found = (*narrowed, *found)
        found = (*(SelectionRule(qualified(pattern), Direction.NONE) for pattern in self.excluded), *found)
        if self.both_ways:
            return found
        return tuple(replace(rule, direction=_without_pull(rule)) for rule in found)

    def with_direction(self, pattern: str, direction: Direction | None, filter: str = "") -> "SelectionOverride":
        """Return the override with another direction and filter for a pattern; None: as configured."""
        kept = tuple(rule for rule in self.directions if rule.pattern != pattern)
        added = () if direction is None else (SelectionRule(pattern, direction, filter),)
        return SelectionOverride(self.both_ways, self.excluded, self.excluded_from_pull, (*added, *kept))

    def to_document(self) -> dict[str, Any]:
        return {
            "both_ways": self.both_ways,
            "excluded": list(self.excluded),
            "excluded_from_pull": list(self.excluded_from_pull),
            "directions": [rule.to_list() for rule in self.directions],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "SelectionOverride":
        directions = tuple(SelectionRule.from_list(rule) for rule in document["directions"])
        excluded, from_pull = tuple(document["excluded"]), tuple(document["excluded_from_pull"])
        return cls(document["both_ways"], excluded, from_pull, directions)

    def save(self, view: WriteView, link: str) -> None:
        link_records.save(view, link, OVERRIDE, self.to_document())


def load(view: ReadView, link: str) -> SelectionOverride:
    """Return the stored override, one that changes nothing when none was stored."""
    record = link_records.load(view, link, OVERRIDE)
    return SelectionOverride() if record is None else SelectionOverride.from_document(record)


def _without_pull(rule: SelectionRule) -> Direction:
    return _WITHOUT_PULL.get(rule.direction, rule.direction)


def qualified(pattern: str) -> str:
    """Return `database.collection` for a name that may lack its database."""
    return pattern if "." in pattern else f"*.{pattern}"


def checked_patterns(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns trimmed and without repetition. Raises `ConfigurationError` for one that is none."""
    found = dict.fromkeys(pattern.strip() for pattern in patterns)
    for pattern in found:
        SelectionRule(qualified(pattern) if pattern else pattern, Direction.NONE)
    return tuple(found)


def intersection(first: str, second: str) -> str | None:
    """Return the pattern of the names that fit both, None when there are none.

    Raises `ConfigurationError` for two patterns with different wildcards, whose common names no one pattern describes.
    """
    shared = []
    for one, other in zip(first.split(".", 1), second.split(".", 1)):
        if one in (other, "*"):
            shared.append(other)
        elif other == "*":
            shared.append(one)
        elif "*" not in one or "*" not in other:
            literal, pattern = (one, other) if "*" not in one else (other, one)
            if not re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), literal):
                return None
            shared.append(literal)
        else:
            raise ConfigurationError("excluded collections", first, f"a pattern that can be combined with {second}")
    return ".".join(shared)
