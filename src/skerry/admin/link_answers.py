# ruff: noqa: N815 - camelCase is the API's
"""What the API says of a link, field by field: its state, its numbers, how well it is.

Names in camelCase are those of the first designs of the sync; all others are ours. Times are milliseconds, moments since 1970.
"""

from typing import Any, Literal

from skerry.admin.responses import Answer
from skerry.sync.sync_health import LinkSwitch


class NoLink(Answer):
    """A node without a hub, or both ways switched off."""

    enabled: Literal[False]


class NoLinkStatus(NoLink):
    """`error`: the wrong sync setting that has turned the link off, null for a node that is to have no hub."""

    error: str | None


class LinkFacts(Answer):
    """A link at one moment; `switched` says who paused or stopped it, null when nobody did."""

    link: str
    state: str
    error: str | None
    dirty: int
    in_flight: int
    awaiting_echo: int
    quarantined: int
    conflicts: int
    dead_letters: int
    oldest_dirty_ms: int | None
    stream_age_ms: int | None
    copying: list[str]
    frozen: dict[str, str]
    tier: str | None
    history_headroom_seconds: int | None
    history_is_short: bool
    dirty_fullness: float
    untracked: dict[str, str]
    counters: dict[str, int]
    switched: LinkSwitch | None
    problems: list[str]
    healthy: bool


class UnattendedLink(Answer):
    """A link that the store captures local writes for and this node does not run; `run_by`: the process that does, or null."""

    link: str
    state: Literal["unattended"]
    run_by: str | None
    unpushed: int
    untracked: list[str]


class ForgottenLink(Answer):
    """What its hub may not have had: how many documents waited to be pushed, and collections that were not tracked."""

    link: str
    unpushed: int
    untracked: list[str]


class ResetLink(ForgottenLink):
    state: str


class EnabledLinkFacts(LinkFacts):
    enabled: Literal[True]


class Rule(Answer):
    """`filter` is a query: only documents that match it travel; null: all do."""

    pattern: str
    direction: str
    filter: dict[str, Any] | None


class LinkWithRules(LinkFacts):
    rules: list[Rule]


class Reason(Answer):
    kind: str
    level: str
    message: str
    advice: str


class Health(Answer):
    status: Literal["healthy", "degraded", "unhealthy"]
    state: str
    reasons: list[Reason]


class EnabledHealth(Health):
    enabled: Literal[True]


class HealthWithoutLink(Answer):
    """Degraded where a wrong sync setting has turned the link off."""

    enabled: Literal[False]
    status: Literal["healthy", "degraded"]
    reasons: list[Reason]


class LinkWithHealth(LinkFacts):
    health: Health


class Connections(Answer):
    local: bool
    hub: bool


class Metrics(Answer):
    """The totals of both directions."""

    enabled: Literal[True]
    running: bool
    state: str
    totalOperations: int
    successfulSyncs: int
    failedSyncs: int
    successRate: float | None
    queueSize: int
    queueWarningThreshold: int
    queueUtilization: float
    avgSyncTime: float | None
    lastSyncTimestamp: int | None
    startTime: int
    uptime: int
    syncLag: int
    connections: Connections
    deadLetters: int
    quarantined: int
    counters: dict[str, int]


class DirectionMetrics(Answer):
    processed: int
    successful: int
    failed: int
    batches: int
    avgBatchTime: float | None
    lastSyncTimestamp: int | None
    lag: int | None


class UpMetrics(DirectionMetrics):
    queueSize: int


class ConflictMetrics(Answer):
    total: int
    kept: int
    resolvedByLocal: int
    resolvedByHub: int
    rate: float | None


class ChangeStreamMetrics(Answer):
    status: Literal["connected", "reconnecting", "disconnected"]
    opened: int
    error: str | None


class DirectionalMetrics(Answer):
    """`enabled`: whether changes of the hub come down."""

    enabled: bool
    localToHub: UpMetrics
    hubToLocal: DirectionMetrics
    conflicts: ConflictMetrics
    changeStream: ChangeStreamMetrics


class ReportSummary(Answer):
    link: str
    status: str
    state: str
    uptime: int


class RecentMetrics(Answer):
    windowSeconds: int
    counters: dict[str, int]
    pushFailureRate: float | None
    pullFailureRate: float | None
    conflictRate: float | None


class ReportQueue(Answer):
    """`maxSize`: how many documents may wait, null without a limit; `utilization`: the share of the limits that is used."""

    size: int
    maxSize: int | None
    utilization: float
    byCollection: dict[str, int]
    oldestAge: int | None


class Recommendation(Answer):
    priority: Literal["high", "medium"]
    kind: str
    text: str


class Report(Answer):
    """What an operator reads at once."""

    generatedAt: int
    summary: ReportSummary
    metrics: Metrics
    directions: DirectionalMetrics
    recent: RecentMetrics
    health: Health
    queue: ReportQueue
    recommendations: list[Recommendation]
