"""What happens in the demo: airports are loaded on one edge, edited on both while the other is cut off, and compared."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import xxhash
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

Document = dict[str, Any]

DATABASE: Final = "demo"
COLLECTION: Final = "airports"
SELECTION: Final = f"{DATABASE}.{COLLECTION}=both"
_BATCH: Final = 500
_RAW: Final = CodecOptions(document_class=RawBSONDocument)
_POLL_SECONDS: Final = 0.05
_STEP_SECONDS_MAX: Final = 60.0

DISPUTED: Final = ("KEF", "LHR", "JFK", "NRT", "GRU")
"""Airports whose status both sides set to different things."""
SHARED: Final = ("CDG", "AMS", "FRA")
"""Airports of which the sides change different fields."""
DELETED_AND_CHANGED: Final = "LCY"
"""Deleted on one side, changed on the other."""


def airports() -> list[Document]:
    """Return the airports with an IATA code, as documents with that code as `_id`."""
    import airportsdata

    return [
        {
            "_id": code,
            "name": row["name"],
            "city": row["city"],
            "country": row["country"],
            "elevation": row["elevation"],
            "location": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
            "tz": row["tz"],
        }
        for code, row in airportsdata.load("IATA").items()
    ]


def load(client: MongoClient[Document], documents: list[Document]) -> Iterator[int]:
    """Insert in batches; yield how many are in after each."""
    collection = client[DATABASE][COLLECTION]
    for start in range(0, len(documents), _BATCH):
        collection.insert_many(documents[start : start + _BATCH])
        yield min(start + _BATCH, len(documents))


def edit_on_a(client: MongoClient[Document]) -> None:
    """What the connected edge does meanwhile."""
    collection = client[DATABASE][COLLECTION]
    for code in DISPUTED:
        collection.update_one({"_id": code}, {"$set": {"status": "closed for snow"}})
    for code in SHARED:
        collection.update_one({"_id": code}, {"$set": {"runways_checked": True}})
    collection.delete_one({"_id": DELETED_AND_CHANGED})
    collection.update_many({"country": "NO"}, {"$set": {"inspected_by": "edge A"}, "$inc": {"elevation": 1}})
    collection.delete_many({"country": "AQ"})
    collection.insert_many([{"_id": f"A{number:03}", "name": f"Ice strip {number}"} for number in range(100)])


def edit_on_b(client: MongoClient[Document]) -> None:
    """What the edge that is cut off does meanwhile."""
    collection = client[DATABASE][COLLECTION]
    for code in DISPUTED:
        collection.update_one({"_id": code}, {"$set": {"status": "open"}})
    for code in SHARED:
        collection.update_one({"_id": code}, {"$set": {"terminal": {"gates": 40}}})
    collection.update_one({"_id": DELETED_AND_CHANGED}, {"$set": {"name": "London City (rebuilt)"}})
    collection.update_many({"country": "CL"}, {"$set": {"inspected_by": "edge B"}})
    collection.delete_many({"country": "FO"})
    collection.insert_many([{"_id": f"B{number:03}", "name": f"Sea platform {number}"} for number in range(100)])


@dataclass(frozen=True, slots=True)
class Contents:
    """All documents of one node, as bytes by `_id`."""

    documents: dict[str, bytes]

    @property
    def digest(self) -> str:
        summed = xxhash.xxh3_64()
        for key in sorted(self.documents):
            summed.update(self.documents[key])
        return summed.hexdigest()

    def different_from(self, other: "Contents") -> list[str]:
        """Return the `_id`s of the documents that are not byte for byte the same in both."""
        keys = self.documents.keys() | other.documents.keys()
        return sorted(key for key in keys if self.documents.get(key) != other.documents.get(key))


def contents(client: MongoClient[Document]) -> Contents:
    """Read everything that a node has."""
    found: Any = client[DATABASE].get_collection(COLLECTION, codec_options=_RAW).find()
    return Contents({each["_id"]: bytes(each.raw) for each in found})


def wait_until(reached: Callable[[], bool], what: str) -> None:
    """Return when `reached`. Raises TimeoutError, which says `what` did not happen."""
    deadline = time.monotonic() + _STEP_SECONDS_MAX
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {_STEP_SECONDS_MAX:.0f} s")
        time.sleep(_POLL_SECONDS)
