"""The law of the planner: its ranges hold a key of every document that matches, and, when exact, keys of no others."""

from typing import Any

from bson.regex import Regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.aggregation.stages.sort import compile_sort_key
from skerry.errors import CommandError
from skerry.indexes.index_descriptor import IndexDescriptor, default_name
from skerry.indexes.key_generator import compile_key_generator
from skerry.matcher.compile import compile_filter
from skerry.planner.index_assignment import bind, is_complete
from skerry.planner.path_predicates import clauses_of, path_predicates
from skerry.planner.query_planner import PlannerIndex, plan_query
from skerry.planner.query_solution import CollectionScan, EmptyScan, IdLookup, IndexScan, QuerySolution, UnionScan
from skerry.values.key_string import encode

Document = dict[str, Any]

scalars = st.sampled_from(
    [None, True, False, 0, 1, 2, 3, 1.5, float("nan"), "", "a", "ab", "b", {}, {"b": 1}, Regex("^a")]
)
leaves = st.one_of(
    scalars,
    scalars,
    st.lists(scalars, max_size=3),
    st.lists(st.lists(scalars, max_size=2), max_size=2),
)
inner = st.dictionaries(st.sampled_from(["b", "c"]), leaves, max_size=2)
values = st.one_of(leaves, leaves, inner, st.lists(st.one_of(inner, inner, scalars), max_size=3))
documents = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), values, max_size=3), min_size=1, max_size=6)

constants = st.one_of(scalars, scalars, st.lists(scalars, max_size=2))
ordered_constants = constants.filter(lambda value: not isinstance(value, Regex))
paths = st.sampled_from(["a", "b", "c", "a.b", "a.c", "b.b", "a.0", "a.0.b"])


def operators(*, nested: bool) -> st.SearchStrategy[Document]:
    choices = [
        st.builds(lambda v: {"$eq": v}, constants),
        st.builds(lambda v: {"$ne": v}, ordered_constants),
        st.builds(lambda o, v: {o: v}, st.sampled_from(["$lt", "$lte", "$gt", "$gte"]), ordered_constants),
        st.builds(
            lambda low, high: {"$gt": low, "$lte": high}, st.sampled_from([0, 1, "", "a"]), st.sampled_from([2, 3, "b"])
        ),
        st.builds(lambda v: {"$in": v}, st.lists(constants, min_size=1, max_size=3)),
        st.builds(lambda v: {"$nin": v}, st.lists(constants, max_size=2)),
        st.builds(lambda v: {"$exists": v}, st.booleans()),
        st.builds(
            lambda v: {"$type": v}, st.sampled_from(["string", "number", "int", "null", "object", "bool", "array"])
        ),
        st.builds(lambda p: {"$regex": p}, st.sampled_from(["^a", "^ab?", "b$", "^a|b"])),
        st.builds(lambda v: {"$not": {"$gte": v}}, ordered_constants),
        st.just({"$size": 1}),
    ]
    if nested:
        choices.append(st.builds(lambda o: {"$elemMatch": o}, operators(nested=False).filter(_no_exists)))
        choices.append(st.builds(lambda f: {"$elemMatch": f}, fields(["b", "c", "0"], nested=False)))
    return st.one_of(choices)


def _no_exists(spec: Document) -> bool:
    return "$exists" not in spec


def fields(names: list[str], *, nested: bool) -> st.SearchStrategy[Document]:
    operand = st.one_of(operators(nested=nested), ordered_constants.filter(lambda v: not isinstance(v, dict)))
    return st.dictionaries(st.sampled_from(names), operand, min_size=1, max_size=2)


filters = st.recursive(
    fields(["a", "b", "c", "a.b", "a.c", "a.0", "a.0.b", "_id"], nested=True),
    lambda children: st.one_of(
        st.builds(lambda c: {"$and": c}, st.lists(children, min_size=1, max_size=3)),
        st.builds(lambda c: {"$or": c}, st.lists(children, min_size=1, max_size=3)),
        st.builds(lambda c: {"$nor": c}, st.lists(children, min_size=1, max_size=2)),
    ),
    max_leaves=4,
)

partial_filters = st.sampled_from(
    [
        {"a": {"$gt": 1}},
        {"a": {"$exists": True}},
        {"b": 1},
        {"a.b": {"$in": [1, None]}},
        {"$or": [{"a": 1}, {"b": {"$type": "string"}}]},
        {"c": {"$lte": "b"}},
    ]
)


