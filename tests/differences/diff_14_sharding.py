"""A node is a replica set of one member, and never a shard.

MongoDB distributes a collection over servers and has secondaries to read from (manual: Sharding, Replication). With skerry a copy
elsewhere is a link's other end.
"""

from typing import Any

import pytest
from pymongo import WriteConcern
from pymongo.database import Database
from pymongo.errors import OperationFailure, WriteConcernError


@pytest.mark.parametrize("command", ["enableSharding", "shardCollection", "listShards", "moveChunk", "replSetReconfig"])
def test_the_command_is_refused(database: Database[Any], command: str) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.client.admin.command(command, "differences")
    assert caught.value.code == 238


def test_a_write_for_two_members_is_done_and_not_confirmed(database: Database[Any]) -> None:
    things = database.get_collection("things", write_concern=WriteConcern(w=2))
    with pytest.raises(WriteConcernError) as caught:
        things.insert_one({"_id": 1})
    assert caught.value.code == 100
    assert database.things.find_one() == {"_id": 1}
