"""What a coordinator refuses before it does anything, and what its settings mean; the rest is in `tests/coordination`."""

from typing import Any

import pytest

from skerry.catalog.coordinator import CollectionCoordinator, CoordinatorSettings
from skerry.errors import ConfigurationError


class CollectionStandIn:
    name = "accounts"


def switched_off() -> CollectionCoordinator:
    return CollectionCoordinator(CollectionStandIn(), enabled=False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": "first_write_wins"},
        {"timeout_ms": 0},
        {"timeout_ms": True},
        {"lease_ms": -1},
        {"retry_delay_ms": "soon"},
        {"retry_delay_ms_max": 0},
        {"retry_attempts": 0},
        {"speed": 1},
    ],
)
def test_impossible_settings_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        CollectionCoordinator(CollectionStandIn(), **options)  # type: ignore[arg-type]


def test_settings_come_whole_or_one_by_one_but_not_both() -> None:
    with pytest.raises(ConfigurationError):
        CollectionCoordinator(CollectionStandIn(), settings=CoordinatorSettings(), lease_ms=1)  # type: ignore[arg-type]


def test_a_coordinator_that_is_switched_off_runs_the_callback_plainly() -> None:
    assert switched_off().coordinate("sum", lambda operation: (operation.name, operation.session)) == ("sum", None)
    with switched_off().coordinate("sum") as operation:
        assert operation.lease is None


@pytest.mark.parametrize("name", ["", None, 5])
def test_an_operation_needs_a_name(name: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        switched_off().coordinate(name, lambda _: None)
    assert refused.value.setting == "operation_name"


def test_a_callback_must_be_callable() -> None:
    with pytest.raises(ConfigurationError) as refused:
        switched_off().coordinate("sum", 5)  # type: ignore[call-overload]
    assert refused.value.setting == "callback"
