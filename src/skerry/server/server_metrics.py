"""How many connections, messages and bytes a listener has seen."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class ServerCounts:
    """All but `connections_open` only ever grow."""

    connections_open: int = 0
    connections_accepted: int = 0
    connections_refused: int = 0
    messages: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0


def total(parts: Iterable[ServerCounts]) -> ServerCounts:
    """Return the numbers of several listeners together."""
    counts = list(parts)
    return ServerCounts(*(sum(getattr(each, field.name) for each in counts) for field in fields(ServerCounts)))


class Traffic:
    """What one connection has carried; written by its thread alone."""

    __slots__ = ("bytes_received", "bytes_sent", "messages")

    def __init__(self) -> None:
        self.messages = 0
        self.bytes_received = 0
        self.bytes_sent = 0


class ServerMetrics:
    """Adds up the traffic of the connections, the ended ones included; any thread may read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[Traffic] = set()
        self._ended = Traffic()
        self._accepted = 0
        self._refused = 0

    def connection_accepted(self) -> Traffic:
        """Count a connection; the result is for it to count on."""
        traffic = Traffic()
        with self._lock:
            self._accepted += 1
            self._open.add(traffic)
        return traffic

    def connection_refused(self) -> None:
        """Count a connection beyond the limit."""
        with self._lock:
            self._refused += 1

    def connection_ended(self, traffic: Traffic) -> None:
        """Keep what an ended connection has carried."""
        with self._lock:
            self._open.discard(traffic)
            _add(self._ended, traffic)

    def counts(self) -> ServerCounts:
        """The numbers now."""
        total = Traffic()
        with self._lock:
            for traffic in (self._ended, *self._open):
                _add(total, traffic)
            return ServerCounts(
                connections_open=len(self._open),
                connections_accepted=self._accepted,
                connections_refused=self._refused,
                messages=total.messages,
                bytes_received=total.bytes_received,
                bytes_sent=total.bytes_sent,
            )


def _add(total: Traffic, part: Traffic) -> None:
    total.messages += part.messages
    total.bytes_received += part.bytes_received
    total.bytes_sent += part.bytes_sent
