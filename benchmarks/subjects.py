"""Who is measured: how each is opened, how durable its writes are, and with whom it is compared."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import connect, foreign_server, free_port, skerry_server
from benchmarks.stores import BareStore, CollectionStore
from benchmarks.workload import Store

PEERS_ENVIRONMENT: Final = Path(__file__).parents[1] / ".venv" / "bench-peers"
DATABASE: Final = "bench"
COLLECTION: Final = "orders"


@dataclass(frozen=True, slots=True)
class Opened:
    """A subject at work; `server_pid` is the process of its server, if it has one."""

    store: Store
    server_pid: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """One column of the table."""

    title: str
    durability: str
    """What an acknowledged write survives: a crash of the process, or power loss too."""
    compared_with: str
    """The column by which this one is divided."""
    open: Callable[[Path], AbstractContextManager[Opened]]
    is_wire: bool = False
    peer: str | None = None
    """The distribution that it needs, which is installed in an environment of its own."""

    @property
    def python(self) -> str:
        """The interpreter that measures it; a server's client is always ours, so that all have the same pymongo."""
        return sys.executable if self.peer is None or self.is_wire else str(PEERS_ENVIRONMENT / "bin" / "python")


def durable(client: Any) -> Any:
    """Return the collection with the default write concern, which is journaled."""
    return client[DATABASE][COLLECTION]


def relaxed(client: Any) -> Any:
    """Return the collection with a write concern that does not wait for the disk."""
    from pymongo import WriteConcern

    return client[DATABASE].get_collection(COLLECTION, write_concern=WriteConcern(w=1, j=False))


def skerry_in_process(choose: Callable[[Any], Any]) -> Callable[[Path], AbstractContextManager[Opened]]:
    """Return what opens `skerry.connect`."""

    @contextlib.contextmanager
    def opened(directory: Path) -> Iterator[Opened]:
        import skerry

        with skerry.connect(directory) as client:
            yield Opened(CollectionStore(choose(client)))

    return opened


def skerry_over_tcp(choose: Callable[[Any], Any]) -> Callable[[Path], AbstractContextManager[Opened]]:
    """Return what opens `skerry serve` with pymongo."""

    @contextlib.contextmanager
    def opened(directory: Path) -> Iterator[Opened]:
        with skerry_server(directory) as server, connect(server.uri) as client:
            yield Opened(CollectionStore(choose(client)), server.pid)

    return opened


def secantus_over_tcp(choose: Callable[[Any], Any], *options: str) -> Callable[[Path], AbstractContextManager[Opened]]:
    """Return what opens SecantusDB's server with pymongo."""

    @contextlib.contextmanager
    def opened(directory: Path) -> Iterator[Opened]:
        port = free_port()
        program = str(PEERS_ENVIRONMENT / "bin" / "secantusd-py")
        command = [program, "--port", str(port), "--storage-path", str(directory), "--log-level", "ERROR", *options]
        with foreign_server(command, port) as server, connect(server.uri) as client:
            yield Opened(CollectionStore(choose(client)), server.pid)

    return opened


def bare_sqlite(*, is_durable: bool) -> Callable[[Path], AbstractContextManager[Opened]]:
    """Return what opens the hand-written limit."""

    @contextlib.contextmanager
    def opened(directory: Path) -> Iterator[Opened]:
        with contextlib.closing(BareStore(directory / "bare.db", is_durable=is_durable)) as store:
            yield Opened(store)

    return opened


@contextlib.contextmanager
def open_mongomock(_directory: Path) -> Iterator[Opened]:
    """Open mongomock, which keeps everything in memory."""
    import mongomock

    yield Opened(CollectionStore(durable(mongomock.MongoClient())))


@contextlib.contextmanager
def open_montydb(directory: Path) -> Iterator[Opened]:
    """Open montydb on SQLite, the fastest of its storages that keep anything."""
    import montydb

    montydb.set_storage(str(directory), storage="sqlite")
    with montydb.MontyClient(str(directory)) as client:
        yield Opened(CollectionStore(durable(client)))


@contextlib.contextmanager
def open_neosqlite(directory: Path) -> Iterator[Opened]:
    """Open neosqlite as it comes."""
    import neosqlite

    with neosqlite.Connection(str(directory / "neo.db")) as connection:
        yield Opened(CollectionStore(connection[COLLECTION]))


SUBJECTS: Final[Mapping[str, Subject]] = {
    "skerry": Subject("skerry", "power loss", "sqlite-bson", skerry_in_process(durable)),
    "skerry-relaxed": Subject("skerry, w=1 j=false", "crash", "sqlite-bson-relaxed", skerry_in_process(relaxed)),
    "sqlite-bson": Subject("bare sqlite3 + bson", "power loss", "skerry", bare_sqlite(is_durable=True)),
    "sqlite-bson-relaxed": Subject(
        "bare sqlite3 + bson, relaxed", "crash", "skerry-relaxed", bare_sqlite(is_durable=False)
    ),
    "neosqlite": Subject("neosqlite", "crash", "skerry-relaxed", open_neosqlite, peer="neosqlite"),
    "montydb": Subject("montydb on SQLite", "power loss", "skerry", open_montydb, peer="montydb"),
    "mongomock": Subject("mongomock", "nothing", "skerry-relaxed", open_mongomock, peer="mongomock"),
    "skerry-server": Subject(
        "skerry serve", "power loss", "secantusdb-durable", skerry_over_tcp(durable), is_wire=True
    ),
    "skerry-server-relaxed": Subject(
        "skerry serve, w=1 j=false",
        "crash",
        "secantusdb",
        skerry_over_tcp(relaxed),
        is_wire=True,
    ),
    "secantusdb": Subject(
        "SecantusDB", "crash", "skerry-server-relaxed", secantus_over_tcp(relaxed), is_wire=True, peer="secantusdb"
    ),
    "secantusdb-durable": Subject(
        "SecantusDB --sync-on-commit",
        "power loss",
        "skerry-server",
        secantus_over_tcp(durable, "--sync-on-commit"),
        is_wire=True,
        peer="secantusdb",
    ),
}
