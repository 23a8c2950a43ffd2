"""What the hub can do, found out by trying: transactions, change streams, and how far its history reaches back."""

import time
from datetime import UTC
from typing import Any

from bson.int64 import Int64
from bson.timestamp import Timestamp
from pymongo.errors import OperationFailure, PyMongoError

from skerry.sync.hub import Hub, HubFacts, failure_of
from skerry.sync.protocol.capability import WIRE_VERSION_OF_4_2, Headroom, lacks_feature, tier_of
from skerry.sync.protocol.hybrid_clock import offset_ms

NO_OBJECT = {"_id": "none"}


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
    transactions = is_replicated and wire_version >= WIRE_VERSION_OF_4_2 and _has_transactions(hub)
    streams = is_replicated and _has_streams(hub)
    tier = tier_of(transactions=transactions, streams=streams, wire_version=wire_version)
    return HubFacts(str(hello.get("setName", "")), wire_version, offset_ms(sent, there, received), tier)


def headroom(hub: Hub, place: int) -> Headroom | None:
    """Compare the link's place (cluster time) with the hub's history; None where the hub does not show it to us."""
    if not place:
        return None
    found: list[int] = []
    try:
        for direction in (1, -1):
            entry = hub.client.local["oplog.rs"].find_one({}, {"ts": 1}, sort=[("$natural", direction)])
            stamp = None if entry is None else entry.get("ts")
            if not isinstance(stamp, Timestamp):
                return None
            found.append(stamp.time)
    except OperationFailure:
        return None
    return Headroom(found[0], found[1], place >> 32)


def _has_transactions(hub: Hub) -> bool:
    try:
        with hub.session() as session, hub.transaction(session):
            hub.markers("admin").find_one(NO_OBJECT, session=session)
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
