"""From an expression's BSON form to a compiled `Expression`: literals, field paths, variables, objects, arrays, operators."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from skerry.errors import CommandError, FailedToParseError, InvalidPipelineOperatorError, NotImplementedYetError
from skerry.expressions.expression import (
    NO_PATHS,
    Document,
    Evaluator,
    Expression,
    Variables,
    combine,
    constant,
)
from skerry.expressions.operator_registry import OPERATORS, UNSUPPORTED_OPERATORS
from skerry.expressions.scope import Scope, check_variable_characters
from skerry.values.field_path import read, split, validate
from skerry.values.missing import MISSING

__all__ = ["Expression", "compile_expression"]

SYSTEM_VARIABLES: Final = frozenset(("NOW", "CLUSTER_TIME"))
UNSUPPORTED_VARIABLES: Final = frozenset(("SEARCH_META", "USER_ROLES"))


def compile_expression(spec: Any, *, variables: Collection[str] = ()) -> Expression:
    """Compile an aggregation expression; `variables` are the names defined outside of it (`let` and `$$NOW`'s kin).

    Raises CommandError with the server's code for a malformed one, NotImplementedYetError for an operator that is missing.
    """
    return _compile_in(spec, Scope(_compile_in, frozenset(variables)))


def _compile_in(spec: Any, scope: Scope) -> Expression:
    if isinstance(spec, str):
        if spec.startswith("$"):
            return _compile_variable(spec, scope) if spec.startswith("$$") else _compile_field_path(spec, scope)
        return constant(spec)
    if isinstance(spec, Mapping):
        return _compile_document(spec, scope)
    if isinstance(spec, list | tuple):
        return _compile_array(spec, scope)
    return constant(spec)


def _compile_document(spec: Mapping[str, Any], scope: Scope) -> Expression:
    names = list(spec)
    if names and names[0].startswith("$"):
        if len(names) > 1:
            raise CommandError(
                f"an object representing an expression must have exactly one field, but has {', '.join(names)}", 15983
            )
        return _compile_operator(names[0], spec[names[0]], scope)
    for name in names:
        _check_field_name(name)
    return _compile_fields({name: scope.compile(value) for name, value in spec.items()})


def _compile_operator(name: str, argument: Any, scope: Scope) -> Expression:
    parser = OPERATORS.get(name)
    if parser is not None:
        return parser(name, argument, scope)
    if name in UNSUPPORTED_OPERATORS:
        raise NotImplementedYetError(f"the expression operator {name} is not supported yet")
    raise InvalidPipelineOperatorError(f"Unrecognized expression '{name}'")


def _compile_fields(fields: Mapping[str, Expression]) -> Expression:
    pairs = tuple((name, expression.evaluate) for name, expression in fields.items())

    def build_document(document: Document, variables: Variables) -> Any:
        built = {}
        for name, evaluate in pairs:
            value = evaluate(document, variables)
            if value is not MISSING:
                built[name] = value
        return built

    return combine(build_document, fields.values())


def _compile_array(spec: Collection[Any], scope: Scope) -> Expression:
    elements = [scope.compile(value) for value in spec]
    evaluators = tuple(element.evaluate for element in elements)

    def build_array(document: Document, variables: Variables) -> Any:
        values = [evaluate(document, variables) for evaluate in evaluators]
        return [None if value is MISSING else value for value in values]

    return combine(build_array, elements)


def _check_field_name(name: str) -> None:
    """Refuse a field name that a path may not have: 15998 empty, 16410 `$` first, 16411 null byte, 16412 a dot."""
    if not name:
        raise CommandError("FieldPath field names may not be empty strings.", 15998)
    if name.startswith("$"):
        raise CommandError(
            f"FieldPath field names may not start with '$', as '{name}' does; consider $getField or $setField.", 16410
        )
    if "\0" in name:
        raise CommandError("FieldPath field names may not contain null bytes.", 16411)
    if "." in name:
        raise CommandError(f"FieldPath field names may not contain '.', as '{name}' does.", 16412)


def _path_components(path: str) -> tuple[str, ...]:
    validate(path)
    return split(path)


def _compile_field_path(spec: str, scope: Scope) -> Expression:
    path = spec[1:]
    if not path:
        raise CommandError("'$' by itself is not a valid FieldPath", 16872)
    components = _path_components(path)
    if scope.current_is_rebound:
        return Expression(_within(_variable_reader("CURRENT"), components))
    return Expression(_document_reader(components), frozenset((path,)))


def _compile_variable(spec: str, scope: Scope) -> Expression:
    name, _, path = spec[2:].partition(".")
    if not name:
        raise FailedToParseError("empty variable names are not allowed")
    check_variable_characters(name)
    components = _path_components(path) if path or spec.endswith(".") else ()
    if name == "REMOVE":
        return constant(MISSING)
    if name == "ROOT" or (name == "CURRENT" and not scope.current_is_rebound):
        if components:
            return Expression(_document_reader(components), frozenset((path,)))
        return Expression(lambda document, _variables: document, None)
    if name not in scope.variables and name not in SYSTEM_VARIABLES:
        if name in UNSUPPORTED_VARIABLES:
            raise NotImplementedYetError(f"the variable $${name} is not supported yet")
        raise CommandError(f"Use of undefined variable: {name}", 17276)
    reader = _variable_reader(name)
    return Expression(_within(reader, components) if components else reader, NO_PATHS)


def _variable_reader(name: str) -> Evaluator:
    def read_variable(_document: Document, variables: Variables) -> Any:
        try:
            return variables[name]
        except KeyError:
            raise CommandError(f"Builtin variable '$${name}' is not available", 51144) from None

    return read_variable


def _document_reader(components: tuple[str, ...]) -> Evaluator:
    """Return the reader of a path in the document; the short paths, which are nearly all, are read without a call."""
    if len(components) == 1:
        name = components[0]
        return lambda document, _variables: document.get(name, MISSING)
    if len(components) == 2:
        outer, inner = components

        def read_two(document: Document, _variables: Variables) -> Any:
            value = document.get(outer, MISSING)
            if type(value) is dict:
                return value.get(inner, MISSING)
            return read(document, components) if type(value) is list else MISSING

        return read_two
    return lambda document, _variables: read(document, components)


def _within(evaluate: Evaluator, components: tuple[str, ...]) -> Evaluator:
    """Return the reader of a path in the value of `evaluate`, through an array of documents as well."""
    wrapped = ("", *components)

    def read_within(document: Document, variables: Variables) -> Any:
        value = evaluate(document, variables)
        if type(value) is dict:
            return read(value, components)
        return read({"": value}, wrapped) if type(value) is list else MISSING

    return read_within
