"""A transaction never makes another writer wait.

In MongoDB a write outside of a transaction waits for the transaction that changed its document first (manual: Transactions,
"In-progress Transactions and Write Conflicts"). In skerry it goes ahead, and the transaction ends with `WriteConflict` at its
commit: a client that has gone away cannot stop the others.
"""

from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import OperationFailure


def test_the_write_outside_wins_and_the_transaction_is_to_be_repeated(database: Database[Any]) -> None:
    things = database.things
    things.insert_one({"_id": 1, "a": 0})
    with database.client.start_session() as session:
        session.start_transaction()
        things.update_one({"_id": 1}, {"$set": {"a": 1}}, session=session)
        things.update_one({"_id": 1}, {"$set": {"a": 2}})
        with pytest.raises(OperationFailure) as caught:
            session.commit_transaction()
    assert caught.value.code == 112
    assert caught.value.has_error_label("TransientTransactionError")
    assert things.find_one() == {"_id": 1, "a": 2}
