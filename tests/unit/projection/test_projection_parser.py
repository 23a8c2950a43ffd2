import pytest

from skerry.errors import CommandError
from skerry.projection.projection_parser import parse_projection

DOCUMENT = {
    "_id": 1,
    "a": 1,
    "items": [{"b": 1, "c": 2}, 5, [{"b": 3, "c": 4}], {"c": 6}],
    "o": {"x": {"y": 1, "z": 2}, "w": 3},
    "list": [1, 2, 3, 4],
}


def project(spec, *, find=True, document=DOCUMENT, position=None):
    projection = parse_projection(spec, find=find)
    return projection.apply(document, {}, array_position=position)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, DOCUMENT),
        ({"a": 1}, {"_id": 1, "a": 1}),
        ({"a": True, "_id": 0}, {"a": 1}),
        ({"_id": 1}, {"_id": 1}),
        ({"_id": 1.5, "a": 2}, {"_id": 1, "a": 1}),
        ({"missing": 1}, {"_id": 1}),
        ({"o.x.y": 1}, {"_id": 1, "o": {"x": {"y": 1}}}),
        ({"o": {"x": {"y": 1}, "w": 1}}, {"_id": 1, "o": {"x": {"y": 1}, "w": 3}}),
        ({"o": {"x.z": 1}}, {"_id": 1, "o": {"x": {"z": 2}}}),
        ({"a.b": 1}, {"_id": 1}),
        ({"items.b": 1}, {"_id": 1, "items": [{"b": 1}, [{"b": 3}], {}]}),
        ({"list.x": 1}, {"_id": 1, "list": []}),
    ],
)
def test_an_inclusion_keeps_what_it_names(spec, expected):
    assert project(spec) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"_id": 0, "items": 0, "o": 0}, {"a": 1, "list": [1, 2, 3, 4]}),
        ({"items": 0, "o": 0, "list": 0, "_id": 1}, {"_id": 1, "a": 1}),
        ({"o.x": False, "items": 0, "list": 0}, {"_id": 1, "a": 1, "o": {"w": 3}}),
        ({"items.c": 0, "o": 0, "list": 0, "a": 0}, {"_id": 1, "items": [{"b": 1}, 5, [{"b": 3}], {}]}),
        ({"a.b": 0, "items": 0, "o": 0, "list": 0}, {"_id": 1, "a": 1}),
    ],
)
def test_an_exclusion_drops_what_it_names(spec, expected):
    assert project(spec) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"sum": {"$add": ["$a", "$o.w"]}}, {"_id": 1, "sum": 4}),
        ({"sum": {"$add": ["$a", 1]}, "a": 1}, {"_id": 1, "a": 1, "sum": 2}),
        ({"copy": "$a", "_id": 0}, {"copy": 1}),
        (
            {"text": "literal", "null": None, "list": ["$a", 2], "_id": 0},
            {"text": "literal", "null": None, "list": [1, 2]},
        ),
        ({"gone": "$missing"}, {"_id": 1}),
        ({"p.q": "$a"}, {"_id": 1, "p": {"q": 1}}),
        ({"o": {"w": 1, "new": "$a"}}, {"_id": 1, "o": {"w": 3, "new": 1}}),
        ({"a.b": {"$literal": 7}}, {"_id": 1, "a": {"b": 7}}),
        ({"_id": "$o.w"}, {"_id": 3}),
        (
            {"items.n": "$a", "items.b": 1},
            {"_id": 1, "items": [{"b": 1, "n": 1}, {"n": 1}, [{"b": 3, "n": 1}], {"n": 1}]},
        ),
        ({"a": "$list", "list": "$a"}, {"_id": 1, "a": [1, 2, 3, 4], "list": 1}),
    ],
)
def test_computed_fields_follow_those_that_are_kept(spec, expected):
    for find in (True, False):
        result = project(spec, find=find)
        assert result == expected
        assert list(result) == list(expected)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"list": {"$slice": 2}, "items": 0, "o": 0}, {"_id": 1, "a": 1, "list": [1, 2]}),
        ({"list": {"$slice": -2}, "a": 1}, {"_id": 1, "a": 1, "list": [3, 4]}),
        ({"list": {"$slice": [1, 2]}, "_id": 1}, {"_id": 1, "list": [2, 3]}),
        ({"list": {"$slice": [-3, 2]}, "_id": 1}, {"_id": 1, "list": [2, 3]}),
        ({"list": {"$slice": [9, 2]}, "_id": 1}, {"_id": 1, "list": []}),
        ({"list": {"$slice": [-9, 2]}, "_id": 1}, {"_id": 1, "list": [1, 2]}),
        ({"a": {"$slice": 1}, "_id": 1}, {"_id": 1, "a": 1}),
        ({"list": {"$slice": ["$list", 1, 2]}}, {"_id": 1, "list": [2, 3]}),
        ({"list": {"$slice": 0}, "_id": 1}, {"_id": 1, "list": []}),
    ],
)
def test_slice_cuts_an_array(spec, expected):
    assert project(spec) == expected


def test_slice_alone_is_an_exclusion_that_keeps_the_rest():
    assert project({"list": {"$slice": 1}}) == {**DOCUMENT, "list": [1]}


