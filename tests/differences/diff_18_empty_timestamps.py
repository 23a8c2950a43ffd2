"""Empty timestamps that are filled in by one command are equal, and cannot be kept by a replacement.

MongoDB replaces `Timestamp(0, 0)` in a top-level field by the current time, each by another one, unless
`bypassEmptyTsReplacement` is set (manual: BSON Types, Timestamps). skerry takes the time of the newest commit before the command,
and knows that option for `insert` only.
"""

from typing import Any

from bson import Timestamp
from pymongo.database import Database


def test_the_timestamps_of_one_command_are_equal(database: Database[Any]) -> None:
    empty = Timestamp(0, 0)
    database.things.insert_many([{"_id": 1, "at": empty}, {"_id": 2, "at": empty}])
    first, second = (document["at"] for document in database.things.find())
    assert first == second != empty


def test_an_update_cannot_keep_them_empty(code: Any) -> None:
    assert code({"update": "things", "updates": [{"q": {}, "u": {}}], "bypassEmptyTsReplacement": True}) == 238
