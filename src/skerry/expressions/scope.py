"""Which variables an expression may name where it stands, and how an operator compiles its operands there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from skerry.errors import FailedToParseError
from skerry.expressions.expression import Expression


@dataclass(frozen=True, slots=True)
class Scope:
    """The variables in sight; `current_is_rebound` inside a `$let` that defines CURRENT, so that `$a` is read from it."""

    compile_in: "Callable[[Any, Scope], Expression]"
    variables: frozenset[str]
    current_is_rebound: bool = False

    def compile(self, spec: Any) -> Expression:
        """Compile an operand in this scope."""
        return self.compile_in(spec, self)

    def with_variables(self, names: Iterable[str]) -> "Scope":
        """Return the scope in which these names are defined too."""
        names = frozenset(names)
        return replace(
            self,
            variables=self.variables | names,
            current_is_rebound=self.current_is_rebound or "CURRENT" in names,
        )


OperatorParser = Callable[[str, Any, Scope], Expression]


def check_user_variable(name: str) -> None:
    """Refuse a name that a user may not define: it starts in lower case (or is CURRENT) and holds letters, digits and `_`.

    Source: the manual's "Variables in Aggregation Expressions". Raises FailedToParseError.
    """
    if not name:
        raise FailedToParseError("empty variable names are not allowed")
    if name == "CURRENT":
        return
    if not ("a" <= name[0] <= "z" or ord(name[0]) >= 128):
        raise FailedToParseError(f"'{name}' starts with an invalid character for a user variable name")
    check_variable_characters(name)


def check_variable_characters(name: str) -> None:
    """Refuse a variable name with a character other than a letter, a digit, `_` or one outside ASCII."""
    for character in name:
        if ord(character) < 128 and not (character.isalnum() or character == "_"):
            raise FailedToParseError(f"'{name}' contains an invalid character for a variable name: '{character}'")
