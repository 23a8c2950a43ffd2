import pytest

from skerry.errors import (
    CollectionNotFoundError,
    CoordinationError,
    CoordinationTimeoutError,
    LockAcquisitionFailureError,
    LockTimeoutError,
    MasterIndexError,
    ModificationConflictError,
    SkerryError,
    coordination_error_of,
)

ERRORS = [
    (CollectionNotFoundError("users"), "COLLECTION_NOT_FOUND"),
    (LockTimeoutError("the master index", 10_000), "LOCK_TIMEOUT"),
    (MasterIndexError("load", "no server"), "MASTER_INDEX_ERROR"),
    (LockAcquisitionFailureError("users", "held"), "LOCK_ACQUISITION_FAILURE"),
    (ModificationConflictError("users", "1-a", None, "written"), "MODIFICATION_CONFLICT"),
    (CoordinationTimeoutError("sum", 500, "out of time"), "COORDINATION_TIMEOUT"),
]


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=[code for _, code in ERRORS])
def test_an_error_has_its_code_and_its_facts_as_attributes(error: CoordinationError, code: str) -> None:
    assert isinstance(error, SkerryError)
    assert error.code == code
    for name, value in error.facts.items():
        assert getattr(error, name) == value
        assert value is None or str(value) in str(error)


@pytest.mark.parametrize("error", [error for error, _ in ERRORS], ids=[code for _, code in ERRORS])
def test_an_error_is_the_same_after_a_journey_over_the_wire(error: CoordinationError) -> None:
    sent = error.command_error()
    assert sent.code == error.mongodb_code
    received = coordination_error_of({"ok": 0, **sent.details})
    assert type(received) is type(error)
    assert received is not None
    assert (str(received), received.facts) == (str(error), error.facts)


@pytest.mark.parametrize("reply", [{}, {"coordinationError": None}, {"coordinationError": {"code": "OTHER"}}])
def test_a_reply_of_another_error_is_none_of_these(reply: dict[str, object]) -> None:
    assert coordination_error_of(reply) is None
