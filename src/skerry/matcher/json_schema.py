"""`$jsonSchema`: MongoDB's part of JSON Schema draft 4, compiled to a test.

Keywords speak about values of their own type only (`minimum` about numbers, `items` about arrays) and never look into
arrays by themselves. `type` and `bsonType` use BSON's types; there is no `type: "integer"`. Left out, as in the
manual's "Omissions": `$ref`, `$schema`, `default`, `definitions`, `format`, `id`; client-side encryption
(`encrypt`, `encryptMetadata`) is refused by name.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bson.decimal128 import Decimal128
from bson.int64 import Int64

from skerry.errors import BadValueError, FailedToParseError, NotImplementedYetError, TypeMismatchError
from skerry.expressions.pattern_dialect import compile_pattern
from skerry.matcher import logical
from skerry.matcher.comparison import comparison_test
from skerry.matcher.element import type_codes, type_test
from skerry.matcher.integer_operand import integral
from skerry.matcher.match_expression import ComparisonOperator, JsonSchema
from skerry.matcher.path_traversal import ValueTest
from skerry.values.compare import ValueKey
from skerry.values.missing import MISSING
from skerry.values.numbers import is_number

Schema = Mapping[str, Any]
Keyword = Callable[[Any, Schema], ValueTest | None]

_JSON_TYPES: Final = frozenset(("object", "array", "number", "boolean", "string", "null"))
_JSON_ALIASES: Final = {"boolean": "bool"}
_OMITTED: Final = frozenset(("$ref", "$schema", "default", "definitions", "format", "id"))
_ENCRYPTION: Final = frozenset(("encrypt", "encryptMetadata", "keyId"))


def parse_json_schema(operand: Any) -> JsonSchema:
    """Parse `$jsonSchema`.

    Raises FailedToParseError or TypeMismatchError that name the keyword, NotImplementedYetError for encryption.
    """
    if not isinstance(operand, Mapping):
        raise TypeMismatchError("$jsonSchema must be an object")
    schema_test(operand)
    return JsonSchema(dict(operand))


def schema_test(schema: Schema) -> ValueTest:
    """Return the test of a value against a schema."""
    if "type" in schema and "bsonType" in schema:
        raise FailedToParseError("Cannot specify both $jsonSchema keywords 'type' and 'bsonType'")
    tests: list[ValueTest] = []
    for name, operand in schema.items():
        keyword = KEYWORDS.get(name)
        if keyword is None:
            raise _unknown_keyword(name)
        test = keyword(operand, schema)
        if test is not None:
            tests.append(test)
    return logical.all_of(tests) if tests else _anything


def _unknown_keyword(name: str) -> Exception:
    if name in _ENCRYPTION:
        return NotImplementedYetError(f"$jsonSchema keyword '{name}' is not implemented")
    if name in _OMITTED:
        return FailedToParseError(f"$jsonSchema keyword '{name}' is not currently supported")
    return FailedToParseError(f"Unknown $jsonSchema keyword: {name}")


def _anything(_value: Any) -> bool:
    return True


def _subschema(name: str, operand: Any) -> ValueTest:
    if not isinstance(operand, Mapping):
        raise TypeMismatchError(f"$jsonSchema keyword '{name}' must be an object")
    return schema_test(operand)


def _subschemas(name: str, operand: Any) -> list[ValueTest]:
    if not isinstance(operand, list | tuple):
        raise TypeMismatchError(f"$jsonSchema keyword '{name}' must be an array")
    if not operand:
        raise BadValueError(f"$jsonSchema keyword '{name}' must be a non-empty array")
    return [_subschema(name, item) for item in operand]


def _strings(name: str, operand: Any) -> list[str]:
    if not isinstance(operand, list | tuple):
        raise TypeMismatchError(f"$jsonSchema keyword '{name}' must be an array")
    if not operand:
        raise FailedToParseError(f"$jsonSchema keyword '{name}' cannot be an empty array")
    if not all(isinstance(item, str) for item in operand):
        raise TypeMismatchError(f"$jsonSchema keyword '{name}' must be an array of strings")
    if len(set(operand)) != len(operand):
        raise FailedToParseError(f"$jsonSchema keyword '{name}' array cannot contain duplicate values")
    return list(operand)


def _count(name: str, operand: Any) -> int:
    number = integral(operand)
    if not is_number(operand):
        raise TypeMismatchError(f"$jsonSchema keyword '{name}' must be a number")
    if number is None or number < 0:
        raise FailedToParseError(f"$jsonSchema keyword '{name}' must be a non-negative integer")
    return number


def _bson_type(operand: Any, _schema: Schema) -> ValueTest:
    names = operand if isinstance(operand, list | tuple) else [operand]
    if not all(isinstance(name, str) for name in names):
        raise TypeMismatchError("$jsonSchema keyword 'bsonType' must be either a string or an array of strings")
    return type_test(type_codes(operand))


def _json_type(operand: Any, _schema: Schema) -> ValueTest:
    names = operand if isinstance(operand, list | tuple) else [operand]
    for name in names:
        if not isinstance(name, str):
            raise TypeMismatchError("$jsonSchema keyword 'type' must be either a string or an array of strings")
        if name == "integer":
            raise FailedToParseError("$jsonSchema type 'integer' is not currently supported.")
        if name not in _JSON_TYPES:
            raise BadValueError(f"Unknown type name alias: {name}")
    return type_test(type_codes([_JSON_ALIASES.get(name, name) for name in names]))


def _enum(operand: Any, _schema: Schema) -> ValueTest:
    if not isinstance(operand, list | tuple):
        raise TypeMismatchError("$jsonSchema keyword 'enum' must be an array")
    if not operand:
        raise FailedToParseError("$jsonSchema keyword 'enum' cannot be an empty array")
    keys = frozenset(ValueKey(item) for item in operand)
    if len(keys) != len(operand):
        raise FailedToParseError("$jsonSchema keyword 'enum' array cannot contain duplicate values.")
    return lambda value: value is not MISSING and ValueKey(value) in keys


def _all_of(operand: Any, _schema: Schema) -> ValueTest:
    return logical.all_of(_subschemas("allOf", operand))


def _any_of(operand: Any, _schema: Schema) -> ValueTest:
    return logical.any_of(_subschemas("anyOf", operand))


def _one_of(operand: Any, _schema: Schema) -> ValueTest:
    tests = _subschemas("oneOf", operand)
    return lambda value: sum(test(value) for test in tests) == 1


def _not(operand: Any, _schema: Schema) -> ValueTest:
    return logical.negation(_subschema("not", operand))


def _limit(name: str, inclusive: ComparisonOperator, strict: ComparisonOperator, exclusion: str) -> Keyword:
    def keyword(operand: Any, schema: Schema) -> ValueTest:
        if not is_number(operand):
            raise TypeMismatchError(f"$jsonSchema keyword '{name}' must be a number")
        exclusive = schema.get(exclusion, False)
        test = comparison_test(strict if exclusive is True else inclusive, operand)
        return lambda value: not is_number(value) or test(value)

    return keyword


def _exclusion(name: str, limit: str) -> Keyword:
    def keyword(operand: Any, schema: Schema) -> None:
        if not isinstance(operand, bool):
            raise TypeMismatchError(f"$jsonSchema keyword '{name}' must be a boolean")
        if limit not in schema:
            raise FailedToParseError(f"$jsonSchema keyword '{limit}' must be a present if {name} is present")

    return keyword


def _multiple_of(operand: Any, _schema: Schema) -> ValueTest:
    if not is_number(operand):
        raise TypeMismatchError("$jsonSchema keyword 'multipleOf' must be a number")
    divisor = operand.to_decimal() if isinstance(operand, Decimal128) else operand
    if not divisor > 0:
        raise FailedToParseError("$jsonSchema keyword 'multipleOf' must have a positive value")

    def test(value: Any) -> bool:
        if not is_number(value):
            return True
        if isinstance(value, Decimal128) or isinstance(operand, Decimal128):
            dividend, step = _as_decimal(value), _as_decimal(operand)
            return bool(dividend.is_finite() and step.is_finite() and dividend % step == 0)
        return bool(value % divisor == 0)

    return test


def _as_decimal(number: Any) -> Any:
    return (number if isinstance(number, Decimal128) else Decimal128(str(number))).to_decimal()


def _length(name: str, operator: ComparisonOperator, kind: type, measure: Callable[[Any], int] = len) -> Keyword:
    def keyword(operand: Any, _schema: Schema) -> ValueTest:
        holds = comparison_test(operator, Int64(_count(name, operand)))
        return lambda value: value.__class__ is not kind or holds(measure(value))

    return keyword


def _pattern(operand: Any, _schema: Schema) -> ValueTest:
    if not isinstance(operand, str):
        raise TypeMismatchError("$jsonSchema keyword 'pattern' must be a string")
    search = compile_pattern(operand, "").search
    return lambda value: value.__class__ is not str or search(value) is not None


def _items(operand: Any, _schema: Schema) -> ValueTest:
    if isinstance(operand, list | tuple):
        tests = [_subschema("items", item) for item in operand]
        return lambda value: value.__class__ is not list or all(test(item) for test, item in zip(tests, value))
    each = _subschema("items", operand)
    return lambda value: value.__class__ is not list or all(each(item) for item in value)


def _additional_items(operand: Any, schema: Schema) -> ValueTest | None:
    test = _permission("additionalItems", operand)
    items = schema.get("items")
    if not isinstance(items, list | tuple):
        return None
    first = len(items)
    return lambda value: value.__class__ is not list or all(test(item) for item in value[first:])


def _permission(name: str, operand: Any) -> ValueTest:
    if isinstance(operand, bool):
        return lambda _value: operand
    if not isinstance(operand, Mapping):
        raise TypeMismatchError(f"$jsonSchema keyword '{name}' must be either an object or a boolean")
    return schema_test(operand)


def _unique_items(operand: Any, _schema: Schema) -> ValueTest | None:
    if not isinstance(operand, bool):
        raise TypeMismatchError("$jsonSchema keyword 'uniqueItems' must be a boolean")
    if not operand:
        return None
    return lambda value: value.__class__ is not list or len({_unordered_key(item) for item in value}) == len(value)


def _unordered_key(value: Any) -> Any:
    # JSON Schema's documents have no field order, so {a, b} repeats {b, a} here.
    return ValueKey(_sorted_fields(value))


def _sorted_fields(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted_fields(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_sorted_fields(item) for item in value]
    return value


def _properties(operand: Any, _schema: Schema) -> ValueTest:
    tests = _named_schemas("properties", operand)

    def test(value: Any) -> bool:
        if value.__class__ is dict:
            for name, check in tests.items():
                if name in value and not check(value[name]):
                    return False
        return True

    return test


def _named_schemas(name: str, operand: Any) -> dict[str, ValueTest]:
    if not isinstance(operand, Mapping):
        raise TypeMismatchError(f"$jsonSchema keyword '{name}' must be an object")
    return {field: _subschema(name, schema) for field, schema in operand.items()}


def _pattern_properties(operand: Any, _schema: Schema) -> ValueTest:
    tests = [
        (compile_pattern(pattern, "").search, test)
        for pattern, test in _named_schemas("patternProperties", operand).items()
    ]

    def test(value: Any) -> bool:
        return value.__class__ is not dict or all(
            check(item) for search, check in tests for name, item in value.items() if search(name)
        )

    return test


def _additional_properties(operand: Any, schema: Schema) -> ValueTest:
    permits = _permission("additionalProperties", operand)
    known = frozenset(schema.get("properties", {}))
    searches = [compile_pattern(pattern, "").search for pattern in schema.get("patternProperties", {})]

    def test(value: Any) -> bool:
        return value.__class__ is not dict or all(
            permits(item)
            for name, item in value.items()
            if name not in known and not any(search(name) for search in searches)
        )

    return test


def _required(operand: Any, _schema: Schema) -> ValueTest:
    names = frozenset(_strings("required", operand))
    return lambda value: value.__class__ is not dict or names <= value.keys()


def _dependencies(operand: Any, _schema: Schema) -> ValueTest:
    if not isinstance(operand, Mapping):
        raise TypeMismatchError("$jsonSchema keyword 'dependencies' must be an object")
    tests: dict[str, ValueTest] = {}
    for name, dependency in operand.items():
        if isinstance(dependency, Mapping):
            tests[name] = schema_test(dependency)
        else:
            tests[name] = _required(_strings("dependencies", dependency), {})
    return lambda value: (
        value.__class__ is not dict or all(check(value) for name, check in tests.items() if name in value)
    )


def _text(name: str) -> Keyword:
    def keyword(operand: Any, _schema: Schema) -> None:
        if not isinstance(operand, str):
            raise TypeMismatchError(f"$jsonSchema keyword '{name}' must be of type string")

    return keyword


KEYWORDS: Final[dict[str, Keyword]] = {
    "additionalItems": _additional_items,
    "additionalProperties": _additional_properties,
    "allOf": _all_of,
    "anyOf": _any_of,
    "bsonType": _bson_type,
    "dependencies": _dependencies,
    "description": _text("description"),
    "enum": _enum,
    "exclusiveMaximum": _exclusion("exclusiveMaximum", "maximum"),
    "exclusiveMinimum": _exclusion("exclusiveMinimum", "minimum"),
    "items": _items,
    "maxItems": _length("maxItems", "$lte", list),
    "maxLength": _length("maxLength", "$lte", str),
    "maxProperties": _length("maxProperties", "$lte", dict),
    "maximum": _limit("maximum", "$lte", "$lt", "exclusiveMaximum"),
    "minItems": _length("minItems", "$gte", list),
    "minLength": _length("minLength", "$gte", str),
    "minProperties": _length("minProperties", "$gte", dict),
    "minimum": _limit("minimum", "$gte", "$gt", "exclusiveMinimum"),
    "multipleOf": _multiple_of,
    "not": _not,
    "oneOf": _one_of,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "properties": _properties,
    "required": _required,
    "title": _text("title"),
    "type": _json_type,
    "uniqueItems": _unique_items,
}
