"""Which collections of the hub the names meant when they were last listed: one that is another now was dropped meanwhile.

The change stream tells of a drop; where its history is lost, the UUIDs of `listCollections` do. A hub that gives none is taken as
it is.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from skerry.config.sync_config import Direction
from skerry.storage import ReadView, WriteView
from skerry.sync import link_records
from skerry.sync.link import Link
from skerry.values.namespace import Namespace

ANOTHER: Final = "the hub has another collection of this name: it was dropped and created again"


def take_note(link: Link, there: Mapping[Namespace, bytes | None]) -> None:
    """Store the UUIDs of the collections that travel; freeze those of this store that stand for another collection by now."""
    wanted = {
        str(each): uuid
        for each, uuid in there.items()
        if uuid is not None and link.selection.direction(each) is not Direction.NONE
    }
    if link.read(lambda view: _load(view, link.name)) == wanted:
        return

    def job(view: WriteView) -> None:
        link.refresh(view)
        stored = _load(view, link.name)
        here = link.storage.catalog.snapshot(view).collections
        for name, uuid in wanted.items():
            is_another = stored.get(name, uuid) != uuid
            if is_another and Namespace.parse(name) in here and name not in link.selection.frozen:
                link.freeze(view, Namespace.parse(name), ANOTHER)
        link_records.save(view, link.name, link_records.COLLECTIONS, {"uuids": wanted})

    with link.lock:
        link.write(job, durable=True)


def forget(view: WriteView, link: str, namespaces: Iterable[Namespace]) -> None:
    """The stream has told what became of these names, a database for one without a collection: the next list begins anew."""
    gone = set(namespaces)
    stored = _load(view, link)
    kept = {}
    for name, uuid in stored.items():
        namespace = Namespace.parse(name)
        if namespace not in gone and Namespace(namespace.db, "") not in gone:
            kept[name] = uuid
    if kept != stored:
        link_records.save(view, link, link_records.COLLECTIONS, {"uuids": kept})


def _load(view: ReadView, link: str) -> dict[str, bytes]:
    record = link_records.load(view, link, link_records.COLLECTIONS)
    return {} if record is None else {name: bytes(uuid) for name, uuid in record["uuids"].items()}