def test_slice_reaches_into_documents_and_arrays_of_documents():
    document = {"_id": 1, "o": {"l": [1, 2]}, "d": [{"l": [1, 2]}, 3, {"l": 4}]}
    assert project({"o.l": {"$slice": 1}, "d.l": {"$slice": -1}}, document=document) == {
        "_id": 1,
        "o": {"l": [1]},
        "d": [{"l": [2]}, 3, {"l": 4}],
    }


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"items": {"$elemMatch": {"b": 1}}}, {"_id": 1, "items": [{"b": 1, "c": 2}]}),
        ({"list": {"$elemMatch": {"$gt": 2}}, "a": 1}, {"_id": 1, "a": 1, "list": [3]}),
        ({"items": {"$elemMatch": {"b": 99}}, "_id": 0}, {}),
        ({"a": {"$elemMatch": {"$gt": 0}}}, {"_id": 1}),
        ({"list": {"$elemMatch": {"$gt": 2}}, "items": 0, "o": 0}, {"_id": 1, "a": 1, "list": [3]}),
    ],
)
def test_elem_match_keeps_the_first_element_that_matches(spec, expected):
    assert project(spec) == expected


def test_elem_match_follows_the_fields_that_are_kept():
    assert list(project({"items": {"$elemMatch": {"b": 1}}, "list": 1})) == ["_id", "list", "items"]


@pytest.mark.parametrize(
    ("spec", "position", "expected"),
    [
        ({"list.$": 1}, 2, {"_id": 1, "list": [3]}),
        ({"list.$": 1, "a": 1}, 0, {"_id": 1, "a": 1, "list": [1]}),
        ({"items.b.$": 1}, 0, {"_id": 1, "items": [{"b": 1}]}),
        ({"o.w.$": 1}, None, {"_id": 1, "o": {"w": 3}}),
        ({"missing.$": 1}, None, {"_id": 1}),
    ],
)
def test_the_positional_operator_keeps_the_matched_element(spec, position, expected):
    assert parse_projection(spec, find=True).needs_position
    assert project(spec, position=position) == expected


def test_the_positional_operator_needs_an_element():
    with pytest.raises(CommandError) as caught:
        project({"list.$": 1})
    assert caught.value.code == 51246
    with pytest.raises(CommandError) as caught:
        project({"list.$": 1}, position=4)
    assert caught.value.code == 51247


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"a": 1, "b": 0}, 31254),
        ({"a": 0, "b": 1}, 31253),
        ({"a": {"b": 1, "c": 0}}, 31254),
        ({"a": 1, "_id.x": 0}, 31254),
        ({"a": 0, "_id.x": 1}, 31253),
        ({"_id": "$a", "b": 0}, 31254),
        ({"a": 0, "b": {"$add": [1, 2]}}, 31252),
        ({"a": 0, "b": "$a"}, 31310),
        ({"a": 1, "a.b": 1}, 31249),
        ({"a.b": 1, "a": 1}, 31250),
        ({"a": {"b": 1}, "a.b": 1}, 31250),
        ({"a.b.c": 1, "a": {"b": 1}}, 31250),
        ({"a": {}}, 51270),
        ({"": 1}, 40352),
        ({"a.": 1}, 40353),
        ({"a..b": 1}, 15998),
        ({"$a": 1}, 16410),
        ({"a": {"$nonsense": 1}}, 168),
        ({"a": {"$add": [1], "$subtract": [1]}}, 16410),
        ({"a.$.b": 1}, 31394),
        ({"a.$": 0}, 31395),
        ({"a.$": {"b": 1}}, 31271),
        ({"a.$": "x"}, 31308),
        ({"a.$": 1, "b.$": 1}, 31276),
        ({"a.$": 1, "b": {"$elemMatch": {"x": 1}}}, 31255),
        ({"b": {"$elemMatch": {"x": 1}}, "a.$": 1}, 31256),
        ({"a": {"$elemMatch": 1}}, 31274),
        ({"a.b": {"$elemMatch": {"x": 1}}}, 31275),
        ({"a": {"$slice": "x"}}, 28667),
        ({"a": {"$slice": [1]}}, 28667),
        ({"a": {"$slice": 1}, "a.b": 1}, 31249),
    ],
)
def test_malformed_projections_have_the_servers_codes(spec, code):
    with pytest.raises(CommandError) as caught:
        parse_projection(spec, find=True)
    assert caught.value.code == code, caught.value


@pytest.mark.parametrize(
    ("spec", "code"),
    [({}, 51272), ({"a.$": 1}, 31324), ({"a": {"$elemMatch": {"x": 1}}}, 168), ({"a": {"$slice": 1}}, 28667)],
)
def test_an_aggregation_has_no_array_projections(spec, code):
    with pytest.raises(CommandError) as caught:
        parse_projection(spec, find=False)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("spec", "is_inclusion", "paths"),
    [
        ({"a": 1}, True, {"_id", "a"}),
        ({"_id": 0, "a.b": 1, "x": "$y.z"}, True, {"a.b", "y.z"}),
        ({"p.q": "$a"}, True, {"_id", "p.q", "a"}),
        ({"all": "$$ROOT"}, True, None),
        ({"list": {"$elemMatch": {"x": 1}}}, True, {"_id", "list"}),
        ({"a": 0}, False, None),
        ({"list": {"$slice": 1}}, False, None),
    ],
)
def test_a_projection_knows_what_it_reads(spec, is_inclusion, paths):
    projection = parse_projection(spec, find=True)
    assert projection.is_inclusion == is_inclusion
    assert projection.paths == (None if paths is None else frozenset(paths))


def test_variables_are_bound_when_the_projection_is_applied():
    projection = parse_projection({"_id": 0, "x": "$$limit"}, find=True, variables=("limit",))
    assert projection.apply({"_id": 1}, {"limit": 5}) == {"x": 5}


def test_the_document_is_never_changed():
    document = {"_id": 1, "a": [{"b": 1, "c": [1, 2]}]}
    before = {"_id": 1, "a": [{"b": 1, "c": [1, 2]}]}
    for spec in ({"a.b": 0}, {"a.b": 1}, {"a.n": "$_id"}, {"a.c": {"$slice": 1}}, {"a.$": 1}):
        project(spec, document=document, position=0)
    assert document == before
