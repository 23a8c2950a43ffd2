"""An update event tells the difference of two documents, not what the update's operators did.

MongoDB reports the fields that the operators set, `a.0.b` for example (manual: update Event). skerry compares the document before
and after, and tells an array as a whole where that is shorter.
"""

from typing import Any

from pymongo.database import Database


def test_a_short_array_is_told_as_a_whole(database: Database[Any]) -> None:
    things = database.things
    things.insert_one({"_id": 1, "a": [{"b": 1}], "long": [1, 2, 3, 4]})
    with things.watch() as stream:
        things.update_one({"_id": 1}, {"$set": {"a.0.b": 2}})
        assert stream.next()["updateDescription"]["updatedFields"] == {"a": [{"b": 2}]}
        things.update_one({"_id": 1}, {"$set": {"long.2": 0}})
        assert stream.next()["updateDescription"]["updatedFields"] == {"long.2": 0}
