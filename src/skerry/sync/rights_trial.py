"""Whether the link's user may do on the hub what a link does: each thing is tried, so that nothing is left behind.

Writes are tried on the marker collection and on collections that travel, with filters that match nothing; an insert in a
transaction that is aborted. docs/security.md, "The hub's side", has the roles.
"""

import uuid
from collections.abc import Callable, Iterator
from typing import Final

from pymongo.errors import OperationFailure, PyMongoError

from skerry.config.hub_uri import user_of
from skerry.config.sync_config import Direction
from skerry.engine.circumstances import Check, Level
from skerry.sync.change_stream_listener import ChangeStreamListener
from skerry.sync.hub import Hub, failure_of, now
from skerry.sync.missing_rights import is_denied, with_privilege
from skerry.sync.selection import MARKERS, SERVER_DATABASES, Selection
from skerry.values.namespace import Namespace

COLLECTIONS_MAX: Final = 20  # tried in each database: roles mostly are about whole databases

Trial = tuple[str, Callable[[], object]]


def try_rights(hub: Hub, selection: Selection, uri: str) -> list[Check]:
    """Return what the user in `uri` may not do, or one check that all is well. Raises pymongo's errors of a hub that is away."""
    refused: dict[str, Check] = {}
    databases = _databases(hub, selection)
    for db in databases:
        for what, trial in _of_database(hub, selection, db):
            _try(what, trial, refused, _advice(selection, db, uri))
    if hub.tier.has_streams:
        where = selection.database or "the whole deployment"
        _try(f"watch {where}", lambda: _watch(hub, selection), refused, _advice_for_stream(selection, uri))
    if refused:
        return list(refused.values())
    shown = ", ".join(databases) or "any database"
    return [Check("rights", Level.OK, f"the link's user may do all that a link does in {shown}")]


def _databases(hub: Hub, selection: Selection) -> list[str]:
    """Return the databases that the rules name, with those on the hub that fit a wildcard."""
    named = {rule.pattern.partition(".")[0] for rule in selection.rules if rule.direction is not Direction.NONE}
    if not any("*" in name for name in named):
        return sorted(named)
    there = {*hub.client.list_database_names()} - SERVER_DATABASES
    fitting = {db for db in there if any(selection.direction(each) is not Direction.NONE for each in _in(hub, db))}
    return sorted({name for name in named if "*" not in name} | fitting | {selection.home})


def _in(hub: Hub, db: str) -> list[Namespace]:
    try:
        return list(hub.collections(db))
    except OperationFailure:
        return []


def _of_database(hub: Hub, selection: Selection, db: str) -> Iterator[Trial]:
    yield f"list the collections of {db}", lambda: hub.collections(db)
    markers = Namespace(db, MARKERS)
    yield f"read {markers}", lambda: hub.markers(db).find_one({"_id": _nothing()})
    yield from _writes(hub, markers)
    yield f"insert into {markers}", lambda: _insert_nothing(hub, db)
    literal = [rule.pattern for rule in selection.rules if "*" not in rule.pattern]
    known = {Namespace.parse(name) for name in literal if name.partition(".")[0] == db} | set(_in(hub, db))
    for namespace in sorted(known)[:COLLECTIONS_MAX]:
        direction = selection.direction(namespace)
        if direction is not Direction.NONE:
            yield f"read {namespace}", lambda ns=namespace: hub.raw(ns).find_one({"_id": _nothing()})  # type: ignore[misc]
        if direction in (Direction.BOTH, Direction.PUSH):
            yield from _writes(hub, namespace)


def _writes(hub: Hub, namespace: Namespace) -> Iterator[Trial]:
    collection = hub.database(namespace.db)[namespace.coll]
    yield f"update documents of {namespace}", lambda: collection.update_one({"_id": _nothing()}, {"$set": {"none": 1}})
    yield f"delete documents of {namespace}", lambda: collection.delete_one({"_id": _nothing()})


def _insert_nothing(hub: Hub, db: str) -> None:
    markers, note = hub.markers(db), {"_id": _nothing(), "at": now()}
    if not hub.tier.has_transactions:
        if not hub.database(db).list_collection_names(filter={"name": MARKERS}):
            return  # it would stay there, without its index
        markers.insert_one(note)
        markers.delete_one({"_id": note["_id"]})
        return
    with hub.session() as session, hub.transaction(session):
        markers.insert_one(note, session=session)


def _watch(hub: Hub, selection: Selection) -> None:
    listener = ChangeStreamListener(hub, selection, own_sessions=(), with_content=True)
    try:
        listener.open()
    finally:
        listener.close()


def _nothing() -> dict[str, str]:
    """Return an `_id` that no document has."""
    return {"trial": uuid.uuid4().hex}


def _try(what: str, trial: Callable[[], object], refused: dict[str, Check], advice: str) -> None:
    try:
        trial()
    except PyMongoError as error:
        failure = failure_of(error)
        if failure.code is None:
            raise
        message = with_privilege(failure.message) if is_denied(error) else failure.message
        check = Check("rights", Level.ERROR, f"it cannot {what}: {message}", advice)
        refused.setdefault(message, check)


def _advice(selection: Selection, db: str, uri: str) -> str:
    if _has_wildcard(selection):
        return _grant(uri, "readWriteAnyDatabase", "admin")
    return _grant(uri, "readWrite", db)


def _advice_for_stream(selection: Selection, uri: str) -> str:
    if _has_wildcard(selection):
        return _grant(uri, "readWriteAnyDatabase", "admin")
    if selection.database is not None:
        return _grant(uri, "readWrite", selection.database)
    return _grant(uri, "readAnyDatabase", "admin")


def _has_wildcard(selection: Selection) -> bool:
    rules = (rule for rule in selection.rules if rule.direction is not Direction.NONE)
    return any("*" in rule.pattern.partition(".")[0] for rule in rules)


def _grant(uri: str, role: str, db: str) -> str:
    user = user_of(uri) or "USER"
    return (
        f'grant {role} on {db}: db.getSiblingDB("admin").grantRolesToUser("{user}", [{{role: "{role}", db: "{db}"}}])'
    )