@st.composite
def descriptors(draw: st.DrawFn) -> IndexDescriptor:
    names = draw(st.lists(paths, min_size=1, max_size=3, unique=True))
    key = tuple((name, draw(st.sampled_from([1, -1]))) for name in names)
    kind = draw(st.sampled_from(["plain", "plain", "sparse", "partial"]))
    return IndexDescriptor(
        default_name(key),
        key,
        sparse=kind == "sparse",
        partial_filter=draw(partial_filters) if kind == "partial" else None,
    )


class Indexed:
    """Some documents and their keys in one index; documents that the index refuses are left out."""

    def __init__(self, descriptor: IndexDescriptor, docs: list[Document]) -> None:
        generate = compile_key_generator(descriptor).keys
        self.keys: list[tuple[Document, list[bytes]]] = []
        arrays: set[str] = set()
        for document in docs:
            try:
                keys, paths = generate(document)
            except CommandError:
                continue
            arrays |= paths
            self.keys.append((document, keys))
        self.index = PlannerIndex(descriptor, frozenset(arrays))

    def keys_within(self, scan: IndexScan) -> list[tuple[Document, int]]:
        return [(doc, sum(any(key in span for span in scan.ranges) for key in keys)) for doc, keys in self.keys]


# Arrays of documents, ranges and `$elemMatch`: where bounds of several predicates must not be combined freely.
few = st.integers(0, 2)
elements = st.fixed_dictionaries({"b": st.one_of(few, few, st.lists(few, max_size=2)), "c": few})
array_documents = st.lists(
    st.fixed_dictionaries({"a": st.lists(elements, min_size=1, max_size=3), "b": few}), min_size=2, max_size=6
)
comparisons = st.builds(lambda o, v: {o: v}, st.sampled_from(["$gt", "$lt", "$gte", "$lte"]), few)
bounds = st.one_of(
    few,
    comparisons,
    comparisons,
    st.builds(lambda v: {"$ne": v}, few),
    st.builds(lambda o: {"$elemMatch": o}, comparisons),
)
element_filters = st.dictionaries(st.sampled_from(["b", "c"]), bounds, min_size=1, max_size=2)
clauses = st.one_of(
    st.dictionaries(st.sampled_from(["a.b", "a.c", "b"]), bounds, min_size=1, max_size=2),
    st.builds(lambda f: {"a": {"$elemMatch": f}}, element_filters),
)
conjunctions = st.builds(lambda c: {"$and": c}, st.lists(clauses, min_size=1, max_size=2))


@st.composite
def array_descriptors(draw: st.DrawFn) -> IndexDescriptor:
    names = draw(st.lists(st.sampled_from(["a.b", "a.c", "b"]), min_size=1, max_size=3, unique=True))
    key = tuple((name, draw(st.sampled_from([1, -1]))) for name in names)
    return IndexDescriptor(default_name(key), key)


# One flat field and every kind of predicate: where exactness is decided.
flat_documents = st.lists(st.fixed_dictionaries({}, optional={"a": scalars, "b": few}), min_size=4, max_size=8)
flat_filters = st.recursive(
    fields(["a", "a", "b"], nested=False),
    lambda children: st.one_of(
        st.builds(lambda c: {"$and": c}, st.lists(children, min_size=2, max_size=3)),
        st.builds(lambda c: {"$or": c}, st.lists(children, min_size=2, max_size=3)),
        st.builds(lambda c: {"$nor": c}, st.lists(children, min_size=1, max_size=2)),
    ),
    max_leaves=3,
)
flat_partial_filters = st.sampled_from(
    [
        {"a": {"$gt": 1}},
        {"a": {"$exists": True}},
        {"b": {"$in": [1, 2]}},
        {"a": {"$type": "string"}},
        {"a": {"$lte": None}},
    ]
)


@st.composite
def flat_descriptors(draw: st.DrawFn) -> IndexDescriptor:
    names = draw(st.sampled_from([["a"], ["b"], ["a", "b"], ["b", "a"]]))
    key = tuple((name, draw(st.sampled_from([1, -1]))) for name in names)
    kind = draw(st.sampled_from(["plain", "plain", "sparse", "partial"]))
    partial_filter = draw(flat_partial_filters) if kind == "partial" else None
    return IndexDescriptor(default_name(key), key, sparse=kind == "sparse", partial_filter=partial_filter)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(descriptors(), documents, filters)
