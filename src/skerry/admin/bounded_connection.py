"""One HTTP connection of the admin API that may not wait for ever: who sends no whole request in time is cut off.

uvicorn bounds how many connections there are, and not how long one takes to ask: a client that sends half a request on each of
them would have them all (Slowloris). So a request's head has to be there within `HEAD_SECONDS`, its body within `BODY_SECONDS`
more; and when all connections are taken, a new one takes the place of the one that has been asking longest, among those of the
address that has most.
"""

import asyncio
from collections import Counter
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS_MAX: Final = 100
HEAD_SECONDS: Final = 10.0
BODY_SECONDS: Final = 60.0


class BoundedConnection(H11Protocol):
    """Used by the event loop's thread only."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._awaited: object = None  # what the deadline is for: h11's state of the client
        self._since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()
        self._limit(h11.IDLE)
        if len(self.connections) >= CONNECTIONS_MAX:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._limit(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._since = self.loop.time()
        self._look()

    @property
    def is_waiting(self) -> bool:
        """Whether nothing is being answered on it, because the request has not come, or not all of it."""
        return self.cycle is None or self.cycle.response_complete or self.conn.their_state is h11.SEND_BODY

    @property
    def address(self) -> str:
        return self.client[0] if self.client else ""

    def _look(self) -> None:
        """Set the deadline for what has begun to come and is not there."""
        if self.transport.is_closing() or self.transport.get_protocol() is not self:  # a web socket has it now
            self._limit(None)
        elif self.conn.their_state is h11.SEND_BODY:
            self._limit(h11.SEND_BODY)
        elif self.conn.their_state is h11.IDLE and (self.cycle is None or self.conn.trailing_data[0]):
            self._limit(h11.IDLE)
        else:  # what is whole is answered; between two requests uvicorn's own limit holds
            self._limit(None)

    def _limit(self, awaited: object) -> None:
        if awaited is self._awaited:
            return
        self._awaited = awaited
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if awaited is not None:
            seconds = HEAD_SECONDS if awaited is h11.IDLE else BODY_SECONDS
            self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _make_room(self) -> None:
        waiting = [
            each
            for each in self.connections
            if isinstance(each, BoundedConnection) and each is not self and each.is_waiting
        ]
        if not waiting:
            return
        of_address = Counter(each.address for each in waiting)
        most = max(of_address.values())
        oldest = min(
            (each for each in waiting if of_address[each.address] == most),
            key=lambda each: each._since,
        )
        self.connections.discard(oldest)
        oldest.transport.abort()
