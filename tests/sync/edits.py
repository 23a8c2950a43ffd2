"""Edits that Hypothesis draws, made through pymongo as programs make them, on documents that belong to one case alone."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st
from pymongo import DeleteOne, InsertOne, UpdateOne
from pymongo.collection import Collection

KINDS: Final = ("insert", "update", "replace", "delete", "upsert", "modify", "remove", "bulk", "many")
_CASES: Final = itertools.count()


@dataclass(frozen=True)
class Edit:
    """What is done to the `document`-th document of the case."""

    kind: str
    document: int
    value: int


def edits(kinds: Sequence[str] = KINDS, *, documents: int = 4, least: int = 1, most: int = 6) -> Any:
    """Return a strategy of lists of edits."""
    one = st.builds(Edit, st.sampled_from(kinds), st.integers(0, documents - 1), st.integers(0, 9))
    return st.lists(one, min_size=least, max_size=most)


class Case:
    """Names documents that no other case has."""

    def __init__(self) -> None:
        self.prefix = f"case {next(_CASES)} "

    def id(self, document: int) -> str:
        return f"{self.prefix}{document}"

    @property
    def filter(self) -> dict[str, Any]:
        return {"_id": {"$regex": f"^{self.prefix}"}}

    def documents(self, collection: Collection[Any]) -> dict[str, dict[str, Any]]:
        """Return this case's documents by `_id`."""
        return {each["_id"]: each for each in collection.find(self.filter)}

    def write(self, collection: Collection[Any], edits: Sequence[Edit]) -> set[str]:
        """Make the edits, and return the `_id`s of the documents that were changed by any."""
        changed = set()
        for edit in edits:
            before = self.documents(collection)
            self._write_one(collection, edit)
            after = self.documents(collection)
            changed |= {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        return changed

    def _write_one(self, collection: Collection[Any], edit: Edit) -> None:
        key, value = {"_id": self.id(edit.document)}, edit.value
        if edit.kind == "insert":
            if collection.find_one(key) is None:
                collection.insert_one({**key, "v": value})
        elif edit.kind == "update":
            collection.update_one(key, {"$set": {"v": value}, "$inc": {"n": 1}})
        elif edit.kind == "replace":
            collection.replace_one(key, {"v": [value]}, upsert=value % 2 == 0)
        elif edit.kind == "delete":
            collection.delete_one(key)
        elif edit.kind == "upsert":
            collection.update_one(key, {"$set": {"v": value}}, upsert=True)
        elif edit.kind == "modify":
            collection.find_one_and_update(key, {"$unset": {"v": 1}, "$push": {"list": value}})
        elif edit.kind == "remove":
            collection.find_one_and_delete(key)
        elif edit.kind == "bulk":
            collection.bulk_write(
                [DeleteOne(key), InsertOne({**key, "bulk": 1}), UpdateOne(key, {"$inc": {"bulk": value}})]
            )
        else:
            collection.update_many(self.filter, {"$inc": {"all": value + 1}})
