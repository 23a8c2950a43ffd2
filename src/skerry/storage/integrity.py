"""Finds and describes damage of the SQLite file itself, and mends what SQLite can derive: its own indexes."""

from typing import Final

import apsw

from skerry.errors import CorruptDatabaseError
from skerry.storage.migrations import fixed_tables
from skerry.storage.read_view import ReadView
from skerry.storage.write_view import WriteView

MESSAGES_MAX: Final = 100
# SQLite's own words for an index that does not fit its table; such an index can be made anew.
_INDEX_FAULTS: Final = ("missing from index ", "wrong # of entries in index ", "non-unique entry in index ")


def damage(view: ReadView) -> list[str]:
    """Return what SQLite's integrity check finds wrong (every page is read), at most `MESSAGES_MAX` messages."""
    try:
        messages = [row[0] for row in view.rows(f"PRAGMA integrity_check({MESSAGES_MAX})")]
    except apsw.CorruptError as error:
        return [str(error)]
    return [] if messages == ["ok"] else messages


def is_index_fault(message: str) -> bool:
    """Whether a message of `damage` is about an index only, whose table is sound."""
    return any(words in message for words in _INDEX_FAULTS)


def rebuild_sqlite_indexes(view: WriteView) -> None:
    """Make all of SQLite's own indexes anew from their tables. Raises `CorruptDatabaseError` when a table does not let it."""
    try:
        view.run("REINDEX")
    except (apsw.CorruptError, apsw.ConstraintError) as error:
        raise CorruptDatabaseError(f"SQLite cannot rebuild its indexes: {error}", "") from error


def tables(view: ReadView) -> frozenset[str]:
    """Return the names of all tables."""
    return frozenset(row[0] for row in view.rows("SELECT name FROM sqlite_schema WHERE type = 'table'"))


def missing_tables(view: ReadView) -> list[str]:
    """Return the fixed tables of the schema that are not there, by name."""
    return sorted(fixed_tables() - tables(view))


def numbered(names: frozenset[str], prefix: str) -> set[int]:
    """Return the numbers of the tables `<prefix><number>`: file ids for `c_`, index ids for `i_`."""
    return {
        int(name.removeprefix(prefix)) for name in names if name.startswith(prefix) and name[len(prefix) :].isdigit()
    }


def drop_table(view: WriteView, prefix: str, number: int) -> None:
    """Drop the table of a collection (`c_`) or an index (`i_`)."""
    view.run(f"DROP TABLE IF EXISTS {prefix}{int(number)}")
