"""Any local transactions, pushes, pulls and crashes: the hub shows each of them whole, and nothing is lost."""

import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from local_transactions import Both, HubReader, put, rows, transfer, whole
from quiet_pair import Edge, documents_of

WAIT_SECONDS = 20


def test_no_thread_takes_a_part_of_a_group_that_another_is_sending() -> None:
    accounts = 30
    with whole(batch_documents_max=3, batches_in_flight=4) as (hub, edge):
        edge.shop.orders.insert_many([{"_id": n, "v": 100} for n in range(accounts)])
        edge.sync()
        reader, done = HubReader(hub), threading.Event()

        def push_on() -> None:
            while not done.is_set():
                edge.push()

        threads = [threading.Thread(target=push_on) for _ in range(3)]
        for thread in threads:
            thread.start()
        chance = random.Random(7)
        for _ in range(60):
            one, other = chance.sample(range(accounts), 2)
            transfer(edge, one, other, chance.randrange(1, 9))
            edge.pull()
        done.set()
        for thread in threads:
            thread.join(WAIT_SECONDS)
            assert not thread.is_alive()
        edge.sync()
        seen = list(reader.states({n: {"_id": n, "v": 100} for n in range(accounts)}))
        assert {sum(each["v"] for each in state.values()) for state in seen} == {100 * accounts}
        assert documents_of(hub) == documents_of(edge)
        assert rows(edge) == 0


def close_account(edge: Edge, one: Any, other: Any) -> None:
    """Delete an account; what it holds goes to another."""
    accounts = edge.shop.orders
    with edge.client.start_session() as session, session.start_transaction():
        closed = accounts.find_one_and_delete({"_id": one}, session=session)
        if closed is not None:
            accounts.update_one({"_id": other}, {"$inc": {"v": closed["v"]}}, upsert=True, session=session)


def crash(edge: Edge, *transfers: tuple[Any, Any]) -> None:
    """Die with a batch marked as on its way, having written more."""
    edge.link.write(lambda view: edge.replicator._push._prepare(view, b"\x01" * 16))
    for one, other in transfers:
        transfer(edge, one, other, 1)
    edge.disconnect()
    edge.take_up()
    edge.connect()


def forget_seen(edge: Edge, name: str, written: dict[str, int]) -> None:
    """What this edge has seen before it deletes the document is not lost."""
    seen = edge.shop.orders.find_one({"_id": name})
    if seen is not None and seen.get("hub") == written.get(name):
        written.pop(name, None)


NAMES = st.sampled_from(range(5))
PAIRS = st.tuples(NAMES, NAMES).filter(lambda names: names[0] != names[1])
TRANSACTIONS = st.one_of(
    st.tuples(st.just("transfer"), PAIRS), st.tuples(st.just("transfer"), PAIRS), st.tuples(st.just("close"), PAIRS)
)
TRAFFIC = st.one_of(
    st.tuples(st.just("push"), st.none()), st.tuples(st.just("pull"), st.none()), st.tuples(st.just("crash"), PAIRS)
)


@pytest.fixture(scope="module")
def bank() -> Iterator[Both]:
    with whole(batch_documents_max=2) as made:
        yield made


CASES = iter(range(1_000_000))


def play(edge: Edge, case: int, steps: list[tuple[str, Any]]) -> None:
    for step, named in steps:
        names = None if named is None else tuple(f"{case} {name}" for name in named)
        if step == "push":
            edge.replicator._push_batch()
        elif step == "pull":
            edge.pull()
        elif step == "crash":
            crash(edge, names)  # type: ignore[arg-type]
        elif step == "close":
            close_account(edge, *names)  # type: ignore[misc]
        else:
            transfer(edge, *names, 5)  # type: ignore[misc]


@pytest.mark.slow
@settings(max_examples=60)
@given(steps=st.lists(st.one_of(TRANSACTIONS, TRAFFIC), max_size=14))
def test_a_sum_that_transactions_keep_is_kept_at_every_moment_on_the_hub(
    bank: Both, steps: list[tuple[str, Any]]
) -> None:
    hub, edge = bank
    edge.sync()
    before = {each["_id"]: each for each in documents_of(hub)}
    total = sum(each["v"] for each in before.values())
    reader = HubReader(hub)
    play(edge, next(CASES), steps)
    edge.sync()
    assert {sum(each["v"] for each in state.values()) for state in reader.states(before)} <= {total}
    assert documents_of(hub) == documents_of(edge)
    assert rows(edge) == 0


@pytest.mark.slow
@settings(max_examples=40)
@given(
    steps=st.lists(
        st.one_of(TRANSACTIONS, TRAFFIC, st.tuples(st.just("hub"), st.tuples(NAMES))),
        max_size=14,
    )
)
def test_nothing_is_lost_when_others_write_on_the_hub_meanwhile(bank: Both, steps: list[tuple[str, Any]]) -> None:
    """What others have written last of a document is there in the end, or in the conflict log, or was deleted knowingly."""
    hub, edge = bank
    case, value = next(CASES), 0
    written: dict[str, int] = {}
    for name in range(5):
        put(edge, f"{case} {name}", 0)(None)
    edge.sync()
    for step in steps:
        if step[0] == "hub":
            value += 1
            name = f"{case} {step[1][0]}"
            if hub.shop.orders.update_one({"_id": name}, {"$set": {"hub": value}}).matched_count:
                written[name] = value
        else:
            if step[0] == "close":
                forget_seen(edge, f"{case} {step[1][0]}", written)
            play(edge, case, [step])
    edge.sync()
    assert documents_of(hub) == documents_of(edge)
    there = {each["_id"]: each.get("hub") for each in documents_of(hub)}
    conflicts = edge.link.read(lambda view: edge.link.conflicts.entries(view, limit=10_000))
    theirs = [each.record["remote"] for each in conflicts if each.record["remote"] is not None]
    logged = {(each["_id"], each.get("hub")) for each in theirs}
    for item in written.items():
        assert there.get(item[0]) == item[1] or item in logged
    assert rows(edge) == 0
