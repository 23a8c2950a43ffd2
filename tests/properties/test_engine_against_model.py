"""Any sequence of writes, indexes and reopenings: the engine holds what a dictionary would hold.

After each step every query gives the same with its indexes as by looking at every document, and what the change stream told
adds up to what is stored.
"""

import tempfile
from typing import Any

import pymongo
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pymongo.errors import BulkWriteError, DuplicateKeyError

import skerry

MISSING = object()
ids = st.integers(0, 12)
numbers = st.integers(-3, 3)
values = st.one_of(numbers, st.none(), st.lists(numbers, max_size=3), st.just(MISSING))
fields = st.sampled_from(["a", "b"])
index_keys = st.sampled_from([[("a", 1)], [("b", -1)], [("a", 1), ("b", 1)], [("b", 1), ("a", -1)]])

Document = dict[str, Any]


def document(id_value: int, a: Any, b: Any) -> Document:
    made = {"_id": id_value, "a": a, "b": b}
    return {name: value for name, value in made.items() if value is not MISSING}


documents = st.builds(document, ids, values, values)


def equals(stored: Any, wanted: Any) -> bool:
    """MongoDB's equality of a field's value, `MISSING` for a missing one, to a number or None."""
    if isinstance(stored, list):
        return wanted in stored
    return stored == wanted or (wanted is None and stored is MISSING)


def exceeds(stored: Any, bound: int) -> bool:
    candidates = stored if isinstance(stored, list) else [stored]
    return any(isinstance(each, int) and each > bound for each in candidates)


class EngineAgainstModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.model: dict[int, Document] = {}
        self.mirror: dict[int, Document] = {}
        self.open(resume_after=None)

    def open(self, resume_after: Document | None) -> None:
        self.client: pymongo.MongoClient[Document] = skerry.connect(self.directory.name)
        self.collection = self.client.shop.orders
        self.stream = self.collection.watch(resume_after=resume_after, max_await_time_ms=1)

    def teardown(self) -> None:
        self.stream.close()
        self.client.close()
        self.directory.cleanup()

    @rule(batch=st.lists(documents, min_size=1, max_size=5), ordered=st.booleans())
    def insert(self, batch: list[Document], ordered: bool) -> None:
        expected = []
        for place, each in enumerate(batch):
            if each["_id"] in self.model:
                expected.append(place)
                if ordered:
                    break
            else:
                self.model[each["_id"]] = each
        refused: list[tuple[int, int]] = []
        try:
            self.collection.insert_many(batch, ordered=ordered)
        except BulkWriteError as error:
            refused = [(each["index"], each["code"]) for each in error.details["writeErrors"]]
        assert refused == [(place, 11000) for place in expected]

    @rule(id_value=ids, name=fields, value=numbers)
    def set_field(self, id_value: int, name: str, value: int) -> None:
        result = self.collection.update_one({"_id": id_value}, {"$set": {name: value}})
        assert result.matched_count == (id_value in self.model)
        if id_value in self.model:
            self.model[id_value] = {**self.model[id_value], name: value}

    @rule(name=fields, wanted=st.one_of(numbers, st.none()))
    def unset_where_equal(self, name: str, wanted: int | None) -> None:
        result = self.collection.update_many({name: wanted}, {"$unset": {name: ""}})
        matching = [key for key, each in self.model.items() if equals(each.get(name, MISSING), wanted)]
        assert result.matched_count == len(matching)
        for key in matching:
            self.model[key] = {field: value for field, value in self.model[key].items() if field != name}

    @rule(name=fields, bound=numbers)
    def push_where_array(self, name: str, bound: int) -> None:
        self.collection.update_many({name: {"$type": "array"}}, {"$push": {name: bound}})
        for key, each in self.model.items():
            if isinstance(each.get(name), list):
                self.model[key] = {**each, name: [*each[name], bound]}

    @rule(replacement=documents, upsert=st.booleans())
    def replace(self, replacement: Document, upsert: bool) -> None:
        self.collection.replace_one({"_id": replacement["_id"]}, replacement, upsert=upsert)
        if upsert or replacement["_id"] in self.model:
            self.model[replacement["_id"]] = replacement

    @rule(name=fields, bound=numbers)
    def delete_where_greater(self, name: str, bound: int) -> None:
        result = self.collection.delete_many({name: {"$gt": bound}})
        gone = [key for key, each in self.model.items() if exceeds(each.get(name, MISSING), bound)]
        assert result.deleted_count == len(gone)
        for key in gone:
            del self.model[key]

    @rule(batch=st.lists(documents, min_size=1, max_size=3), commit=st.booleans())
    def transaction(self, batch: list[Document], commit: bool) -> None:
        with self.client.start_session() as session:
            session.start_transaction()
            try:
                for each in batch:
                    self.collection.insert_one(dict(each), session=session)
                assert self.collection.count_documents({}, session=session) == len(self.model) + len(batch)
                if commit:
                    session.commit_transaction()
                    self.model.update({each["_id"]: each for each in batch})
                else:
                    session.abort_transaction()
            except DuplicateKeyError:
                identities = [each["_id"] for each in batch]
                assert len(set(identities)) < len(identities) or not self.model.keys().isdisjoint(identities)

    @rule(keys=index_keys)
    def create_index(self, keys: list[tuple[str, int]]) -> None:
        if any(isinstance(each.get("a"), list) and isinstance(each.get("b"), list) for each in self.model.values()):
            return  # a compound index cannot hold parallel arrays: has a test of its own
        if len(keys) == 1:
            self.collection.create_index(keys)

    @precondition(lambda self: bool(self.model))
    @rule()
    def drop_indexes(self) -> None:
        self.collection.drop_indexes()

    @rule()
    def reopen(self) -> None:
        self.follow_stream()
        token = self.stream.resume_token
        self.stream.close()
        self.client.close()
        self.open(resume_after=token)

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert {each["_id"]: each for each in self.collection.find()} == self.model
        assert self.collection.count_documents({}) == len(self.model)
        if "orders" in self.client.shop.list_collection_names():
            assert self.client.shop.command("validate", "orders")["errors"] == []

    @invariant()
    def queries_agree_with_the_model(self) -> None:
        for name in ("a", "b"):
            for wanted in (0, 2, None):
                found = sorted(each["_id"] for each in self.collection.find({name: wanted}))
                assert found == sorted(k for k, d in self.model.items() if equals(d.get(name, MISSING), wanted))
            found = sorted(each["_id"] for each in self.collection.find({name: {"$gt": 0}}))
            assert found == sorted(k for k, d in self.model.items() if exceeds(d.get(name, MISSING), 0))

    @invariant()
    def follow_stream(self) -> None:
        while (event := self.stream.try_next()) is not None:
            key = event["documentKey"]["_id"]
            match event["operationType"]:
                case "insert" | "replace":
                    self.mirror[key] = event["fullDocument"]
                case "delete":
                    del self.mirror[key]
                case "update":
                    description = event["updateDescription"]
                    assert set(description) <= {"updatedFields", "removedFields", "truncatedArrays"}
                    self.mirror[key] = self.collection.find_one({"_id": key}) or {}
        changed = {key: each for key, each in self.mirror.items() if each}
        assert changed == self.model


TestEngineAgainstModel = pytest.mark.slow(EngineAgainstModel.TestCase)
TestEngineAgainstModel.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
