"""Whether a link is well: what was observed judged by fixed limits, in words, with advice. Pure: no clock, no I/O.

Limits are those that the first designs of the sync asked for. Rates are of a window of time, so that old troubles pass.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from skerry.sync.sync_health import LinkState

QUEUE_DOCUMENTS_MAX: Final = 5_000
LAG_MS_MAX: Final = 60_000
FAILURE_RATE_MAX: Final = 0.10
CONFLICT_RATE_MAX: Final = 0.05
OPERATIONS_MIN: Final = 10  # a rate of fewer operations says nothing
REOPENS_MAX: Final = 5
COOL_DOWN_SECONDS: Final = 60.0

PUSHED: Final = ("pushed",)
PUSH_FAILED: Final = ("push_refused",)
PULLED: Final = ("pulled_applied", "pulled_merged", "pulled_agreed")
PULL_FAILED: Final = ("dead_letters",)


class Level(StrEnum):
    """How well a link is; later is worse."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


@dataclass(frozen=True, slots=True)
class Observation:
    """A link at one moment. `counts` are how much the counters of `SyncMetrics` grew within the window; lags in milliseconds,
    None where nothing waits or was ever heard; `pulls` is whether anything comes down by the rules;
    `switched_by` who has paused or stopped it."""

    state: LinkState
    pulls: bool = True
    error: str | None = None
    queue: int = 0
    push_lag_ms: int | None = None
    pull_lag_ms: int | None = None
    quarantined: int = 0
    dead_letters: int = 0
    frozen: tuple[str, ...] = ()
    switched_by: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not well. `kind` never changes its spelling: warnings are held back and alerts written by it."""

    kind: str
    level: Level
    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares between 0 and 1 within the window, None below `OPERATIONS_MIN` operations."""

    push_failures: float | None
    pull_failures: float | None
    conflicts: float | None


def rates(counts: Mapping[str, int]) -> Rates:
    """Return which share of the operations failed or met a conflict."""
    pushed, push_failed = _sum(counts, PUSHED), _sum(counts, PUSH_FAILED)
    pulled, pull_failed = _sum(counts, PULLED), _sum(counts, PULL_FAILED)
    return Rates(
        _share(push_failed, pushed + push_failed),
        _share(pull_failed, pulled + pull_failed),
        _share(counts.get("conflicts", 0), pushed + pulled),
    )


def findings(seen: Observation, *, is_strict: bool = False) -> list[Finding]:
    """Return what is not well, the worst first. `is_strict`: without the hub it is worse than degraded."""
    found: list[Finding] = []
    for check in _CHECKS:
        finding = check(seen, is_strict)
        if finding is not None:
            found.append(finding)
    return sorted(found, key=lambda finding: -finding.level.rank)


def of_wrong_setting(fault: str) -> Finding:
    """Return what is not well with a node that has no link because a sync setting is wrong; local work goes on."""
    message = f"a wrong sync setting has turned the link off: {fault}"
    return Finding("wrong_setting", Level.DEGRADED, message, "put it right (skerry config), then restart the node")


def level_of(found: list[Finding]) -> Level:
    """Return how well the link is: as its worst finding says."""
    return max((finding.level for finding in found), key=lambda level: level.rank, default=Level.HEALTHY)


def growth(earlier: Mapping[str, int], later: Mapping[str, int]) -> dict[str, int]:
    """Return how much counters grew; those of a link started anew meanwhile begin at zero."""
    if any(later.get(name, 0) < count for name, count in earlier.items()):
        return dict(later)
    return {name: count - earlier.get(name, 0) for name, count in later.items()}


