import pytest

from skerry.config.sync_config import Direction, parse_rule
from skerry.sync.selection import Selection, selected
from skerry.values.namespace import Namespace


def select(*rules: str, frozen: tuple[str, ...] = ()) -> Selection:
    return Selection(tuple(parse_rule(rule) for rule in rules), dict.fromkeys(frozen, "dropped"))


@pytest.mark.parametrize(
    ("namespace", "direction"),
    [
        ("shop.orders", Direction.BOTH),
        ("shop.private_notes", Direction.NONE),
        ("shop.sub.orders", Direction.BOTH),
        ("shops.orders", Direction.NONE),
        ("depot7.stock", Direction.PULL),
        ("depot.stocks", Direction.NONE),
        ("shop.__edge_sync", Direction.NONE),
        ("shop.system.views", Direction.NONE),
        ("admin.orders", Direction.NONE),
    ],
)
def test_the_first_rule_that_fits_decides(namespace: str, direction: Direction) -> None:
    selection = select("shop.private*=none", "shop.*=both", "depot*.stock=pull", "*.orders=none")
    assert selection.direction(Namespace.parse(namespace)) is direction


@pytest.mark.parametrize("name", ["GASDB_MASTER_INDEX", "GASDB_MASTER_INDEX.leases"])
def test_the_master_index_of_a_server_travels_only_by_a_rule_that_names_it(name: str) -> None:
    index = Namespace("shop", name)
    for rules in (["shop.*=both"], ["*.*=push"], ["shop.GASDB_*=both"]):
        selection = select(*rules)
        assert selection.direction(index) is Direction.NONE
        assert not selection.captures(index)
        assert selected([index], selection) == []
    assert select(f"shop.{name}=pull", "shop.*=both").direction(index) is Direction.PULL
    assert select("shop.*=both").direction(Namespace("shop", "GASDB_MASTER_INDEX2")) is Direction.BOTH


def test_a_frozen_collection_is_captured_but_does_not_travel() -> None:
    selection, orders = select("shop.*=both", frozen=("shop.orders",)), Namespace("shop", "orders")
    assert selection.captures(orders)
    assert not selection.pulls(orders)
    assert not selection.pushes(orders)


def test_one_literal_database_is_watched_by_itself() -> None:
    assert select("shop.a=both", "shop.b=push", "other.c=none").database == "shop"
    assert select("shop.a=both", "depot.b=push").database is None
    assert select("sh*.a=both").database is None
    assert select("sh*.a=both", "depot.b=push").home == "depot"


def test_a_selection_survives_being_stored() -> None:
    selection = select("shop.*=both", "a.b=push", frozen=("shop.x",))
    assert Selection.from_document(selection.to_document()) == selection


def test_only_what_travels_is_selected() -> None:
    names = [Namespace("shop", "b"), Namespace("shop", "a"), Namespace("x", "y")]
    assert selected(names, select("shop.*=both")) == [Namespace("shop", "a"), Namespace("shop", "b")]


def test_the_event_filter_lets_markers_and_wildcards_through() -> None:
    conditions = select("shop.ord*=both").event_filter()["$or"]
    assert {"ns.coll": "__edge_sync"} in conditions
    assert {"ns.db": "shop", "ns.coll": {"$regex": "^ord.*$"}} in conditions
