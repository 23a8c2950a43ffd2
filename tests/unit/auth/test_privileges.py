"""Which resource covers which need."""

import pytest

from skerry.auth.privileges import ANY_DATABASE, CLUSTER, EVERYTHING, Need, Privileges, Resource

FIND = frozenset({"find"})


@pytest.mark.parametrize(
    ("resource", "covered", "not_covered"),
    [
        (
            Resource("shop"),
            [("shop", "items"), ("shop", "")],
            [("shop", "system.js"), ("bar", "items"), (ANY_DATABASE, "")],
        ),
        (Resource("shop", "items"), [("shop", "items")], [("shop", ""), ("shop", "other"), ("bar", "items")]),
        (Resource("", "system.js"), [("shop", "system.js")], [("shop", "items"), ("shop", "system.users")]),
        (
            Resource(),
            [("shop", "items"), ("admin", "x"), ("shop", ""), (ANY_DATABASE, "")],
            [("local", "x"), ("config", "x"), ("shop", "system.js"), ("", "")],
        ),
        (Resource("local"), [("local", "x")], [("shop", "x")]),
        (CLUSTER, [("", "")], [("shop", "items"), ("shop", "")]),
        (EVERYTHING, [("", ""), ("local", "x"), ("shop", "system.users"), (ANY_DATABASE, "")], []),
    ],
)
def test_a_resource_covers_what_it_means_and_nothing_else(
    resource: Resource, covered: list[tuple[str, str]], not_covered: list[tuple[str, str]]
) -> None:
    privileges = Privileges([(resource, FIND)])
    assert [where for where in covered if not privileges.allow(Need("find", *where))] == []
    assert [where for where in not_covered if privileges.allow(Need("find", *where))] == []
    assert not any(privileges.allow(Need("insert", *where)) for where in covered)


def test_privileges_on_one_resource_add_up() -> None:
    privileges = Privileges([(Resource("shop"), FIND), (Resource("shop"), frozenset({"insert"}))])
    assert privileges.allow(Need("find", "shop", "x"))
    assert privileges.allow(Need("insert", "shop", "x"))
    assert privileges.to_documents() == [{"resource": {"db": "shop", "collection": ""}, "actions": ["find", "insert"]}]


def test_nobody_is_allowed_nothing() -> None:
    nobody = Privileges(())
    assert not nobody.allow(Need("find", "shop", "x"))
    assert not nobody.allow_anything_in("shop")


@pytest.mark.parametrize(
    ("resource", "db", "allowed"),
    [
        (Resource("shop", "items"), "shop", True),
        (Resource("shop"), "bar", False),
        (Resource(), "bar", True),
        (Resource(), "local", False),
        (CLUSTER, "shop", False),
        (EVERYTHING, "local", True),
    ],
)
def test_a_database_is_visible_to_who_may_do_anything_in_it(resource: Resource, db: str, *, allowed: bool) -> None:
    assert Privileges([(resource, FIND)]).allow_anything_in(db) is allowed


def test_answers_do_not_fill_the_memory() -> None:
    privileges = Privileges([(Resource("shop"), FIND)])
    assert all(privileges.allow(Need("find", "shop", f"c{number}")) for number in range(10_050))
    assert len(privileges._answers) <= 10_000


@pytest.mark.parametrize(
    ("resource", "document"),
    [
        (CLUSTER, {"cluster": True}),
        (EVERYTHING, {"anyResource": True}),
        (Resource("a", "b"), {"db": "a", "collection": "b"}),
    ],
)
def test_a_resource_is_shown_as_mongodb_shows_it(resource: Resource, document: dict[str, object]) -> None:
    assert resource.to_document() == document
