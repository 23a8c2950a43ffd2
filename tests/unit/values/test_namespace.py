import pytest

from skerry.errors import InvalidNamespaceError
from skerry.values.namespace import Namespace, check_collection_name, check_database_name


def test_the_first_dot_separates_database_and_collection() -> None:
    namespace = Namespace.parse("db.a.b")
    assert namespace == ("db", "a.b")
    assert str(namespace) == "db.a.b"


@pytest.mark.parametrize("text", ["", "db", "db.", ".coll"])
def test_a_namespace_needs_both_names(text: str) -> None:
    with pytest.raises(InvalidNamespaceError):
        Namespace.parse(text)


@pytest.mark.parametrize("name", ["", "a.b", "a b", "a/b", "a\\b", 'a"b', "a$b", "a\x00", "x" * 64, "ü" * 32])
def test_impossible_database_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidNamespaceError):
        check_database_name(name)


@pytest.mark.parametrize("name", ["", ".a", "a.", "a$b", "a\x00b", "system.foo"])
def test_impossible_collection_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidNamespaceError):
        check_collection_name(name)


def test_possible_names_pass() -> None:
    assert Namespace.checked("x" * 63, "a.b c-ü") == ("x" * 63, "a.b c-ü")
    check_collection_name("system.views")


def test_a_namespace_is_at_most_255_bytes_long() -> None:
    Namespace.checked("db", "c" * 252)
    with pytest.raises(InvalidNamespaceError, match="255"):
        Namespace.checked("db", "c" * 253)


def test_the_servers_own_collections_are_known() -> None:
    assert Namespace("db", "system.views").is_system
    assert Namespace("local", "oplog.rs").is_system
    assert not Namespace("db", "systems").is_system
