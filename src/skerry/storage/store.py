"""One data directory: its file, its single writer, its readers.

Several processes may open a directory at once; each has a `Store` of its own. Inside a process any number of threads read side
by side, each transaction on a connection of its own; writes are queued and committed in groups: the thread that gets the
writer lock runs what all the others have queued meanwhile, in one transaction, each job in its own savepoint.
"""

import os
import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Generic, TypeVar

import apsw

from skerry.errors import NotADatabaseError, OutOfDiskSpaceError, ReadOnlyDatabaseError, ShutdownError, StorageError
from skerry.storage.failures import raise_translated
from skerry.storage.journal import Journal
from skerry.storage.migrations import check_identity, migrate
from skerry.storage.read_view import ReadView
from skerry.storage.write_view import WriteView
from skerry.storage.writer_lock import WriterLock

DATABASE_FILE: Final = "skerry.db"
GROUP_JOBS_MAX: Final = 64  # keeps the last job's wait short when many threads write

BUSY_MS: Final = 10_000
LOG_RESTART_MS: Final = 100

T = TypeVar("T")


class _Job(Generic[T]):
    """One queued write and, once done, its outcome."""

    __slots__ = ("commit", "done", "error", "function", "result")

    def __init__(self, function: Callable[[WriteView], T]) -> None:
        self.function = function
        self.done = False
        self.result: T | None = None
        self.error: BaseException | None = None
        self.commit = 0


class ReadTransaction:
    """Context manager: a `ReadView` on a stable snapshot, given back at the end of the block."""

    __slots__ = ("_store", "_view")

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._view = store._take_reader()

    def __enter__(self) -> ReadView:
        self._view.execute("BEGIN")
        return self._view

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store._give_back(self._view)
        if isinstance(error, apsw.Error):
            raise_translated(error, self._store.database_path)


