"""The sessions of the hub in which batches are sent. They are kept, so that the change stream can leave out what they wrote."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.client_session import ClientSession

from skerry.sync.hub import Hub


class PushSessions:
    """A session for each batch on its way, the same ones again and again; used by any thread."""

    def __init__(self, hub: Hub, count: int) -> None:
        self._hub = hub
        self._count = count
        self._mutex = threading.Lock()
        self._idle: list[ClientSession] = []
        self._lsids: dict[bytes, ClientSession] = {}

    def lsids(self) -> list[bytes]:
        """Return the ids (16 bytes each) of the sessions that come next."""
        with self._mutex:
            while len(self._lsids) < self._count:
                self._idle.append(self._add())
            return list(self._lsids)

    @contextmanager
    def use(self, *, kept: bool) -> Iterator[ClientSession]:
        """Lend a session; not `kept`: one whose writes the stream brings. One whose connection breaks is not lent again."""
        if not kept:
            with self._hub.session() as session:
                yield session
            return
        with self._mutex:
            session = self._idle.pop() if self._idle else self._add()
        try:
            yield session
        except BaseException:
            self._drop(session)
            raise
        with self._mutex:
            self._idle.append(session)

    def close(self) -> None:
        """End the sessions that are not in use."""
        with self._mutex:
            idle, self._idle = self._idle, []
        for session in idle:
            self._drop(session)

    def _add(self) -> ClientSession:
        session = self._hub.session()
        self._lsids[lsid_of(session)] = session
        return session

    def _drop(self, session: ClientSession) -> None:
        with self._mutex:
            self._lsids.pop(lsid_of(session), None)
        session.end_session()


def lsid_of(session: ClientSession) -> bytes:
    """Return a session's id, 16 bytes."""
    return bytes(session.session_id["id"])
