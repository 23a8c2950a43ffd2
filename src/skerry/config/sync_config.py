"""Which documents travel between this node and its hub, in which direction, how fast, and who wins a conflict."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from bson import json_util
from bson.errors import BSONError

from skerry.config.checks import check_ranges, choice
from skerry.config.hub_uri import check_hub_uri
from skerry.errors import ConfigurationError


class Direction(StrEnum):
    """Which way the documents of a namespace travel."""

    BOTH = "both"
    PULL = "pull"
    """From the hub to this node only."""
    PUSH = "push"
    """From this node to the hub only."""
    NONE = "none"


class ConflictPolicy(StrEnum):
    """Which side wins where both changed the same thing; the other is kept in the conflict log."""

    LWW = "lww"
    """The last write; a tie goes to the hub."""
    REMOTE_WINS = "remote_wins"
    LOCAL_WINS = "local_wins"
    FIRST_WINS = "first_wins"
    COUNTER = "counter"
    """For one path: what each side has added to a number is added up."""
    SET_UNION = "set_union"
    """For one path: an array is a set; what each side has added or removed is."""


OF_A_PATH: Final = frozenset((ConflictPolicy.COUNTER, ConflictPolicy.SET_UNION))


class DeletePolicy(StrEnum):
    """Which side wins where one deleted a document that the other changed."""

    LWW = "lww"
    DELETE_WINS = "delete_wins"
    UPDATE_WINS = "update_wins"


class Granularity(StrEnum):
    """What is merged where both sides changed a document."""

    FIELD = "field"
    """Changes to different paths are both kept; only overlapping ones conflict."""
    DOCUMENT = "document"
    """Any two changes to a document conflict."""


class OnFull(StrEnum):
    """What a local write does when more would wait to be pushed than may."""

    BLOCK = "block"
    """It is refused."""
    SPILL = "spill"
    """Base documents are given up: conflicts of what waits are about whole documents."""
    MARK_COLLECTION = "mark_collection"
    """Its collection is not tracked any more, and is compared with the hub as a whole once there is room."""


class Atomicity(StrEnum):
    """What reaches the hub in one transaction, so that nobody there sees a part of it."""

    PER_DOCUMENT = "per_document"
    """Each document for itself, whichever come next in a batch."""
    PER_TRANSACTION = "per_transaction"
    """All documents that a multi-document transaction here has written."""


class OnInvalid(StrEnum):
    """What happens to a document of the hub that the validator of the collection here refuses."""

    ACCEPT = "accept"
    """It is stored, because the hub is the authority, and counted."""
    QUARANTINE = "quarantine"
    """It is put aside as a dead letter; the version here stays until the hub has a valid one."""


@dataclass(frozen=True, slots=True)
class SelectionRule:
    """`pattern` is `database.collection`, where `*` stands for any run of characters within one of the two.

    `filter` is a query in extended JSON, "" for none: only documents that match it travel.
    """

    pattern: str
    direction: Direction
    filter: str = ""

    def __post_init__(self) -> None:
        database, dot, collection = self.pattern.partition(".")
        if not database or not dot or not collection:
            raise ConfigurationError(
                "sync.rules", self.pattern, "DATABASE.COLLECTION, for example shop.orders or shop.*"
            )
        if self.filter:
            self.query()

    def query(self) -> dict[str, Any]:
        """Return the filter as a query document, {} for none. Raises `ConfigurationError`."""
        try:
            found = json_util.loads(self.filter or "{}")
        except (ValueError, TypeError, BSONError) as error:
            raise ConfigurationError(f"sync.rules {self.pattern}", self.filter, f"a query in JSON ({error})") from error
        if not isinstance(found, dict):
            raise ConfigurationError(f"sync.rules {self.pattern}", self.filter, "a query in JSON: an object")
        return found

    def to_list(self) -> list[str]:
        """Return what `SelectionRule(*…)` is made of, as strings."""
        return [self.pattern, self.direction.value, *([self.filter] if self.filter else [])]

    @classmethod
    def from_list(cls, parts: Sequence[str]) -> "SelectionRule":
        """Return the rule that `to_list` has written."""
        pattern, direction, *rest = parts
        return cls(pattern, Direction(direction), *rest)


@dataclass(frozen=True, slots=True)
class ConflictRule:
    """How conflicts of some namespaces, or of one path in their documents, are resolved; what is None is left to later rules.

    `resolver` is a Python function, `module:function`, that takes the place of a policy.
    """

    pattern: str
    path: str = ""
    policy: ConflictPolicy | None = None
    resolver: str | None = None
    delete: DeletePolicy | None = None
    granularity: Granularity | None = None

    def __post_init__(self) -> None:
        SelectionRule(self.pattern, Direction.NONE)
        setting = f"sync.conflict_rules {self.pattern}"
        if self.policy in OF_A_PATH and not self.path:
            raise ConfigurationError(setting, self.policy, f"a path, for example {self.pattern}#total={self.policy}")
        if self.path and (self.delete is not None or self.granularity is not None):
            raise ConfigurationError(setting, self.path, "delete: and granularity: without a path")

    def to_text(self) -> str:
        """Return the text that `parse_conflict_rule` reads."""
        words = [self.policy, self.resolver]
        words += [self.delete and f"delete:{self.delete}", self.granularity and f"granularity:{self.granularity}"]
        target = f"{self.pattern}#{self.path}" if self.path else self.pattern
        return f"{target}={' '.join(word for word in words if word)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncConfig:
    """Settings of the link between one node and its hub."""

    hub_uri: str = field(
        repr=False,  # may hold a password
        metadata={"help": "Connection string of the hub: MongoDB, Atlas or another skerry.", "secret": True},
    )
    rules: tuple[SelectionRule, ...] = field(
        metadata={
            "help": "Which namespaces travel; the first rule whose pattern fits decides, without one they stay here."
        }
    )
    hub_password: str | None = field(
        default=None,
        repr=False,
        metadata={"help": "Password of the user that `hub_uri` names, where it is not in there.", "secret": True},
    )
    enabled: bool = field(default=True, metadata={"help": "false: there is no link, whatever else is set."})
    link_name: str = field(
        default="hub", metadata={"help": "Name of the link in this node's reports and in its own sync state."}
    )
    batch_documents_max: int = field(
        default=500,
        metadata={"help": "Documents pushed in one hub transaction.", "least": 1, "most": 1000},
    )
    batch_bytes_max: int = field(
        default=4 * 1024 * 1024,
        metadata={
            "help": "Bytes pushed in one hub transaction; a single larger document travels alone.",
            "least": 1024,
        },
    )
    batches_in_flight: int = field(
        default=4,
        metadata={
            "help": "Hub transactions that are under way at the same time while many documents wait.",
            "least": 1,
            "most": 16,
        },
    )
    atomicity: Atomicity = field(
        default=Atomicity.PER_DOCUMENT,
        metadata={
            "help": "Whether what a multi-document transaction here has written reaches the hub in one transaction."
        },
    )
    heartbeat_ms: int = field(
        default=60_000,
        metadata={
            "help": "When the hub's change stream stands still this long, a small write moves it on.",
            "least": 1000,
        },
    )
    dirty_documents_max: int | None = field(
        default=None, metadata={"help": "Documents that may wait to be pushed; none: any number.", "least": 1}
    )
    dirty_bytes_max: int | None = field(
        default=None,
        metadata={"help": "Bytes that may be kept for documents that wait to be pushed; none: any number.", "least": 1},
    )
    dirty_age_ms_max: int | None = field(
        default=None,
        metadata={"help": "How long a document may wait to be pushed; none: as long as it takes.", "least": 1},
    )
    on_full: OnFull = field(
        default=OnFull.BLOCK, metadata={"help": "What a local write does when more would wait than may."}
    )
    poll_interval_ms: int = field(
        default=30_000,
        metadata={"help": "A hub without change streams is compared with this node this often.", "least": 100},
    )
    backoff_ms_min: int = field(
        default=500,
        metadata={"help": "First wait after the link is lost; doubles with each failure, with jitter.", "least": 1},
    )
    backoff_ms_max: int = field(default=30_000, metadata={"help": "Longest wait between two attempts.", "least": 1})
    conflict_policy: ConflictPolicy = field(
        default=ConflictPolicy.LWW, metadata={"help": "Who wins where both sides changed the same thing."}
    )
    delete_policy: DeletePolicy = field(
        default=DeletePolicy.LWW, metadata={"help": "Who wins where one side deleted what the other changed."}
    )
    granularity: Granularity = field(
        default=Granularity.FIELD, metadata={"help": "Whether changes are merged by field or by document."}
    )
    on_invalid: OnInvalid = field(
        default=OnInvalid.ACCEPT,
        metadata={"help": "What happens to a document of the hub that the validator of the collection here refuses."},
    )
    conflict_rules: tuple[ConflictRule, ...] = field(
        default=(),
        metadata={"help": "Other policies for some namespaces or paths; the first rule that says something decides."},
    )

    def __post_init__(self) -> None:
        check_ranges(self, "sync")
        check_hub_uri(self.hub_uri, self.hub_password)
        if not self.rules:
            raise ConfigurationError("sync.rules", (), "at least one PATTERN=DIRECTION, for example shop.*=both")
        if not self.link_name.isprintable() or not self.link_name:
            raise ConfigurationError("sync.link_name", self.link_name, "a name, not empty, without control characters")
        if self.conflict_policy in OF_A_PATH:
            raise ConfigurationError("sync.conflict_policy", self.conflict_policy, "a policy that needs no path")
        if self.backoff_ms_max < self.backoff_ms_min:
            raise ConfigurationError("sync.backoff_ms_max", self.backoff_ms_max, f"at least {self.backoff_ms_min}")


def parse_rule(text: str) -> SelectionRule:
    """Return the rule that `PATTERN=DIRECTION` or `PATTERN=DIRECTION {…}`, with a query in JSON, stands for.

    Raises `ConfigurationError`.
    """
    head, brace, query = text.strip().partition("{")
    pattern, equals, direction = head.rstrip().rpartition("=")
    if not equals:
        raise ConfigurationError("sync.rules", text, "PATTERN=DIRECTION, for example shop.*=both")
    return SelectionRule(pattern, choice(Direction, f"sync.rules {pattern}", direction), brace + query)


def parse_conflict_rule(text: str) -> ConflictRule:
    """Return the rule that `PATTERN=WORDS` or `PATTERN#PATH=WORDS` stands for. Raises `ConfigurationError`.

    The words, with spaces between them: a conflict policy or `module:function`, `delete:POLICY`, `granularity:KIND`.
    """
    target, equals, words = text.strip().rpartition("=")
    if not equals or not words.split():
        raise ConfigurationError(
            "sync.conflict_rules", text, "PATTERN#PATH=POLICY, for example shop.stock#total=counter"
        )
    pattern, _, path = target.partition("#")
    setting = f"sync.conflict_rules {target}"
    found: dict[str, Any] = {}
    for word in words.split():
        kind, colon, value = word.partition(":")
        if not colon:
            found["policy"] = choice(ConflictPolicy, setting, word)
        elif kind == "delete":
            found["delete"] = choice(DeletePolicy, setting, value)
        elif kind == "granularity":
            found["granularity"] = choice(Granularity, setting, value)
        elif kind and value:
            found["resolver"] = word
        else:
            raise ConfigurationError(setting, word, "module:function")
    if "policy" in found and "resolver" in found:
        raise ConfigurationError(setting, words, "either a policy or a function")
    return ConflictRule(pattern, path, **found)
