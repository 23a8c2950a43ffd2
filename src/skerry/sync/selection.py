"""Which namespaces travel in which direction: rules with wildcards, kept in the store so that every process captures alike."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from skerry.config.sync_config import Direction, SelectionRule
from skerry.values.namespace import Namespace

MARKERS: Final = "__edge_sync"
"""The hub's collection of marker documents, one in each synced database; it never travels."""
_SERVER_DATABASES: Final = frozenset(("admin", "config", "local"))


@dataclass(frozen=True)
class Selection:
    """The rules in order, the first that fits decides; `frozen` namespaces are captured but wait for an operator."""

    rules: tuple[SelectionRule, ...]
    frozen: Mapping[str, str] = field(default_factory=dict)
    _known: dict[Namespace, Direction] = field(default_factory=dict, compare=False)

    def direction(self, namespace: Namespace) -> Direction:
        """Return which way the documents of a namespace travel."""
        known = self._known.get(namespace)
        if known is None:
            known = self._known[namespace] = self._decide(namespace)
        return known

    def captures(self, namespace: Namespace) -> bool:
        """Whether local writes are to be noted."""
        return self.direction(namespace) in (Direction.BOTH, Direction.PUSH)

    def pulls(self, namespace: Namespace) -> bool:
        """Whether the hub's changes are applied now."""
        return self.direction(namespace) in (Direction.BOTH, Direction.PULL) and str(namespace) not in self.frozen

    def pushes(self, namespace: Namespace) -> bool:
        """Whether local changes are sent now."""
        return self.captures(namespace) and str(namespace) not in self.frozen

    def is_one_way(self, namespace: Namespace) -> bool:
        """Whether documents only go up, so that the version here stands whatever the hub has."""
        return self.direction(namespace) is Direction.PUSH

    @property
    def database(self) -> str | None:
        """The one database that all rules name, None where they name several or a wildcard."""
        names = {rule.pattern.partition(".")[0] for rule in self.rules if rule.direction is not Direction.NONE}
        return names.pop() if len(names) == 1 and not any("*" in name for name in names) else None

    @property
    def home(self) -> str:
        """A database that the link's stream shows: the marker collection for notes that belong to no batch is there."""
        names = [rule.pattern.partition(".")[0] for rule in self.rules if rule.direction is not Direction.NONE]
        return next((name for name in names if "*" not in name), MARKERS)

    def event_filter(self) -> dict[str, Any]:
        """Return the `$match` that keeps what may concern the link: too much does no harm, too little would."""
        wanted: list[dict[str, Any]] = [{"ns.coll": MARKERS}, {"operationType": {"$in": ["rename", "dropDatabase"]}}]
        for rule in self.rules:
            if rule.direction is not Direction.NONE:
                db, _, coll = rule.pattern.partition(".")
                wanted.append({"ns.db": _as_condition(db), "ns.coll": _as_condition(coll)})
        return {"$or": wanted}

    def to_document(self) -> dict[str, Any]:
        return {"rules": [[rule.pattern, rule.direction.value] for rule in self.rules], "frozen": dict(self.frozen)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Selection":
        rules = tuple(SelectionRule(pattern, Direction(direction)) for pattern, direction in document["rules"])
        return cls(rules, document.get("frozen", {}))

    def _decide(self, namespace: Namespace) -> Direction:
        if namespace.db in _SERVER_DATABASES or namespace.coll == MARKERS or namespace.coll.startswith("system."):
            return Direction.NONE
        for rule in self.rules:
            if fits(rule.pattern, namespace):
                return rule.direction
        return Direction.NONE


def selected(namespaces: Iterable[Namespace], selection: Selection) -> list[Namespace]:
    """Return those that travel at all, in a fixed order."""
    return sorted(each for each in namespaces if selection.direction(each) is not Direction.NONE)


def fits(pattern: str, namespace: Namespace) -> bool:
    """Whether a namespace is one that a pattern of `database.collection` means."""
    db, _, coll = pattern.partition(".")
    return bool(re.fullmatch(_as_expression(db), namespace.db) and re.fullmatch(_as_expression(coll), namespace.coll))


def _as_expression(pattern: str) -> str:
    return ".*".join(re.escape(part) for part in pattern.split("*"))


def _as_condition(pattern: str) -> Any:
    return {"$regex": f"^{_as_expression(pattern)}$"} if "*" in pattern else pattern
