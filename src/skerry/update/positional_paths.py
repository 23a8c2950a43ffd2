"""Paths of an update: their components, the positional ones among them, and the array filters that these refer to.

Source: MongoDB manual, "$ (update)", "$[]", "$[<identifier>]". A path is checked when the update is compiled; what `$`
and the identifiers stand for is known only when it is applied.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from skerry.errors import BadValueError, DollarPrefixedFieldNameError, EmptyFieldNameError, FailedToParseError
from skerry.matcher.compile import compile_filter
from skerry.matcher.path_traversal import ValueTest
from skerry.values.field_path import split

POSITIONAL: Final = "$"
ALL_ELEMENTS: Final = "$[]"
_IDENTIFIER: Final = re.compile(r"[a-z][a-zA-Z0-9]*")
_PATH_CACHE_ENTRIES: Final = 4096


def is_array_filter(component: str) -> bool:
    """Tell whether a component is `$[]` or `$[identifier]`."""
    return component.startswith("$[") and component.endswith("]")


@lru_cache(maxsize=_PATH_CACHE_ENTRIES)
def update_path(path: str) -> tuple[str, ...]:
    """Return the components of a path that an operator changes.

    Raises EmptyFieldNameError (56), DollarPrefixedFieldNameError (52) for a top-level name, BadValueError for a
    positional component that stands first or second time.
    """
    if not path:
        raise EmptyFieldNameError("An empty update path is not valid.")
    parts = split(path)
    if "" in parts:
        raise EmptyFieldNameError(f"The update path '{path}' contains an empty field name, which is not allowed.")
    first = parts[0]
    if first == POSITIONAL:
        raise BadValueError(f"Cannot have positional (i.e. '$') element in the first position in path '{path}'")
    if is_array_filter(first):
        raise BadValueError(
            f"Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '{path}'"
        )
    if first.startswith("$"):
        raise DollarPrefixedFieldNameError(
            f"The dollar ($) prefixed field '{first}' in '{path}' is not allowed in the context of an update's "
            "replacement document. Consider using an aggregation pipeline with $replaceWith."
        )
    if parts.count(POSITIONAL) > 1:
        raise BadValueError(f"Too many positional (i.e. '$') elements found in path '{path}'")
    return parts


class ArrayFilters:
    """The compiled `arrayFilters` of one update; remembers which of them the paths referred to."""

    def __init__(self, filters: Sequence[Mapping[str, Any]], variables: Mapping[str, Any] | None) -> None:
        self._tests: dict[str, ValueTest] = {}
        self._unused: set[str] = set()
        for filter in filters:
            identifier = _identifier_of(filter)
            if identifier in self._tests:
                raise FailedToParseError(
                    f"Found multiple array filters with the same top-level field name {identifier}"
                )
            self._tests[identifier] = _element_test(identifier, filter, variables)
            self._unused.add(identifier)

    def test(self, component: str, path: str) -> ValueTest | None:
        """Return the test of `$[identifier]`, None for `$[]`, which means every element.

        Raises BadValueError when no filter has the identifier.
        """
        if component == ALL_ELEMENTS:
            return None
        identifier = component[2:-1]
        test = self._tests.get(identifier)
        if test is None:
            raise BadValueError(f"No array filter found for identifier '{identifier}' in path '{path}'")
        self._unused.discard(identifier)
        return test

    def check_all_used(self, update: Mapping[str, Any]) -> None:
        """Raise FailedToParseError (9) when some filter was never referred to."""
        for identifier in sorted(self._unused):
            raise FailedToParseError(
                f"The array filter for identifier '{identifier}' was not used in the update {dict(update)}"
            )


def _element_test(identifier: str, filter: Mapping[str, Any], variables: Mapping[str, Any] | None) -> ValueTest:
    matches = compile_filter(filter, variables=variables).matches
    return lambda element: matches({identifier: element})


def _identifier_of(filter: Mapping[str, Any]) -> str:
    if not isinstance(filter, Mapping):
        raise FailedToParseError("Array filters must be documents")
    names = dict.fromkeys(_top_level_names(filter))
    if not names:
        raise FailedToParseError("Cannot use an expression without a top-level field name in arrayFilters")
    first, *others = names
    if others:
        raise FailedToParseError(
            "Error parsing array filter :: caused by :: "
            f"Expected a single top-level field name, found '{first}' and '{others[0]}'"
        )
    if not _IDENTIFIER.fullmatch(first):
        raise BadValueError(
            "Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string "
            f"beginning with a lowercase letter, found '{first}'"
        )
    return first


def _top_level_names(filter: Mapping[str, Any]) -> Iterable[str]:
    for name, operand in filter.items():
        if not name.startswith("$"):
            yield split(name)[0]
        elif name in ("$and", "$or", "$nor") and isinstance(operand, list | tuple):
            for clause in operand:
                if isinstance(clause, Mapping):
                    yield from _top_level_names(clause)
