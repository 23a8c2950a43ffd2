"""What the parsers of single operators may ask of the filter parser: a seam that keeps their imports one-way."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from skerry.matcher.match_expression import MatchExpression


class Parsing(Protocol):
    """One run of the filter parser."""

    @property
    def variables(self) -> Collection[str]:
        """Names of the variables that `$expr` may use."""

    @property
    def at_top(self) -> bool:
        """Whether the document being parsed is the filter itself, where `$expr` and `$sampleRate` are allowed."""

    def document(self, filter: Mapping[str, Any], *, at_top: bool | None = None) -> MatchExpression:
        """Parse a filter document; `at_top=False` inside `$elemMatch`."""

    def operators(self, path: str, operators: Mapping[str, Any]) -> MatchExpression:
        """Parse a document of operators on `path`."""


DBREF_NAMES = frozenset(("$ref", "$id", "$db"))


def is_dbref(document: Mapping[str, Any], *, incomplete: bool = False) -> bool:
    """Tell whether the document names another one; an incomplete reference has at least one of the three fields."""
    if incomplete:
        return not DBREF_NAMES.isdisjoint(document)
    return "$ref" in document and "$id" in document


def is_operator_document(value: Any, *, incomplete_dbref: bool = False) -> bool:
    """Tell whether a value is read as operators (`{$gt: 5}`) and not as a literal; its first field decides."""
    if not isinstance(value, Mapping):
        return False
    for name in value:
        return name.startswith("$") and not is_dbref(value, incomplete=incomplete_dbref)
    return False
