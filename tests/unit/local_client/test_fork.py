"""A forked child works on an engine of its own; its parent notices nothing."""

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from pymongo.errors import InvalidOperation

import skerry
from skerry.local_client.client import LocalMongoClient
from skerry.local_client.self_test import direct_connections_fit

direct_only = pytest.mark.skipif(not direct_connections_fit(), reason="the adapter does not fit this pymongo")
pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    # Forking with threads is what is tested here; they belong to pymongo and to the engine.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded"),
]


def in_child(work: Callable[[], None]) -> int:
    """Run `work` in a forked child and return its exit code."""
    child = os.fork()
    if not child:
        try:
            warnings.simplefilter("ignore")  # pymongo's own about clients opened before a fork
            work()
        except BaseException as error:
            print(f"in the child: {error!r}", file=sys.stderr, flush=True)  # noqa: T201
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_client_goes_on_in_both_processes(tmp_path: Path) -> None:
    with skerry.connect(tmp_path) as client:
        client.a.b.insert_one({"_id": "parent"})

        def work() -> None:
            assert client.a.b.find_one() == {"_id": "parent"}
            client.a.b.insert_one({"_id": "child"})

        assert in_child(work) == 0
        assert {each["_id"] for each in client.a.b.find()} == {"parent", "child"}
        client.a.b.insert_one({"_id": "parent again"})
        assert client.a.b.count_documents({}) == 3


def test_closing_in_the_child_leaves_the_parent_alone(tmp_path: Path) -> None:
    with skerry.connect(tmp_path) as client:
        client.a.b.insert_one({"_id": 1})
        assert in_child(client.close) == 0

        def use_and_close() -> None:
            client.a.b.find_one()
            client.close()

        assert in_child(use_and_close) == 0
        client.a.b.insert_one({"_id": 2})
        assert client.a.b.count_documents({}) == 2


def test_a_child_may_open_the_directory_by_itself(tmp_path: Path) -> None:
    with skerry.connect(tmp_path) as client:
        client.a.b.insert_one({"_id": 1})

        def work() -> None:
            with skerry.connect(tmp_path) as own:
                own.a.b.insert_one({"_id": 2})

        assert in_child(work) == 0
        assert client.a.b.count_documents({}) == 2


@direct_only
def test_a_database_in_memory_stays_with_its_process() -> None:
    with skerry.connect(":memory:") as client:
        client.a.b.insert_one({"_id": 1})

        def work() -> None:
            with pytest.raises(InvalidOperation, match="belongs to the parent"):
                client.a.b.find_one()

        assert in_child(work) == 0
        assert client.a.b.count_documents({}) == 1


def test_many_children_write_at_once(tmp_path: Path) -> None:
    client = skerry.connect(tmp_path)
    assert isinstance(client, LocalMongoClient)
    client.a.b.insert_one({"_id": "first"})
    children = []
    for number in range(3):
        child = os.fork()
        if not child:
            warnings.simplefilter("ignore")
            try:
                client.a.b.insert_many([{"_id": f"{number}-{each}"} for each in range(20)])
                client.close()
            except BaseException:
                os._exit(1)
            os._exit(0)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
    assert client.a.b.count_documents({}) == 61
    client.close()
