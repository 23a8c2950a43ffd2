"""The small records of a link in the store: who it is, what it carries, how far it has come; each read and written whole."""

from collections.abc import Mapping
from typing import Any, Final

from skerry.storage import ReadView, WriteView
from skerry.values import documents

IDENTITY: Final = "identity"
SELECTION: Final = "selection"
STREAM: Final = "stream"
COLLECTIONS: Final = "collections"
COPY: Final = "copy"
LIMITS: Final = "limits"
ATOMICITY: Final = "atomicity"
LEASE: Final = "lease"
SWITCH: Final = "switch"
CONFLICTS: Final = "conflicts"
_SEPARATOR: Final = "\n"


def load(view: ReadView, link: str, part: str) -> dict[str, Any] | None:
    """Return a record, None when it was never stored."""
    row = view.row("SELECT state FROM sync_link WHERE link = ?", (link + _SEPARATOR + part,))
    return None if row is None else documents.decode(row[0])


def save(view: WriteView, link: str, part: str, record: Mapping[str, Any]) -> None:
    """Store a record, in the transaction of `view`."""
    view.run("INSERT OR REPLACE INTO sync_link VALUES (?, ?)", (link + _SEPARATOR + part, documents.encode(record)))


def remove(view: WriteView, link: str, part: str) -> None:
    """Forget a record, in the transaction of `view`."""
    view.run("DELETE FROM sync_link WHERE link = ?", (link + _SEPARATOR + part,))


def remove_all(view: WriteView, link: str) -> None:
    """Forget every record of a link, in the transaction of `view`."""
    view.run("DELETE FROM sync_link WHERE link > ? || char(10) AND link < ? || char(11)", (link, link))


def load_all(view: ReadView, part: str) -> dict[str, dict[str, Any]]:
    """Return one part's record of every link, by link name."""
    rows = view.rows("SELECT link, state FROM sync_link")
    found = ([*link.split(_SEPARATOR), raw] for link, raw in rows)
    return {link: documents.decode(raw) for link, each, raw in found if each == part}
