"""A database of its own for each difference; what differs, differs through every door."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import OperationFailure

import skerry


@pytest.fixture
def database() -> Iterator[Database[Any]]:
    with skerry.connect(":memory:") as client:
        yield client.differences


@pytest.fixture
def code(database: Database[Any]) -> Any:
    """Run a command that has to fail, and return the code of its error."""

    def run(command: dict[str, Any], **options: Any) -> int | None:
        with pytest.raises(OperationFailure) as caught:
            database.command(command, **options)
        return caught.value.code

    return run
