"""Where one document stands between this node and its hub, and what has happened to it."""

from typing import Any, Final

from pymongo.errors import PyMongoError

from skerry.engine import oplog
from skerry.storage import ReadView
from skerry.sync.link import Link
from skerry.sync.passed_on import origin_of
from skerry.sync.protocol.document_state import State, content_hash
from skerry.sync.protocol.hybrid_clock import milliseconds_of
from skerry.sync.shadow import Tracked
from skerry.values import documents, key_string
from skerry.values.namespace import Namespace

CHANGES_MAX: Final = 50
PUSHES_MAX: Final = 50
_NOTHING_OF_HUB: Final = {"hub": None, "hub_error": None, "is_same": None, "pushed": None}
UNTRACKED: Final = "untracked"
LOCAL: Final = "local"
_CHUNK: Final = 10_000
_CONFLICTS: Final = 1_000
_MEANING: Final = {
    State.CLEAN: "in step with the hub",
    State.DIRTY: "written here, waits to be sent",
    State.INFLIGHT: "on its way to the hub",
    State.AWAIT: "the hub has it; its echo has not come back",
    State.QUARANTINED: "the hub refuses it",
}
_OPERATIONS: Final = {oplog.INSERT: "insert", oplog.UPDATE: "update", oplog.REPLACE: "replace", oplog.DELETE: "delete"}


def document_history(link: Link, namespace: Namespace, id_value: Any, *, ask_hub: bool = True) -> dict[str, Any]:
    """Return the facts, values as BSON has them.

    `direction`, `frozen` (why, or None); `state` (or "untracked") and its `meaning`; `local` and `base` (documents or None), and
    `is_at_base`; `written_at_ms`, `attempts`, `next_retry_ms` and `error` of what is to be sent, None where there is none.
    `origin`: the edge that made the version here, this one or one below, None when it came from the hub; `local_changes` as far
    as the oplog reaches, each with `at_ms`, `operation` and `origin` ("local", or the link that brought it); `conflicts`.
    Of the hub: `hub`, its document or None; `is_same`; `pushed`: the batches that it knows to have carried it, with the `edge`
    that pushed, the `origin` that wrote, and `written_at_ms`. `pushed` and `is_same` are None when the hub was not asked or did
    not answer, which `hub_error` says then. Reads the whole oplog: meant for a person's question, not for every request.
    """
    key = key_string.encode(id_value)
    with link.storage.read() as view:
        here = link.storage.lookup(view, namespace, key)
        tracked = link.shadows.get(view, namespace, key)
        base = link.shadows.base(view, namespace, key)
        below = origin_of(view, link.shadows, namespace, key, here)
        changes = _changes(view, namespace, key)
        conflicts = [
            {"id": each.id, "at_ms": each.at_ms, "winner": each.record["winner"], "resolved": each.resolved}
            for each in link.conflicts.entries(view, limit=_CONFLICTS)
            if each.namespace == str(namespace) and each.key == key
        ]
    is_clean = tracked is not None and tracked.shadow.state is State.CLEAN
    made_here = bool(changes) and changes[-1]["origin"] == LOCAL
    return {
        "namespace": str(namespace),
        "id": id_value,
        "direction": link.selection.direction(namespace).value,
        "frozen": link.selection.frozen.get(str(namespace)),
        **_standing(tracked, here),
        "local": _decoded(here),
        "base": _decoded(here if is_clean else base),
        "origin": below.edge if below is not None else link.identity.edge if made_here else None,
        "local_changes": changes,
        "conflicts": conflicts,
        **(_on_hub(link, namespace, id_value, here) if ask_hub else _NOTHING_OF_HUB),
    }


def _standing(tracked: Tracked | None, here: bytes | None) -> dict[str, Any]:
    shadow = None if tracked is None else tracked.shadow
    return {
        "state": UNTRACKED if shadow is None else shadow.state.name.lower(),
        "meaning": "the link knows nothing of it" if shadow is None else _MEANING[shadow.state],
        "is_at_base": None if shadow is None else shadow.base == content_hash(here),
        "written_at_ms": None if shadow is None or not shadow.last_hlc else milliseconds_of(shadow.last_hlc),
        "attempts": None if shadow is None else shadow.attempts,
        "next_retry_ms": None if shadow is None else shadow.next_retry,
        "error": None if shadow is None else shadow.error,
    }


def _on_hub(link: Link, namespace: Namespace, id_value: Any, here: bytes | None) -> dict[str, Any]:
    try:
        there = link.hub.find_by_ids(namespace, [id_value]).get(key_string.encode(id_value))
        pushed = _pushed(link, namespace, id_value)
    except PyMongoError as error:
        return {**_NOTHING_OF_HUB, "hub_error": type(error).__name__}
    return {"hub": _decoded(there), "hub_error": None, "is_same": here == there, "pushed": pushed}


def _changes(view: ReadView, namespace: Namespace, key: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = 0
    while entries := oplog.entries_after(view, after, _CHUNK):
        after = entries[-1].timestamp
        for entry in entries:
            raw = entry.id_document or entry.o
            if entry.namespace != namespace or entry.op not in _OPERATIONS or raw is None:
                continue
            if key_string.encode(documents.id_of(raw)) == key:
                change = {"at_ms": entry.wall_ms, "operation": _OPERATIONS[entry.op], "origin": entry.origin or LOCAL}
                found.append(change)
    return found[-CHANGES_MAX:]


def _pushed(link: Link, namespace: Namespace, id_value: Any) -> list[dict[str, Any]]:
    named = {"ops": {"$elemMatch": {"c": namespace.coll, "k": id_value}}}
    markers = list(link.hub.markers(namespace.db).find(named, sort=[("at", -1)], limit=PUSHES_MAX))
    found = []
    for marker in reversed(markers):
        batch = marker["_id"]
        for op in marker["ops"]:
            if op["c"] == namespace.coll and key_string.encode(op["k"]) == key_string.encode(id_value):
                found.append(
                    {
                        "edge": batch["e"],
                        "incarnation": batch["i"],
                        "batch": batch["n"],
                        "origin": op.get("o", batch["e"]),
                        "written_at_ms": milliseconds_of(int(op["h"])),
                        "is_delete": bool(op.get("d", False)),
                    }
                )
    return found


def _decoded(raw: bytes | None) -> dict[str, Any] | None:
    return None if raw is None else documents.decode(raw)
