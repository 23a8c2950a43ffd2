"""What the hub can do, found out by trying: transactions, change streams, and how far its history reaches back."""

import time
from datetime import UTC
from typing import Any, Final

from bson.int64 import Int64
from bson.timestamp import Timestamp
from pymongo.errors import OperationFailure, PyMongoError

from skerry.sync.hub import Hub, HubFacts, failure_of
from skerry.sync.protocol.capability import WIRE_VERSION_OF_4_4, Headroom, lacks_feature, tier_of
from skerry.sync.protocol.hybrid_clock import offset_ms
from skerry.sync.selection import MARKERS

NO_OBJECT = {"_id": "none"}
_HISTORY_LOST: Final = 286


def probe(hub: Hub) -> HubFacts:
    """Ask and try what the hub can do. Raises pymongo's errors."""
    hub.client.admin.command(
        "ping"
    )  # so that waiting for the hub and connecting to it are no part of the round trip below
    sent = _now_ms()
    hello = hub.client.admin.command("hello")
    received = _now_ms()
    local_time = hello.get("localTime")
    there = sent if local_time is None else int(local_time.replace(tzinfo=UTC).timestamp() * 1000)
    wire_version = int(hello.get("maxWireVersion", 0))
    is_replicated = "setName" in hello or hello.get("msg") == "isdbgrid"
    transactions = is_replicated and wire_version >= WIRE_VERSION_OF_4_4 and _has_transactions(hub)
    streams = is_replicated and _has_streams(hub)
    tier = tier_of(transactions=transactions, streams=streams, wire_version=wire_version)
    return HubFacts(str(hello.get("setName", "")), wire_version, offset_ms(sent, there, received), tier)


def headroom(hub: Hub, place: int) -> Headroom | None:
    """Compare the link's place (cluster time) with the hub's history; None where the hub does not show it to us."""
    if not place:
        return None
    first, last = _end_of_history(hub, 1), _end_of_history(hub, -1)
    return None if first is None or last is None else Headroom(first.time, last.time, place >> 32)


def check_history(hub: Hub, place: int) -> None:
    """Raise MongoDB's error 286 where the hub shows that its history begins after a cluster time.

    MongoDB itself refuses to open a stream there; other servers begin with the oldest entry that they have, without a word.
    """
    first = _end_of_history(hub, 1)
    if first is not None and (first.time << 32 | first.inc) > place:
        raise OperationFailure(f"the hub's history begins at {first}, after the place of the link", _HISTORY_LOST)


def _end_of_history(hub: Hub, direction: int) -> Timestamp | None:
    """Return the time of the oldest (1) or newest (-1) entry of the oplog, None where the hub does not show it to us."""
    try:
        entry = hub.client.local["oplog.rs"].find_one({}, {"ts": 1}, sort=[("$natural", direction)])
    except OperationFailure:
        return None
    stamp = None if entry is None else entry.get("ts")
    return stamp if isinstance(stamp, Timestamp) else None


def _has_transactions(hub: Hub) -> bool:
    try:
        with hub.session() as session, hub.transaction(session):
            hub.markers(MARKERS).find_one(NO_OBJECT, session=session)  # the admin database takes no part in them
            session.commit_transaction()
    except PyMongoError as error:
        return not _is_lacking(error)
    return True


def _has_streams(hub: Hub) -> bool:
    stage: dict[str, Any] = {"$changeStream": {"allChangesForCluster": True}}
    command = {"aggregate": 1, "pipeline": [stage], "cursor": {"batchSize": 0}}
    try:
        with hub.session() as session:
            cursor = hub.client.admin.command(command, session=session)["cursor"]
            if cursor["id"]:
                collection = str(cursor["ns"]).partition(".")[2]
                hub.client.admin.command({"killCursors": collection, "cursors": [Int64(cursor["id"])]}, session=session)
    except PyMongoError as error:
        return not _is_lacking(error)
    return True


def _is_lacking(error: PyMongoError) -> bool:
    """Whether the hub lacks the feature; a hub that is away raises, one that denies it is found out by using it."""
    failure = failure_of(error)
    if failure.code is None:
        raise error
    return lacks_feature(failure.code, failure.labels)


def _now_ms() -> int:
    return int(time.time() * 1000)
