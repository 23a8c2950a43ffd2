"""`compact` rewrites the whole file, and needs no `force`.

MongoDB compacts the file of one collection, only on request of who accepts it on a primary, and by default only for 20 MB
(manual: compact). Here all collections share one file.
"""

from typing import Any

from pymongo.database import Database


def test_what_another_collection_has_left_is_freed_as_well(database: Database[Any]) -> None:
    database.big.insert_many([{"text": "x" * 10_000} for _ in range(200)])
    database.small.insert_one({})
    before = database.command("compact", "small", dryRun=True)["bytesFreed"]
    database.big.drop()
    assert database.command("compact", "small", dryRun=True)["bytesFreed"] > before + 1_000_000
    assert database.command("compact", "small")["bytesFreed"] > 1_000_000
    assert database.command("compact", "small", dryRun=True)["bytesFreed"] == 0
