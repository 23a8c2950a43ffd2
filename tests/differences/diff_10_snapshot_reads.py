"""A read outside of a transaction cannot be tied to a moment.

MongoDB reads the state at `atClusterTime`, or at one time for several reads of a session (manual: Read Concern "snapshot").
Inside a transaction every read of skerry is of one snapshot.
"""

from typing import Any

import pytest
from pymongo.database import Database
from pymongo.read_concern import ReadConcern


@pytest.mark.parametrize("command", [{"find": "things"}, {"aggregate": "things", "pipeline": [], "cursor": {}}])
def test_the_level_is_refused_outside_of_a_transaction(code: Any, command: dict[str, Any]) -> None:
    assert code({**command, "readConcern": {"level": "snapshot"}}) == 238


def test_inside_of_a_transaction_it_is_what_one_gets(database: Database[Any]) -> None:
    things = database.things
    things.insert_one({"_id": 1})
    with database.client.start_session() as session, session.start_transaction(ReadConcern("snapshot")):
        assert things.count_documents({}, session=session) == 1
        things.insert_one({"_id": 2})
        assert things.count_documents({}, session=session) == 1
