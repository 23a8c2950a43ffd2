"""A cursor is closed with its last batch, even if that is full.

MongoDB does not look further than the batch, so that a client may have to fetch an empty one to learn that it was the last
(manual: Iterate a Cursor). The documents are the same.
"""

from typing import Any

from pymongo.database import Database


def test_a_full_last_batch_is_the_last(database: Database[Any]) -> None:
    database.things.insert_many([{"_id": number} for number in range(4)])
    cursor = database.command({"find": "things", "batchSize": 2})["cursor"]
    assert cursor["id"] != 0
    assert database.command({"getMore": cursor["id"], "collection": "things", "batchSize": 2})["cursor"]["id"] == 0
