from collections.abc import Callable
from typing import Any

import pytest

from skerry.errors import CommandError
from skerry.update.update_driver import compile_update

Update = Callable[..., dict[str, Any]]


def test_the_first_field_tells_operators_from_a_replacement() -> None:
    assert compile_update({"a": 1}).is_replacement
    assert compile_update({}).is_replacement
    assert not compile_update({"$set": {"a": 1}}).is_replacement
    assert not compile_update([{"$set": {"a": 1}}]).is_replacement


@pytest.mark.parametrize(
    ("specification", "code"),
    [
        ({"$nosuch": {"a": 1}}, 9),
        ({"$set": {"a": 1}, "b": 1}, 9),
        ({"$set": 5}, 9),
        (5, 9),
        ("$set", 9),
        ({"$rename": "x"}, 9),
        ({"a": 1, "$set": {"b": 1}}, 52),
        ([{"$match": {}}], 72),
        ([{"$set": {"a": 1}, "$unset": "b"}], 40323),
        ([5], 14),
    ],
)
def test_malformed_update_is_refused(specification: Any, code: int) -> None:
    with pytest.raises(CommandError) as caught:
        compile_update(specification)
    assert caught.value.code == code


@pytest.mark.parametrize("specification", [{"a": 1}, [{"$set": {"a": 1}}]])
def test_array_filters_need_operators(specification: Any) -> None:
    with pytest.raises(CommandError) as caught:
        compile_update(specification, array_filters=[{"x": 1}])
    assert caught.value.code == 9


@pytest.mark.parametrize(
    "specification",
    [
        {"$set": {"_id": 2}},
        {"$unset": {"_id": 1}},
        {"$inc": {"_id": 1}},
        {"$set": {"_id": 1.0}},
        {"_id": 2},
        [{"$set": {"_id": 2}}],
    ],
)
def test_id_is_immutable(update: Update, specification: Any) -> None:
    with pytest.raises(CommandError) as caught:
        update({"_id": 1, "a": 1}, specification)
    assert caught.value.code == 66


def test_setting_the_same_id_is_no_change(update: Update) -> None:
    document = {"_id": {"k": 1}, "a": 1}
    assert update(document, {"$set": {"_id": {"k": 1}, "_id2": 1}}) == {"_id": {"k": 1}, "a": 1, "_id2": 1}
    assert update(document, {"$set": {"_id.k": 1}}) is document
    with pytest.raises(CommandError):
        update(document, {"$set": {"_id.k": 2}})


def test_an_upsert_may_set_the_id(update: Update) -> None:
    assert update({}, {"$set": {"_id": 5, "a": 1}}, is_upsert_insert=True) == {"_id": 5, "a": 1}
