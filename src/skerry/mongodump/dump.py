"""Every collection of a server or a database, written as mongodump writes it, so that mongorestore and MongoDB can have it.

The collections are read one after the other: while programs write, they are not one moment in time, as those of `skerry
backup` are.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from skerry.errors import DumpFailedError
from skerry.mongodump.metadata import CollectionMetadata
from skerry.mongodump.namespace_choice import NamespaceChoice, is_of_the_server
from skerry.mongodump.restore import OnProgress
from skerry.values.namespace import Namespace

_LENGTH: Final = struct.Struct("<i")


class DumpTarget(Protocol):
    """Where a dump goes: `ArchiveFileWriter` and `DumpDirectoryWriter`."""

    def begin(self, collections: list[CollectionMetadata], server_version: str) -> None:
        """Write what is known of all collections."""

    def collection(self, metadata: CollectionMetadata, batches: Iterator[bytes]) -> None:
        """Write one of them, in the order of `begin`."""


@dataclass(slots=True)
class DumpReport:
    """What was dumped."""

    collections: int = 0
    documents: int = 0


def dump(client: MongoClient[Any], target: DumpTarget, choice: NamespaceChoice, on_progress: OnProgress) -> DumpReport:
    """Write all collections that `choice` takes, without the server's own; `on_progress` is told ("documents", so far).

    Raises `DumpFailedError` when the server refuses something or goes away, OSError for what cannot be written.
    """
    report = DumpReport()
    try:
        found = list(_collections(client, choice))
        target.begin(found, client.server_info()["version"])
        for each in found:
            target.collection(each, _batches(client, each, report, on_progress))
            report.collections += 1
    except PyMongoError as error:
        raise DumpFailedError(f"the dump failed: {error}") from error
    return report


def _collections(client: MongoClient[Any], choice: NamespaceChoice) -> Iterator[CollectionMetadata]:
    for db in sorted(client.list_database_names()):
        for info in sorted(client[db].list_collections(), key=lambda info: str(info["name"])):
            namespace = Namespace(db, info["name"])
            if is_of_the_server(namespace) or not choice.takes(namespace):
                continue
            is_view = info.get("type") == "view"
            indexes = () if is_view else tuple(client[db][namespace.coll].list_indexes())
            uuid = info.get("info", {}).get("uuid")
            yield CollectionMetadata(
                namespace,
                info.get("type", "collection"),
                info.get("options", {}),
                indexes,
                "" if uuid is None else uuid.hex(),
            )


def _batches(
    client: MongoClient[Any], metadata: CollectionMetadata, report: DumpReport, on_progress: OnProgress
) -> Iterator[bytes]:
    if metadata.is_view:
        return
    db, coll = metadata.namespace
    for batch in client[db][coll].find_raw_batches():
        report.documents += _count(batch)
        on_progress("documents", report.documents)
        yield batch


def _count(documents: bytes) -> int:
    """How many documents stand one behind the other."""
    number = place = 0
    while place < len(documents):
        place += _LENGTH.unpack_from(documents, place)[0]
        number += 1
    return number
