"""Gives aggregation stages read and write access to other namespaces (implements `PipelineContext`)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from skerry.aggregation.pipeline_context import WhenMatched, WhenNotMatched
from skerry.engine import aggregate_reads, query_reads
from skerry.engine.operation_context import Check, OperationContext
from skerry.engine.query_executor import Match
from skerry.engine.record_source import RecordSource
from skerry.engine.statistics import Statistics
from skerry.engine.storage_engine import StorageEngine
from skerry.engine.write_target import DirectTarget
from skerry.errors import CommandError, OperationNotSupportedInTransactionError
from skerry.matcher.compile import compile_filter
from skerry.storage import WriteView
from skerry.values import documents, field_path
from skerry.values.missing import MISSING
from skerry.values.namespace import Namespace

MERGE_FOUND_NO_MATCH = 13113


class NamespaceAccess:
    """What one pipeline may read and write outside its input."""

    def __init__(
        self,
        engine: StorageEngine,
        namespace: Namespace,
        source: RecordSource,
        context: OperationContext,
        variables: Mapping[str, Any],
        check: Check,
    ) -> None:
        self.namespace = namespace
        self._engine = engine
        self._source = source
        self._context = context
        self._variables = variables
        self._check = check

    def check(self) -> None:
        """Raise when the operation has to end."""
        self._check()

    def find(
        self,
        namespace: Namespace,
        filter: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] | None = None,
        limit: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Iterate over a collection's (or view's) matching documents."""
        stages: list[Mapping[str, Any]] = [{"$match": filter}] if filter else []
        stages += [{"$sort": dict(sort)}] if sort else []
        stages += [{"$limit": limit}] if limit else []
        for result in aggregate_reads.run_pipeline(
            self._source,
            namespace,
            stages,
            self,
            self._variables,
            self._check,
            hint=None,
            memory_bytes_max=self._engine.config.sort_memory_bytes_max,
        ):
            yield documents.decode(result) if isinstance(result, bytes) else result

    def has_index_on(self, namespace: Namespace, path: str) -> bool:
        """Whether an equality on `path` is answered by an index; a view counts as having none."""
        entry = self._source.entry(namespace)
        if entry is None or "viewOn" in entry.options:
            return False
        return path == "_id" or any(
            index.descriptor.key[0][0] == path
            and not index.descriptor.sparse
            and not index.descriptor.hidden
            and index.descriptor.partial_filter is None
            for index in entry.indexes
        )

    def is_unique_key(self, namespace: Namespace, paths: Iterable[str]) -> bool:
        """Whether a unique index covers exactly these paths, as `$merge` demands of its `on`."""
        wanted = set(paths)
        if wanted == {"_id"}:
            return True
        entry = self._source.entry(namespace)
        return entry is not None and any(
            index.descriptor.unique
            and not index.descriptor.sparse
            and index.descriptor.partial_filter is None
            and {path for path, _ in index.descriptor.key} == wanted
            for index in entry.indexes
        )

    def replace_collection(self, namespace: Namespace, documents_in: Iterable[dict[str, Any]]) -> None:
        """`$out`: put these documents in place of a collection's, in one transaction."""
        self._refuse_in_transaction("$out")
        prepared = [documents.prepare_for_insert(documents.encode(document)) for document in documents_in]
        everything = compile_filter({})

        def job(view: WriteView) -> None:
            target = self._target(view, namespace)
            writer = target.writer()
            solution, _ = query_reads.plan(target.source, writer.entry, everything, None, None)
            for rid, raw, _ in target.source.matches(
                solution, writer.entry, everything, self._check, need_documents=False
            ):
                writer.delete(rid, raw)
            for raw, id_value in prepared:
                writer.insert(raw, id_value)
            target.finish()

        self._engine.write(job, self._context)

    def merge(
        self,
        namespace: Namespace,
        document: dict[str, Any],
        *,
        on: Sequence[str],
        when_matched: WhenMatched,
        when_not_matched: WhenNotMatched,
    ) -> None:
        """Write one document of `$merge`; its transaction is its own, as in MongoDB."""
        self._refuse_in_transaction("$merge")

        def job(view: WriteView) -> None:
            target = self._target(view, namespace)
            match = self._match_on(target, document, on)
            if match is not None:
                stored = match[2]
                assert stored is not None
                new = when_matched(stored)
                if new is not None and new is not stored:
                    target.replace(match, new, is_replacement=True)
            elif when_not_matched == "insert":
                target.insert(*documents.prepare_for_insert(documents.encode(document)))
            elif when_not_matched == "fail":
                raise CommandError(
                    "$merge could not find a matching document in the target collection", MERGE_FOUND_NO_MATCH
                )
            target.finish()

        self._engine.write(job, self._context)

    def collection_stats(self, namespace: Namespace) -> dict[str, Any]:
        return Statistics(self._engine).collection_stats(namespace)

    def _target(self, view: WriteView, namespace: Namespace) -> DirectTarget:
        return DirectTarget(view, self._engine.catalog, namespace, self._context, lambda: self._engine.observers)

    def _match_on(self, target: DirectTarget, document: Mapping[str, Any], on: Sequence[str]) -> Match | None:
        entry = target.entry()
        if entry is None or (document.get("_id", MISSING) is MISSING and "_id" in on):
            return None
        wanted = compile_filter({path: {"$eq": _value_at(document, path)} for path in on})
        found = query_reads.matching(
            target.source,
            entry,
            wanted,
            self._check,
            limit=1,
            sort_bytes_max=self._engine.config.sort_memory_bytes_max,
        )
        return next(found, None)

    def _refuse_in_transaction(self, stage: str) -> None:
        if self._context.transaction is not None:
            raise OperationNotSupportedInTransactionError(f"{stage} is not allowed in a multi-document transaction")


def _value_at(document: Mapping[str, Any], path: str) -> Any:
    value = field_path.read(dict(document), field_path.split(path))
    return None if value is MISSING else value
