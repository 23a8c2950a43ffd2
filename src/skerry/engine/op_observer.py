"""The seam by which others are told of each change inside the transaction that makes it (MongoDB's word: OpObserver).

The engine does not know who listens. An observer that raises undoes the write.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from skerry.storage import WriteView
from skerry.values.namespace import Namespace


class Change(NamedTuple):
    """One document's change. `key` is its `_id`'s key string; `before` and `after` are raw, None where there is none.

    `timestamp` is the cluster time of the oplog entry; `origin` is "" for clients, a link's name for what sync applied.
    """

    namespace: Namespace
    key: bytes
    before: bytes | None
    after: bytes | None
    timestamp: int
    origin: str


ChangeSink = Callable[[Sequence[Change]], None]
"""Takes note of changes, at least one, in order; what it writes to its view commits with them."""


class OpObserver(Protocol):
    """Asked once for each collection that a transaction of the store writes to."""

    def sink(self, view: WriteView, namespace: Namespace, origin: str) -> ChangeSink | None:
        """Return what is to be told of the changes of `namespace` by `origin` about to be made in `view`, if anything."""
        ...

    def on_transaction_commit(self, view: WriteView, places: Sequence[tuple[Namespace, bytes]], origin: str) -> None:
        """Take note that a multi-document transaction has made the changes just told of in `view`.

        `places` are the documents it has written, each once, by collection and key.
        """
        ...
