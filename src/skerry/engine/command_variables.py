"""The variables that expressions of one command may read: `NOW`, `CLUSTER_TIME` and what `let` defines."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bson.timestamp import Timestamp

from skerry.errors import FailedToParseError
from skerry.expressions.expression_parser import compile_expression
from skerry.values.missing import MISSING


@dataclass(frozen=True, slots=True)
class CommandClock:
    """The moment that `$$NOW` and `$currentDate` mean within one command: naive UTC, and the cluster time."""

    now: datetime.datetime
    timestamp: Timestamp

    @classmethod
    def read(cls, cluster_time: Timestamp) -> "CommandClock":
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        return cls(now.replace(microsecond=now.microsecond // 1000 * 1000), cluster_time)


def command_variables(let: Mapping[str, Any] | None, clock: CommandClock) -> dict[str, Any]:
    """Return the variables' values; those of `let` may be expressions over constants and `$$NOW`.

    Raises `FailedToParseError` for a `let` expression that reads a document or gives nothing.
    """
    variables: dict[str, Any] = {"NOW": clock.now, "CLUSTER_TIME": clock.timestamp}
    if let:
        system = dict(variables)
        for name, spec in let.items():
            value = compile_expression(spec, variables=system).evaluate({}, system)
            if value is MISSING:
                raise FailedToParseError(
                    f"Command let Expression tried to access a field, but this is not allowed: {name}"
                )
            variables[name] = value
    return variables
