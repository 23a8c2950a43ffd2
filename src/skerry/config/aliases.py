"""Environment variables of the systems that skerry takes the place of, and what each of them sets here.

They are read beside `SKERRY_…`, so that a site can change over without renaming anything. A variable that is empty counts as
not set, as it did there. One whose value can have no effect here is named in a warning.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from skerry.config.checks import allowed_range
from skerry.config.secret_values import revealed
from skerry.config.server_config import PORT_MAX
from skerry.config.sync_config import ConflictPolicy, Direction, SelectionRule
from skerry.config.values import truth, whole_number
from skerry.errors import ConfigurationError

DEFAULT_PORT: Final = 27017
LAST_WRITE_WINS: Final = "last-write-wins"
BOTH_WAYS: Final = "BIDIRECTIONAL_SYNC_ENABLED"
EXCLUDED: Final = "SYNC_EXCLUDED_COLLECTIONS"
EXCLUDED_FROM_PULL: Final = "BIDIRECTIONAL_EXCLUDED_COLLECTIONS"
RULE_ALIASES: Final = (BOTH_WAYS, EXCLUDED, EXCLUDED_FROM_PULL)
"""Together these are `sync.rules`."""
HUB_ALIAS: Final = "MONGODB_ATLAS_URI"
SWITCH: Final = "SYNC_ENABLED"


@dataclass(frozen=True, slots=True)
class Alias:
    """One variable that has a counterpart; `read` is given the variable's name and text and returns the setting's value."""

    variable: str
    table: str
    setting: str
    read: Callable[[str, str], Any]
    meaning: str


def _number(least: int, most: int | None = None) -> Callable[[str, str], int]:
    def read(variable: str, text: str) -> int:
        value = whole_number(variable, text)
        if value < least or (most is not None and value > most):
            raise ConfigurationError(variable, value, allowed_range(least, most))
        return value

    return read


def _strategy(variable: str, text: str) -> ConflictPolicy:
    if text != LAST_WRITE_WINS:
        raise ConfigurationError(variable, text, LAST_WRITE_WINS)
    return ConflictPolicy.LWW


def _port(variable: str, text: str) -> int:
    """The port of a connection string; its host is where programs look for it, not where to listen."""
    try:
        parts = urlsplit(text)
        port = parts.port or DEFAULT_PORT
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme != "mongodb" or port > PORT_MAX:
        raise ConfigurationError(variable, "", "mongodb://HOST:PORT/DATABASE")
    return port


ALIASES: Final = (
    Alias("CHANGE_STREAM_RECONNECT_INTERVAL", "sync", "backoff_ms_min", _number(1000), "milliseconds, 1000 or more"),
    Alias("CONFLICT_RESOLUTION_STRATEGY", "sync", "conflict_policy", _strategy, f"`{LAST_WRITE_WINS}`, which is `lww`"),
    Alias(HUB_ALIAS, "sync", "hub_uri", revealed, "connection string of the hub; its database is the one that travels"),
    Alias("MONGODB_LOCAL_URI", "server", "bind_port", _port, "only its port: where to listen is `bind_host`"),
    Alias("SYNC_BATCH_SIZE", "sync", "batch_documents_max", _number(1, 1000), "1 to 1000"),
    Alias(SWITCH, "sync", "enabled", truth, "also the default for `rules`: everything, `push`"),
    Alias("SYNC_QUEUE_MAX_SIZE", "sync", "dirty_documents_max", _number(100), "100 or more"),
    Alias("SYNC_WORKER_BATCH_SIZE", "sync", "batch_documents_max", _number(1, 1000), "1 to 1000"),
)

RULE_MEANINGS: Final[Mapping[str, str]] = {
    BOTH_WAYS: "`true`: everything travels `both` ways; `false`: `push`",
    EXCLUDED: "names of collections, with commas between: `none`",
    EXCLUDED_FROM_PULL: "names of collections, with commas between: `push`",
}

NO_EFFECT: Final[Mapping[str, str]] = {
    "ATLAS_CHANGE_STREAM_BATCH_SIZE": "the hub's transactions decide what is applied together",
    "CHANGE_STREAM_MAX_RECONNECT_ATTEMPTS": "the link tries for as long as it takes",
    "INITIAL_SYNC_ENABLED": "a new link always begins by comparing",
    "INITIAL_SYNC_INTERVAL": "a new link always begins by comparing",
    "ORIGIN_TRACKING_CLEANUP_INTERVAL": "nothing has to be cleaned up: echoes are known by their markers",
    "SYNC_LAG_WARNING_THRESHOLD": "the warning comes after 60 s",
    "SYNC_MAX_RETRIES": "the link tries for as long as it takes",
    "SYNC_PERSIST_QUEUE": "what waits to be sent is always kept on the disk",
    "SYNC_QUEUE_PATH": "what waits to be sent is kept in the database",
    "SYNC_QUEUE_WARNING_THRESHOLD": "the warning comes at 5000 documents",
    "SYNC_WORKER_INTERVAL": "changes are sent when they are made, not at intervals",
}


def rules_of(environment: Mapping[str, str], hub_uri: str) -> tuple[SelectionRule, ...]:
    """Return the selection that the variables of `RULE_ALIASES` describe. Raises `ConfigurationError`.

    It is about the database that the hub's URI names, and about all of them when it names none.
    """
    is_both = truth(BOTH_WAYS, environment.get(BOTH_WAYS) or "false")
    database = database_of(hub_uri)
    rules = [SelectionRule(f"{database}.{name}", Direction.NONE) for name in _names(environment, EXCLUDED)]
    if is_both:
        pushed = _names(environment, EXCLUDED_FROM_PULL)
        rules += [SelectionRule(f"{database}.{name}", Direction.PUSH) for name in pushed]
    return (*rules, SelectionRule(f"{database}.*", Direction.BOTH if is_both else Direction.PUSH))


def twice_excluded(environment: Mapping[str, str]) -> list[str]:
    """Return the collections that both lists name."""
    return sorted({*_names(environment, EXCLUDED)} & {*_names(environment, EXCLUDED_FROM_PULL)})


def database_of(hub_uri: str) -> str:
    """Return the database that a connection string names, `*` for none."""
    _, _, after = hub_uri.partition("://")
    path = after.partition("?")[0].rpartition("@")[2].partition("/")[2]
    return path or "*"


def _names(environment: Mapping[str, str], variable: str) -> list[str]:
    return [name.strip() for name in environment.get(variable, "").split(",") if name.strip()]
