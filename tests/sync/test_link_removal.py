"""A store forgets a link: for good, or to begin anew with a hub; nothing is captured any more, and both sides come together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bson
import pytest
from hubs import HubNode, OwnHub
from nodes import EdgeNode, contents, wait_for

from skerry.config.sync_config import Atomicity, Direction, OnFull
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.sync import link_switch, outbox, selection_override
from skerry.sync.hub import now
from skerry.sync.lease import runner_of
from skerry.sync.link import Link
from skerry.sync.link_removal import (
    LinkHasUnpushedError,
    LinkIsRunError,
    LinkNotKnownError,
    Unpushed,
    begin_anew,
    forget_link,
    known_links,
)
from skerry.sync.origin import MarkerOp, marker_document
from skerry.sync.protocol.document_state import State
from skerry.sync.protocol.event_grouping import BatchId
from skerry.sync.protocol.hybrid_clock import stamp_at
from skerry.sync.replicator import Replicator
from skerry.sync.selection import MARKERS
from skerry.sync.selection_override import SelectionOverride
from skerry.sync.sync_health import LinkState
from skerry.values.namespace import Namespace

Make = Callable[..., EdgeNode]


def begin_again(edge: EdgeNode, *, force: bool = False) -> Unpushed:
    """Do what a node does that is told to reset its link."""
    edge.unlink()
    edge.replicator = Replicator(edge.engine, edge.config)
    try:
        return begin_anew(edge.replicator.link, force=force)
    finally:
        edge.replicator.start()


def replace_hub(hub: OwnHub, path: Path) -> None:
    """Put another hub, which knows nobody, at the address of this one."""
    hub.stop()
    hub.path = path
    hub.start()


def rows(engine: Engine) -> dict[str, int]:
    """Return how many rows each table of the sync has, of those that have any."""
    with engine.storage.read() as view:
        names = [name for (name,) in view.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counts = {name: int(view.row(f"SELECT count(*) FROM {name}")[0]) for name in names if name.startswith("sync_")}
    assert len(counts) > 7
    return {name: count for name, count in counts.items() if count}


def insert(engine: Engine, database: str, *ids: Any) -> None:
    raw = [bson.encode({"_id": each}) for each in ids]
    engine.insert(Namespace(database, "orders"), raw, ordered=True, ctx=OperationContext())


@contextmanager
def another_engine(path: Path) -> Iterator[Engine]:
    """Give one more engine on the directory, as another process has it."""
    engine = Engine(path)
    outbox.attach(engine)
    yield engine
    engine.close()


def test_a_link_whose_hub_was_replaced_begins_anew_with_the_one_in_its_place(
    own_hub: OwnHub, edge: EdgeNode, tmp_path: Path
) -> None:
    edge.shop.orders.insert_many([{"_id": "same"}, {"_id": "here"}, {"_id": "both", "by": "edge"}])
    edge.settle()
    before = edge.replicator.link.identity
    replace_hub(own_hub, tmp_path / "other")
    own_hub.shop.orders.insert_many([{"_id": "same"}, {"_id": "there"}, {"_id": "both", "by": "hub"}])
    wait_for(lambda: edge.replicator.status().state is LinkState.REFUSED)
    assert "this is not the hub that link 'hub' belongs to" in (edge.replicator.status().error or "")

    assert begin_again(edge) == Unpushed(0)
    edge.settle()
    assert contents(edge.shop) == contents(own_hub.shop)
    assert [each["_id"] for each in contents(own_hub.shop)["orders"]] == ["both", "here", "same", "there"]
    assert edge.shop.orders.find_one("both") == {"_id": "both", "by": "hub"}
    (conflict,) = edge.replicator.link.read(edge.replicator.link.conflicts.entries)
    assert conflict.record["local"] == {"_id": "both", "by": "edge"}
    after = edge.replicator.link.identity
    assert after.hub != before.hub
    assert set(before.edges).isdisjoint(after.edges)

    edge.shop.orders.update_one({"_id": "both"}, {"$set": {"by": "edge again"}})
    own_hub.shop.orders.delete_one({"_id": "there"})
    edge.settle()
    assert contents(edge.shop) == contents(own_hub.shop)
    assert edge.replicator.status().conflicts == 1


def test_a_link_that_begins_anew_with_its_old_hub_changes_nothing_there(hub: HubNode, edge: EdgeNode) -> None:
    edge.shop.orders.insert_many([{"_id": n} for n in range(20)])
    hub.shop.orders.insert_many([{"_id": -n} for n in range(1, 20)])
    edge.settle()
    before = contents(hub.shop)
    begin_again(edge)
    edge.settle()
    assert contents(hub.shop) == contents(edge.shop) == before
    counters = edge.counters()
    assert (counters.get("pushed", 0), counters.get("pulled_applied", 0), counters.get("conflicts", 0)) == (0, 0, 0)
    for n in range(5):  # its first batches, which have numbers that the hub has seen from it under its old name
        edge.shop.orders.insert_one({"_id": f"later {n}"})
        edge.settle()
    assert contents(hub.shop) == contents(edge.shop)
    assert hub.shop.orders.count_documents({}) == 44


def test_a_batch_of_the_old_name_that_commits_late_is_somebody_elses_change(hub: HubNode, edge: EdgeNode) -> None:
    edge.settle()
    old = edge.replicator.link.identity
    begin_again(edge)
    edge.shop.orders.insert_one({"_id": "first"})
    edge.settle()
    batch = BatchId(old.edge, old.incarnation, 1)
    marker = marker_document(batch, [MarkerOp("orders", "late", stamp_at(1), False)], stamp=stamp_at(1), at=now())
    with hub.client.start_session() as session, session.start_transaction():
        hub.shop[MARKERS].insert_one(marker, session=session)
        hub.shop.orders.insert_one({"_id": "late"}, session=session)
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop) == {"orders": [{"_id": "first"}, {"_id": "late"}]}


def test_nothing_is_left_of_a_forgotten_link_and_no_process_captures_for_it(hub: HubNode, make_edge: Make) -> None:
    edge = make_edge(atomicity=Atomicity.PER_TRANSACTION, conflict_rules=["shop.*=remote_wins"])
    edge.settle()
    edge.unlink()
    link = edge.replicator.link
    with edge.client.start_session() as session, session.start_transaction():
        edge.shop.orders.insert_many([{"_id": "a"}, {"_id": "b"}], session=session)
    namespace = Namespace(hub.shop.name, "orders")

    def fill(view: Any) -> None:
        tracked = link.shadows.dirty(view, excluded=(), now_ms=0, limit=1)[0]
        link.shadows.keep_base(view, namespace, tracked.key, b"")
        link.shadows.keep_pushed(view, namespace, tracked.key, b"")
        link.shadows.keep_origin(view, namespace, b"another", b"")
        link.shadows.keep_in_doubt(view, tracked, None, since=0)
        link.dead_letters.put(view, namespace, tracked.key, {"error": "x"})
        view.run("INSERT INTO sync_conflict (link, ns, key, at, record) VALUES ('hub', 'shop.orders', x'00', 1, x'00')")

    link.write(fill)
    edge.die_while_pushing(committed=False)
    assert len(rows(edge.engine)) == 8
    with another_engine(edge.path) as other:
        insert(other, hub.shop.name, "c")
        assert edge.replicator.status().dirty + edge.replicator.status().in_flight == 3
        assert forget_link(edge.engine.storage, "hub", force=True) == Unpushed(3)
        assert rows(other) == {"sync_conflict": 1}
        insert(other, hub.shop.name, "d")
        insert(edge.engine, hub.shop.name, "e")
        assert rows(other) == {"sync_conflict": 1}
        with other.storage.read() as view:
            assert known_links(view) == []
    assert edge.shop.orders.count_documents({}) == 5


def test_the_other_links_of_a_store_go_on(hub: HubNode, make_edge: Make) -> None:
    edge = make_edge(link_name="hub 2")
    edge.shop.orders.insert_one({"_id": "a"})
    edge.settle()
    edge.unlink()
    before = rows(edge.engine)
    for name in ("hub", "hub 2 too"):  # one name is the beginning of another
        old = make_edge(f"config of {name}", linked=False, link_name=name)
        Link(edge.engine, old.config).register()
    edge.shop.orders.insert_one({"_id": "b"})
    with edge.engine.storage.read() as view:
        found = [(each.name, each.unpushed, each.run_by) for each in known_links(view)]
    assert found == [(name, Unpushed(1), None) for name in ("hub", "hub 2", "hub 2 too")]
    forget_link(edge.engine.storage, "hub", force=True)
    forget_link(edge.engine.storage, "hub 2 too", force=True)
    assert rows(edge.engine).keys() == before.keys()
    edge.relink()
    edge.settle()
    assert contents(hub.shop) == {"orders": [{"_id": "a"}, {"_id": "b"}]}
    assert edge.counters()["pushed"] == 1  # it has not begun anew


def test_it_is_refused_while_documents_wait_and_changes_nothing(own_hub: OwnHub, edge: EdgeNode) -> None:
    edge.shop.orders.insert_many([{"_id": "changed", "by": "both"}, {"_id": "deleted"}])
    edge.settle()
    edge.unlink()
    edge.shop.orders.update_one({"_id": "changed"}, {"$set": {"by": "edge"}})
    edge.shop.orders.delete_one({"_id": "deleted"})
    edge.shop.orders.insert_one({"_id": "new"})
    before = rows(edge.engine)
    with pytest.raises(LinkHasUnpushedError, match="3 documents wait to be pushed"):
        begin_anew(edge.replicator.link)
    with pytest.raises(LinkHasUnpushedError, match="link 'hub': 3 documents") as refused:
        forget_link(edge.engine.storage, "hub")
    assert refused.value.unpushed == Unpushed(3)
    assert rows(edge.engine) == before

    assert begin_again(edge, force=True) == Unpushed(3)
    edge.settle()
    shop = {"orders": [{"_id": "changed", "by": "both"}, {"_id": "deleted"}, {"_id": "new"}]}
    assert contents(own_hub.shop) == contents(edge.shop) == shop
    (conflict,) = edge.replicator.link.read(edge.replicator.link.conflicts.entries)
    assert conflict.record["local"] == {"_id": "changed", "by": "edge"}


@pytest.mark.parametrize("state", [State.DIRTY, State.INFLIGHT, State.QUARANTINED])
def test_what_waits_counts_in_every_state_in_which_the_hub_may_not_have_it(make_edge: Make, state: State) -> None:
    edge = make_edge(linked=False)
    edge.replicator.link.register()
    edge.shop.orders.insert_one({"_id": 1})
    edge.replicator.link.write(lambda view: view.run("UPDATE sync_doc SET state = ?", (int(state),)))
    with pytest.raises(LinkHasUnpushedError, match="1 documents"):
        forget_link(edge.engine.storage, "hub")


def test_changes_that_were_not_tracked_are_named(make_edge: Make) -> None:
    edge = make_edge(linked=False, dirty_documents_max=1, on_full=OnFull.MARK_COLLECTION)
    edge.replicator.link.register()
    edge.shop.orders.insert_many([{"_id": n} for n in range(5)])
    with pytest.raises(LinkHasUnpushedError, match=r"not tracked \(.*shop.orders\)"):
        forget_link(edge.engine.storage, "hub")
    assert forget_link(edge.engine.storage, "hub", force=True).untracked == (f"{edge.shop.name}.orders",)


@pytest.mark.parametrize("committed", [True, False])
def test_a_batch_whose_outcome_is_unknown_neither_stops_nor_doubles_anything(
    hub: HubNode, edge: EdgeNode, committed: bool
) -> None:
    edge.settle()
    edge.unlink()
    edge.shop.orders.insert_many([{"_id": n} for n in range(10)])
    edge.die_while_pushing(committed=committed)
    edge.shop.orders.update_one({"_id": 3}, {"$set": {"later": True}})
    assert begin_again(edge, force=True) == Unpushed(10)
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert hub.shop.orders.count_documents({}) == 10
    assert edge.counters().get("fences", 0) == 0
    # where the hub had the first version, nobody knows any more that the other is newer
    assert [each["_id"] for each in hub.shop.orders.find({"later": True})] == ([] if committed else [3])
    assert edge.replicator.status().conflicts == int(committed)


def test_a_link_that_another_process_runs_is_not_forgotten(edge: EdgeNode) -> None:
    edge.settle()
    with another_engine(edge.path) as other:
        with pytest.raises(LinkIsRunError, match="is run by process"):
            forget_link(other.storage, "hub", force=True)
        with pytest.raises(LinkIsRunError, match="is run by process"):
            begin_anew(Link(other, edge.config), force=True)
        with other.storage.read() as view:
            assert [each.run_by is None for each in known_links(view)] == [False]
    edge.unlink()
    with edge.engine.storage.read() as view:
        assert runner_of(view, "hub") is None


def test_a_link_that_nobody_knows_cannot_be_forgotten(edge: EdgeNode) -> None:
    with pytest.raises(LinkNotKnownError, match="no link 'other'"):
        forget_link(edge.engine.storage, "other", force=True)


def test_what_operators_have_ordered_holds_after_it_too(edge: EdgeNode) -> None:
    edge.settle()
    link, pattern = edge.replicator.link, f"{edge.shop.name}.drafts"
    edge.replicator.override_selection(SelectionOverride().with_direction(pattern, Direction.NONE))
    link.write(lambda view: link_switch.switch_off(view, "hub", LinkState.PAUSED, "iris"))
    begin_again(edge)
    status = edge.replicator.status()
    assert (status.state, status.switched and status.switched.by) == (LinkState.PAUSED, "iris")
    assert link.read(lambda view: selection_override.load(view, "hub")).directions[0].pattern == pattern
    assert edge.replicator.link.selection.direction(Namespace.parse(pattern)) is Direction.NONE


def test_a_paused_link_that_was_forgotten_meanwhile_takes_another_name(hub: HubNode, edge: EdgeNode) -> None:
    edge.shop.orders.insert_one({"_id": 1})
    edge.settle()
    old = edge.replicator.link.identity.edge
    edge.replicator.pause()
    wait_for(lambda: not edge.replicator._connected.is_set())
    edge.replicator._lease.release()  # as it expires by itself
    forget_link(edge.engine.storage, "hub")
    edge.shop.orders.insert_one({"_id": 2})
    edge.replicator.resume()
    wait_for(lambda: edge.replicator.link.identity.edge != old)
    edge.settle()
    edge.shop.orders.insert_one({"_id": 3})
    edge.settle()
    assert contents(hub.shop) == contents(edge.shop) == {"orders": [{"_id": n} for n in (1, 2, 3)]}


def test_what_is_written_after_a_crash_between_forgetting_and_starting_is_captured(
    hub: HubNode, edge: EdgeNode
) -> None:
    edge.shop.orders.insert_one({"_id": 1, "by": "both"})
    edge.settle()
    edge.unlink()
    begin_anew(Link(edge.engine, edge.config))
    edge.close()
    with another_engine(edge.path) as other:
        insert(other, hub.shop.name, 2)
        with other.storage.read() as view:
            (found,) = known_links(view)
            assert found.unpushed == Unpushed(1)
    edge.open()
    edge.link()
    edge.settle()
    assert contents(hub.shop) == contents(edge.shop) == {"orders": [{"_id": 1, "by": "both"}, {"_id": 2}]}


def test_a_crash_within_it_leaves_the_link_as_it_was(
    hub: HubNode, edge: EdgeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge.shop.orders.insert_one({"_id": 1})
    edge.settle()
    edge.unlink()
    before = rows(edge.engine)

    def dies(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Link, "take_up", dies)
        with pytest.raises(ZeroDivisionError):
            begin_anew(edge.replicator.link)
    assert rows(edge.engine) == before
    edge.shop.orders.insert_one({"_id": 2})
    edge.relink()
    edge.settle()
    assert contents(hub.shop) == contents(edge.shop)
    assert edge.counters()["pushed"] == 1
