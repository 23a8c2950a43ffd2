"""A client's way into an engine of its own process: bytes of an `OP_MSG` in, bytes of the reply document out."""

import itertools
import os
import threading
import uuid
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from pymongo.errors import InvalidOperation

from skerry.config import EngineConfig
from skerry.errors import ProtocolError
from skerry.local_client.open_engines import MEMORY, open_engine, release_engine
from skerry.wire.error_document import error_document
from skerry.wire.op_msg import parse_op_msg

if TYPE_CHECKING:
    from skerry.engine.engine import Engine

Answer = Callable[[bytes], bytes | None]
"""A whole `OP_MSG` to the reply's BSON document, or to None when the sender expects no reply."""

DATABASE_FILE: Final = "skerry.db"
_CONNECTION_IDS: Final = itertools.count(1)


class Door(Protocol):
    """What the adapters to pymongo need of the other side."""

    host: str
    """Names the store in `client.address`; not a name that could be resolved."""

    def connect(self) -> Answer:
        """Begin a conversation; the function serves one request at a time."""
        ...


class EngineDoor:
    """Opens the engine for one client and gives it back; a forked child opens its own. Any thread may use it."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        create: bool = True,
        config: EngineConfig | None = None,
        may_lose_replies: bool = False,
    ) -> None:
        """Open the engine. `may_lose_replies`: the client may stop waiting for a reply, and then repeat its request.

        Raises FileNotFoundError when there is no database and `create` is false, and whatever opening an engine raises.
        """
        name = os.fspath(path)
        self._keeps_nothing = name == MEMORY
        self._path = name if self._keeps_nothing else os.path.realpath(name)
        if not create and not self._keeps_nothing and not (Path(self._path) / DATABASE_FILE).is_file():
            raise FileNotFoundError(f"There is no database in {name}")
        self._config = config
        self._may_lose_replies = may_lose_replies
        # pymongo takes clients with equal addresses for equal: each store needs an address of its own.
        identity = uuid.uuid4() if self._keeps_nothing else uuid.uuid5(uuid.NAMESPACE_URL, Path(self._path).as_uri())
        self.host = f"{identity.hex[:12]}.skerry.invalid"
        self._lock = threading.Lock()
        self._process_id = os.getpid()
        self._engine: Engine | None = open_engine(self._path, config)
        self._inherited: list[Engine] = []
        _DOORS.add(self)

    @property
    def engine(self) -> "Engine":
        """The engine of this process. Raises InvalidOperation after `release`, and in a child of the owner of `:memory:`."""
        with self._lock:
            if self._process_id != os.getpid():
                self._open_in_child()
            if self._engine is None:
                raise InvalidOperation("Cannot use MongoClient after close")
            return self._engine

    def _open_in_child(self) -> None:
        if self._engine is not None:
            if self._keeps_nothing:
                raise InvalidOperation(
                    "A database in memory cannot be used in a forked child: it belongs to the parent"
                )
            inherited, self._engine = self._engine, open_engine(self._path, self._config)
            self._inherited.append(inherited)
        self._process_id = os.getpid()

    def connect(self) -> Answer:
        """Begin a conversation with the engine."""
        from skerry.commands.client_context import ClientContext
        from skerry.commands.entry_point import handle

        engine = self.engine
        context = ClientContext(
            connection_id=next(_CONNECTION_IDS),
            address="",
            is_local=not self._may_lose_replies,
            host=f"{self.host}:27017",
        )

        def answer(message: bytes) -> bytes | None:
            try:
                request = parse_op_msg(message)
            except ProtocolError as error:
                return error_document(error)
            return handle(request, context, engine)

        return answer

    def release(self) -> None:
        """Give the engine back; idempotent, and without effect on what a forked child inherited."""
        with self._lock:
            engine, self._engine = self._engine, None
            is_ours = self._process_id == os.getpid()
        if engine is not None:
            if is_ours:
                release_engine(engine)
            else:
                self._inherited.append(engine)


_DOORS: Final[weakref.WeakSet[EngineDoor]] = weakref.WeakSet()


def _renew_locks() -> None:
    for door in list(_DOORS):
        door._lock = threading.Lock()  # another thread of the parent may have held the old one


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
