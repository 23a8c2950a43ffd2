"""Parses a filter document into a tree of match expressions.

The two tables list every query operator of MongoDB, the ones that skerry lacks included: those are refused by name
(238), never read as field names. A field name that starts with `$` is an unknown operator (2), except the parts of a
DBRef: `$ref`, `$id`, `$db`.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, NoReturn

from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.regex import Regex

from skerry.errors import BadValueError, FailedToParseError, NotImplementedYetError
from skerry.matcher import array, bitwise, comparison, element, evaluation, json_schema, logical, regular_expression
from skerry.matcher.integer_operand import integral
from skerry.matcher.match_expression import AlwaysFalse, AlwaysTrue, Comparison, MatchExpression, Not
from skerry.matcher.parsing import DBREF_NAMES, Parsing, is_operator_document
from skerry.matcher.rewrites import conjunction, normalize

_LITERAL_TYPES: Final = frozenset((str, int, Int64, float, bool, ObjectId, type(None), datetime, bytes, list))
TREE_DEPTH_MAX: Final = 100  # the server's MatchExpression::kMaximumTreeDepth
_NO_VARIABLES: Final[Mapping[str, Any]] = {}


def parse_filter(filter: Mapping[str, Any], *, variables: Mapping[str, Any] | None = None) -> MatchExpression:
    """Parse a filter; `variables` names what `$expr` may use as `$$name`.

    Raises BadValueError (2), FailedToParseError (9) or NotImplementedYetError (238) that name the operator, and what
    the parser of expressions raises for `$expr`.
    """
    if len(filter) == 1:
        # The commonest filter, one equality, needs neither a parser nor rewriting.
        for name, operand in filter.items():
            if operand.__class__ in _LITERAL_TYPES and not name.startswith("$"):
                return Comparison(name, "$eq", operand)
    if not filter:
        return AlwaysTrue()
    return normalize(_FilterParser(variables or _NO_VARIABLES, at_top=True).document(filter))


class _FilterParser:
    """One parse of one filter; keeps what the nested documents need to know."""

    def __init__(self, variables: Collection[str], *, at_top: bool, depth: int = 0) -> None:
        self.variables = variables
        self.at_top = at_top
        self._depth = depth

    def document(self, filter: Mapping[str, Any], *, at_top: bool | None = None) -> MatchExpression:
        if at_top is not None and at_top != self.at_top:
            return _FilterParser(self.variables, at_top=at_top, depth=self._depth).document(filter)
        self._descend()
        children: list[MatchExpression] = []
        for name, operand in filter.items():
            if name.startswith("$") and name not in DBREF_NAMES:
                children.append(self._clause(name, operand))
            else:
                children.append(self._field(name, operand))
        self._depth -= 1
        return conjunction(children)

    def operators(self, path: str, operators: Mapping[str, Any]) -> MatchExpression:
        self._descend()
        children = [self._operator(path, name, operators) for name in operators]
        self._depth -= 1
        return conjunction(children)

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > TREE_DEPTH_MAX:
            raise BadValueError(f"exceeded maximum query tree depth of {TREE_DEPTH_MAX}")

    def _clause(self, name: str, operand: Any) -> MatchExpression:
        parse = CLAUSES.get(name)
        if parse is None:
            raise BadValueError(
                f"unknown top level operator: {name}. If you have a field name that starts with a '$' symbol, "
                "consider using $getField or $setField."
            )
        return parse(operand, self)

    def _field(self, path: str, operand: Any) -> MatchExpression:
        if is_operator_document(operand):
            return self.operators(path, operand)
        if isinstance(operand, Regex):
            return regular_expression.match_of_regex(path, operand)
        return Comparison(path, "$eq", operand)

    def _operator(self, path: str, name: str, operators: Mapping[str, Any]) -> MatchExpression:
        parse = OPERATORS.get(name)
        if parse is None:
            raise BadValueError(f"unknown operator: {name}")
        return parse(path, operators, self)


Clause = Callable[[Any, Parsing], MatchExpression]
Operator = Callable[[str, Mapping[str, Any], Parsing], MatchExpression]


def _refuse(name: str) -> NoReturn:
    raise NotImplementedYetError(f"query operator {name} is not implemented")


def _unsupported_clause(name: str) -> Clause:
    return lambda _operand, _parsing: _refuse(name)


def _unsupported_operator(name: str) -> Operator:
    return lambda _path, _operators, _parsing: _refuse(name)


def _constant(name: str, expression: MatchExpression) -> Clause:
    def parse(operand: Any, _parsing: Parsing) -> MatchExpression:
        if integral(operand) != 1:
            raise FailedToParseError(f"{name} must be an integer value of 1")
        return expression

    return parse


def _json_schema(operand: Any, _parsing: Parsing) -> MatchExpression:
    return json_schema.parse_json_schema(operand)


def _comment(_operand: Any, _parsing: Parsing) -> MatchExpression:
    return AlwaysTrue()


CLAUSES: Final[dict[str, Clause]] = {
    "$alwaysFalse": _constant("$alwaysFalse", AlwaysFalse()),
    "$alwaysTrue": _constant("$alwaysTrue", AlwaysTrue()),
    "$and": logical.parse_and,
    "$comment": _comment,
    "$expr": evaluation.parse_expr,
    "$jsonSchema": _json_schema,
    "$nor": logical.parse_nor,
    "$or": logical.parse_or,
    "$sampleRate": evaluation.parse_sample_rate,
    "$text": _unsupported_clause("$text"),
    "$where": _unsupported_clause("$where"),
}


def _on_value(name: str, parse: Callable[[str, Any], MatchExpression]) -> Operator:
    return lambda path, operators, _parsing: parse(path, operators[name])


def _nested(name: str, parse: Callable[[str, Any, Parsing], MatchExpression]) -> Operator:
    return lambda path, operators, parsing: parse(path, operators[name], parsing)


def _comparison(name: Any) -> Operator:
    return lambda path, operators, _parsing: comparison.parse_comparison(path, name, operators[name])


def _bit_test(kind: Any) -> Operator:
    return lambda path, operators, _parsing: bitwise.parse_bit_test(path, kind, operators[kind])


def _nin(path: str, operand: Any) -> MatchExpression:
    return Not(comparison.parse_in(path, operand, name="$nin"))


def _regex(path: str, operators: Mapping[str, Any], _parsing: Parsing) -> MatchExpression:
    return regular_expression.parse_regex(path, operators["$regex"], operators.get("$options", ""))


def _options(_path: str, operators: Mapping[str, Any], _parsing: Parsing) -> MatchExpression:
    if "$regex" not in operators:
        raise BadValueError("$options needs a $regex")
    return AlwaysTrue()  # `$regex` reads it


def _operator_comment(_path: str, _operators: Mapping[str, Any], _parsing: Parsing) -> MatchExpression:
    return AlwaysTrue()


OPERATORS: Final[dict[str, Operator]] = {
    "$all": _nested("$all", array.parse_all),
    "$bitsAllClear": _bit_test("$bitsAllClear"),
    "$bitsAllSet": _bit_test("$bitsAllSet"),
    "$bitsAnyClear": _bit_test("$bitsAnyClear"),
    "$bitsAnySet": _bit_test("$bitsAnySet"),
    "$comment": _operator_comment,
    "$elemMatch": _nested("$elemMatch", array.parse_elem_match),
    "$eq": _comparison("$eq"),
    "$exists": _on_value("$exists", element.parse_exists),
    "$geoIntersects": _unsupported_operator("$geoIntersects"),
    "$geoNear": _unsupported_operator("$geoNear"),
    "$geoWithin": _unsupported_operator("$geoWithin"),
    "$gt": _comparison("$gt"),
    "$gte": _comparison("$gte"),
    "$in": _on_value("$in", comparison.parse_in),
    "$lt": _comparison("$lt"),
    "$lte": _comparison("$lte"),
    "$maxDistance": _unsupported_operator("$maxDistance"),
    "$minDistance": _unsupported_operator("$minDistance"),
    "$mod": _on_value("$mod", evaluation.parse_mod),
    "$ne": _on_value("$ne", comparison.parse_ne),
    "$near": _unsupported_operator("$near"),
    "$nearSphere": _unsupported_operator("$nearSphere"),
    "$nin": _on_value("$nin", _nin),
    "$not": _nested("$not", logical.parse_not),
    "$options": _options,
    "$regex": _regex,
    "$size": _on_value("$size", array.parse_size),
    "$type": _on_value("$type", element.parse_type),
    "$within": _unsupported_operator("$within"),
}
