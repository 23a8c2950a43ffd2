"""Spans of commands and of the link's batches, as OpenTelemetry's own exporter in memory sees them."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pymongo import MongoClient
from pymongo.errors import OperationFailure

import skerry
from skerry.config import ServerConfig, SyncConfig, parse_rule
from skerry.node import Node
from skerry.tracing import start_tracing, stop_tracing

SECRET = "hunter-two-and-a-half"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    start_tracing(provider.get_tracer("skerry"))
    yield exporter
    stop_tracing()
    provider.shutdown()


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [each for each in spans.get_finished_spans() if each.name == name]


def test_a_command_is_a_span_with_the_conventions_names(spans: InMemorySpanExporter, tmp_path: Path) -> None:
    with skerry.connect(tmp_path / "data") as client:
        client.shop.orders.insert_one({"_id": 1, "text": SECRET})
    (insert,) = named(spans, "insert orders")
    assert dict(insert.attributes or {}) == {
        "db.system": "mongodb",
        "db.system.name": "mongodb",
        "db.namespace": "shop",
        "db.operation.name": "insert",
        "db.collection.name": "orders",
    }
    assert insert.status.is_ok


def test_a_failure_has_its_code_and_not_its_message(spans: InMemorySpanExporter, tmp_path: Path) -> None:
    with skerry.connect(tmp_path / "data") as client, pytest.raises(OperationFailure):
        list(client.shop.orders.find({"$" + SECRET: 1}))
    (find,) = named(spans, "find orders")
    assert find.attributes is not None
    assert (find.attributes["db.response.status_code"], find.attributes["error.type"]) == ("2", "BadValueError")
    assert not find.status.is_ok
    assert SECRET not in find.to_json()


def test_batches_of_a_link_are_spans(spans: InMemorySpanExporter) -> None:
    hub = Node(":memory:", server=ServerConfig(bind_port=0))
    hub.start()
    rules = (parse_rule("shop.*=both"),)
    sync = SyncConfig(hub_uri=f"mongodb://{hub.address}", rules=rules, link_name="kiosk")
    edge = Node(":memory:", server=ServerConfig(bind_port=0), sync=sync)
    edge.start()
    try:
        with (
            MongoClient[Any](f"mongodb://{edge.address}") as at_edge,
            MongoClient[Any](f"mongodb://{hub.address}") as at_hub,
        ):
            at_edge.shop.orders.insert_one({"_id": 1})
            wait_until(lambda: at_hub.shop.orders.count_documents({}) == 1)
            at_hub.shop.orders.insert_one({"_id": 2})
            wait_until(lambda: at_edge.shop.orders.count_documents({}) == 2)
            wait_until(lambda: bool(named(spans, "sync push") and named(spans, "sync pull")))
    finally:
        edge.stop()
        hub.stop()
    pushed = [each.attributes or {} for each in named(spans, "sync push")]
    assert {"skerry.link": "kiosk", "skerry.batch": 1, "skerry.documents": 1} in [dict(each) for each in pushed]
    assert all((each.attributes or {})["skerry.link"] == "kiosk" for each in named(spans, "sync pull"))


def test_nothing_of_opentelemetry_is_imported_while_nobody_traces(tmp_path: Path) -> None:
    program = (
        "import sys, skerry\n"
        "client = skerry.connect(sys.argv[1]); client.shop.orders.insert_one({}); client.close()\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "data")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def wait_until(holds: Any) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
