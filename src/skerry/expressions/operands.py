"""How operators take their operands: a list of fixed or any length, or a document of named arguments.

Rules (MongoDB manual, "Expression Operators"): an operator of one operand takes it bare or in an array of one; a wrong number
is 16020, or 28667 where a range is allowed.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from skerry.errors import CommandError
from skerry.expressions.expression import Document, Expression, Variables, combine, constant
from skerry.expressions.scope import OperatorParser, Scope
from skerry.values.missing import MISSING
from skerry.values.type_order import type_name_of

WRONG_COUNT: Final = 16020
COUNT_OUT_OF_RANGE: Final = 28667
OF_ANY_LENGTH: Final = 1 << 31


def parse_operands(name: str, argument: Any, scope: Scope, minimum: int, maximum: int) -> tuple[Expression, ...]:
    """Compile the operands of an operator that takes a list.

    Raises CommandError 16020 or 28667 for a wrong number of them.
    """
    specs = argument if isinstance(argument, list | tuple) else [argument]
    count = len(specs)
    if not minimum <= count <= maximum:
        if minimum == maximum:
            raise CommandError(
                f"Expression {name} takes exactly {minimum} arguments. {count} were passed in.", WRONG_COUNT
            )
        raise CommandError(
            f"Expression {name} takes at least {minimum} arguments, and at most {maximum}, but {count} were passed in.",
            COUNT_OUT_OF_RANGE,
        )
    return tuple(scope.compile(spec) for spec in specs)


def unary(function: Callable[[Any], Any]) -> OperatorParser:
    """Return the parser of an operator that `function` computes from one value."""

    def parse(name: str, argument: Any, scope: Scope) -> Expression:
        (operand,) = parse_operands(name, argument, scope, 1, 1)
        evaluate = operand.evaluate
        return combine(lambda document, variables: function(evaluate(document, variables)), (operand,))

    return parse


def binary(function: Callable[[Any, Any], Any]) -> OperatorParser:
    """Return the parser of an operator that `function` computes from two values."""

    def parse(name: str, argument: Any, scope: Scope) -> Expression:
        first, second = operands = parse_operands(name, argument, scope, 2, 2)
        left, right = first.evaluate, second.evaluate
        return combine(
            lambda document, variables: function(left(document, variables), right(document, variables)), operands
        )

    return parse


def ranged(function: Callable[..., Any], minimum: int, maximum: int) -> OperatorParser:
    """Return the parser of an operator that `function` computes from `minimum` to `maximum` values."""

    def parse(name: str, argument: Any, scope: Scope) -> Expression:
        operands = parse_operands(name, argument, scope, minimum, maximum)
        evaluators = tuple(operand.evaluate for operand in operands)
        return combine(
            lambda document, variables: function(*[evaluate(document, variables) for evaluate in evaluators]), operands
        )

    return parse


def variadic(function: Callable[[list[Any]], Any], minimum: int = 0) -> OperatorParser:
    """Return the parser of an operator that `function` computes from a list of any number of values."""

    def parse(name: str, argument: Any, scope: Scope) -> Expression:
        operands = parse_operands(name, argument, scope, minimum, OF_ANY_LENGTH)
        evaluators = tuple(operand.evaluate for operand in operands)
        return combine(
            lambda document, variables: function([evaluate(document, variables) for evaluate in evaluators]), operands
        )

    return parse


class Arguments:
    """The document of named arguments of an operator, checked: each is known and the required ones are there.

    `not_a_document`, `unknown` and `missing` are the error codes for the three mistakes; `missing` may differ by argument.
    """

    def __init__(
        self,
        name: str,
        argument: Any,
        *,
        required: Collection[str] = (),
        optional: Collection[str] = (),
        not_a_document: int,
        unknown: int,
        missing: int | Mapping[str, int] = 9,
    ) -> None:
        if not isinstance(argument, Mapping):
            raise CommandError(
                f"{name} only supports an object as its argument, found: {type_name_of(argument)}", not_a_document
            )
        for given in argument:
            if given not in required and given not in optional:
                raise CommandError(f"Unrecognized parameter to {name}: {given}", unknown)
        for needed in required:
            if needed not in argument:
                code = missing if isinstance(missing, int) else missing[needed]
                raise CommandError(f"Missing '{needed}' parameter to {name}", code)
        self._given: Mapping[str, Any] = argument

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def __getitem__(self, name: str) -> Any:
        return self._given[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return an argument as it was given."""
        return self._given.get(name, default)

    def compile(self, name: str, scope: Scope, *, default: Any = MISSING) -> Expression:
        """Compile an argument, or the constant `default` where it is not given."""
        return scope.compile(self._given[name]) if name in self._given else constant(default)


def named(
    function: Callable[..., Any],
    *,
    required: Collection[str] = (),
    optional: Mapping[str, Any] | None = None,
    not_a_document: int,
    unknown: int,
    missing: int | Mapping[str, int] = 9,
) -> OperatorParser:
    """Return the parser of an operator that `function` computes from named values, in the order of `required`, `optional`.

    `optional` has the values of the arguments that are not given.
    """
    defaults = dict(optional or {})

    def parse(name: str, argument: Any, scope: Scope) -> Expression:
        arguments = Arguments(
            name,
            argument,
            required=required,
            optional=defaults,
            not_a_document=not_a_document,
            unknown=unknown,
            missing=missing,
        )
        operands = [arguments.compile(each, scope) for each in required]
        operands += [arguments.compile(each, scope, default=default) for each, default in defaults.items()]
        evaluators = tuple(operand.evaluate for operand in operands)

        def evaluate(document: Document, variables: Variables) -> Any:
            return function(*[evaluator(document, variables) for evaluator in evaluators])

        return combine(evaluate, operands)

    return parse