class Snapshot:
    """A read view whose snapshot stays until `close`: a multi-document transaction's own."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self.view = store._take_reader()
        self.view.execute("BEGIN")
        self.view.setting("catalog_version")  # the first read is what pins the snapshot

    def close(self) -> None:
        """Let the snapshot go; idempotent."""
        view, self.view = self.view, None  # type: ignore[assignment]
        if view is not None:
            self._store._give_back(view)


class Store:
    """The open file. `directory` is None for a store that keeps nothing.

    `last_timestamp` is the newest cluster time that this process committed.
    Raises at opening: `NotADatabaseError`, `NewerSchemaError`, `CorruptDatabaseError`, `ReadOnlyDatabaseError`.
    """

    def __init__(
        self,
        directory: Path | None,
        *,
        flush_interval_ms: int = 100,
        reader_cache_kib: int = 8192,
        writer_cache_kib: int = 32768,
    ) -> None:
        self._volatile = directory is None
        self.directory = _volatile_directory() if directory is None else directory
        self.database_path = str(self.directory / DATABASE_FILE)
        self._reader_cache_kib = reader_cache_kib
        self._readers: deque[ReadView] = deque()
        self._queue: deque[_Job[Any]] = deque()
        self._mutex = threading.Lock()
        self._closed = False
        self.last_timestamp = 0
        _check_directory(self.directory, self.database_path)
        try:
            self._lock = WriterLock(self.directory)
            self._lock.acquire()
            try:
                self._writer = WriteView(self._connect(writer_cache_kib))
                migrate(self._writer.connection, self.database_path)
            finally:
                self._lock.release()
            self._journal = Journal(
                Path(self.database_path + "-wal"), flush_interval_ms=flush_interval_ms, volatile=self._volatile
            )
        except (apsw.Error, OSError) as error:
            raise_translated(error, self.database_path)

    def read(self) -> ReadTransaction:
        """Open a short read transaction: `with store.read() as view`."""
        return ReadTransaction(self)

    def snapshot(self) -> Snapshot:
        """Open a snapshot that stays; the caller closes it within the transaction lifetime limit."""
        return Snapshot(self)

    def write(self, function: Callable[[WriteView], T], *, durable: bool) -> T:
        """Run `function` in the writer's transaction and return its result once it is committed (`durable`: fsynced).

        When it raises, what it wrote is undone and the error is passed on; others in the same group are not touched.
        `function` may run in another thread, and runs exactly once.
        """
        job = _Job(function)
        self._queue.append(job)
        with self._mutex:
            if not job.done:
                self._commit_group()
        if job.error is not None:
            raise job.error
        if durable:
            self._journal.wait_durable(job.commit)
        return job.result  # type: ignore[return-value]

    def flush(self) -> None:
        """Return when everything committed so far is on disk."""
        self._journal.flush()

    def bound_log(self, bytes_max: int) -> bool:
        """Let the write-ahead log start again when it is longer than that; false when readers did not let it.

        SQLite empties the log by itself, but begins it anew only at a moment without readers, which may never come by chance.
        Writers wait here for readers, at most `LOG_RESTART_MS`.
        """
        log = Path(self.database_path + "-wal")
        if not log.exists() or log.stat().st_size <= bytes_max:
            return True
        with self._mutex:
            if self._closed:
                return True
            connection = self._writer.connection
            self._lock.acquire()
            try:
                connection.set_busy_timeout(LOG_RESTART_MS)
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            except apsw.BusyError:
                return False
            finally:
                connection.set_busy_timeout(BUSY_MS)
                self._lock.release()
        return True

    def close(self) -> None:
        """Flush and close everything; a volatile store is removed. Idempotent."""
        with self._mutex:
            if self._closed:
                return
            self._closed = True
            try:
                self._journal.close()
            finally:
                while self._readers:
                    self._readers.pop().connection.close()
                self._writer.connection.close()
                self._lock.close()
                if self._volatile:
                    shutil.rmtree(self.directory, ignore_errors=True)

    def _connect(self, cache_kib: int) -> apsw.Connection:
        connection = apsw.Connection(self.database_path, statementcachesize=256)
        connection.set_busy_timeout(BUSY_MS)
        check_identity(connection, self.database_path)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "off" if self._volatile else "normal")
        connection.pragma("journal_size_limit", 4 * 1024 * 1024)
        connection.pragma("cache_size", -cache_kib)
        connection.pragma("temp_store", "memory")
        return connection

    def _take_reader(self) -> ReadView:
        try:
            return self._readers.pop()
        except IndexError:
            pass
        if self._closed:
            raise ShutdownError("the database is closed")
        try:
            connection = self._connect(self._reader_cache_kib)
            connection.pragma("query_only", True)
        except apsw.Error as error:
            raise_translated(error, self.database_path)
        return ReadView(connection)

    def _give_back(self, view: ReadView) -> None:
        if view.connection.in_transaction:
            view.execute("ROLLBACK")
        if self._closed:
            view.connection.close()
        else:
            self._readers.append(view)

    def _commit_group(self) -> None:
        """Run queued jobs in one transaction; the caller holds the mutex."""
        jobs: list[_Job[Any]] = []
        while self._queue and len(jobs) < GROUP_JOBS_MAX:
            jobs.append(self._queue.popleft())
        try:
            if self._closed:
                raise ShutdownError("the database is closed")
            self._journal.check()
            self._lock.acquire()
            try:
                callbacks = self._run_jobs(jobs)
            finally:
                self._lock.release()
        except BaseException as error:
            for job in jobs:
                job.error = job.error or error
                job.done = True
            if not isinstance(error, Exception):
                raise
            return
        for callback in callbacks:
            callback()

    def _run_jobs(self, jobs: list[_Job[Any]]) -> list[Callable[[], None]]:
        view = self._writer
        view.begin()
        try:
            view.execute("BEGIN IMMEDIATE")
            if len(jobs) == 1:
                jobs[0].result = jobs[0].function(view)
            else:
                for job in jobs:
                    self._run_in_savepoint(job)
            view.execute("COMMIT")
        except BaseException as error:
            if view.connection.in_transaction:
                view.execute("ROLLBACK")
            if isinstance(error, (apsw.Error, OSError)):
                raise_translated(error, self.database_path)
            raise
        commit = self._journal.note_commit()
        self.last_timestamp = max(self.last_timestamp, view.last_timestamp)
        for job in jobs:
            job.commit = commit
            job.done = True
        return view.after_commit

    def _run_in_savepoint(self, job: _Job[Any]) -> None:
        view = self._writer
        callbacks = len(view.after_commit)
        try:
            with view.savepoint():
                job.result = job.function(view)
        except (StorageError, OutOfDiskSpaceError, apsw.FullError, apsw.IOError, apsw.CorruptError):
            raise
        except apsw.Error as error:
            job.error = error
        except Exception as error:
            job.error = error
            del view.after_commit[callbacks:]


def _check_directory(directory: Path, database_path: str) -> None:
    """Make the directory, and refuse what is there in its place."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise NotADatabaseError(f"{directory} is a file; a data directory is needed", str(directory)) from error
    except OSError as error:
        raise_translated(error, str(directory))
    if not os.access(directory, os.W_OK | os.X_OK):
        raise ReadOnlyDatabaseError(f"{directory} is not writable", str(directory))
    if os.path.exists(database_path) and not os.access(database_path, os.W_OK):
        raise ReadOnlyDatabaseError(f"{database_path} is not writable", database_path)


def _volatile_directory() -> Path:
    """A directory in memory where the system has one; `:memory:` takes the same code path as a real one."""
    memory = Path("/dev/shm")  # noqa: S108  Linux's shared memory
    return Path(tempfile.mkdtemp(prefix="skerry-", dir=memory if os.access(memory, os.W_OK) else None))
