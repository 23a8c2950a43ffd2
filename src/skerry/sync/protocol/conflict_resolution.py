"""A document written on both sides since the base: what it becomes, and which version does not survive.

Only asked when local and remote differ from the base, and from each other but for counters. Counters and sets are combined first:
they lose nothing. Changes to different paths are merged and are no conflict; each path that both sides wrote is given to one of
them, or to a function. The version that loses anything is kept by the caller, in full.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Final

from skerry.config.sync_config import ConflictPolicy, DeletePolicy, Granularity
from skerry.sync.protocol.combined_values import combine_counters, combine_sets, put_at, value_at
from skerry.sync.protocol.three_way_diff import merge, same
from skerry.values.missing import MISSING

Document = Mapping[str, Any]


class Winner(StrEnum):
    """Whose value stands where both sides wrote."""

    LOCAL = "local"
    REMOTE = "remote"
    BOTH = "both"
    """Some paths are the one side's, some the other's."""
    RESOLVER = "resolver"
    """A function of the application decided."""
    NEITHER = "merged"
    """No side lost anything: the changes do not overlap, or add up."""


class Verdict(Enum):
    """What a resolver may return besides a document or a value."""

    DELETE = "delete"
    DEFER = "defer"
    """The last write stands for now; the conflict is marked for review."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """When each side was last written, on the hub's clock (hybrid logical times)."""

    local: int
    remote: int


@dataclass(frozen=True, slots=True)
class ConflictContext:
    """What a resolver is told besides the versions: `path` is "" where whole documents conflict."""

    namespace: str
    path: str
    stamps: Stamps


Resolver = Callable[[Any, Any, Any, ConflictContext], Any]
"""Takes base, local and remote and returns what stands. Documents are None where there is none, values `MISSING`."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How conflicts of one namespace are resolved; `paths` has a policy or a resolver for some dotted paths."""

    conflict: ConflictPolicy = ConflictPolicy.LWW
    delete: DeletePolicy = DeletePolicy.LWW
    granularity: Granularity = Granularity.FIELD
    resolver: Resolver | None = None
    paths: Mapping[str, ConflictPolicy | Resolver] = field(default_factory=dict)
    namespace: str = ""

    @property
    def adds_up(self) -> bool:
        """Whether equal versions made on both sides are two changes, because something is counted."""
        return ConflictPolicy.COUNTER in self.paths.values()

    def of_path(self, path: str) -> ConflictPolicy | Resolver | None:
        """Return what decides about a path: the rule of the path itself or of the nearest one above."""
        while path:
            if path in self.paths:
                return self.paths[path]
            path = path.rpartition(".")[0]
        return None


@dataclass(frozen=True, slots=True)
class Resolution:
    """`document` is None for a deleted one; `paths` are those both sides wrote, "" for the document as a whole."""

    document: Document | None
    winner: Winner
    paths: tuple[str, ...] = ()
    review: str | None = None
    """Why a person should look at it."""

    @property
    def is_conflict(self) -> bool:
        """Whether a version does not survive, and so must be kept in the conflict log."""
        return self.winner is not Winner.NEITHER


_COMBINING: Final = {ConflictPolicy.COUNTER: combine_counters, ConflictPolicy.SET_UNION: combine_sets}


def resolve(
    base: Document | None, local: Document | None, remote: Document | None, stamps: Stamps, rules: Rules
) -> Resolution:
    """Say what the document becomes."""
    if local is None or remote is None:
        if local is remote:
            return Resolution(None, Winner.NEITHER)
        if rules.resolver is not None:
            return _asked(rules.resolver, base, local, remote, stamps, rules)
        prefer_local = _delete_prefers_local(stamps, rules, local_is_deleted=local is None)
        return _whole(local, remote, prefer_local=prefer_local)
    mine, theirs = _combined(base, local, remote, rules)
    if same(mine, theirs):
        return Resolution(theirs, Winner.NEITHER)
    if rules.granularity is Granularity.DOCUMENT:
        if rules.resolver is not None:
            return _asked(rules.resolver, base, mine, theirs, stamps, rules)
        return _whole(mine, theirs, prefer_local=prefers_local(rules.conflict, stamps))
    return _by_field(base, mine, theirs, stamps, rules)


