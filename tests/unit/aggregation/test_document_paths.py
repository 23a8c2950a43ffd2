import pytest

from skerry.aggregation.document_paths import plain_value, with_value
from skerry.values.missing import MISSING


@pytest.mark.parametrize(
    ("document", "path", "value", "expected"),
    [
        ({"a": 1}, "b", 2, {"a": 1, "b": 2}),
        ({"a": 1, "b": 1}, "a", 2, {"a": 2, "b": 1}),
        ({"a": {"x": 1}}, "a.y", 2, {"a": {"x": 1, "y": 2}}),
        ({"a": 5}, "a.y", 2, {"a": {"y": 2}}),
        ({"a": [1]}, "a.y", 2, {"a": {"y": 2}}),
        ({"a": {"x": 1, "y": 2}}, "a.x", MISSING, {"a": {"y": 2}}),
        ({"a": 5}, "a.x", MISSING, {"a": 5}),
    ],
)
def test_value_is_put_into_a_copy(document, path, value, expected):
    before = {name: dict(each) if isinstance(each, dict) else each for name, each in document.items()}
    assert with_value(document, path.split("."), value) == expected
    assert document == before


@pytest.mark.parametrize(
    ("document", "expected"), [({"a": {"b": 1}}, 1), ({"a": [{"b": 1}]}, MISSING), ({"a": 1}, MISSING), ({}, MISSING)]
)
def test_plain_value_goes_through_documents_only(document, expected):
    assert plain_value(document, ("a", "b")) == expected
