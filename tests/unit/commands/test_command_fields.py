"""Fields are declared once and checked with the server's errors."""

from typing import Any

import pytest
from bson import Decimal128, Int64

from skerry.commands import command_fields as fields
from skerry.commands.command_fields import CommandFields
from skerry.errors import CommandError, NotImplementedYetError, TypeMismatchError

FIND = CommandFields("find", {"find": fields.collection_name, "limit": fields.count_of}, required=("find",))


def test_known_fields_are_returned_and_generic_ones_left_out() -> None:
    body = {"find": "a", "limit": 5.0, "$db": "d", "lsid": {}, "comment": "c", "$readPreference": {}}
    assert FIND.read(body) == {"find": "a", "limit": 5}


def test_null_counts_as_absent() -> None:
    assert FIND.read({"find": "a", "limit": None}) == {"find": "a"}
    with pytest.raises(CommandError, match=r"'find\.find' is missing but a required field") as caught:
        FIND.read({"find": None})
    assert caught.value.code == 40414


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(CommandError) as caught:
        FIND.read({"find": "a", "foo": 1})
    assert (caught.value.code, caught.value.message) == (40415, "BSON field 'find.foo' is an unknown field.")


def test_generic_fields_are_unknown_inside_a_statement() -> None:
    statement = CommandFields("update.updates", {"q": fields.document}, generic=False)
    with pytest.raises(CommandError, match=r"update\.updates\.comment"):
        statement.read({"comment": 1})


def test_open_declarations_pass_unknown_fields_on() -> None:
    create = CommandFields("create", {"create": fields.string}, allows_unknown=True)
    assert create.read({"create": "a", "validator": {}, "$db": "d"}) == {"create": "a", "validator": {}}


@pytest.mark.parametrize(
    ("reader", "value", "expected"),
    [
        (fields.boolean, True, True),
        (fields.truth, 1, True),
        (fields.truth, 0.0, False),
        (fields.truth, Decimal128("0"), False),
        (fields.integer, 7, 7),
        (fields.integer, Int64(2**40), 2**40),
        (fields.integer, 7.9, 7),
        (fields.integer, -7.9, -7),
        (fields.integer, float("nan"), 0),
        (fields.integer, Decimal128("12"), 12),
        (fields.count_of, 0, 0),
        (fields.string, "s", "s"),
        (fields.array_of_documents, [{"a": 1}], [{"a": 1}]),
        (fields.string_or_document, "a_1", "a_1"),
        (fields.collation, {"locale": "simple"}, None),
        (fields.refused("never"), False, False),
        (fields.anything, 5, 5),
    ],
)
def test_readers_take_what_fits(reader: fields.Reader, value: Any, expected: Any) -> None:
    assert reader(value, "find", "f") == expected


@pytest.mark.parametrize(
    ("reader", "value", "kind"),
    [
        (fields.boolean, 1, TypeMismatchError),
        (fields.truth, "true", TypeMismatchError),
        (fields.integer, True, TypeMismatchError),
        (fields.integer, "1", TypeMismatchError),
        (fields.string, 1, TypeMismatchError),
        (fields.document, [], TypeMismatchError),
        (fields.array, {}, TypeMismatchError),
        (fields.array_of_documents, [1], TypeMismatchError),
        (fields.refused("never"), True, CommandError),
        (fields.collation, {"locale": "de"}, NotImplementedYetError),
    ],
)
def test_readers_refuse_what_does_not_fit(reader: fields.Reader, value: Any, kind: type[CommandError]) -> None:
    with pytest.raises(kind):
        reader(value, "find", "f")


def test_a_wrong_type_is_told_with_both_types() -> None:
    with pytest.raises(TypeMismatchError) as caught:
        fields.integer("x", "find", "limit")
    assert caught.value.message == (
        "BSON field 'find.limit' is the wrong type 'string', expected types '[long, int, decimal, double]'"
    )


def test_an_integer_is_held_to_64_bits() -> None:
    assert fields.integer(1e300, "find", "limit") < 2**63
    assert fields.integer(-1e300, "find", "limit") == -(2**63)


def test_a_negative_count_is_out_of_range() -> None:
    with pytest.raises(CommandError) as caught:
        fields.count_of(-1, "find", "limit")
    assert caught.value.code == 51024
