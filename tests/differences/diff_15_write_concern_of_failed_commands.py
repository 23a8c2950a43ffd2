"""A command that failed tells only why it failed.

MongoDB may add a `writeConcernError` to the reply, so that a driver reports that one (manual: Write Concern).
"""

from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import OperationFailure


def test_a_rename_onto_another_collection_fails_for_that_reason(database: Database[Any]) -> None:
    database.things.insert_one({})
    database.others.insert_one({})
    with pytest.raises(OperationFailure) as caught:
        database.client.admin.command(
            {"renameCollection": "differences.things", "to": "differences.others", "writeConcern": {"w": 2}}
        )
    assert caught.value.code == 48
    assert caught.value.details is not None
    assert "writeConcernError" not in caught.value.details
