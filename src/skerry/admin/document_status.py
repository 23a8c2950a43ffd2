"""Where one document stands between this node and its hub."""

from typing import Any, Final

from pymongo.errors import PyMongoError

from skerry.admin.bson_json import as_json
from skerry.sync.link import Link
from skerry.sync.protocol.document_state import State, content_hash
from skerry.sync.protocol.hybrid_clock import milliseconds_of
from skerry.values import documents, key_string
from skerry.values.namespace import Namespace

_MEANING: Final = {
    State.CLEAN: "in step with the hub",
    State.DIRTY: "written here, waits to be sent",
    State.INFLIGHT: "on its way to the hub",
    State.AWAIT: "the hub has it; its echo has not come back",
    State.QUARANTINED: "the hub refuses it",
}


def document_status(link: Link, namespace: Namespace, id_value: Any, *, ask_hub: bool) -> dict[str, Any]:
    """Return direction, state, time of the last write here, and the versions on both sides as far as they can be had."""
    key = key_string.encode(id_value)
    with link.storage.read() as view:
        here = link.storage.lookup(view, namespace, key)
        tracked = link.shadows.get(view, namespace, key)
        base = link.shadows.base(view, namespace, key)
    found: dict[str, Any] = {
        "namespace": str(namespace),
        "id": as_json(id_value),
        "direction": link.selection.direction(namespace).value,
        "frozen": link.selection.frozen.get(str(namespace)),
        "state": "untracked",
        "meaning": "the link knows nothing of it",
        "local": _shown(here),
        "base": _shown(base),
    }
    if tracked is not None:
        shadow = tracked.shadow
        found.update(
            state=shadow.state.name.lower(),
            meaning=_MEANING[shadow.state],
            is_at_base=shadow.base == content_hash(here),
            written_at_ms=milliseconds_of(shadow.last_hlc) if shadow.last_hlc else None,
            attempts=shadow.attempts,
            next_retry_ms=shadow.next_retry,
            error=shadow.error,
        )
    if ask_hub:
        found.update(_on_hub(link, namespace, id_value, key, here))
    return found


def _on_hub(link: Link, namespace: Namespace, id_value: Any, key: bytes, here: bytes | None) -> dict[str, Any]:
    try:
        there = link.hub.find_by_ids(namespace, [id_value]).get(key)
    except PyMongoError as error:
        return {"hub": None, "hub_error": type(error).__name__}
    return {"hub": _shown(there), "hub_error": None, "is_same": here == there}


def _shown(raw: bytes | None) -> Any:
    return None if raw is None else as_json(documents.decode(raw))
