import pytest

from skerry.errors import CommandError
from skerry.projection.computed_fields import compile_add_fields

DOCUMENT = {"_id": 1, "a": 2, "o": {"x": 1, "y": 2}, "l": [{"x": 1}, 5, [{"x": 2}]]}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"b": 5}, {**DOCUMENT, "b": 5}),
        ({"a": {"$add": ["$a", 1]}}, {**DOCUMENT, "a": 3}),
        ({"o.z": "$a"}, {**DOCUMENT, "o": {"x": 1, "y": 2, "z": 2}}),
        ({"o": {"x": {"q": True}}}, {**DOCUMENT, "o": {"x": {"q": True}, "y": 2}}),
        ({"a.b": 1}, {**DOCUMENT, "a": {"b": 1}}),
        ({"p.q.r": 1}, {**DOCUMENT, "p": {"q": {"r": 1}}}),
        ({"l.n": 0}, {**DOCUMENT, "l": [{"x": 1, "n": 0}, {"n": 0}, [{"x": 2, "n": 0}]]}),
        ({"a": "$$REMOVE", "o.y": "$missing"}, {"_id": 1, "o": {"x": 1}, "l": DOCUMENT["l"]}),
        ({"a": "$o.x", "b": "$a"}, {**DOCUMENT, "a": 1, "b": 2}),
        ({"list": [1, "$a"]}, {**DOCUMENT, "list": [1, 2]}),
        ({"a": None}, {**DOCUMENT, "a": None}),
    ],
)
def test_fields_are_set_in_place_or_appended(spec, expected):
    result = compile_add_fields(spec)(DOCUMENT, {})
    assert result == expected
    assert list(result) == list(expected)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (5, 40272),
        ({}, 40177),
        ({"a": 1, "a.b": 1}, 40176),
        ({"a.b": 1, "a": 1}, 40176),
        ({"a": {}}, 40180),
        ({"a": {"$add": [1], "b": 1}}, 40181),
        ({"a": {"b.c": 1}}, 40183),
        ({"$a": 1}, 16410),
        ({"a": {"$nonsense": 1}}, 168),
        ({"a": "$$unknown"}, 17276),
    ],
)
def test_malformed_specifications_have_the_servers_codes(spec, code):
    with pytest.raises(CommandError) as caught:
        compile_add_fields(spec)
    assert caught.value.code == code


def test_variables_are_bound_when_fields_are_added():
    add = compile_add_fields({"x": "$$new.value"}, variables=("new",))
    assert add({"_id": 1}, {"new": {"value": 3}}) == {"_id": 1, "x": 3}


def test_the_document_is_never_changed():
    document = {"a": [{"b": 1}], "o": {"p": 1}}
    compile_add_fields({"a.c": 1, "o.q": 1})(document, {})
    assert document == {"a": [{"b": 1}], "o": {"p": 1}}
