"""What the hub says of missing rights, in words that name the privilege."""

import pytest
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

from skerry.sync.missing_rights import is_denied, with_privilege


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            'not authorized on shop to execute command { find: "orders", filter: {}, $db: "shop" }',
            "find on shop.orders",
        ),
        ('not authorized on shop to execute command { delete: "orders", ordered: true }', "remove on shop.orders"),
        (
            'not authorized on shop to execute command { createIndexes: "__edge_sync" }',
            "createIndex on shop.__edge_sync",
        ),
        (
            "not authorized on admin to execute command { aggregate: 1, pipeline: [ { $changeStream: {} } ] }",
            "changeStream and find on all of admin",
        ),
        ("not authorized on shop to execute command { listCollections: 1 }", "listCollections on all of shop"),
        ("user is not allowed to do action [insert] on [shop.orders]", "insert on shop.orders"),
    ],
)
def test_the_privilege_is_named_before_the_message(message: str, expected: str) -> None:
    assert with_privilege(message) == f"the link's user lacks the privilege {expected}: {message}"


def test_another_message_stays_as_it_is() -> None:
    assert with_privilege("Authentication failed.") == "Authentication failed."


@pytest.mark.parametrize("code", [13, 18, 8000])
def test_missing_rights_and_a_failed_log_in_are_refusals(code: int) -> None:
    assert is_denied(OperationFailure("no", code))


def test_a_hub_that_does_not_answer_refuses_nothing() -> None:
    assert not is_denied(ServerSelectionTimeoutError("away"))
    assert not is_denied(OperationFailure("not primary", 10107))
    assert not is_denied(ValueError("no"))
