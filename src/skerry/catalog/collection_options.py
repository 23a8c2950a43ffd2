"""Create-time options of a collection, checked (manual: `create`, `collMod`)."""

from collections.abc import Mapping
from typing import Any, Final

from skerry.errors import BadValueError, CommandError, InvalidOptionsError, NotImplementedYetError, TypeMismatchError
from skerry.values.collation import check_collation

_NOT_IMPLEMENTED: Final = (
    "capped",
    "timeseries",
    "clusteredIndex",
    "expireAfterSeconds",
    "encryptedFields",
    "storageEngine",
    "indexOptionDefaults",
)
_IGNORED: Final = ("autoIndexId", "flags", "temp", "comment")
_OF_CAPPED: Final = ("size", "max")
_UNKNOWN_FIELD: Final = 40415


def check_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options to keep. Raises an error that names whatever is unknown, wrong or not implemented."""
    kept: dict[str, Any] = {}
    for name, value in options.items():
        if name in _NOT_IMPLEMENTED:
            if value not in (False, None):
                raise NotImplementedYetError(f"the collection option '{name}' is not implemented")
        elif name in _OF_CAPPED:
            if value is not None and not options.get("capped"):
                raise InvalidOptionsError(
                    "the 'capped' field needs to be true when either the 'size' or 'max' fields are present"
                )
        elif name == "collation":
            check_collation(value)
        elif name == "validator":
            kept.update(_validator(value))
        elif name in ("validationLevel", "validationAction"):
            _check_validation(name, value)
        elif name == "changeStreamPreAndPostImages":
            if not isinstance(value, Mapping) or value.get("enabled"):
                raise NotImplementedYetError("the collection option 'changeStreamPreAndPostImages' is not implemented")
        elif name in ("viewOn", "pipeline"):
            kept[name] = value
        elif name not in _IGNORED:
            raise CommandError(f"BSON field 'create.{name}' is an unknown field.", _UNKNOWN_FIELD)
    _check_view(kept)
    return kept


def _validator(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeMismatchError("BSON field 'create.validator' is the wrong type, expected type 'object'")
    return {"validator": dict(value)} if value else {}


def _check_validation(name: str, value: Any) -> None:
    allowed, offered = {
        "validationLevel": (("off", "strict", "moderate"), "strict"),
        "validationAction": (("warn", "error"), "error"),
    }[name]
    if value not in allowed:
        raise BadValueError(f"Enumeration value '{value}' for field 'create.{name}' is not a valid value.")
    if value != offered:
        raise NotImplementedYetError(f"{name} '{value}' is not implemented; '{offered}' is")


def _check_view(options: Mapping[str, Any]) -> None:
    if "pipeline" in options and "viewOn" not in options:
        raise InvalidOptionsError("'pipeline' requires 'viewOn' to also be specified")
    if "viewOn" in options and "validator" in options:
        raise InvalidOptionsError("a view cannot have a validator")
    if "viewOn" in options and not isinstance(options["viewOn"], str):
        raise TypeMismatchError("BSON field 'create.viewOn' is the wrong type, expected type 'string'")
