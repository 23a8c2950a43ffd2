"""`examine` finds what is damaged in a data directory, `mend` repairs what can be derived and says exactly what it did.

`validate` looks at collections only, and reports as the command of that name does.

Derived, and so made anew: indexes, counts, the key under which a document lies, names of tables that nobody knows any more.
Documents are never deleted or changed: a table of documents without a name gets one, in the database `lost_and_found`, and
what only a backup can bring back is reported and left as it is.

Other programs may go on using the directory: each repair is a transaction of its own, and looks again before it acts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skerry.catalog.collection_catalog import CollectionCatalog
from skerry.engine.doctor_checks import Finding, check_catalogue, check_collections, check_files, check_oplog
from skerry.engine.life_cycle import require_database
from skerry.engine.validation import validation_report
from skerry.errors import CorruptDatabaseError, NamespaceNotFoundError, SkerryError
from skerry.storage import ReadView, Store
from skerry.storage.integrity import damage, is_index_fault, missing_tables, rebuild_sqlite_indexes
from skerry.values.namespace import Namespace


@dataclass(frozen=True, slots=True)
class Treatment:
    """One finding and what was done about it: `done` is None when nothing could be, and then `failure` may say why."""

    finding: Finding
    done: str | None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class MendReport:
    """What was found and done, and what a second examination still finds."""

    treatments: list[Treatment]
    remaining: list[Finding]


def examine(directory: Path) -> list[Finding]:
    """Return what is wrong in a data directory, nothing when it is sound. Every page and document is read.

    Raises `DatabaseNotFoundError`, `NotADatabaseError`, `NewerSchemaError`, `ReadOnlyDatabaseError`.
    """
    require_database(directory)
    try:
        with _opened(directory) as store:
            return [*examine_store(store), *check_files(directory)]
    except CorruptDatabaseError as error:
        return [Finding("integrity", str(directory), f"{error}; restore a backup")]


def validate(directory: Path, namespace: Namespace | None = None) -> list[dict[str, Any]]:
    """Return the report of `validate` for each collection of a data directory by name, or for one.

    Raises as `examine`, and `NamespaceNotFoundError`, `CorruptDatabaseError` where the file cannot be read.
    """
    require_database(directory)
    with _opened(directory) as store, store.read() as view:
        collections = CollectionCatalog().snapshot(view).collections
        entries = [entry for entry in collections.values() if "viewOn" not in entry.options]
        wanted = [entry for entry in entries if namespace in (None, entry.namespace)]
        if namespace is not None and not wanted:
            raise NamespaceNotFoundError(f"Collection '{namespace}' does not exist to validate.")
        return [validation_report(view, entry) for entry in sorted(wanted, key=lambda entry: entry.namespace)]


def mend(directory: Path) -> MendReport:
    """Repair what can be derived. Raises as `examine`."""
    findings = examine(directory)
    treatments = []
    if any(finding.mend for finding in findings):
        with _opened(directory) as store:
            catalog = CollectionCatalog()
            treatments = [_treat(finding, store, catalog) for finding in findings]
    else:
        treatments = [Treatment(finding, None) for finding in findings]
    remaining = examine(directory) if findings else []
    return MendReport(treatments, remaining)


def examine_store(store: Store) -> list[Finding]:
    """Return what is wrong in an open database."""
    catalog = CollectionCatalog()
    with store.read() as view:
        findings = _check_integrity(view)
        absent = missing_tables(view)
    if absent:
        lost = f"the tables {', '.join(absent)} are gone; restore a backup"
        return [*findings, Finding("tables", "the schema", lost)]
    for check in (check_catalogue, check_collections, check_oplog):
        try:
            with store.read() as view:
                findings += check(view, catalog)
        except SkerryError as error:
            findings.append(Finding("integrity", "the database", f"{check.__name__.replace('_', ' ')}: {error}"))
    return findings


def _check_integrity(view: ReadView) -> list[Finding]:
    messages = damage(view)
    of_indexes = [message for message in messages if is_index_fault(message)]
    findings = [Finding("integrity", "the file", message) for message in messages if message not in of_indexes]
    if of_indexes:
        more = f" and {len(of_indexes) - 1} more" if len(of_indexes) > 1 else ""
        findings.append(Finding("integrity", "the file", f"{of_indexes[0]}{more}", _rebuild_sqlite_indexes))
    return findings


def _rebuild_sqlite_indexes(store: Store, _catalog: CollectionCatalog) -> str:
    store.write(rebuild_sqlite_indexes, durable=True)
    return "made SQLite's own indexes anew from their tables"


def _treat(finding: Finding, store: Store, catalog: CollectionCatalog) -> Treatment:
    if finding.mend is None:
        return Treatment(finding, None)
    try:
        return Treatment(finding, finding.mend(store, catalog))
    except (SkerryError, OSError) as error:
        return Treatment(finding, None, str(error))


@contextmanager
def _opened(directory: Path) -> Iterator[Store]:
    store = Store(directory)
    try:
        yield store
    finally:
        store.close()
