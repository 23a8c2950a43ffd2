"""kill -9 at any moment: what was acknowledged is on both sides once, and nothing is pushed or applied twice."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from crash_points import POINTS
from edge_process import HUB_URI
from hubs import HubNode
from nodes import EdgeNode, contents, wait_for

from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.sync import outbox
from skerry.sync.protocol.document_state import State
from skerry.sync.replicator import Replicator
from skerry.sync.sync_health import LinkState
from skerry.values import documents
from skerry.values.namespace import Namespace

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).with_name("edge_process.py")
IN_EVERY_RUN = ("push: marked, not sent", "push: committed, not heard of", "pull: being applied", "copy: being applied")


def edge_process(path: Path, hub: HubNode, *arguments: str) -> subprocess.Popen[str]:
    """Start an edge that says on its standard output what it has written."""
    command = [sys.executable, str(SCRIPT), str(path), hub.shop.name, *arguments]
    return subprocess.Popen(command, env={**os.environ, HUB_URI: hub.uri}, stdout=subprocess.PIPE, text=True)


def test_a_killed_edge_loses_no_acknowledged_write_and_repeats_none(
    hub: HubNode, make_edge: Callable[..., EdgeNode], tmp_path: Path
) -> None:
    choose = random.Random(11)
    written: list[str] = []
    touched: Counter[str] = Counter()
    for seed in range(4):
        with edge_process(tmp_path / "edge", hub, str(seed)) as process:
            assert process.stdout is not None
            for _ in range(choose.randrange(60, 140)):
                new, earlier = process.stdout.readline().split()
                written.append(new)
                touched[earlier] += 1
            process.kill()
            rest = process.stdout.read().splitlines()
        for line in rest:
            if len(parts := line.split()) == 2:
                written.append(parts[0])
                touched[parts[1]] += 1
    edge = make_edge("edge")
    edge.settle(40)
    assert contents(edge.shop) == contents(hub.shop)
    there = {d["_id"]: d.get("touched", 0) for d in hub.shop.orders.find()}
    assert set(written) <= there.keys()
    assert len(there) - len(written) <= 4  # the one of each life that was written and not yet told
    assert 0 <= sum(there.values()) - sum(touched.values()) <= 4
    assert edge.replicator.status().conflicts == 0


@pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.long)])
@pytest.mark.parametrize("point", [p if p in IN_EVERY_RUN else pytest.param(p, marks=pytest.mark.long) for p in POINTS])
def test_an_edge_that_dies_at_a_named_step_loses_and_repeats_nothing(
    hub: HubNode, make_edge: Callable[..., EdgeNode], tmp_path: Path, point: str, times: int
) -> None:
    if point.startswith("copy") and times > 1:
        pytest.skip("so few documents are copied in one step")
    hub.shop.orders.insert_many([{"_id": f"hub {n}", "v": 0} for n in range(40)])
    written: list[str] = []
    touched: Counter[str] = Counter()
    with edge_process(tmp_path / "edge", hub, "1", point, str(times)) as process:
        assert process.stdout is not None
        for at, line in enumerate(process.stdout):
            new, earlier = line.split()
            written.append(new)
            touched[earlier] += 1
            if at % 5 == 0:
                hub.shop.orders.update_one({"_id": f"hub {at % 40}"}, {"$inc": {"v": 1}})
    assert process.returncode == -signal.SIGKILL
    edge = make_edge("edge")
    edge.settle(40)
    assert contents(edge.shop) == contents(hub.shop)
    there = {d["_id"]: d.get("touched", 0) for d in hub.shop.orders.find({"v": None})}
    assert set(written) <= there.keys()
    assert len(there) - len(written) <= 1  # what was written and not yet told
    assert 0 <= sum(there.values()) - sum(touched.values()) <= 1
    assert edge.replicator.status().conflicts == 0


@pytest.mark.parametrize("committed", [True, False])
def test_a_batch_without_an_outcome_is_settled_before_anything_else(
    hub: HubNode, edge: EdgeNode, committed: bool
) -> None:
    edge.settle()
    edge.unlink()
    edge.shop.orders.insert_many([{"_id": n} for n in range(10)])
    edge.die_while_pushing(committed=committed)
    link = edge.replicator.link
    assert len(link.read(lambda view: link.shadows.of_state(view, State.INFLIGHT))) == 10
    edge.shop.orders.update_one({"_id": 3}, {"$set": {"later": True}})
    edge.relink()
    edge.settle()
    assert contents(edge.shop) == contents(hub.shop)
    assert hub.shop.orders.find_one({"_id": 3}) == {"_id": 3, "later": True}
    assert edge.counters()["fences"] == 1
    assert edge.counters()["pushed"] == (1 if committed else 10)


def test_another_engine_on_the_directory_captures_too_and_its_link_stands_by(hub: HubNode, edge: EdgeNode) -> None:
    edge.settle()
    other = Engine(edge.path)
    try:
        orders = Namespace(hub.shop.name, "orders")
        outbox.attach(other)
        second = Replicator(other, edge.config)
        second.start()
        for n in range(3):
            edge.shop.orders.insert_one({"_id": n})
            edge.settle()
        other.insert(orders, [documents.encode({"_id": "other"})], ordered=True, ctx=OperationContext())
        wait_for(lambda: hub.shop.orders.find_one({"_id": "other"}))
        assert second.status().state is LinkState.STANDBY
        edge.unlink()
        edge.shop.orders.update_many({}, {"$set": {"by": "the second"}})
        other.insert(orders, [documents.encode({"_id": "took over"})], ordered=True, ctx=OperationContext())
        assert second.wait_until_in_step(20)
        assert contents(edge.shop) == contents(hub.shop)
        assert second.status().counters.get("fences", 0) == 0
        second.stop()
    finally:
        other.close()


def test_a_copied_store_takes_a_new_name_and_loses_nothing(
    hub: HubNode, make_edge: Callable[..., EdgeNode], tmp_path: Path
) -> None:
    original = make_edge("original")
    original.shop.orders.insert_many([{"_id": n} for n in range(5)])
    original.settle()
    original.close()
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in (tmp_path / "original").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    again = make_edge("original")
    clone = make_edge("copy")
    again.shop.orders.insert_one({"_id": "original"})
    clone.shop.orders.insert_one({"_id": "clone"})
    time.sleep(0.1)
    for edge in (again, clone, again):
        edge.settle()
    assert contents(again.shop) == contents(clone.shop) == contents(hub.shop)
    assert again.replicator.link.identity.edge != clone.replicator.link.identity.edge


def test_what_a_program_writes_while_no_link_runs_is_pushed_by_the_next_one(hub: HubNode, edge: EdgeNode) -> None:
    """A program of its own opens the directory by `skerry.connect`, and knows nothing of a hub."""
    edge.shop.orders.insert_many([{"_id": 1}, {"_id": 2}])
    edge.settle()
    edge.close()
    program = (
        "import sys, skerry\n"
        "with skerry.connect(sys.argv[1]) as client:\n"
        "    orders = client[sys.argv[2]].orders\n"
        "    orders.insert_one({'_id': 3})\n"
        "    orders.update_one({'_id': 1}, {'$set': {'by': 'program'}})\n"
        "    orders.delete_one({'_id': 2})\n"
    )
    subprocess.run([sys.executable, "-c", program, str(edge.path), hub.shop.name], check=True)
    edge.open()
    edge.link()
    edge.settle()
    assert sorted(hub.shop.orders.find(), key=lambda each: each["_id"]) == [{"_id": 1, "by": "program"}, {"_id": 3}]
