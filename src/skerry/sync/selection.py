"""Which namespaces travel in which direction: rules with wildcards, kept in the store so that every process captures alike."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bson.binary import UUID_SUBTYPE, Binary

from skerry.catalog.index_store import MASTER_INDEX_KEY
from skerry.config.sync_config import Direction, SelectionRule
from skerry.errors import CommandError, ConfigurationError
from skerry.matcher.compile import Filter, compile_filter
from skerry.values import documents
from skerry.values.namespace import Namespace

MARKERS: Final = "__edge_sync"
"""The hub's collection of marker documents, one in each synced database; it never travels."""
FULL: Final = "full"
COMPARING: Final = "comparing"
SERVER_DATABASES: Final = frozenset(("admin", "config", "local"))


@dataclass(frozen=True)
class Selection:
    """The rules in order, the first that fits decides; `frozen` namespaces are captured but wait for an operator.

    `untracked` ones are FULL, written here without being captured, or COMPARING again with the hub. `version` grows with every
    change that is stored.
    """

    rules: tuple[SelectionRule, ...]
    frozen: Mapping[str, str] = field(default_factory=dict)
    version: int = field(default=0, compare=False)
    untracked: Mapping[str, str] = field(default_factory=dict)
    _known: dict[Namespace, Direction] = field(default_factory=dict, compare=False)
    _filters: dict[Namespace, Filter | None] = field(default_factory=dict, compare=False)

    def direction(self, namespace: Namespace) -> Direction:
        """Return which way the documents of a namespace travel."""
        known = self._known.get(namespace)
        if known is None:
            known = self._known[namespace] = self._decide(namespace)
        return known

    def query(self, namespace: Namespace) -> dict[str, Any]:
        """Return the query that the documents of a namespace have to match to travel, {} for all."""
        rule = self._rule(namespace)
        return {} if rule is None else rule.query()

    @property
    def has_filters(self) -> bool:
        """Whether this node wants only some documents of a collection."""
        return any(rule.filter for rule in self.rules)

    def has_filter(self, namespace: Namespace) -> bool:
        """Whether only some documents of a namespace travel."""
        return self._filter(namespace) is not None

    def in_scope(self, namespace: Namespace, raw: bytes | None) -> bool:
        """Whether a version of a document travels; one that is deleted does."""
        wanted = self._filter(namespace)
        return wanted is None or raw is None or wanted.matches(documents.decode(raw))

    def signature(self, namespace: Namespace) -> str:
        """Return direction and filter of a namespace: when it changes, both sides have to be compared."""
        rule = self._rule(namespace)
        return " ".join((self.direction(namespace).value, *([rule.filter] if rule is not None and rule.filter else [])))

    def check_filters(self) -> None:
        """Raise `ConfigurationError` for a filter that is no query."""
        for rule in self.rules:
            try:
                compile_filter(rule.query())
            except CommandError as error:
                raise ConfigurationError(f"sync.rules {rule.pattern}", rule.filter, f"a query ({error})") from error

    def captures(self, namespace: Namespace) -> bool:
        """Whether local writes are to be noted."""
        return (
            self.direction(namespace) in (Direction.BOTH, Direction.PUSH) and self.untracked.get(str(namespace)) != FULL
        )

    def trusts_absence(self, namespace: Namespace) -> bool:
        """Whether a document that is missing here was deleted, rather than lost, though nothing was captured."""
        return str(namespace) in self.untracked

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

    def event_filter(self, own_sessions: Sequence[bytes] = ()) -> dict[str, Any]:
        """Return the `$match` that keeps what may concern the link: too much does no harm, too little would.

        What was written in `own_sessions` (their ids) is left out, but for the markers, which say all there is to know of it.
        """
        foreign = {"lsid.id": {"$nin": [Binary(lsid, UUID_SUBTYPE) for lsid in own_sessions]}} if own_sessions else {}
        wanted: list[dict[str, Any]] = [{"ns.coll": MARKERS}, {"operationType": {"$in": ["rename", "dropDatabase"]}}]
        for rule in self.rules:
            if rule.direction is not Direction.NONE:
                db, _, coll = rule.pattern.partition(".")
                wanted.append({"ns.db": _as_condition(db), "ns.coll": _as_condition(coll), **foreign})
        return {"$or": wanted}

    def to_document(self) -> dict[str, Any]:
        rules = [rule.to_list() for rule in self.rules]
        frozen, untracked = dict(self.frozen), dict(self.untracked)
        return {"rules": rules, "frozen": frozen, "version": self.version, "untracked": untracked}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Selection":
        rules = tuple(SelectionRule.from_list(rule) for rule in document["rules"])
        return cls(rules, document.get("frozen", {}), document.get("version", 0), document.get("untracked", {}))

    def _decide(self, namespace: Namespace) -> Direction:
        if namespace.db in SERVER_DATABASES or namespace.coll == MARKERS or namespace.coll.startswith("system."):
            return Direction.NONE
        rule = self._rule(namespace)
        if rule is None or (_is_of_master_index(namespace) and "*" in rule.pattern.partition(".")[2]):
            return Direction.NONE
        return rule.direction

    def _rule(self, namespace: Namespace) -> SelectionRule | None:
        return next((rule for rule in self.rules if fits(rule.pattern, namespace)), None)

    def _filter(self, namespace: Namespace) -> Filter | None:
        if namespace not in self._filters:
            query = self.query(namespace)
            self._filters[namespace] = compile_filter(query) if query else None
        return self._filters[namespace]


def selected(namespaces: Iterable[Namespace], selection: Selection) -> list[Namespace]:
    """Return those that travel at all, in a fixed order."""
    return sorted(each for each in namespaces if selection.direction(each) is not Direction.NONE)


def fits(pattern: str, namespace: Namespace) -> bool:
    """Whether a namespace is one that a pattern of `database.collection` means."""
    db, _, coll = pattern.partition(".")
    return bool(re.fullmatch(_as_expression(db), namespace.db) and re.fullmatch(_as_expression(coll), namespace.coll))


def _is_of_master_index(namespace: Namespace) -> bool:
    """Whether this is the index by which programs coordinate at one server: on another its leases would be false.

    It travels only by a rule that names it in full.
    """
    return namespace.coll.partition(".")[0] == MASTER_INDEX_KEY


def _as_expression(pattern: str) -> str:
    return ".*".join(re.escape(part) for part in pattern.split("*"))


def _as_condition(pattern: str) -> Any:
    return {"$regex": f"^{_as_expression(pattern)}$"} if "*" in pattern else pattern
