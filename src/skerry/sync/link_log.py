"""What a link writes to the log: a line an event, with its facts as fields for the JSON log.

No line has a document, a part of one, a message of the hub that may quote one, or a password; `_id`s are there, to look it up.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bson import json_util

from skerry.config.hub_uri import without_secrets
from skerry.sync.hub import HubFacts
from skerry.sync.protocol.document_state import State
from skerry.sync.shadow import Tracked
from skerry.values import documents
from skerry.values.namespace import Namespace

LOG: Final = logging.getLogger("skerry.sync")
NAMED_MAX: Final = 20  # collections in one line


def connected(link: str, uri: str, identity: str | None, facts: HubFacts) -> None:
    """The link has met its hub; `identity` is the hub's own name."""
    hub = without_secrets(uri)
    fields = {
        "hub": hub,
        "hub_identity": identity,
        "tier": facts.tier.value,
        "hub_wire_version": facts.wire_version,
        "clock_offset_ms": facts.clock_offset_ms,
    }
    LOG.info("link %s: connected to %s, tier %s", link, hub, facts.tier.value, extra={"link": link, **fields})


def history_lost(link: str, reason: str, compared: Sequence[str]) -> None:
    """The stream begins anew, and these collections are compared with the hub."""
    fields = {"link": link, "reason": reason, "collections": len(compared), "namespaces": list(compared[:NAMED_MAX])}
    LOG.info("link %s: %s; %s collections are compared with the hub", link, reason, len(compared), extra=fields)


def is_a_clone(link: str, edge: str) -> None:
    """A copy of this store uses its name on the hub, so that it has taken another."""
    text = "link %s: a copy of this store uses its name on the hub; it has taken another and compares everything"
    LOG.info(text, link, extra={"link": link, "edge": edge})


def compared(link: str, namespace: Namespace) -> None:
    """A collection has been compared with the hub from beginning to end."""
    LOG.debug("link %s: %s has been compared", link, namespace, extra={"link": link, "namespace": str(namespace)})


def pushed(link: str, batch: int, database: str, documents_sent: int, done: int) -> None:
    """A batch has been sent; `done` of its documents need not be sent again as they are."""
    fields = {"link": link, "batch": batch, "database": database, "documents": documents_sent, "done": done}
    LOG.debug("link %s: batch %s: %s of %s documents pushed", link, batch, done, documents_sent, extra=fields)


def applied(link: str, events: int, namespaces: Iterable[str], counts: Mapping[str, int]) -> None:
    """Events of the hub have been taken in; `counts` as in the link's counters."""
    names = sorted(namespaces)[:NAMED_MAX]
    LOG.debug(
        "link %s: %s events applied",
        link,
        events,
        extra={"link": link, "events": events, "namespaces": names, **counts},
    )


def quarantined(link: str, outcomes: Iterable[Tracked]) -> None:
    """The hub has refused those of the documents that are in quarantine now."""
    for each in outcomes:
        if each.shadow.state is State.QUARANTINED:
            fields = {
                **_document(link, each.namespace, documents.id_of(each.id_document)),
                "tries": each.shadow.attempts,
            }
            LOG.warning("link %s: the hub refuses a document of %s", link, each.namespace, extra=fields)


def put_aside(link: str, namespace: Namespace, id_value: Any, code: int) -> None:
    """A change of the hub could not be applied here; `code` is MongoDB's."""
    fields = {**_document(link, namespace, id_value), "code": code}
    LOG.warning("link %s: a change of %s could not be applied", link, namespace, extra=fields)


def frozen(link: str, namespace: Namespace, reason: str) -> None:
    """A collection travels no more until an operator decides."""
    fields = {"link": link, "namespace": str(namespace), "reason": reason}
    LOG.warning("link %s: %s is frozen: %s", link, namespace, reason, extra=fields)


def thawed(link: str, namespace: Namespace) -> None:
    """A collection travels again."""
    LOG.info("link %s: %s travels again", link, namespace, extra={"link": link, "namespace": str(namespace)})


def _document(link: str, namespace: Namespace, id_value: Any) -> dict[str, Any]:
    return {"link": link, "namespace": str(namespace), "id": json_util.dumps(id_value)}
