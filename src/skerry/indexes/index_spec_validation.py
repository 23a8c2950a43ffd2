"""Accepts or refuses an index specification, with the server's codes (MongoDB manual, `createIndexes`).

Only ascending and descending keys are there; text, geospatial, hashed and wildcard indexes are refused by name (238), and so
are options that belong to them. Options that the server itself takes and ignores (`background`, `dropDups`, `ns`) pass.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from skerry.errors import (
    BadValueError,
    CannotCreateIndexError,
    CommandError,
    FailedToParseError,
    NotImplementedYetError,
    TypeMismatchError,
)
from skerry.matcher.filter_parser import parse_filter
from skerry.matcher.match_expression import (
    AlwaysFalse,
    AlwaysTrue,
    And,
    Comparison,
    Exists,
    In,
    MatchExpression,
    Or,
    TypeIs,
)
from skerry.values.collation import check_collation
from skerry.values.numbers import is_number, to_double
from skerry.values.type_order import INT32_MAX, type_name_of

INVALID_INDEX_SPECIFICATION_OPTION: Final = 197
MAX_KEY_FIELDS: Final = 32  # MongoDB manual, "MongoDB Limits and Thresholds"

_PLUGINS: Final = frozenset(
    ("text", "2d", "2dsphere", "geoHaystack", "hashed", "wildcard", "columnstore", "queryable_encrypted_range")
)
_KNOWN: Final = frozenset(
    (
        *("v", "key", "name", "ns", "unique", "sparse", "hidden", "background", "dropDups"),
        *("partialFilterExpression", "expireAfterSeconds", "collation"),
    )
)
_KNOWN_OF_ID: Final = frozenset(("v", "key", "name", "ns", "collation"))
_UNSUPPORTED: Final = frozenset(
    (
        *("weights", "default_language", "language_override", "textIndexVersion", "2dsphereIndexVersion"),
        *("bits", "min", "max", "bucketSize", "coarsestIndexedLevel", "finestIndexedLevel", "wildcardProjection"),
        *("columnstoreProjection", "storageEngine", "prepareUnique", "clustered"),
    )
)
_SWITCHES: Final = ("unique", "sparse", "hidden", "background")
_IN_PARTIAL_FILTERS: Final = (Comparison, In, Exists, TypeIs, AlwaysTrue, AlwaysFalse)
_DBREF_NAMES: Final = frozenset(("$ref", "$id", "$db"))


def direction_of(value: Any) -> int:
    """Return the direction of a checked key value as a whole number that is not zero."""
    number = to_double(value)
    if number.is_integer():
        return int(number)
    return 1 if number > 0 else -1


def validate_index_spec(spec: Mapping[str, Any]) -> None:
    """Check one element of `indexes` of `createIndexes`.

    Raises CannotCreateIndexError 67, FailedToParseError 9, TypeMismatchError 14, BadValueError 2, CommandError 197 for an
    option that MongoDB does not know, NotImplementedYetError 238 for kinds and options that are not supported here.
    """
    key = spec.get("key")
    if key is None:
        raise FailedToParseError("The 'key' field is a required property of an index specification")
    if not isinstance(key, Mapping):
        raise TypeMismatchError(f"The field 'key' must be an object, but got {type_name_of(key)}")
    _check_key(key)
    is_id = tuple(key) == ("_id",)
    if is_id and direction_of(key["_id"]) != 1:
        raise BadValueError("The field 'key' for an _id index must be {_id: 1}")
    for option in spec:
        if option in _UNSUPPORTED:
            raise NotImplementedYetError(f"index option '{option}' is not implemented")
        if option not in _KNOWN:
            raise CommandError(
                f"The field '{option}' is not valid for an index specification", INVALID_INDEX_SPECIFICATION_OPTION
            )
        if is_id and option not in _KNOWN_OF_ID:
            raise CommandError(
                f"The field '{option}' is not valid for an _id index specification", INVALID_INDEX_SPECIFICATION_OPTION
            )
    _check_name(spec)
    _check_options(spec, key)


def _check_key(key: Mapping[str, Any]) -> None:
    if not key:
        raise CannotCreateIndexError("Index keys cannot be an empty")
    if len(key) > MAX_KEY_FIELDS:
        raise CannotCreateIndexError(f"Index key pattern has {len(key)} fields, the limit is {MAX_KEY_FIELDS}")
    for path, value in key.items():
        _check_key_path(path)
        _check_key_value(value)


def _check_key_path(path: str) -> None:
    names = path.split(".")
    if "$**" in names:
        raise NotImplementedYetError("wildcard indexes are not implemented")
    if not all(names):
        raise CannotCreateIndexError(f"Index keys cannot contain an empty field: '{path}'")
    if any(name[0] == "$" and name not in _DBREF_NAMES for name in names):
        raise CannotCreateIndexError(f"Index key contains an illegal field name: field name starts with '$': '{path}'")


def _check_key_value(value: Any) -> None:
    if isinstance(value, str):
        if value in _PLUGINS:
            raise NotImplementedYetError(f"{value} indexes are not implemented")
        raise CannotCreateIndexError(f"Unknown index plugin '{value}'")
    if not is_number(value):
        raise CannotCreateIndexError(
            f"Values in v:2 index key pattern cannot be of type {type_name_of(value)}. Only numbers > 0, numbers < 0, and"
            " strings are allowed."
        )
    number = to_double(value)
    if not number or math.isnan(number):
        raise CannotCreateIndexError("Values in the index key pattern cannot be 0 or NaN.")
    if math.isinf(number):
        raise CannotCreateIndexError("Values in the index key pattern cannot be infinite.")


def _check_name(spec: Mapping[str, Any]) -> None:
    name = spec.get("name")
    if name is None:
        raise FailedToParseError("The 'name' field is a required property of an index specification")
    if not isinstance(name, str):
        raise TypeMismatchError(f"The field 'name' must be a string, but got {type_name_of(name)}")
    if not name:
        raise CannotCreateIndexError("index name cannot be empty")
    if name == "*":
        raise BadValueError("The index name '*' is not valid.")
    if "\x00" in name:
        raise CannotCreateIndexError("index name cannot contain NUL bytes")


def _check_options(spec: Mapping[str, Any], key: Mapping[str, Any]) -> None:
    version = spec.get("v", 2)
    if not is_number(version) or version not in (1, 2):
        raise CannotCreateIndexError(f"Invalid index specification: cannot create an index with v: {version!r}")
    for option in _SWITCHES:
        value = spec.get(option, False)
        if not isinstance(value, bool) and not is_number(value):
            raise TypeMismatchError(f"The field '{option}' has a value of type {type_name_of(value)}, expected bool")
    collation = spec.get("collation")
    if collation is not None and not isinstance(collation, Mapping):
        raise TypeMismatchError(f"The field 'collation' must be an object, but got {type_name_of(collation)}")
    check_collation(collation)
    if spec.get("expireAfterSeconds") is not None:
        _check_expiry(spec["expireAfterSeconds"], key)
    if spec.get("partialFilterExpression") is not None:
        _check_partial_filter(spec["partialFilterExpression"])
        if spec.get("sparse"):
            raise CannotCreateIndexError('cannot mix "partialFilterExpression" and "sparse" options')


def _check_expiry(seconds: Any, key: Mapping[str, Any]) -> None:
    if not is_number(seconds):
        raise CannotCreateIndexError(
            f"TTL index 'expireAfterSeconds' option must be numeric, but received a type of '{type_name_of(seconds)}'"
        )
    number = to_double(seconds)
    if not 0 <= number <= INT32_MAX:
        raise CannotCreateIndexError(
            f"TTL index 'expireAfterSeconds' option must be within an acceptable range, 0 to {INT32_MAX}, not {seconds}"
        )
    if len(key) > 1:
        raise CannotCreateIndexError("TTL indexes are single-field indexes, compound indexes do not support TTL")


def _check_partial_filter(filter: Any) -> None:
    if not isinstance(filter, Mapping):
        raise TypeMismatchError(
            f"The field 'partialFilterExpression' must be an object, but got {type_name_of(filter)}"
        )
    for condition in _conditions(parse_filter(filter)):
        if not isinstance(condition, _IN_PARTIAL_FILTERS):
            kind = type(condition).__name__
            raise CannotCreateIndexError(f"unsupported expression in partial index: {kind} in {dict(filter)}")
        if isinstance(condition, In) and condition.patterns:
            raise CannotCreateIndexError(f"unsupported expression in partial index: a pattern in {dict(filter)}")


def _conditions(expression: MatchExpression) -> list[MatchExpression]:
    if isinstance(expression, And | Or):
        return [condition for child in expression.children for condition in _conditions(child)]
    return [expression]
