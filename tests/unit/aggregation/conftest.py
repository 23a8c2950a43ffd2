"""Pipelines over lists: a context whose collections are lists of documents, and a shorthand to run stages."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest

from skerry.aggregation.pipeline import compile_pipeline
from skerry.aggregation.stages.sort import sort_documents
from skerry.errors import CommandError
from skerry.matcher.compile import compile_filter
from skerry.values.namespace import Namespace

Document = dict[str, Any]


class ListContext:
    """Collections of one database as lists; `indexed` and `unique` name the paths that have an index."""

    def __init__(self, collections: dict[str, list[Document]] | None = None) -> None:
        self.namespace = Namespace("db", "source")
        self.collections = collections or {}
        self.indexed: set[str] = {"_id"}
        self.unique: set[frozenset[str]] = {frozenset(("_id",))}
        self.finds: list[Mapping[str, Any]] = []
        self.checks = 0

    def find(
        self,
        namespace: Namespace,
        filter: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] | None = None,
        limit: int | None = None,
    ) -> Iterator[Document]:
        self.finds.append(filter)
        matches = compile_filter(filter).matches
        found = [document for document in self.collections.get(namespace.coll, []) if matches(document)]
        return iter(sort_documents(found, sort)[:limit] if sort else found[:limit])

    def check(self) -> None:
        self.checks += 1

    def has_index_on(self, namespace: Namespace, path: str) -> bool:
        return path in self.indexed

    def is_unique_key(self, namespace: Namespace, paths: Iterable[str]) -> bool:
        return frozenset(paths) in self.unique

    def replace_collection(self, namespace: Namespace, documents: Iterable[Document]) -> None:
        self.collections[namespace.coll] = list(documents)

    def merge(self, namespace, document, *, on, when_matched, when_not_matched) -> None:
        stored = self.collections.setdefault(namespace.coll, [])
        for place, each in enumerate(stored):
            if all(each.get(path) == document.get(path) for path in on):
                new = when_matched(each)
                if new is not None:
                    stored[place] = new
                return
        if when_not_matched == "insert":
            stored.append(document)
        elif when_not_matched == "fail":
            raise CommandError("no match", 13113)

    def collection_stats(self, namespace: Namespace) -> Document:
        return {"count": len(self.collections.get(namespace.coll, []))}


@pytest.fixture
def context() -> ListContext:
    return ListContext()


Run = Callable[..., list[Document]]


@pytest.fixture
def run(context: ListContext) -> Run:
    """Run stages over documents; keyword arguments are collections beside them."""

    def run_stages(stages: list[Document], documents: list[Document], **collections: list[Document]) -> list[Document]:
        context.collections.update(collections)
        variables = {"NOW": datetime(2024, 1, 1)}
        pipeline = compile_pipeline(stages, variables=variables, context=context)
        return list(pipeline.run(iter(documents)))

    return run_stages


@pytest.fixture
def code_of(run: Run) -> Callable[..., int]:
    """Return the code of the error that stages raise."""

    def raised_code(stages: list[Document], documents: list[Document] | None = None, **collections: Any) -> int:
        with pytest.raises(CommandError) as caught:
            run(stages, documents or [], **collections)
        return caught.value.code

    return raised_code
