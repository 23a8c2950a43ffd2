"""The seam by which others are told of each change inside the transaction that makes it (MongoDB's word: OpObserver).

The engine does not know who listens. An observer that raises undoes the write.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from skerry.storage import ReadView, WriteView
from skerry.values.namespace import Namespace


@dataclass(frozen=True, slots=True)
class Change:
    """One document's change. `key` is its `_id`'s key string; `before` and `after` are raw, None where there is none.

    `timestamp` is the cluster time of the oplog entry; `origin` is "" for clients, a link's name for what sync applied.
    """

    namespace: Namespace
    key: bytes
    before: bytes | None
    after: bytes | None
    timestamp: int
    origin: str


class OpObserver(Protocol):
    """Told of the changes of the namespaces it wants, in order, within the write's own transaction."""

    def wants(self, view: ReadView, namespace: Namespace) -> bool:
        """Whether changes of this namespace are to be reported; asked once a write command, so cheap."""
        ...

    def on_changes(self, view: WriteView, changes: Sequence[Change]) -> None:
        """Take note of changes; what is written to `view` commits with them."""
        ...
