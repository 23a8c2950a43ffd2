"""How the engine keeps, trims and times out what it holds."""

from dataclasses import dataclass, field

from skerry.config.checks import check_ranges

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """Settings of one engine that do not depend on where its files lie."""

    oplog_bytes_max: int = field(
        default=256 * MIB,
        metadata={
            "help": "The oplog is trimmed above this size; change streams can resume as far back as it reaches.",
            "least": MIB,
        },
    )
    journal_flush_interval_ms: int = field(
        default=100,  # MongoDB's own storage.journal.commitIntervalMs
        metadata={"help": "A write with {w: 1, j: false} is safe against power loss after this time.", "least": 1},
    )
    transaction_lifetime_ms_max: int = field(
        default=60_000,  # MongoDB's own transactionLifetimeLimitSeconds
        metadata={"help": "A multi-document transaction older than this is aborted.", "least": 1000},
    )
    cursor_idle_ms_max: int = field(
        default=600_000,  # MongoDB's own cursorTimeoutMillis
        metadata={"help": "A cursor that nobody reads for this time is closed.", "least": 1000},
    )
    cursors_max: int = field(
        default=10_000,
        metadata={
            "help": "Cursors that clients may have open together; beyond, the client with the most gives one up.",
            "least": 10,
        },
    )
    transactions_max: int = field(
        default=500,
        metadata={
            "help": "Transactions that clients may have open together; beyond, the client with the most gives one up.",
            "least": 10,
        },
    )
    session_idle_ms_max: int = field(
        default=1_800_000,  # MongoDB's own localLogicalSessionTimeoutMinutes
        metadata={"help": "A logical session that nobody uses for this time is forgotten.", "least": 1000},
    )
    sort_memory_bytes_max: int = field(
        default=100 * MIB,  # MongoDB's own internalQueryMaxBlockingSortMemoryUsageBytes
        metadata={"help": "A sort or group that has to hold more than this in memory is refused.", "least": MIB},
    )
    slow_ms: int = field(
        default=100,  # MongoDB's own operationProfiling.slowOpThresholdMs
        metadata={
            "help": "An operation that takes longer is logged, with its shape and plan, without values.",
            "least": 0,
        },
    )
    auto_create_collections: bool = field(
        default=True,  # as MongoDB does
        metadata={"help": "The first write to a collection creates it; false: it has to be created explicitly."},
    )
    writer_cache_kib: int = field(
        default=32 * KIB,
        metadata={"help": "Page cache of the one connection that writes.", "least": 1024},
    )
    reader_cache_kib: int = field(
        default=8 * KIB,
        metadata={
            "help": "Page cache of each connection that reads; there is one for each read at the same time.",
            "least": 256,
        },
    )

    def __post_init__(self) -> None:
        check_ranges(self, "engine")
