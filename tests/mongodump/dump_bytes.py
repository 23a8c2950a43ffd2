"""An archive of mongodump put together byte by byte from mongo-tools' description of it, without skerry's own writer."""

import json
from typing import Any

import bson

Segments = list[tuple[str, list[dict[str, Any]] | None]]
"""Namespace and documents of each segment, in the order of the archive; None for the one that ends a collection."""

TERMINATOR = b"\xff\xff\xff\xff"


def crc64_of(data: bytes) -> int:
    """The checksum bit by bit: reflected, polynomial 0x42F0E1EBA9EA3693, all ones before and after; signed."""
    state = (1 << 64) - 1
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (0xC96C5795D7870F42 if state & 1 else 0)
    state ^= (1 << 64) - 1
    return state - (1 << 64) if state >> 63 else state


def header_of(namespace: str, *, eof: bool, crc: int) -> bytes:
    db, _, coll = namespace.partition(".")
    return bson.encode({"db": db, "collection": coll, "EOF": eof, "CRC": bson.Int64(crc)})


def metadata_entry(namespace: str, metadata: dict[str, Any] | None) -> bytes:
    db, _, coll = namespace.partition(".")
    text = "" if metadata is None else json.dumps(metadata)
    kind = (metadata or {}).get("type", "collection")
    return bson.encode({"db": db, "collection": coll, "metadata": text, "size": 0, "type": kind})


def archive_bytes(metadata: dict[str, dict[str, Any] | None], segments: Segments) -> bytes:
    header = {"concurrent_collections": 4, "version": "0.1", "server_version": "8.0.4", "tool_version": "100.10.0"}
    written = bytes.fromhex("6de29981") + bson.encode(header)
    written += b"".join(metadata_entry(*each) for each in metadata.items()) + TERMINATOR
    sums: dict[str, bytes] = {}
    for namespace, documents in segments:
        if documents is None:
            written += header_of(namespace, eof=True, crc=crc64_of(sums.get(namespace, b""))) + TERMINATOR
            continue
        data = b"".join(map(bson.encode, documents))
        sums[namespace] = sums.get(namespace, b"") + data
        written += header_of(namespace, eof=False, crc=0) + data + TERMINATOR
    return written


def index(name: str, key: dict[str, Any], **options: Any) -> dict[str, Any]:
    """An index as mongodump writes it: numbers as Extended JSON."""
    numbers = {field: {"$numberInt": str(value)} if isinstance(value, int) else value for field, value in key.items()}
    return {"v": {"$numberInt": "2"}, "key": numbers, "name": name, **options}


ID_INDEX = index("_id_", {"_id": 1})

SHOP_METADATA: dict[str, dict[str, Any] | None] = {
    "shop.orders": {
        "options": {"validator": {"qty": {"$gte": {"$numberInt": "0"}}}},
        "indexes": [ID_INDEX, index("item_-1_qty_1", {"item": -1, "qty": 1}, unique=True, ns="shop.orders")],
        "uuid": "0f" * 16,
        "collectionName": "orders",
        "type": "collection",
    },
    "shop.few": {
        "options": {"viewOn": "orders", "pipeline": [{"$match": {"qty": {"$lt": {"$numberInt": "2"}}}}]},
        "indexes": [],
        "uuid": "",
        "collectionName": "few",
        "type": "view",
    },
    "logs.lines": {"options": {}, "indexes": [ID_INDEX], "uuid": "", "collectionName": "lines", "type": "collection"},
    "admin.system.version": {"options": {}, "indexes": [ID_INDEX], "collectionName": "system.version"},
}

SHOP: bytes = archive_bytes(
    SHOP_METADATA,
    [
        ("shop.orders", [{"_id": 1, "item": "oar", "qty": 2}]),
        ("logs.lines", [{"_id": n, "at": bson.Timestamp(0, 0)} for n in range(3)]),
        ("shop.orders", [{"_id": 2, "item": "rope", "qty": 1, "big": bson.Int64(1 << 40)}]),
        ("shop.orders", None),
        ("admin.system.version", [{"_id": "featureCompatibilityVersion", "version": "8.0"}]),
        ("admin.system.version", None),
        ("shop.few", []),
        ("shop.few", None),
        ("logs.lines", None),
    ],
)
