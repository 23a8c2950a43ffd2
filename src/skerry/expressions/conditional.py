"""`$cond`, `$ifNull`, `$switch`: only the branch that is taken is evaluated."""

from collections.abc import Mapping
from typing import Any, Final

from skerry.errors import CommandError
from skerry.expressions.expression import Document, Expression, Variables, combine
from skerry.expressions.operands import OF_ANY_LENGTH, Arguments, parse_operands
from skerry.expressions.scope import OperatorParser, Scope
from skerry.expressions.truth import is_nullish, is_true
from skerry.values.type_order import type_name_of

TOO_FEW_FOR_IF_NULL: Final = 1257300
NO_BRANCH_MATCHES: Final = 40066


def _parse_cond(name: str, argument: Any, scope: Scope) -> Expression:
    if isinstance(argument, Mapping):
        arguments = Arguments(
            name,
            argument,
            required=("if", "then", "else"),
            not_a_document=16020,
            unknown=17083,
            missing={"if": 17080, "then": 17081, "else": 17082},
        )
        argument = [arguments["if"], arguments["then"], arguments["else"]]
    operands = parse_operands(name, argument, scope, 3, 3)
    condition, then, otherwise = (operand.evaluate for operand in operands)

    def choose(document: Document, variables: Variables) -> Any:
        if is_true(condition(document, variables)):
            return then(document, variables)
        return otherwise(document, variables)

    return combine(choose, operands)


def _parse_if_null(name: str, argument: Any, scope: Scope) -> Expression:
    count = len(argument) if isinstance(argument, list | tuple) else 1
    if count < 2:
        raise CommandError(f"$ifNull needs at least two arguments, had: {count}", TOO_FEW_FOR_IF_NULL)
    operands = parse_operands(name, argument, scope, 2, OF_ANY_LENGTH)
    *first, last = (operand.evaluate for operand in operands)

    def first_present(document: Document, variables: Variables) -> Any:
        for evaluate in first:
            value = evaluate(document, variables)
            if not is_nullish(value):
                return value
        return last(document, variables)

    return combine(first_present, operands)


def _parse_switch(_name: str, argument: Any, scope: Scope) -> Expression:
    if not isinstance(argument, Mapping):
        raise CommandError(f"$switch requires an object as an argument, found: {type_name_of(argument)}", 40060)
    for given in argument:
        if given not in ("branches", "default"):
            raise CommandError(f"$switch found an unknown argument: {given}", 40067)
    branches = argument.get("branches", [])
    if not isinstance(branches, list | tuple):
        raise CommandError(f"$switch expected an array for 'branches', found: {type_name_of(branches)}", 40061)
    if not branches:
        raise CommandError("$switch requires at least one branch", 40068)
    pairs = [_parse_branch(branch, scope) for branch in branches]
    default = scope.compile(argument["default"]) if "default" in argument else None
    compiled = tuple((case.evaluate, then.evaluate) for case, then in pairs)

    def switch(document: Document, variables: Variables) -> Any:
        for case, then in compiled:
            if is_true(case(document, variables)):
                return then(document, variables)
        if default is None:
            raise CommandError(
                "$switch could not find a matching branch for an input, and no default was specified.",
                NO_BRANCH_MATCHES,
            )
        return default.evaluate(document, variables)

    operands = [each for pair in pairs for each in pair]
    return combine(switch, operands if default is None else [*operands, default])


def _parse_branch(branch: Any, scope: Scope) -> tuple[Expression, Expression]:
    if not isinstance(branch, Mapping):
        raise CommandError(f"$switch expected each branch to be an object, found: {type_name_of(branch)}", 40062)
    for given in branch:
        if given not in ("case", "then"):
            raise CommandError(f"$switch found an unknown argument to a branch: {given}", 40063)
    if "case" not in branch:
        raise CommandError("$switch requires each branch have a 'case' expression", 40064)
    if "then" not in branch:
        raise CommandError("$switch requires each branch have a 'then' expression.", 40065)
    return scope.compile(branch["case"]), scope.compile(branch["then"])


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$cond": _parse_cond,
    "$ifNull": _parse_if_null,
    "$switch": _parse_switch,
}
