from collections.abc import Callable
from typing import Any

import pytest
from bson.int64 import Int64

from skerry.errors import BadValueError
from skerry.update.binary_equality import binary_equal

Update = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("document", "operand", "expected"),
    [
        ({"a": 13}, {"and": 10}, {"a": 8}),
        ({"a": 3}, {"or": 5}, {"a": 7}),
        ({"a": 1}, {"xor": 5}, {"a": 4}),
        ({"a": -1}, {"and": 15}, {"a": 15}),
        ({"a": 1}, {"or": Int64(4)}, {"a": Int64(5)}),
        ({"a": Int64(1)}, {"xor": -1}, {"a": Int64(-2)}),
        ({}, {"or": 4}, {"a": 4}),
        ({}, {"and": 4}, {"a": 0}),
        ({"a": 5}, {"and": 4, "or": 1, "xor": 2}, {"a": 7}),
    ],
)
def test_bit(update: Update, document: dict[str, Any], operand: dict[str, Any], expected: dict[str, Any]) -> None:
    assert binary_equal(update(document, {"$bit": {"a": operand}}), expected)


def test_bit_that_changes_nothing_returns_the_document(update: Update) -> None:
    document = {"a": 5}
    assert update(document, {"$bit": {"a": {"or": 1}}}) is document


@pytest.mark.parametrize(
    ("value", "operand"),
    [(1, 5), (1, {}), (1, {"nand": 1}), (1, {"or": 1.0}), (1, {"or": "x"}), (1.0, {"or": 1}), ("x", {"or": 1})],
)
def test_bit_refuses_what_is_no_integer(update: Update, value: Any, operand: Any) -> None:
    with pytest.raises(BadValueError):
        update({"a": value}, {"$bit": {"a": operand}})
