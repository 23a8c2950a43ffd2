"""Documents: `$mergeObjects`, `$getField`, `$setField`, `$unsetField`, `$objectToArray`, `$arrayToObject`, `$bsonSize`.

Source: MongoDB manual, "Object Expression Operators", "Miscellaneous Operators".
"""

from collections.abc import Mapping
from typing import Any, Final

from skerry.errors import CommandError
from skerry.expressions.expression import Document, Expression, Variables, combine, depend
from skerry.expressions.operands import Arguments, unary, variadic
from skerry.expressions.scope import OperatorParser, Scope
from skerry.expressions.truth import is_nullish
from skerry.values import documents
from skerry.values.missing import MISSING
from skerry.values.type_order import type_name_of


def merge_objects(values: list[Any]) -> dict[str, Any]:
    """Return the documents merged, later fields first; null and missing ones are passed over."""
    merged: dict[str, Any] = {}
    for value in values:
        if value.__class__ is dict:
            merged.update(value)
        elif not is_nullish(value):
            raise CommandError(
                f"$mergeObjects requires object inputs, but input {value!r} is of type {type_name_of(value)}", 40400
            )
    return merged


def _object_to_array(value: Any) -> Any:
    if is_nullish(value):
        return None
    if value.__class__ is not dict:
        raise CommandError(f"$objectToArray requires a document input, found: {type_name_of(value)}", 40390)
    return [{"k": name, "v": inner} for name, inner in value.items()]


def _array_to_object(value: Any) -> Any:
    if is_nullish(value):
        return None
    if value.__class__ is not list:
        raise CommandError(f"$arrayToObject requires an array input, found: {type_name_of(value)}", 40386)
    if not value:
        return {}
    kind = value[0].__class__
    if kind is not list and kind is not dict:
        raise CommandError(f"Unrecognised input type format for $arrayToObject: {type_name_of(value[0])}", 40398)
    return dict(_pair_of_array(each) if kind is list else _pair_of_document(each) for each in value)


def _pair_of_array(pair: Any) -> tuple[str, Any]:
    if pair.__class__ is not list:
        raise CommandError(
            "$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. "
            f"Array was detected, now found: {type_name_of(pair)}",
            40396,
        )
    if len(pair) != 2:
        raise CommandError(
            f"$arrayToObject requires an array of size 2 arrays, found array of size: {len(pair)}", 40397
        )
    return _checked_key(pair[0], 40395, 4940400), pair[1]


def _pair_of_document(pair: Any) -> tuple[str, Any]:
    if pair.__class__ is not dict:
        raise CommandError(
            "$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. "
            f"Object was detected, now found: {type_name_of(pair)}",
            40391,
        )
    if len(pair) != 2:
        raise CommandError(
            f"$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys: {len(pair)}", 40392
        )
    if "k" not in pair or "v" not in pair:
        raise CommandError(f"$arrayToObject requires an object with keys 'k' and 'v'. Found: {', '.join(pair)}", 40393)
    return _checked_key(pair["k"], 40394, 4940401), pair["v"]


def _checked_key(key: Any, not_a_string: int, embedded_null: int) -> str:
    if not isinstance(key, str):
        raise CommandError(
            f"$arrayToObject requires keys of type string. Found type: {type_name_of(key)}", not_a_string
        )
    if "\0" in key:
        raise CommandError("Key field cannot contain an embedded null byte", embedded_null)
    return key


def _bson_size(value: Any) -> Any:
    if is_nullish(value):
        return None
    if value.__class__ is not dict:
        raise CommandError(f"$bsonSize requires a document input, found: {type_name_of(value)}", 31393)
    return len(documents.encode(value))


def _field_name(name: str, spec: Any, scope: Scope, code: int) -> Expression:
    """Compile the name of a field; a field path is refused, as it is nearly always a mistake."""
    if isinstance(spec, str) and spec.startswith("$"):
        raise CommandError(
            f"'{spec}' is a field path reference which is not allowed in {name}. Did you mean {{$literal: '{spec}'}}?",
            code,
        )
    return scope.compile(spec)


def _parse_get_field(name: str, argument: Any, scope: Scope) -> Expression:
    argument_is_name = not isinstance(argument, Mapping) or next(iter(argument), "").startswith("$")
    if not argument_is_name:
        arguments = Arguments(
            name,
            argument,
            required=("field", "input"),
            not_a_document=3041701,
            unknown=3041701,
            missing={"field": 3041702, "input": 3041703},
        )
        field = _field_name(name, arguments["field"], scope, 5654600)
        source = scope.compile(arguments["input"])
    else:
        field = _field_name(name, argument, scope, 5654600)
        source = scope.compile("$$CURRENT")

    if field.is_constant and not isinstance(field.constant, str):
        raise CommandError(
            f"$getField requires 'field' to evaluate to type String, but got {type_name_of(field.constant)}", 5654602
        )

    def get_field(document: Document, variables: Variables) -> Any:
        key = field.evaluate(document, variables)
        if not isinstance(key, str):
            raise CommandError(
                f"$getField requires 'field' to evaluate to type String, but got {type_name_of(key)}", 3041704
            )
        value = source.evaluate(document, variables)
        if value.__class__ is dict:
            return value.get(key, MISSING)
        return None if value is None else MISSING

    if argument_is_name and field.is_constant and isinstance(field.constant, str) and not scope.current_is_rebound:
        # A name with a dot or a dollar sign is no path, so then the whole document is asked for.
        is_path = "." not in field.constant and not field.constant.startswith("$")
        return Expression(get_field, frozenset((field.constant,)) if is_path else None)
    return combine(get_field, (field, source))


def _parse_set_field(name: str, argument: Any, scope: Scope) -> Expression:
    required = ("field", "input", "value") if name == "$setField" else ("field", "input")
    arguments = Arguments(
        name,
        argument,
        required=required,
        not_a_document=4161100,
        unknown=4161101,
        missing={"field": 4161102, "value": 4161103, "input": 4161109},
    )
    field = _field_name(name, arguments["field"], scope, 4161108)
    if not field.is_constant:
        raise CommandError(f"{name} requires 'field' to evaluate to a constant", 4161106)
    key = field.constant
    if not isinstance(key, str):
        raise CommandError(f"{name} requires 'field' to evaluate to type String, but got {type_name_of(key)}", 4161107)
    source = arguments.compile("input", scope)
    value = arguments.compile("value", scope)

    def set_field(document: Document, variables: Variables) -> Any:
        target = source.evaluate(document, variables)
        if is_nullish(target):
            return None
        if target.__class__ is not dict:
            raise CommandError(
                f"{name} requires 'input' to evaluate to type Object, but got {type_name_of(target)}", 4161105
            )
        changed = dict(target)
        new = value.evaluate(document, variables)
        if new is MISSING:
            changed.pop(key, None)
        else:
            changed[key] = new
        return changed

    return depend(set_field, (source, value))


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$arrayToObject": unary(_array_to_object),
    "$bsonSize": unary(_bson_size),
    "$getField": _parse_get_field,
    "$mergeObjects": variadic(merge_objects),
    "$objectToArray": unary(_object_to_array),
    "$setField": _parse_set_field,
    "$unsetField": _parse_set_field,
}
