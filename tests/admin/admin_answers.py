"""What tests of the admin API do with its answers."""

import time
from collections.abc import Callable
from typing import Any


def data(answer: Any, status: int = 200) -> Any:
    """Return the data of an answer with the status that was expected."""
    assert answer.status_code == status, answer.text
    assert answer.json()["success"] is True
    return answer.json()["data"]


def wait_until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Return once the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)