class CoolDown:
    """Which warnings are due: each kind at most once in `COOL_DOWN_SECONDS`. Used by one thread."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def due(self, found: list[Finding], now_seconds: float) -> list[Finding]:
        """Return the findings to report now, and remember that they were."""
        due = [
            each for each in found if now_seconds - self._last.get(each.kind, -COOL_DOWN_SECONDS) >= COOL_DOWN_SECONDS
        ]
        self._last.update((each.kind, now_seconds) for each in due)
        return due


def _sum(counts: Mapping[str, int], names: tuple[str, ...]) -> int:
    return sum(counts.get(name, 0) for name in names)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole >= OPERATIONS_MIN else None


def _state(seen: Observation, is_strict: bool) -> Finding | None:  # noqa: FBT001 - the shape of every check
    offline = Level.UNHEALTHY if is_strict else Level.DEGRADED
    by = "" if seen.switched_by is None else f" by {seen.switched_by}"
    levels = {
        LinkState.STOPPED: (Level.UNHEALTHY, f"replication is stopped{by}", "start it: skerry sync start"),
        LinkState.REFUSED: (
            Level.UNHEALTHY,
            f"the hub refuses the link: {seen.error}",
            "mend what the message says, then: skerry sync resume",
        ),
        LinkState.OFFLINE: (
            offline,
            f"the hub is out of reach: {seen.error}",
            "check the network and the hub; local work goes on and is sent later",
        ),
        LinkState.CONNECTING: (Level.DEGRADED, "the link is connecting", "wait; if it lasts, check the hub's address"),
        LinkState.PAUSED: (Level.DEGRADED, f"the link is paused{by}", "let it go on: skerry sync resume"),
    }
    if seen.state not in levels:
        return None
    level, message, advice = levels[seen.state]
    return Finding(f"state_{seen.state.value}", level, message, advice)


def _queue(seen: Observation, _is_strict: bool) -> Finding | None:  # noqa: FBT001
    if seen.queue <= QUEUE_DOCUMENTS_MAX:
        return None
    message = f"{seen.queue} documents wait to be sent, more than {QUEUE_DOCUMENTS_MAX}"
    return Finding("queue", Level.DEGRADED, message, "check the line to the hub, and whether the hub keeps up")


def _push_lag(seen: Observation, _is_strict: bool) -> Finding | None:  # noqa: FBT001
    return _lag(
        "push_lag", "the oldest local write has been waiting", seen.push_lag_ms, "look at skerry dead-letters list"
    )


def _pull_lag(seen: Observation, _is_strict: bool) -> Finding | None:  # noqa: FBT001
    if not seen.pulls or seen.state in (LinkState.STOPPED, LinkState.STANDBY):
        return None
    return _lag("pull_lag", "the hub was last heard", seen.pull_lag_ms, "check the line to the hub")


def _lag(kind: str, what: str, lag_ms: int | None, advice: str) -> Finding | None:
    if lag_ms is None or lag_ms <= LAG_MS_MAX:
        return None
    ago = " ago" if kind == "pull_lag" else ""
    message = f"{what} {lag_ms // 1000} s{ago}, longer than {LAG_MS_MAX // 1000} s"
    return Finding(kind, Level.DEGRADED, message, advice)


def _push_failures(seen: Observation, _is_strict: bool) -> Finding | None:  # noqa: FBT001
    share, advice = rates(seen.counts).push_failures, "the hub refuses documents: see skerry dead-letters list"
    return _rate("push_failures", "writes sent to the hub were refused", share, FAILURE_RATE_MAX, advice)


def _pull_failures(seen: Observation, _is_strict: bool) -> Finding | None:  # noqa: FBT001
    share, advice = (
        rates(seen.counts).pull_failures,
        "unique indexes here and there differ: see skerry dead-letters list",
    )
    return _rate("pull_failures", "changes of the hub could not be applied", share, FAILURE_RATE_MAX, advice)


def _conflicts(seen: Observation, _is_strict: bool) -> Finding | None:  # noqa: FBT001
    share = rates(seen.counts).conflicts
    advice = (
        "the same documents are edited on both sides: see skerry conflicts list, and consider another split of the work"
    )
    return _rate("conflicts", "operations met a conflict", share, CONFLICT_RATE_MAX, advice)


def _rate(kind: str, what: str, share: float | None, most: float, advice: str) -> Finding | None:
    if share is None or share <= most:
        return None
    return Finding(kind, Level.DEGRADED, f"{share:.0%} of the {what}, more than {most:.0%}", advice)


def _reopens(seen: Observation, _is_strict: bool) -> Finding | None:  # noqa: FBT001
    opened = seen.counts.get("stream_opened", 0)
    if opened <= REOPENS_MAX:
        return None
    message = f"the hub's change stream was opened {opened} times within a few minutes"
    return Finding(
        "reopens", Level.DEGRADED, message, "the line to the hub is shaky, or the hub elects a primary over and over"
    )


def _quarantined(seen: Observation, _is_strict: bool) -> Finding | None:  # noqa: FBT001
    if not seen.quarantined:
        return None
    advice = "correct the documents, or the hub's rules: see skerry dead-letters list"
    return Finding("quarantined", Level.DEGRADED, f"the hub refuses {seen.quarantined} documents", advice)


def _dead_letters(seen: Observation, _is_strict: bool) -> Finding | None:  # noqa: FBT001
    if not seen.dead_letters:
        return None
    advice = "make room in the unique index they hit, then: skerry dead-letters retry"
    return Finding(
        "dead_letters", Level.DEGRADED, f"{seen.dead_letters} changes of the hub could not be applied", advice
    )


def _frozen(seen: Observation, _is_strict: bool) -> Finding | None:  # noqa: FBT001
    if not seen.frozen:
        return None
    message = f"collections wait for a decision: {', '.join(sorted(seen.frozen))}"
    return Finding("frozen", Level.DEGRADED, message, "take over the hub's drop: skerry selection --thaw NAMESPACE")


_CHECKS: Final[tuple[Callable[[Observation, bool], Finding | None], ...]] = (
    _state,
    _queue,
    _push_lag,
    _pull_lag,
    _push_failures,
    _pull_failures,
    _conflicts,
    _reopens,
    _quarantined,
    _dead_letters,
    _frozen,
)
