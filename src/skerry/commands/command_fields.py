"""The fields of a command, declared once: which there are, of which types, which must be there.

`CommandFields` checks a decoded command against the declaration and gives MongoDB's errors: 40415 for an unknown field,
14 for a wrong type, 40414 for a missing one. A null counts as absent, as with the server. The readers below are the types.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from skerry.errors import CommandError, FailedToParseError, InvalidNamespaceError, TypeMismatchError
from skerry.values import numbers
from skerry.values.collation import check_collation
from skerry.values.type_order import type_name_of

UNKNOWN_FIELD: Final = 40415
MISSING_FIELD: Final = 40414
VALUE_OUT_OF_RANGE: Final = 51024

# Fields that any command may carry; `generic_arguments` reads them, or they are advice that changes no result here.
GENERIC_FIELDS: Final = frozenset(
    {
        "$audit",
        "$client",
        "$clusterTime",
        "$configServerState",
        "$db",
        "$queryOptions",
        "$readPreference",
        "$replData",
        "apiDeprecationErrors",
        "apiStrict",
        "apiVersion",
        "autocommit",
        "clientOperationKey",
        "comment",
        "lsid",
        "maxTimeMS",
        "maxTimeMSOpOnly",
        "mayBypassWriteBlocking",
        "readConcern",
        "startTransaction",
        "txnNumber",
        "writeConcern",
    }
)

Reader = Callable[[Any, str, str], Any]
"""Takes a value, the command's name and the field's, and returns the value as the handler wants it."""


class CommandFields:
    """The declaration of one command, or of one kind of document inside it."""

    __slots__ = ("_allows_unknown", "_generic", "_readers", "_required", "name")

    def __init__(
        self,
        name: str,
        readers: Mapping[str, Reader],
        *,
        required: Collection[str] = (),
        generic: bool = True,
        allows_unknown: bool = False,
    ) -> None:
        self.name = name
        self._readers = dict(readers)
        self._required = tuple(required)
        self._generic: Collection[str] = GENERIC_FIELDS if generic else ()
        self._allows_unknown = allows_unknown

    def read(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the document's own fields, checked. Raises CommandError 40414, 40415, TypeMismatchError and readers' own."""
        readers = self._readers
        values: dict[str, Any] = {}
        for field, value in document.items():
            reader = readers.get(field)
            if reader is None:
                if field in self._generic:
                    continue
                if not self._allows_unknown:
                    raise CommandError(f"BSON field '{self.name}.{field}' is an unknown field.", UNKNOWN_FIELD)
                values[field] = value
            elif value is not None:
                values[field] = reader(value, self.name, field)
        for field in self._required:
            if field not in values:
                raise CommandError(f"BSON field '{self.name}.{field}' is missing but a required field", MISSING_FIELD)
        return values


def wrong_type(value: Any, command: str, field: str, expected: str) -> TypeMismatchError:
    """The error for a field of a wrong type; `expected` is a type's name, or a list in brackets."""
    shown = f"types '{expected}'" if expected.startswith("[") else f"type '{expected}'"
    return TypeMismatchError(
        f"BSON field '{command}.{field}' is the wrong type '{type_name_of(value)}', expected {shown}"
    )


def anything(value: Any, _command: str, _field: str) -> Any:
    """Any value, as it is."""
    return value


def document(value: Any, command: str, field: str) -> Mapping[str, Any]:
    """A document."""
    if not isinstance(value, Mapping):
        raise wrong_type(value, command, field, "object")
    return value


def boolean(value: Any, command: str, field: str) -> bool:
    """true or false, nothing else."""
    if value is True or value is False:
        return value
    raise wrong_type(value, command, field, "bool")


def truth(value: Any, command: str, field: str) -> bool:
    """A boolean, or a number that is one by being zero or not."""
    if value is True or value is False:
        return value
    if numbers.is_number(value):
        return numbers.to_double(value) != 0
    raise wrong_type(value, command, field, "[bool, long, int, decimal, double]")


def string(value: Any, command: str, field: str) -> str:
    """A string."""
    if not isinstance(value, str):
        raise wrong_type(value, command, field, "string")
    return value


def collection_name(value: Any, command: str, _field: str) -> str:
    """The name of a collection; whether such a name is allowed is checked with its database's."""
    if not isinstance(value, str):
        raise InvalidNamespaceError(f"collection name has invalid type {type_name_of(value)} in command '{command}'")
    return value


def integer(value: Any, command: str, field: str) -> int:
    """A whole number of any numeric type, fractions cut off as the server does."""
    if value.__class__ is int:
        return int(value)
    if not numbers.is_number(value):
        raise wrong_type(value, command, field, "[long, int, decimal, double]")
    if numbers.is_nan(value):
        return 0
    as_double = numbers.to_double(value)
    return int(max(-(2.0**63), min(2.0**63 - 1024, as_double))) if not isinstance(value, int) else int(value)


def count_of(value: Any, command: str, field: str) -> int:
    """A whole number from 0."""
    number = integer(value, command, field)
    if number < 0:
        raise CommandError(f"BSON field '{field}' value must be >= 0, actual value '{number}'", VALUE_OUT_OF_RANGE)
    return number


def array(value: Any, command: str, field: str) -> list[Any]:
    """An array of anything."""
    if not isinstance(value, list):
        raise wrong_type(value, command, field, "array")
    return value


def array_of_documents(value: Any, command: str, field: str) -> list[Mapping[str, Any]]:
    """An array whose members are documents."""
    for position, each in enumerate(array(value, command, field)):
        if not isinstance(each, Mapping):
            raise wrong_type(each, command, f"{field}.{position}", "object")
    return list(value)


def string_or_document(value: Any, command: str, field: str) -> str | Mapping[str, Any]:
    """An index's name or key pattern."""
    if not isinstance(value, (str, Mapping)):
        raise FailedToParseError(f"BSON field '{command}.{field}' must be a string or an object")
    return value


def collation(value: Any, command: str, field: str) -> None:
    """A collation: only the simple one exists here."""
    check_collation(document(value, command, field))


def refused(reason: str) -> Reader:
    """A reader for an option that MongoDB has and skerry does not: false and empty values pass, others are refused."""

    def read(value: Any, command: str, field: str) -> Any:
        if value:
            raise CommandError(f"'{field}' of command '{command}' is not implemented: {reason}", 238)
        return value

    return read
