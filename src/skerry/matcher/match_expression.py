"""Node types of a parsed filter: what is asked of a document, as plain data.

The matcher compiles this tree to a callable; the planner reads bounds from it; an upsert reads equalities from it.
Negations are explicit: `$ne` is `Not(Comparison("$eq"))`, `$nin` is `Not(In)`, `{$exists: false}` is `Not(Exists)`.
"""

from dataclasses import dataclass
from typing import Any, Literal

from bson.regex import Regex

from skerry.expressions.expression_parser import Expression

TypeCodes = frozenset[int]
ComparisonOperator = Literal["$eq", "$lt", "$lte", "$gt", "$gte"]
BitTestKind = Literal["$bitsAllSet", "$bitsAllClear", "$bitsAnySet", "$bitsAnyClear"]


@dataclass(frozen=True, slots=True)
class AlwaysTrue:
    """Matches every document."""


@dataclass(frozen=True, slots=True)
class AlwaysFalse:
    """Matches no document."""


@dataclass(frozen=True, slots=True)
class And:
    children: "tuple[MatchExpression, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    children: "tuple[MatchExpression, ...]"


@dataclass(frozen=True, slots=True)
class Nor:
    children: "tuple[MatchExpression, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    child: "MatchExpression"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator value`, by the value's own type bracket; `path` is "" inside `ElemMatchValue`."""

    path: str
    operator: ComparisonOperator
    value: Any


@dataclass(frozen=True, slots=True)
class In:
    path: str
    values: tuple[Any, ...]
    patterns: tuple[Regex[str], ...]


@dataclass(frozen=True, slots=True)
class Exists:
    path: str


@dataclass(frozen=True, slots=True)
class TypeIs:
    path: str
    codes: TypeCodes


@dataclass(frozen=True, slots=True)
class Size:
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Mod:
    path: str
    divisor: int
    remainder: int


@dataclass(frozen=True, slots=True)
class RegexMatch:
    path: str
    pattern: str
    options: str


@dataclass(frozen=True, slots=True)
class BitTest:
    path: str
    kind: BitTestKind
    mask: int


@dataclass(frozen=True, slots=True)
class ElemMatchObject:
    """Some element of the array at `path` is a document (or array) that matches `child`, whose paths start there."""

    path: str
    child: "MatchExpression"


@dataclass(frozen=True, slots=True)
class ElemMatchValue:
    """Some element of the array at `path` matches `child`, whose path is ""."""

    path: str
    child: "MatchExpression"


@dataclass(frozen=True, slots=True)
class ExprPredicate:
    expression: Expression


@dataclass(frozen=True, slots=True)
class JsonSchema:
    schema: dict[str, Any]


MatchExpression = (
    AlwaysTrue
    | AlwaysFalse
    | And
    | Or
    | Nor
    | Not
    | Comparison
    | In
    | Exists
    | TypeIs
    | Size
    | Mod
    | RegexMatch
    | BitTest
    | ElemMatchObject
    | ElemMatchValue
    | ExprPredicate
    | JsonSchema
)
