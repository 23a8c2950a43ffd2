"""Hubs and edges: engines behind the wire server, linked to each other; or a hub of one's own (SKERRY_TEST_MONGODB_URI)."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from nodes import EdgeNode, HubNode

from skerry.sync import pull_worker


@pytest.fixture(autouse=True)
def _links_stop_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopping waits as long as the stream does for an event."""
    monkeypatch.setattr(pull_worker, "AWAIT_MS", 50)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubNode]:
    node = HubNode(tmp_path / "hub")
    yield node
    node.close()


@pytest.fixture
def make_edge(tmp_path: Path, hub: HubNode) -> Iterator[Callable[..., EdgeNode]]:
    with ExitStack() as stack:

        def make(
            name: str = "edge", rules: str = "shop.*=both", hub_uri: str | None = None, **settings: object
        ) -> EdgeNode:
            edge = EdgeNode(tmp_path / name, hub_uri or hub.uri, rules, **settings)
            stack.callback(edge.close)
            return edge

        yield make


@pytest.fixture
def edge(make_edge: Callable[..., EdgeNode]) -> EdgeNode:
    return make_edge()
