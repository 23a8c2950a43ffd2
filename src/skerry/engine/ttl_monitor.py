"""Deletes documents whose time has come (manual: TTL Indexes)."""

import datetime
from collections.abc import Callable, Iterable
from typing import Final

from skerry.catalog.catalog_entry import CatalogEntry, IndexEntry
from skerry.engine.requests import DeleteStatement

TTL_INTERVAL_SECONDS: Final = 60.0  # MongoDB's ttlMonitorSleepSecs


def expired_statements(
    entries: Iterable[CatalogEntry], now: datetime.datetime
) -> Iterable[tuple[CatalogEntry, DeleteStatement]]:
    """Yield the deletions that the TTL indexes of `entries` ask for at `now` (naive, UTC)."""
    for entry in entries:
        for index in entry.indexes:
            if index.descriptor.expire_after_seconds is not None:
                yield entry, _statement(index, now)


def run_ttl(
    entries: Iterable[CatalogEntry],
    delete: Callable[[CatalogEntry, DeleteStatement], object],
    now: datetime.datetime,
) -> None:
    """Delete what has expired. Arrays of dates expire by their earliest; documents without a date never do."""
    for entry, statement in expired_statements(entries, now):
        delete(entry, statement)


def _statement(index: IndexEntry, now: datetime.datetime) -> DeleteStatement:
    path = index.descriptor.key[0][0]
    seconds = index.descriptor.expire_after_seconds
    assert seconds is not None
    filter: dict[str, object] = {path: {"$lt": now - datetime.timedelta(seconds=seconds)}}
    if index.descriptor.partial_filter is not None:
        filter = {"$and": [filter, index.descriptor.partial_filter]}
    return DeleteStatement(filter, multi=True)
