"""What a stage may read or write outside its input: the protocol that the engine implements."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from skerry.values.namespace import Namespace

WhenMatched = Callable[[dict[str, Any]], dict[str, Any] | None]
"""From the stored document to the one that takes its place; None keeps the stored one. May raise CommandError."""
WhenNotMatched = Literal["insert", "discard", "fail"]


class PipelineContext(Protocol):
    """The world around one pipeline, for as long as it runs.

    Documents that it hands out are the pipeline's own: nobody else changes them. Namespaces may name views.
    """

    @property
    def namespace(self) -> Namespace:
        """The collection that the pipeline runs on."""

    def check(self) -> None:
        """Raise when the operation has used up its time, or has to end for another reason."""

    def find(
        self,
        namespace: Namespace,
        filter: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] | None = None,
        limit: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Iterate over the documents that match, by way of the planner; none when the collection does not exist.

        The filter never holds `$expr`, so that it needs no variables.
        """

    def has_index_on(self, namespace: Namespace, path: str) -> bool:
        """Whether an index serves an equality on `path` alone, so that one look-up costs little; `_id` always."""

    def is_unique_key(self, namespace: Namespace, paths: Iterable[str]) -> bool:
        """Whether a unique index (neither sparse nor partial) has exactly these paths, in any order; `_id` alone always."""

    def replace_collection(self, namespace: Namespace, documents: Iterable[dict[str, Any]]) -> None:
        """Put the documents in the place of everything that the collection holds, or of nothing (`$out`).

        Indexes stay. The old contents stay, too, when a document is refused or the iteration raises.
        """

    def merge(
        self,
        namespace: Namespace,
        document: dict[str, Any],
        *,
        on: Sequence[str],
        when_matched: WhenMatched,
        when_not_matched: WhenNotMatched,
    ) -> None:
        """Write one document of `$merge`: find the stored one with the same values at `on`, and act.

        `when_matched` is given the stored document. "insert" stores `document`, "discard" does nothing, "fail" raises
        CommandError 13113. The collection is created when it does not exist.
        """

    def collection_stats(self, namespace: Namespace) -> dict[str, Any]:
        """Statistics of the collection, as the `collStats` command has them."""
