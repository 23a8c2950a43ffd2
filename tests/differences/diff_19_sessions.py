"""`$listLocalSessions` shows the sessions that hold something, and the one that asks.

MongoDB lists all that the server has lately heard of (manual: `$listLocalSessions`). A session of skerry that has no cursor
and no transaction open leaves no trace.
"""

from typing import Any

from pymongo.database import Database


def test_a_session_without_a_cursor_is_not_listed(database: Database[Any]) -> None:
    database.things.insert_many([{} for _ in range(3)])

    def listed() -> set[bytes]:
        with database.client.start_session() as asking:
            found = database.aggregate([{"$listLocalSessions": {}}], session=asking)
            return {each["_id"]["id"] for each in found} - {asking.session_id["id"]}

    with database.client.start_session() as other:
        database.things.find_one({}, session=other)
        assert other.session_id["id"] not in listed()
        open_cursor = database.things.find({}, batch_size=2, session=other)
        next(open_cursor)
        assert other.session_id["id"] in listed()
