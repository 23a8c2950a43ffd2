"""What a link may do on the hub: the roles in docs/security.md, "The hub's side", are enough, and less than them is told."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from guarded_hub import GuardedServer
from hubs import SharedHub
from nodes import EdgeNode, contents, wait_for

from skerry.sync.sync_health import LinkState, LinkStatus

pytestmark = pytest.mark.slow
Roles = list[tuple[str, str]]
MakeEdge = Callable[[str, Roles], EdgeNode]


@pytest.fixture
def root(guarded: GuardedServer) -> Iterator[SharedHub]:
    """The hub as those see it who may do everything; a database of its own has something in it, as MongoDB's do."""
    hub = SharedHub(guarded.user_with([("root", "admin")]))
    hub.client.local.startup_log.insert_one({})
    yield hub
    hub.close()


@pytest.fixture
def make_edge(guarded: GuardedServer, root: SharedHub, tmp_path: Path) -> Iterator[MakeEdge]:
    """Make an edge whose user has roles in databases, which are named without the prefix."""
    with ExitStack() as stack:

        def make(rules: str, roles: Roles) -> EdgeNode:
            granted = [(role, db if db == "admin" else root.prefix + db) for role, db in roles]
            edge = EdgeNode(tmp_path / "edge", guarded.user_with(granted), rules, prefix=root.prefix)
            stack.callback(edge.close)
            return edge

        yield make


@pytest.mark.parametrize(
    ("rules", "roles"),
    [
        ("shop.*=both", [("readWrite", "shop")]),
        ("shop.*=both,depot.*=both", [("readWrite", "shop"), ("readWrite", "depot"), ("readAnyDatabase", "admin")]),
        ("depot*.*=both", [("readWriteAnyDatabase", "admin")]),
    ],
    ids=["one database", "several databases", "a wildcard"],
)
def test_the_documented_roles_are_enough(root: SharedHub, make_edge: MakeEdge, rules: str, roles: Roles) -> None:
    name = rules.partition(".")[0].rstrip("*")
    root.database(name).orders.insert_many([{"_id": n, "v": 0} for n in range(3)])
    edge = make_edge(rules, roles)
    edge.settle()
    assert edge.replicator.status().tier == "A"
    edge.database(name).orders.update_one({"_id": 1}, {"$set": {"v": "here"}})
    root.database(name).orders.update_one({"_id": 2}, {"$set": {"v": "there"}})
    edge.settle()
    assert contents(edge.database(name)) == contents(root.database(name))
    assert {each["v"] for each in root.database(name).orders.find()} == {0, "here", "there"}
    assert list(edge.replicator.verify()) == []


@pytest.mark.parametrize(
    ("rules", "roles"),
    [
        ("shop.*=both", [("read", "shop")]),
        ("shop.*=both,depot.*=both", [("readWrite", "shop"), ("readWrite", "depot")]),
    ],
    ids=["only to read", "no stream over both"],
)
def test_a_link_that_may_too_little_says_so_and_keeps_what_waits(make_edge: MakeEdge, rules: str, roles: Roles) -> None:
    edge = make_edge(rules, roles)
    edge.shop.orders.insert_one({"_id": 1})
    wait_for(lambda: "not authorized" in str(edge.replicator.status().error))
    assert not edge.replicator.wait_until_in_step(0.3)
    assert edge.replicator.status().dirty == 1


def test_missing_rights_are_a_refusal_that_names_the_privilege(make_edge: MakeEdge) -> None:
    edge = make_edge("shop.*=both", [("read", "shop")])
    seen: list[LinkStatus] = []  # it tries again and again, so that a refusal is a state of moments

    def is_refused() -> bool:
        seen.append(edge.replicator.status())
        return seen[-1].state is LinkState.REFUSED

    wait_for(is_refused)
    assert "the link's user lacks the privilege " in str(seen[-1].error)
    assert any("the link is refused" in problem for problem in seen[-1].problems)
