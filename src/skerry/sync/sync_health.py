"""How a link is: its state, what waits, how far behind it is, and whether that is well."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from skerry.sync.protocol.dirty_limits import WARNING_FROM

LAG_MS_MAX: Final = 300_000  # an edge that is connected and this far behind has a problem that waiting does not solve


class LinkState(StrEnum):
    """What the link is doing."""

    STOPPED = "stopped"
    CONNECTING = "connecting"
    COPYING = "copying"
    """Connected; collections are being compared for the first time or after a loss of history."""
    STREAMING = "streaming"
    OFFLINE = "offline"
    """The hub does not answer; tried again with growing pauses."""
    PAUSED = "paused"
    STANDBY = "standby"
    """Another process on this directory runs the link."""
    REFUSED = "refused"
    """The hub is unfit, is another hub, or does not let us in: an operator has to act."""


@dataclass(frozen=True, slots=True)
class LinkSwitch:
    """An operator's order that a link does not run: `state` is "paused" or "stopped", `by` who gave it, `at_ms` since 1970."""

    state: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """One link at one moment; times in milliseconds, `seconds` where the name says so."""

    link: str
    state: LinkState
    error: str | None
    dirty: int
    in_flight: int
    awaiting_echo: int
    quarantined: int
    conflicts: int
    dead_letters: int
    oldest_dirty_ms: int | None
    """How long the oldest local write has been waiting."""
    stream_age_ms: int | None
    """How long ago the hub's stream was last heard; None before it was."""
    copying: tuple[str, ...]
    frozen: dict[str, str]
    tier: str | None = None
    """What the hub can do (A to D); None before it was asked."""
    history_headroom_seconds: int | None = None
    """How far the hub's history reaches back behind the link's place in it; None where the hub does not show it."""
    history_is_short: bool = False
    dirty_fullness: float = 0.0
    """How much of the limit of what may wait is used, 0 without a limit."""
    untracked: dict[str, str] = field(default_factory=dict)
    """Collections that were written here without being captured; they are compared with the hub."""
    counters: dict[str, int] = field(default_factory=dict)
    switched: LinkSwitch | None = None
    """Who has paused or stopped the link; None when nobody has."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not well, in words; empty when all is."""
        found = []
        if self.state in (LinkState.OFFLINE, LinkState.REFUSED):
            found.append(f"the link is {self.state.value}: {self.error}")
        if self.quarantined:
            found.append(f"the hub refuses {self.quarantined} documents")
        if self.dead_letters:
            found.append(f"{self.dead_letters} changes of the hub could not be applied")
        if self.frozen:
            found.append(f"frozen collections: {', '.join(sorted(self.frozen))}")
        if self.dirty_fullness >= WARNING_FROM:
            found.append(f"what waits to be pushed uses {self.dirty_fullness:.0%} of its limit")
        if self.untracked:
            found.append(f"collections that have to be compared with the hub: {', '.join(sorted(self.untracked))}")
        if self.history_is_short:
            found.append(
                f"the hub's history reaches back only {self.history_headroom_seconds} s behind this link's place"
            )
        if self.state is LinkState.STREAMING and (self.oldest_dirty_ms or 0) > LAG_MS_MAX:
            found.append("local writes have been waiting for more than five minutes")
        return tuple(found)

    @property
    def is_in_step(self) -> bool:
        """Whether nothing is on its way up and no comparison is pending; the stream may still hold events."""
        waiting = self.dirty + self.in_flight + self.awaiting_echo
        return self.state is LinkState.STREAMING and waiting == 0 and not self.copying

    def to_document(self) -> dict[str, Any]:
        """Return the status as JSON can have it."""
        shown = asdict(self)
        shown["state"] = self.state.value
        shown["copying"] = list(self.copying)
        return {**shown, "problems": list(self.problems), "healthy": not self.problems}
