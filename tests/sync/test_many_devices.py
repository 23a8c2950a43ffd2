"""Several devices of one hub, over weeks of a clock that the test moves: offline by turns, writing the same documents.

Each writer has a field of its own in every shared document, so its last value is known whatever the order; one field is written
by all, and there the latest write stands.
"""

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from quiet_pair import Clock, Edge, Node, documents_of

from skerry.sync import change_stream_listener

pytestmark = pytest.mark.slow
DAY = 86_400
SHARED = 6


def rest(edges: list[Edge]) -> None:
    """Let everything travel everywhere: up from all, then down to all."""
    for _ in range(2):
        for edge in edges:
            edge.pull()
            edge.sync()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def make(stack: ExitStack, count: int) -> tuple[Node, list[Edge]]:
    hub = Node()
    stack.callback(hub.close)
    edges = []
    for _ in range(count):
        edge = Edge(hub)
        stack.callback(edge.close)
        edge.connect()
        edges.append(edge)
    return hub, edges


@pytest.mark.parametrize(
    "seed",
    [
        1,
        2,
        3,
        *(pytest.param(n, marks=pytest.mark.long) for n in range(4, int(os.environ.get("SKERRY_DEVICE_SEEDS", "24")))),
    ],
)
def test_three_devices_agree_after_weeks_of_turns_offline(stack: ExitStack, clock: Clock, seed: int) -> None:
    choose = random.Random(seed)
    clock.seconds -= 60 * DAY
    hub, edges = make(stack, 3)
    hub.shop.orders.insert_many([{"_id": n} for n in range(SHARED)])
    rest(edges)
    names = {"hub": hub, **{f"edge{n}": edge for n, edge in enumerate(edges)}}
    own: dict[tuple[str, int], int] = {}
    latest: dict[int, int] = {}
    online = dict.fromkeys(range(3), True)
    for step in range(160):
        clock.seconds += choose.choice((0.5, 60, 3600, DAY / 4))
        name, document = choose.choice(list(names)), choose.randrange(SHARED)
        names[name].shop.orders.update_one({"_id": document}, {"$set": {name: step, "any": step}})
        own[name, document] = latest[document] = step
        which = choose.randrange(3)
        edge, kind = edges[which], choose.random()
        if kind < 0.15:
            online[which] = not online[which]
            edge.connect() if online[which] else edge.disconnect()
        elif kind < 0.2:
            edge.disconnect()
            edge.take_up()  # the program was started again
            if online[which]:
                edge.connect()
        elif kind < 0.6 and online[which]:
            if choose.random() < 0.5:
                edge.push()
            edge.pull()
    for which, edge in enumerate(edges):
        if not online[which]:
            edge.connect()
    rest(edges)
    for edge in edges:
        assert documents_of(edge) == documents_of(hub)
    found = {document["_id"]: document for document in documents_of(hub)}
    assert {(name, document): found[document][name] for name, document in own} == own
    assert {document: found[document]["any"] for document in latest} == latest


def test_fifty_small_devices_share_one_hub(stack: ExitStack, clock: Clock) -> None:
    choose = random.Random(50)
    clock.seconds -= 30 * DAY
    hub, edges = make(stack, 50)
    hub.shop.orders.insert_many([{"_id": n} for n in range(SHARED)])
    for edge in edges:
        edge.pull()
    expected: dict[tuple[int, int], int] = {}
    for step in range(200):
        clock.seconds += 600
        which, document = choose.randrange(50), choose.randrange(SHARED)
        edges[which].shop.orders.update_one({"_id": document}, {"$set": {f"e{which}": step}})
        edges[which].shop.own.insert_one({"_id": f"{which} {step}"})
        expected[which, document] = step
        if choose.random() < 0.3:
            edges[which].push()
            edges[which].pull()
    rest(edges)
    there = documents_of(hub)
    assert {(which, document): there[document][f"e{which}"] for which, document in expected} == expected
    assert len(documents_of(hub, "own")) == 200
    for edge in edges:
        assert documents_of(edge) == there
        assert edge.shop.own.count_documents({}) == 200


def test_a_version_that_is_newer_than_its_event_is_not_taken_for_an_older_one(stack: ExitStack, clock: Clock) -> None:
    clock.seconds -= DAY
    hub, (edge,) = make(stack, 1)
    hub.shop.orders.insert_one({"_id": 1})
    rest([edge])
    edge.disconnect()
    for name, node in (("early", hub), ("local", edge)):
        clock.seconds += 60
        node.shop.orders.update_one({"_id": 1}, {"$set": {"any": name}})
    edge.connect()  # the stream has brought the early event
    clock.seconds += 60
    hub.shop.orders.update_one({"_id": 1}, {"$set": {"any": "late"}})
    rest([edge])
    assert documents_of(edge) == documents_of(hub) == [{"_id": 1, "any": "late"}]


@pytest.mark.parametrize("is_cut", [False, True], ids=["in one go", "with a cut in the middle"])
@pytest.mark.parametrize("events_max", [1, 2, 1000])
@pytest.mark.parametrize("local_at", range(5))
def test_after_an_absence_the_last_of_all_writes_stands(
    stack: ExitStack, clock: Clock, monkeypatch: pytest.MonkeyPatch, local_at: int, events_max: int, is_cut: bool
) -> None:
    """However the stream cuts what happened into batches, and though pushes are tried before it has brought all of that."""
    monkeypatch.setattr(change_stream_listener, "BATCH_EVENTS_MAX", events_max)
    clock.seconds -= 9 * DAY
    hub, (edge,) = make(stack, 1)
    hub.shop.orders.insert_many([{"_id": 1, "kept": [1]}, {"_id": 2, "kept": [1]}])
    rest([edge])
    edge.disconnect()
    for day in range(5):
        clock.seconds += DAY
        node = edge if day == local_at else hub
        node.shop.orders.update_many({}, {"$set": {"any": day}})
        node.shop.orders.update_one({"_id": 2}, {"$push": {"kept": day}} if node is hub else {"$set": {"kept": day}})
    edge.connect()
    for _ in range(8):
        clock.seconds += 10  # what was left out of a push is due again
        edge.push()
        edge.step()
        if is_cut:
            edge.disconnect()
            edge.connect()
    rest([edge])
    there = documents_of(hub)
    assert documents_of(edge) == there
    assert [document["any"] for document in there] == [4, 4]
    assert (there[1]["kept"] == 4) is (local_at == 4)
