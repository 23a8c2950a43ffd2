"""Where one document stands between this node and its hub, and what has happened to it."""

from typing import Any, Final

from pymongo.errors import PyMongoError

from skerry.engine import oplog
from skerry.storage import ReadView
from skerry.sync.link import Link
from skerry.sync.passed_on import origin_of
from skerry.sync.protocol.hybrid_clock import milliseconds_of
from skerry.values import documents, key_string
from skerry.values.namespace import Namespace

CHANGES_MAX: Final = 50
PUSHES_MAX: Final = 50
UNTRACKED: Final = "untracked"
LOCAL: Final = "local"
_CHUNK: Final = 10_000
_CONFLICTS: Final = 1_000
_OPERATIONS: Final = {oplog.INSERT: "insert", oplog.UPDATE: "update", oplog.REPLACE: "replace", oplog.DELETE: "delete"}


def document_history(link: Link, namespace: Namespace, id_value: Any, *, ask_hub: bool = True) -> dict[str, Any]:
    """Return the facts, values as BSON has them.

    `state` (or "untracked"), `local` and `base` (documents or None), `origin`: the edge that made the version here, this one or
    one below, None when it came from the hub; `local_changes` as far as the oplog reaches, each with `at_ms`, `operation` and
    `origin` ("local", or the link that brought it); `pushed`: the batches that the hub knows to have carried it, with the `edge`
    that pushed, the `origin` that wrote, and `written_at_ms`, or None when the hub was not asked or did not answer; `conflicts`.
    Reads the whole oplog: meant for a person's question, not for every request.
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
    is_at_base = tracked is not None and tracked.shadow.state == 0
    made_here = bool(changes) and changes[-1]["origin"] == LOCAL
    return {
        "namespace": str(namespace),
        "id": id_value,
        "state": UNTRACKED if tracked is None else tracked.shadow.state.name.lower(),
        "local": _decoded(here),
        "base": _decoded(here if is_at_base else base),
        "origin": below.edge if below is not None else link.identity.edge if made_here else None,
        "local_changes": changes,
        "pushed": _pushed(link, namespace, id_value) if ask_hub else None,
        "conflicts": conflicts,
    }


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


def _pushed(link: Link, namespace: Namespace, id_value: Any) -> list[dict[str, Any]] | None:
    named = {"ops": {"$elemMatch": {"c": namespace.coll, "k": id_value}}}
    try:
        markers = list(link.hub.markers(namespace.db).find(named, sort=[("at", -1)], limit=PUSHES_MAX))
    except PyMongoError:
        return None
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
