"""The batches that are on their way, as the store remembers them until their outcome is known."""

from dataclasses import dataclass

from skerry.storage import ReadView, WriteView
from skerry.sync.protocol.event_grouping import BatchId
from skerry.values import documents


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch without an outcome. Its documents are those in flight under `number`."""

    number: int
    db: str
    id: BatchId
    lsid: bytes
    """The session of the hub that it was sent in: a transaction left open there can be ended by it."""


class PushRecords:
    """The open batches of one link."""

    def __init__(self, link: str) -> None:
        self._link = link

    def add(self, view: WriteView, batch: OpenBatch) -> None:
        items = documents.encode({"db": batch.db, "id": batch.id.to_document(), "lsid": batch.lsid})
        view.run("INSERT INTO sync_batch VALUES (?, ?, 'sent', ?, 1)", (self._link, batch.number, items))

    def remove(self, view: WriteView, number: int) -> None:
        view.run("DELETE FROM sync_batch WHERE link = ? AND batch = ?", (self._link, number))

    def open_batches(self, view: ReadView) -> list[OpenBatch]:
        found = []
        for number, raw in view.rows(
            "SELECT batch, items FROM sync_batch WHERE link = ? ORDER BY batch", (self._link,)
        ):
            record = documents.decode(raw)
            batch = BatchId.from_document(record["id"])
            assert batch is not None
            found.append(OpenBatch(number, record["db"], batch, bytes(record["lsid"])))
        return found
