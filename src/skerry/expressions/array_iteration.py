"""Expressions evaluated for each element of an array: `$filter`, `$map`, `$reduce`.

Source: MongoDB manual, "Array Expression Operators". The element is a variable: `$$this`, or what `as` says.
"""

from typing import Any, Final

from skerry.errors import CommandError
from skerry.expressions.expression import Document, Expression, Variables, combine, depend
from skerry.expressions.operands import Arguments
from skerry.expressions.scope import OperatorParser, Scope, check_user_variable
from skerry.expressions.truth import is_nullish, is_true
from skerry.values.missing import MISSING
from skerry.values.numbers import as_index
from skerry.values.type_order import type_name_of


def _element_variable(arguments: Arguments) -> str:
    name = arguments.get("as", "this")
    if not isinstance(name, str):
        raise CommandError(f"'as' must be a string, found {type_name_of(name)}", 14)
    check_user_variable(name)
    return name


def _parse_map(name: str, argument: Any, scope: Scope) -> Expression:
    arguments = Arguments(
        name,
        argument,
        required=("input", "in"),
        optional=("as",),
        not_a_document=16878,
        unknown=16879,
        missing={"input": 16880, "in": 16882},
    )
    variable = _element_variable(arguments)
    array = arguments.compile("input", scope)
    body = scope.with_variables((variable,)).compile(arguments["in"])
    evaluate, each_value = array.evaluate, body.evaluate

    def map_array(document: Document, variables: Variables) -> Any:
        values = evaluate(document, variables)
        if values.__class__ is not list:
            if is_nullish(values):
                return None
            raise CommandError(f"input to $map must be an array not {type_name_of(values)}", 16883)
        bound = dict(variables)
        mapped: list[Any] = []
        for element in values:
            bound[variable] = element
            value = each_value(document, bound)
            mapped.append(None if value is MISSING else value)
        return mapped

    return combine(map_array, (array, body))


def _parse_filter(name: str, argument: Any, scope: Scope) -> Expression:
    arguments = Arguments(
        name,
        argument,
        required=("input", "cond"),
        optional=("as", "limit"),
        not_a_document=28646,
        unknown=28647,
        missing={"input": 28648, "cond": 28650},
    )
    variable = _element_variable(arguments)
    array = arguments.compile("input", scope)
    condition = scope.with_variables((variable,)).compile(arguments["cond"])
    limit = arguments.compile("limit", scope, default=None)
    evaluate, holds, evaluate_limit = array.evaluate, condition.evaluate, limit.evaluate

    def filter_array(document: Document, variables: Variables) -> Any:
        values = evaluate(document, variables)
        if values.__class__ is not list:
            if is_nullish(values):
                return None
            raise CommandError(f"input to $filter must be an array not {type_name_of(values)}", 28651)
        remaining = _filter_limit(evaluate_limit(document, variables), len(values))
        bound = dict(variables)
        kept: list[Any] = []
        for element in values:
            bound[variable] = element
            if is_true(holds(document, bound)):
                kept.append(element)
                if len(kept) == remaining:
                    break
        return kept

    return combine(filter_array, (array, condition, limit))


def _filter_limit(value: Any, default: int) -> int:
    if is_nullish(value):
        return default
    limit = as_index(value)
    if limit is None:
        raise CommandError(f"$filter: limit must be represented as a 32-bit integral value: {value}", 327391)
    if limit <= 0:
        raise CommandError(f"$filter: limit must be greater than 0: {limit}", 327392)
    return limit


def _parse_reduce(name: str, argument: Any, scope: Scope) -> Expression:
    arguments = Arguments(
        name,
        argument,
        required=("input", "initialValue", "in"),
        not_a_document=40075,
        unknown=40076,
        missing={"input": 40077, "initialValue": 40078, "in": 40079},
    )
    array = arguments.compile("input", scope)
    initial = arguments.compile("initialValue", scope)
    body = scope.with_variables(("this", "value")).compile(arguments["in"])
    evaluate, each_value = array.evaluate, body.evaluate

    def reduce_array(document: Document, variables: Variables) -> Any:
        values = evaluate(document, variables)
        if is_nullish(values):
            return None
        if values.__class__ is not list:
            raise CommandError(f"$reduce requires that 'input' be an array, found: {type_name_of(values)}", 40080)
        bound = dict(variables)
        accumulated = initial.evaluate(document, variables)
        for element in values:
            bound["this"] = element
            bound["value"] = accumulated
            accumulated = each_value(document, bound)
        return accumulated

    return depend(reduce_array, (array, initial, body))


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$filter": _parse_filter,
    "$map": _parse_map,
    "$reduce": _parse_reduce,
}