def test_bounds_hold_a_key_of_every_match_of_any_filter(
    descriptor: IndexDescriptor, docs: list[Document], filter: Document
) -> None:
    check_bounds(descriptor, docs, filter)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(array_descriptors(), array_documents, conjunctions)
def test_bounds_hold_a_key_of_every_match_in_arrays_of_documents(
    descriptor: IndexDescriptor, docs: list[Document], filter: Document
) -> None:
    check_bounds(descriptor, docs, filter)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(flat_descriptors(), flat_documents, flat_filters)
def test_exact_bounds_hold_keys_of_matches_only(
    descriptor: IndexDescriptor, docs: list[Document], filter: Document
) -> None:
    check_bounds(descriptor, docs, filter)


def check_bounds(descriptor: IndexDescriptor, docs: list[Document], filter: Document) -> None:
    indexed = Indexed(descriptor, docs)
    compiled = compile_filter(filter)
    clauses = clauses_of(compiled.expression)
    bound = bind(indexed.index, clauses, path_predicates(clauses))
    if not is_complete(bound, clauses, compiled.expression):
        return
    scan = IndexScan(descriptor, () if bound.is_empty else bound.ranges())
    assert all(a.upper <= b.lower for a, b in zip(scan.ranges, scan.ranges[1:]))
    for document, count in indexed.keys_within(scan):
        matches = compiled.matches(document)
        assert count or not matches, document
        if bound.covered():
            assert count == matches, document


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(descriptors(), max_size=3), documents, filters)
def test_a_solution_finds_every_match(wanted: list[IndexDescriptor], docs: list[Document], filter: Document) -> None:
    for number, document in enumerate(docs):
        document["_id"] = number
    indexes: dict[str, Indexed] = {}
    for descriptor in wanted:
        indexed = Indexed(descriptor, docs)
        docs = [document for document, _ in indexed.keys]
        indexes[descriptor.name] = indexed
    compiled = compile_filter(filter)
    solution = plan_query(compiled.expression, indexes=[each.index for each in indexes.values()])
    for document in docs:
        found = _occurrences(solution, document, indexes)
        matches = compiled.matches(document)
        assert found or not matches, (solution, document)
        if isinstance(solution, IdLookup | IndexScan) and solution.exact:
            assert found == matches, (solution, document)


def _occurrences(solution: QuerySolution, document: Document, indexes: dict[str, Indexed]) -> int:
    match solution:
        case CollectionScan():
            return 1
        case EmptyScan():
            return 0
        case IdLookup(keys=keys):
            return int(encode(document["_id"]) in keys)
        case UnionScan(scans=scans):
            return sum(_occurrences(scan, document, indexes) for scan in scans)
        case IndexScan(index=index, ranges=ranges):
            if index.name == "_id_":
                keys = (encode(document["_id"]),)
            else:
                keys = tuple(compile_key_generator(index).keys(document)[0])
            return sum(any(key in span for span in ranges) for key in keys)


sort_patterns = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "_id"]), st.sampled_from([1, -1])),
    min_size=1,
    max_size=3,
    unique_by=lambda each: each[0],
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(flat_descriptors(), max_size=2), flat_documents, flat_filters, sort_patterns)
def test_a_scan_that_provides_a_sort_yields_its_order(
    wanted: list[IndexDescriptor], docs: list[Document], filter: Document, sort: list[tuple[str, int]]
) -> None:
    numbered: list[Document] = [{"_id": number % 2 * 100 + number, **document} for number, document in enumerate(docs)]
    compiled = compile_filter(filter)
    indexes = [Indexed(descriptor, numbered).index for descriptor in wanted]
    solution = plan_query(compiled.expression, sort=sort, indexes=indexes)
    if not isinstance(solution, IndexScan) or not solution.provides_sort:
        return
    generate = compile_key_generator(solution.index).keys
    found = [
        (key, document)
        for document in numbered
        for key in generate(document)[0]
        if any(key in span for span in solution.ranges) and compiled.matches(document)
    ]
    found.sort(key=lambda each: each[0], reverse=solution.reverse)
    order = compile_sort_key(sort)
    keys = [order(document) for _, document in found]
    assert keys == sorted(keys)
