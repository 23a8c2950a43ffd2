"""Which connection gives way."""

from dataclasses import dataclass

import pytest

from skerry.server.connection_limit import connection_to_end


@dataclass
class Held:
    host: str
    last_used: float
    is_of_stranger: bool = False
    is_ending: bool = False


@pytest.mark.parametrize(
    ("held", "newcomer", "ends"),
    [
        ([Held("a", 1), Held("a", 2), Held("b", 0)], "c", 0),
        ([Held("a", 1), Held("a", 2), Held("b", 0)], "a", None),
        ([Held("a", 5), Held("b", 2), Held("b", 0), Held("b", 1)], "a", 2),
        ([Held("a", 1), Held("b", 2)], "a", None),
        ([Held("", 1)], "", None),
        ([Held("a", 1), Held("a", 9, is_of_stranger=True), Held("b", 7, is_of_stranger=True)], "a", 2),
        ([Held("a", 1, is_of_stranger=True)], "a", 0),
        ([Held("a", 0, is_ending=True), Held("a", 1), Held("a", 2)], "c", 1),
        ([Held("a", 0, is_ending=True)], "c", None),
    ],
)
def test_a_stranger_goes_first_then_who_has_the_most_and_of_several_the_silent_one(
    held: list[Held], newcomer: str, ends: int | None
) -> None:
    assert connection_to_end(held, newcomer) is (None if ends is None else held[ends])
