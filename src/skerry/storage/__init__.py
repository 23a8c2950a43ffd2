"""The only package that knows SQLite.

A `Store` is one data directory; a `ReadView` or `WriteView` is one transaction on it, and what upper layers are handed. Views
speak of file ids, index ids, keys and raw documents; they do not know what a collection or a BSON value is.
"""

from skerry.storage.read_view import Entry, ReadView, Record
from skerry.storage.store import ReadTransaction, Snapshot, Store
from skerry.storage.write_view import KeyTakenError, OplogRow, WriteView

__all__ = [
    "Entry",
    "KeyTakenError",
    "OplogRow",
    "ReadTransaction",
    "ReadView",
    "Record",
    "Snapshot",
    "Store",
    "WriteView",
]
