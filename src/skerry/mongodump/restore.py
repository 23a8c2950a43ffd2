"""A dump into a server or a database, as mongorestore does it: collections, documents, then indexes.

Where mongorestore would go half way, this does not begin: a dump that can be read twice is read to its end before anything
is written, and every collection is made before the first document is. What cannot be restored afterwards, a document that
a unique index or a validator refuses, or an index of a kind that the target lacks, is left out, and named in the report.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from skerry.errors import RestoreFailedError
from skerry.mongodump.metadata import CollectionMetadata
from skerry.mongodump.namespace_choice import NamespaceChoice, is_of_the_server
from skerry.values.namespace import Namespace

BATCH_DOCUMENTS_MAX: Final = 1000  # mongorestore's own --batchSize
BATCH_BYTES_MAX: Final = 16 * 1024 * 1024
REASONS_MAX: Final = 3
"""So many refused documents of a collection are told with their reasons; the rest is counted."""

_UNKNOWN_FIELD: Final = 40415  # what a server says that is older than the option
_OLD_INDEX_FIELDS: Final = ("v", "ns", "background")  # mongorestore leaves them out as well
_PROBE: Final = "__restore_probe"
"""Tries the options of a collection that is to be replaced: if the server refuses them, the old one stays."""
_OLD_OPTIONS: Final = ("uuid", "autoIndexId", "idIndex")

Client = MongoClient[Any]
OnProgress = Callable[[str, int], None]


class DumpSource(Protocol):
    """A dump that can be read: `ArchiveFile` and `DumpDirectory`."""

    name: str
    can_read_again: bool

    @property
    def collections(self) -> list[CollectionMetadata]:
        """What the dump has."""

    def documents(self) -> Iterator[tuple[Namespace, bytes]]:
        """Its documents. Raises `DamagedDumpError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """What to restore, and how. `drop`: a collection of the dump replaces the one that is there."""

    choice: NamespaceChoice = field(default_factory=NamespaceChoice)
    drop: bool = False
    with_indexes: bool = True
    with_options: bool = True


@dataclass(slots=True)
class RestoreReport:
    """What was restored and what was not; `failures` says why, in sentences, `left_out` names the server's own collections."""

    collections: int = 0
    documents: int = 0
    documents_failed: int = 0
    indexes: int = 0
    indexes_failed: int = 0
    failures: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether everything that was wanted has been restored."""
        return not self.documents_failed and not self.indexes_failed


def restore(client: Client, dump: DumpSource, options: RestoreOptions, on_progress: OnProgress) -> RestoreReport:
    """Restore a dump; `on_progress` is told (stage, documents so far).

    Raises `DamagedDumpError`, and `RestoreFailedError` when the target refuses a collection or goes away.
    """
    report = RestoreReport()
    wanted = [each for each in dump.collections if options.choice.takes(each.namespace)]
    report.left_out = [str(each.namespace) for each in wanted if is_of_the_server(each.namespace)]
    wanted = [each for each in wanted if not is_of_the_server(each.namespace)]
    for each in wanted:
        if each.is_time_series:
            raise RestoreFailedError(str(each.namespace), "time series collections are not supported; see --ns-exclude")
    if dump.can_read_again:
        for number, _ in enumerate(dump.documents()):
            on_progress("checking", number)
    try:
        _make_collections(client, wanted, options)
        report.collections = len(wanted)
        _Inserts(client, {each.namespace for each in wanted}, report, on_progress).run(dump)
        if options.with_indexes:
            for each in wanted:
                _build_indexes(client, each, report)
    except OperationFailure as error:
        raise RestoreFailedError(dump.name, _reason(error)) from error
    except PyMongoError as error:
        raise RestoreFailedError(dump.name, str(error)) from error
    return report


def _make_collections(client: Client, wanted: list[CollectionMetadata], options: RestoreOptions) -> None:
    """Make all of them, views last, or none of them; one that is to be replaced is dropped when all others can be made."""
    made: list[Namespace] = []
    existing = {db: set(client[db].list_collection_names()) for db in {each.namespace.db for each in wanted}}
    replaced = [each for each in wanted if options.drop and each.namespace.coll in existing[each.namespace.db]]
    try:
        for each in sorted(wanted, key=lambda each: each.is_view):
            db, coll = each.namespace
            if coll not in existing[db]:
                _make(client, each, coll, options)
                made.append(each.namespace)
        for each in replaced:
            _make(client, each, _PROBE, options)
            client[each.namespace.db].drop_collection(_PROBE)
    except RestoreFailedError:
        for namespace in made:
            client[namespace.db].drop_collection(namespace.coll)
        raise
    for each in sorted(replaced, key=lambda each: each.is_view):
        client[each.namespace.db].drop_collection(each.namespace.coll)
        _make(client, each, each.namespace.coll, options)


def _make(client: Client, metadata: CollectionMetadata, coll: str, options: RestoreOptions) -> None:
    wanted = metadata.options.items() if options.with_options or metadata.is_view else ()
    try:
        client[metadata.namespace.db].command(
            {"create": coll, **{name: value for name, value in wanted if name not in _OLD_OPTIONS}}
        )
    except OperationFailure as error:
        advice = "--no-options-restore makes it without its options, --ns-exclude leaves it out"
        raise RestoreFailedError(str(metadata.namespace), f"{_reason(error)}; {advice}") from error


class _Inserts:
    """Gathers the documents of each collection into batches, since an archive mixes them."""

    def __init__(self, client: Client, wanted: set[Namespace], report: RestoreReport, on_progress: OnProgress) -> None:
        self._client = client
        self._report = report
        self._on_progress = on_progress
        self._batches: dict[Namespace, list[RawBSONDocument]] = {namespace: [] for namespace in wanted}
        self._bytes = dict.fromkeys(wanted, 0)
        self._reasons = dict.fromkeys(wanted, 0)
        self._keeps_empty_timestamps = True

    def run(self, dump: DumpSource) -> None:
        for namespace, document in dump.documents():
            batch = self._batches.get(namespace)
            if batch is None:
                continue
            if len(batch) == BATCH_DOCUMENTS_MAX or self._bytes[namespace] + len(document) > BATCH_BYTES_MAX:
                self._insert(namespace)
            self._batches[namespace].append(RawBSONDocument(document))
            self._bytes[namespace] += len(document)
        for namespace in self._batches:
            self._insert(namespace)

    def _insert(self, namespace: Namespace) -> None:
        batch, self._batches[namespace], self._bytes[namespace] = self._batches[namespace], [], 0
        if not batch:
            return
        reply = self._answer(namespace, {"insert": namespace.coll, "ordered": False, "documents": batch})
        refused = reply.get("writeErrors", [])
        self._report.documents += reply["n"]
        self._report.documents_failed += len(refused)
        for error in refused[: max(0, REASONS_MAX - self._reasons[namespace])]:
            self._report.failures.append(f"{namespace}: a document was refused: {error['errmsg']}")
        self._reasons[namespace] += len(refused)
        self._on_progress("documents", self._report.documents)

    def _answer(self, namespace: Namespace, command: dict[str, Any]) -> dict[str, Any]:
        """Insert; where the server knows how, an empty timestamp stays what it was instead of becoming the present."""
        db = self._client[namespace.db]
        if self._keeps_empty_timestamps:
            try:
                return db.command({**command, "bypassEmptyTsReplacement": True})
            except OperationFailure as error:
                if error.code != _UNKNOWN_FIELD:
                    raise
                self._keeps_empty_timestamps = False
        return db.command(command)


def _build_indexes(client: Client, metadata: CollectionMetadata, report: RestoreReport) -> None:
    """Build all at once, or one by one where that fails, so that one of an unknown kind does not cost the others."""
    specs = [
        {name: value for name, value in each.items() if name not in _OLD_INDEX_FIELDS}
        for each in metadata.indexes
        if each.get("name") != "_id_"
    ]
    if not specs:
        return
    db, coll = metadata.namespace
    try:
        client[db].command({"createIndexes": coll, "indexes": specs})
        report.indexes += len(specs)
        return
    except OperationFailure:
        pass
    for spec in specs:
        try:
            client[db].command({"createIndexes": coll, "indexes": [spec]})
            report.indexes += 1
        except OperationFailure as error:
            report.indexes_failed += 1
            report.failures.append(f"{metadata.namespace}: no index {spec.get('name')}: {_reason(error)}")


def _reason(error: OperationFailure) -> str:
    """What the server said, without what pymongo adds."""
    return str((error.details or {}).get("errmsg") or error)
