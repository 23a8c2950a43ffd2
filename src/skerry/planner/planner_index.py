"""An index as the planner sees it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from skerry.indexes.index_descriptor import ID_INDEX, IndexDescriptor
from skerry.matcher.filter_parser import parse_filter
from skerry.matcher.match_expression import MatchExpression


@dataclass(frozen=True)
class PlannerIndex:
    """An index and the paths at which some document has, or had, an array that the index goes through."""

    descriptor: IndexDescriptor
    multikey_paths: frozenset[str]

    @cached_property
    def partial_filter(self) -> MatchExpression | None:
        """The filter of a partial index, parsed."""
        filter = self.descriptor.partial_filter
        return None if filter is None else parse_filter(filter)

    @cached_property
    def is_restricted(self) -> bool:
        """Whether documents may be without an entry."""
        return self.descriptor.sparse or self.descriptor.partial_filter is not None

    def arrays_on(self, path: str) -> tuple[str, ...]:
        """Return the arrays that `path` may meet, its end included."""
        if not self.multikey_paths:
            return ()
        return tuple(array for array in self.multikey_paths if is_prefix(array, path))


def is_prefix(prefix: str, path: str) -> bool:
    """Tell whether one path leads to or beyond `prefix`."""
    return path == prefix or path.startswith(prefix + ".")


ID_PLANNER_INDEX: Final = PlannerIndex(ID_INDEX, frozenset())
"""`_id` is never an array, so this index is never multikey."""
