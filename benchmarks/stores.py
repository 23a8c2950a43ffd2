"""The operations of the workload by pymongo's API, which the peers imitate, and by hand on SQLite and BSON."""

import sqlite3
from pathlib import Path
from typing import Any

import bson

from benchmarks.workload import HEAVY_KG, RANGE_LIMIT, is_heavy, is_heavy_and_open


class CollectionStore:
    """A pymongo collection, or one that looks like it."""

    def __init__(self, collection: Any) -> None:
        self.collection = collection
        try:
            for field in ("customer", "total"):
                collection.create_index([(field, 1)])
        except NotImplementedError:  # a peer without indexes is measured without them
            pass

    def insert_many(self, documents: list[dict[str, Any]]) -> None:
        self.collection.insert_many(documents)

    def insert_one(self, document: dict[str, Any]) -> None:
        self.collection.insert_one(document)

    def find_by_id(self, number: int) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.collection.find_one({"_id": number})
        return found

    def find_by_customer(self, customer: str) -> list[dict[str, Any]]:
        return list(self.collection.find({"customer": customer}))

    def find_dearest(self, least: float, below: float) -> list[dict[str, Any]]:
        within = {"total": {"$gte": least, "$lt": below}}
        return list(self.collection.find(within).sort("total", -1).limit(RANGE_LIMIT))

    def count_heavy_open(self) -> int:
        return int(self.collection.count_documents({"status": "open", "shipping.weight": {"$gt": HEAVY_KG}}))

    def increment_quantity(self, number: int) -> int:
        return int(self.collection.update_one({"_id": number}, {"$inc": {"quantity": 1}}).modified_count)

    def review_open(self) -> int:
        change = {"$set": {"reviewed": True}, "$inc": {"quantity": 1}}
        return int(self.collection.update_many({"status": "open"}, change).modified_count)

    def group_by_category(self) -> dict[str, tuple[int, int]]:
        stage = {"$group": {"_id": "$category", "orders": {"$sum": 1}, "quantity": {"$sum": "$quantity"}}}
        return {one["_id"]: (one["orders"], one["quantity"]) for one in self.collection.aggregate([stage])}

    def delete_heavy(self) -> int:
        return int(self.collection.delete_many({"shipping.weight": {"$gt": HEAVY_KG}}).deleted_count)


class BareStore:
    """The limit: exactly these operations, written by hand in Python on the standard library's SQLite module and BSON.

    It has no query language, no oplog, no sessions and no client, so a database in Python that does as well does too little.
    """

    def __init__(self, file: Path, *, is_durable: bool) -> None:
        self.connection = sqlite3.connect(file, isolation_level=None)
        for statement in (
            "PRAGMA journal_mode = WAL",
            f"PRAGMA synchronous = {'FULL' if is_durable else 'NORMAL'}",
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, total REAL, document BLOB)",
            "CREATE INDEX by_customer ON orders (customer)",
            "CREATE INDEX by_total ON orders (total)",
        ):
            self.connection.execute(statement)

    def close(self) -> None:
        self.connection.close()

    def insert_many(self, documents: list[dict[str, Any]]) -> None:
        rows = [(one["_id"], one["customer"], one["total"], bson.encode(one)) for one in documents]
        with self._transaction():
            self.connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)

    def insert_one(self, document: dict[str, Any]) -> None:
        row = (document["_id"], document["customer"], document["total"], bson.encode(document))
        self.connection.execute("INSERT INTO orders VALUES (?, ?, ?, ?)", row)

    def find_by_id(self, number: int) -> dict[str, Any] | None:
        row = self.connection.execute("SELECT document FROM orders WHERE id = ?", (number,)).fetchone()
        return bson.decode(row[0]) if row else None

    def find_by_customer(self, customer: str) -> list[dict[str, Any]]:
        rows = self.connection.execute("SELECT document FROM orders WHERE customer = ?", (customer,))
        return [bson.decode(raw) for (raw,) in rows]

    def find_dearest(self, least: float, below: float) -> list[dict[str, Any]]:
        rows = self.connection.execute(
            "SELECT document FROM orders WHERE total >= ? AND total < ? ORDER BY total DESC LIMIT ?",
            (least, below, RANGE_LIMIT),
        )
        return [bson.decode(raw) for (raw,) in rows]

    def count_heavy_open(self) -> int:
        rows = self.connection.execute("SELECT document FROM orders")
        return sum(is_heavy_and_open(bson.decode(raw)) for (raw,) in rows)

    def increment_quantity(self, number: int) -> int:
        with self._transaction():
            found = self.find_by_id(number)
            if found is None:
                return 0
            found["quantity"] += 1
            self._write([found])
        return 1

    def review_open(self) -> int:
        with self._transaction():
            every = (bson.decode(raw) for (raw,) in self.connection.execute("SELECT document FROM orders"))
            changed = [one for one in every if one["status"] == "open"]
            for one in changed:
                one["reviewed"] = True
                one["quantity"] += 1
            self._write(changed)
        return len(changed)

    def group_by_category(self) -> dict[str, tuple[int, int]]:
        groups: dict[str, tuple[int, int]] = {}
        for (raw,) in self.connection.execute("SELECT document FROM orders"):
            one = bson.decode(raw)
            number, quantity = groups.get(one["category"], (0, 0))
            groups[one["category"]] = (number + 1, quantity + one["quantity"])
        return groups

    def delete_heavy(self) -> int:
        with self._transaction():
            every = (bson.decode(raw) for (raw,) in self.connection.execute("SELECT document FROM orders"))
            found = [(one["_id"],) for one in every if is_heavy(one)]
            self.connection.executemany("DELETE FROM orders WHERE id = ?", found)
        return len(found)

    def _transaction(self) -> sqlite3.Connection:
        self.connection.execute("BEGIN IMMEDIATE")
        return self.connection  # as a context manager it commits or rolls back

    def _write(self, documents: list[dict[str, Any]]) -> None:
        rows = [(bson.encode(one), one["_id"]) for one in documents]
        self.connection.executemany("UPDATE orders SET document = ? WHERE id = ?", rows)