def prefers_local(policy: ConflictPolicy, stamps: Stamps) -> bool:
    """Whether this side's change stands; a tie goes to the hub."""
    if policy is ConflictPolicy.LOCAL_WINS:
        return True
    if policy is ConflictPolicy.REMOTE_WINS:
        return False
    if policy is ConflictPolicy.FIRST_WINS:
        return stamps.local < stamps.remote
    return stamps.local > stamps.remote


def _combined(base: Document | None, local: Document, remote: Document, rules: Rules) -> tuple[Document, Document]:
    """Give both versions the combined value of each counter and set, where it can be combined."""
    for path, policy in rules.paths.items():
        combining = _COMBINING.get(policy) if isinstance(policy, ConflictPolicy) else None
        if combining is None:
            continue
        old, mine, theirs = (value_at(each or {}, path) for each in (base, local, remote))
        value = combining(old, mine, theirs)
        if value is not MISSING:
            local, remote = put_at(local, path, value), put_at(remote, path, value)
    return local, remote


def _by_field(base: Document | None, local: Document, remote: Document, stamps: Stamps, rules: Rules) -> Resolution:
    def choose(path: str) -> bool:
        policy = rules.of_path(path)
        return prefers_local(policy if isinstance(policy, ConflictPolicy) else rules.conflict, stamps)

    merged = merge(base, local, remote, prefer_local=choose)
    if not merged.overlaps:
        return Resolution(merged.document, Winner.NEITHER)
    resolvers = {path: rule for path in merged.overlaps if callable(rule := rules.of_path(path))}
    if rules.resolver is not None and len(resolvers) < len(merged.overlaps):
        return _asked(rules.resolver, base, local, remote, stamps, rules)
    document: Document = merged.document
    review: str | None = None
    for path, resolver in resolvers.items():
        old, mine, theirs = (value_at(each or {}, path) for each in (base, local, remote))
        try:
            value = resolver(old, mine, theirs, ConflictContext(rules.namespace, path, stamps))
        except Exception as error:
            value, review = Verdict.DEFER, f"{path}: {type(error).__name__}: {error}"
        if value is Verdict.DEFER:
            review = review or f"{path}: put off by its resolver"
        else:
            document = put_at(document, path, MISSING if value is Verdict.DELETE else value)
    sides = {choose(path) for path in merged.overlaps if path not in resolvers}
    winner = Winner.RESOLVER if resolvers else Winner.BOTH
    if len(sides) == 1 and not resolvers:
        winner = Winner.LOCAL if sides.pop() else Winner.REMOTE
    return Resolution(document, winner, merged.overlaps, review)


def _asked(
    resolver: Resolver,
    base: Document | None,
    local: Document | None,
    remote: Document | None,
    stamps: Stamps,
    rules: Rules,
) -> Resolution:
    """Let a function decide about the documents; what it cannot decide is decided by time, and marked for review."""
    review = "put off by its resolver"
    try:
        answer = resolver(base, local, remote, ConflictContext(rules.namespace, "", stamps))
    except Exception as error:
        answer, review = Verdict.DEFER, f"{type(error).__name__}: {error}"
    if answer is Verdict.DELETE:
        return Resolution(None, Winner.RESOLVER, ("",))
    known = next(each["_id"] for each in (local, remote) if each is not None)
    if isinstance(answer, Mapping):
        if same(answer.get("_id", MISSING), known):
            return Resolution(dict(answer), Winner.RESOLVER, ("",))
        review = "its resolver changed the _id"
    elif answer is not Verdict.DEFER:
        review = f"its resolver returned {type(answer).__name__}"
    decided = _whole(local, remote, prefer_local=prefers_local(ConflictPolicy.LWW, stamps))
    return Resolution(decided.document, decided.winner, decided.paths, review)


def _whole(local: Document | None, remote: Document | None, *, prefer_local: bool) -> Resolution:
    if prefer_local:
        return Resolution(local, Winner.LOCAL, ("",))
    return Resolution(remote, Winner.REMOTE, ("",))


def _delete_prefers_local(stamps: Stamps, rules: Rules, *, local_is_deleted: bool) -> bool:
    if rules.delete is DeletePolicy.DELETE_WINS:
        return local_is_deleted
    if rules.delete is DeletePolicy.UPDATE_WINS:
        return not local_is_deleted
    return stamps.local > stamps.remote
