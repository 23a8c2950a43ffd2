"""Schedules of a protocol model drawn by a plain random generator: many times as many in the same time as through Hypothesis.

A step is the name of a rule of the model and its arguments. What fails is made shorter before it is reported.
"""

import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simulated_hub import DOCS

if TYPE_CHECKING:
    from test_protocol_model import ProtocolModel

Step = tuple[str, dict[str, Any]]
STEPS_MAX = 40

_ARGUMENTS: Mapping[str, Callable[[random.Random], Any]] = {
    "edge": lambda choose: choose.randrange(2),
    "doc": lambda choose: choose.choice(DOCS),
    "name": lambda choose: choose.choice("ab"),
    "step": lambda choose: choose.randrange(3),
    "value": lambda choose: choose.randrange(3),
    "shares_time": lambda choose: choose.random() < 0.5,
    "replaces": lambda choose: choose.random() < 0.5,
    "writes": lambda choose: choose.randrange(3),
    "is_lost": lambda choose: choose.random() < 0.5,
    "goes_on": lambda choose: choose.random() < 0.3,
    "commits": lambda choose: choose.random() < 0.5,
    "outcome": lambda choose: choose.choice(["ok", "ok", "ack lost", "open", "late", "never"]),
    "size": lambda choose: choose.randint(1, 2),
    "which": lambda choose: choose.randrange(3),
    "count": lambda choose: choose.randint(1, 6),
}
_TAKES: Mapping[str, tuple[str, ...]] = {
    "local_write": ("edge", "doc", "name", "value"),
    "local_delete": ("edge", "doc"),
    "foreign_write": ("doc", "name", "value", "shares_time", "replaces"),
    "foreign_delete": ("doc",),
    "begin_push": ("edge", "size"),
    "send": ("edge", "outcome", "size", "which"),
    "receive_outcome": ("edge", "which"),
    "pull": ("edge", "count"),
    "compare": ("edge", "count"),
    "late_outcome": ("commits", "which"),
    "count_here": ("edge", "doc", "step"),
    "count_there": ("doc", "step", "shares_time"),
    "hear": ("edge", "writes", "is_lost", "goes_on"),
    "poll": ("edge", "doc"),
}
"""The arguments of each rule; one that is not listed has only an edge."""


def draw(choose: random.Random, weights: Mapping[str, int]) -> list[Step]:
    """Return a schedule of rules that come as often as their weights say."""
    names = choose.choices(list(weights), list(weights.values()), k=choose.randint(4, STEPS_MAX))
    return [(name, {each: _ARGUMENTS[each](choose) for each in _TAKES.get(name, ("edge",))}) for name in names]


def play(model: "type[ProtocolModel]", schedule: list[Step], skew: tuple[int, int] = (0, 0)) -> str | None:
    """Run a schedule to its end; return what it broke."""
    machine = model()
    machine.open(skew)
    try:
        for name, arguments in schedule:
            getattr(machine, name)(**arguments)
        machine.teardown()
    except AssertionError as error:
        return str(error).partition("\n")[0]
    return None


def search(
    model: "type[ProtocolModel]", weights: Mapping[str, int], *, schedules: int, seed: int = 0
) -> tuple[str, list[Step]] | None:
    """Return what is broken by one of so many schedules, and the shortest that was found to do it; None when all hold."""
    choose = random.Random(seed)
    for _ in range(schedules):
        schedule, skew = draw(choose, weights), (choose.randint(-50, 50), choose.randint(-50, 50))
        if (broken := play(model, schedule, skew)) is not None:
            return broken, _shortened(model, schedule, skew, broken)
    return None


def _shortened(model: "type[ProtocolModel]", schedule: list[Step], skew: tuple[int, int], broken: str) -> list[Step]:
    size = len(schedule)
    while size:
        at, removed = 0, False
        while at < len(schedule):
            shorter = schedule[:at] + schedule[at + size :]
            if play(model, shorter, skew) == broken:
                schedule, removed = shorter, True
            else:
                at += size
        size = size if removed else size // 2
    return schedule
