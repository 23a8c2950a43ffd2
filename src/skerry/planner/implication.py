"""Does one predicate imply another? A partial index may serve a query that implies its filter."""

from skerry.matcher.match_expression import AlwaysTrue, And, ElemMatchValue, Exists, MatchExpression, Not, Or
from skerry.planner.index_bounds import Bounds, bounds_of
from skerry.planner.path_predicates import clauses_of, path_of
from skerry.values.key_string import NULL_KEY


def implies(given: MatchExpression, wanted: MatchExpression) -> bool:
    """Tell whether each document that matches `given` matches `wanted`; false when in doubt."""
    if isinstance(wanted, AlwaysTrue):
        return True
    if isinstance(wanted, And):
        return all(implies(given, child) for child in wanted.children)
    if isinstance(given, Or) and path_of(given) is None:
        return all(implies(child, wanted) for child in given.children)
    if isinstance(wanted, Or) and any(implies(given, child) for child in wanted.children):
        return True
    return any(_implies_alone(clause, wanted) for clause in clauses_of(given))


def _implies_alone(given: MatchExpression, wanted: MatchExpression) -> bool:
    if isinstance(given, Or) and path_of(given) is None:
        return implies(given, wanted)
    path = path_of(wanted)
    if path is None or isinstance(given, Not | ElemMatchValue) or path_of(given) != path:
        return False
    if isinstance(given, Exists):
        return isinstance(wanted, Exists)
    bounds = bounds_of(given, single_value=False)
    if bounds is None:
        return False
    if isinstance(wanted, Exists):
        return NULL_KEY not in bounds
    other = bounds_of(wanted, single_value=False)
    return other is not None and _accepts_all(other, bounds)


def _accepts_all(wanted: Bounds, given: Bounds) -> bool:
    # Both ask for some value at the path, so what the one accepts the other must accept.
    return wanted.exact and given.within(wanted)
