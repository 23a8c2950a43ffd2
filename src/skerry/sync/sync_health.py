"""How a link is: its state, what waits, how far behind it is, and whether that is well."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

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
    counters: dict[str, int] = field(default_factory=dict)

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
