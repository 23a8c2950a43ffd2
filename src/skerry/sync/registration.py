"""Meeting a hub: is it the one this link belongs to, and has a copy of this store been using our name there?"""

import uuid
from dataclasses import replace
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from skerry.storage import WriteView
from skerry.sync import link_log
from skerry.sync.hub import HubUnfitError, now
from skerry.sync.link import Link
from skerry.sync.origin import Identity


def register_with_hub(link: Link) -> bool:
    """Check the hub's identity and renew our registration there; return whether this store turned out to be a clone.

    A clone has taken a new name and must compare everything. Raises `HubUnfitError` for another hub than the one of the last
    time, and pymongo's errors.
    """
    home = link.identity.home or link.selection.home
    for db in {home, link.selection.home}:
        link.hub.prepare_markers(db)
    markers = link.hub.markers(home)
    hub = markers.find_one_and_update(
        {"_id": {"hub": 1}},
        {"$setOnInsert": {"name": uuid.uuid4().hex}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    assert hub is not None
    identity = replace(link.identity)
    if identity.hub is not None and identity.hub != hub["name"]:
        raise HubUnfitError(f"this is not the hub that link {link.name!r} belongs to: its identity is {hub['name']}")
    identity.hub, identity.home = hub["name"], home
    was_clone = False
    while True:
        registered = markers.find_one({"_id": {"edge": identity.edge}})
        known_run = None if registered is None else registered["run"]
        if known_run is not None and known_run not in (identity.run, identity.next_run):
            was_clone = True
            identity.take_new_name()
            known_run = None
        identity.next_run = uuid.uuid4().hex
        _store(link, identity)
        if _renew(markers, identity, known_run):
            break
    identity.run = identity.next_run
    _store(link, identity)
    if was_clone:
        link_log.is_a_clone(link.name, identity.edge)
    return was_clone


def _renew(markers: Collection[dict[str, Any]], identity: Identity, known_run: str | None) -> bool:
    """Write our run over the one we know of; false when a copy of this store, starting at the same time, was faster."""
    known = {"_id": {"edge": identity.edge}, "run": known_run}
    try:
        renewed = markers.update_one(
            known, {"$set": {"run": identity.next_run, "seen": now()}}, upsert=known_run is None
        )
    except DuplicateKeyError:
        return False
    return renewed.matched_count > 0 or renewed.upserted_id is not None


def _store(link: Link, identity: Identity) -> None:
    def job(view: WriteView) -> None:
        stored = Identity.load(view, link.name)
        if stored is not None:
            identity.next_batch = stored.next_batch
        identity.save(view, link.name)

    link.write(job, durable=True)
    link.identity = replace(identity)
