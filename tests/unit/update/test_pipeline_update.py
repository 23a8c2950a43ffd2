from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from skerry.errors import CommandError

Update = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        ([{"$set": {"c": {"$add": ["$a", "$b"]}}}], {"_id": 1, "a": 2, "b": 3, "c": 5}),
        ([{"$addFields": {"o.x": "$a"}}], {"_id": 1, "a": 2, "b": 3, "o": {"x": 2}}),
        ([{"$unset": "a"}], {"_id": 1, "b": 3}),
        ([{"$unset": ["a", "b"]}], {"_id": 1}),
        ([{"$project": {"a": 1}}], {"_id": 1, "a": 2}),
        ([{"$project": {"_id": 0, "a": 1}}], {"_id": 1, "a": 2}),
        ([{"$replaceWith": {"z": "$b"}}], {"_id": 1, "z": 3}),
        ([{"$replaceRoot": {"newRoot": {"z": "$$x"}}}], {"_id": 1, "z": 7}),
        ([{"$set": {"a": "$$NOW"}}, {"$unset": "b"}], {"_id": 1, "a": datetime(2024, 5, 6, 7, 8, 9)}),
    ],
)
def test_pipeline(update: Update, pipeline: list[Any], expected: dict[str, Any]) -> None:
    new = update({"_id": 1, "a": 2, "b": 3}, pipeline, variables={"x": 7})
    assert new == expected
    assert list(new) == list(expected)


def test_identical_document_is_returned_when_nothing_changes(update: Update) -> None:
    document = {"_id": 1, "a": 2}
    assert update(document, [{"$set": {"a": 2}}]) is document
    assert update(document, []) is document
    assert update(document, [{"$unset": "zz"}]) is document


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        ({"$group": {}}, 72),
        ({"$replaceWith": "$a"}, 40228),
        ({"$replaceRoot": 5}, 40229),
        ({"$replaceRoot": {"x": 1}}, 40230),
        ({"$replaceRoot": {}}, 40231),
        ({"$set": 5}, 40272),
        ({"$project": 5}, 15969),
        ({"$unset": []}, 31002),
        ({"$unset": [5]}, 31120),
        ({"$unset": "$a"}, 16410),
    ],
)
def test_malformed_stage_is_refused(update: Update, stage: Any, code: int) -> None:
    with pytest.raises(CommandError) as caught:
        update({"_id": 1, "a": 2}, [stage])
    assert caught.value.code == code
