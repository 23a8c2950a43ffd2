"""BSON values as JSON and back: MongoDB's relaxed Extended JSON (manual: MongoDB Extended JSON v2)."""

import json
from typing import Any, Final

from bson.binary import UuidRepresentation
from bson.errors import BSONError
from bson.json_util import JSONMode, JSONOptions, dumps, loads

from skerry.errors import BadValueError

_OPTIONS: Final = JSONOptions(
    json_mode=JSONMode.RELAXED, tz_aware=False, uuid_representation=UuidRepresentation.UNSPECIFIED
)


def as_json(value: Any) -> Any:
    """Return a value that `json` can write, dates and ids as Extended JSON."""
    return json.loads(dumps(value, json_options=_OPTIONS))


def from_json(value: Any) -> Any:
    """Return the BSON value of Extended JSON that has been parsed. Raises `BadValueError`."""
    try:
        return loads(json.dumps(value), json_options=_OPTIONS)
    except (BSONError, TypeError, ValueError, OverflowError) as error:
        raise BadValueError(f"not a value of Extended JSON: {error}") from None


def id_from_text(text: str) -> Any:
    """Return the `_id` that somebody typed: Extended JSON (`5`, `{"$oid": "…"}`, `"5"`), anything else is a string."""
    try:
        return loads(text, json_options=_OPTIONS)
    except (BSONError, TypeError, ValueError, OverflowError):
        return text
