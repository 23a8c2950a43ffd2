from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
from bson.timestamp import Timestamp

from skerry.update.update_driver import compile_update

NOW = datetime(2024, 5, 6, 7, 8, 9)
TIMESTAMP = Timestamp(1714979289, 3)

Update = Callable[..., dict[str, Any]]


@pytest.fixture
def update() -> Update:
    """One update applied to one document, which must come out of it as it went in."""

    def apply(
        document: dict[str, Any],
        specification: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        array_position: int | None = None,
        is_upsert_insert: bool = False,
        array_filters: Sequence[Mapping[str, Any]] = (),
        variables: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        driver = compile_update(specification, array_filters=array_filters, variables=variables)
        before = repr(document)
        new = driver.apply(
            document,
            array_position=array_position,
            is_upsert_insert=is_upsert_insert,
            now=NOW,
            timestamp=TIMESTAMP,
        )
        assert repr(document) == before
        return new

    return apply


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def timestamp() -> Timestamp:
    return TIMESTAMP
