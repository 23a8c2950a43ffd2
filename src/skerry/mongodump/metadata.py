"""What a dump says about one collection: its options, indexes and kind, as Extended JSON.

Source: mongo-tools' `common/archive/spec.md`; the same text is in a dump directory's `*.metadata.json`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bson import json_util
from bson.errors import InvalidBSON
from bson.json_util import CANONICAL_JSON_OPTIONS

from skerry.errors import DamagedDumpError
from skerry.values.namespace import Namespace

VIEW: Final = "view"
TIME_SERIES: Final = "timeseries"


@dataclass(frozen=True, slots=True)
class CollectionMetadata:
    """One collection of a dump. `options` and `indexes` are as `listCollections` and `listIndexes` showed them."""

    namespace: Namespace
    kind: str = "collection"
    options: Mapping[str, Any] = field(default_factory=dict)
    indexes: tuple[Mapping[str, Any], ...] = ()
    uuid: str = ""

    @property
    def is_view(self) -> bool:
        """Whether it has no documents of its own."""
        return self.kind == VIEW or "viewOn" in self.options

    @property
    def is_time_series(self) -> bool:
        """Whether its documents are in buckets that only MongoDB's time series understand."""
        return self.kind == TIME_SERIES or "timeseries" in self.options


def parse_metadata(text: str, namespace: Namespace, place: str) -> CollectionMetadata:
    """Read Extended JSON, version 1 or 2; "" is a collection of which nothing is known.

    `place` names where it stands, for errors; a `collectionName` in the text counts more than the name in `namespace`, which
    may have been shortened to a file's name. Raises `DamagedDumpError`.
    """
    if not text.strip():
        return CollectionMetadata(namespace)
    try:
        found = json_util.loads(text)
    except (ValueError, TypeError, KeyError, InvalidBSON) as error:  # InvalidId and the like are InvalidBSON's
        raise DamagedDumpError(place, "metadata of a collection", str(error)) from error
    if not isinstance(found, dict):
        raise DamagedDumpError(place, "metadata of a collection", "it is no object")
    options, indexes = found.get("options") or {}, found.get("indexes") or []
    if not isinstance(options, dict) or not isinstance(indexes, list) or not all(map(_is_object, indexes)):
        raise DamagedDumpError(place, "metadata of a collection", "options and indexes have to be objects")
    return CollectionMetadata(
        Namespace(namespace.db, found.get("collectionName") or namespace.coll),
        found.get("type") or "collection",
        options,
        tuple(indexes),
        found.get("uuid") or "",
    )


def metadata_text(metadata: CollectionMetadata) -> str:
    """Write canonical Extended JSON, as mongodump does."""
    document: dict[str, Any] = {
        "options": metadata.options,
        "indexes": metadata.indexes,
        "uuid": metadata.uuid,
        "collectionName": metadata.namespace.coll,
        "type": metadata.kind,
    }
    return json_util.dumps(document, json_options=CANONICAL_JSON_OPTIONS)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)
