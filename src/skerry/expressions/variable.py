"""`$let`, `$literal`, `$rand`: values that do not come from the document."""

import random
from collections.abc import Mapping
from typing import Any, Final

from skerry.errors import CommandError
from skerry.expressions.expression import Document, Expression, Variables, constant, depend
from skerry.expressions.operands import Arguments
from skerry.expressions.scope import OperatorParser, Scope, check_user_variable
from skerry.values.type_order import type_name_of


def _parse_let(name: str, argument: Any, scope: Scope) -> Expression:
    arguments = Arguments(
        name,
        argument,
        required=("vars", "in"),
        not_a_document=16874,
        unknown=16875,
        missing={"vars": 16876, "in": 16877},
    )
    definitions = arguments["vars"]
    if not isinstance(definitions, Mapping):
        raise CommandError(f"invalid parameter: expected an object (vars), found {type_name_of(definitions)}", 10065)
    for variable in definitions:
        check_user_variable(variable)
    values = {variable: scope.compile(spec) for variable, spec in definitions.items()}
    body = scope.with_variables(definitions).compile(arguments["in"])
    evaluate = body.evaluate
    pairs = tuple((variable, value.evaluate) for variable, value in values.items())

    def let(document: Document, variables: Variables) -> Any:
        bound = {variable: value(document, variables) for variable, value in pairs}
        return evaluate(document, {**variables, **bound})

    return body if body.is_constant else depend(let, (*values.values(), body))


def _parse_literal(_name: str, argument: Any, _scope: Scope) -> Expression:
    return constant(argument)


def _parse_rand(_name: str, argument: Any, _scope: Scope) -> Expression:
    if not isinstance(argument, Mapping | list | tuple) or argument:
        raise CommandError("$rand does not currently accept arguments", 3040501)
    return depend(lambda _document, _variables: random.random(), ())


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$const": _parse_literal,
    "$let": _parse_let,
    "$literal": _parse_literal,
    "$rand": _parse_rand,
}
