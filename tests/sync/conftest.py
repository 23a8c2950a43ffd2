"""Hubs and edges. Every test with a `hub` is run once for each kind of hub; `-k secantus` picks one.

In every run with a skerry in this process, and those marked `witnessed` with SecantusDB; in `make test-long` all with SecantusDB,
and with a skerry that wants TLS and a log-in. That one is treated as a MongoDB that others use too, such as the one that
SKERRY_TEST_MONGODB_URI may name. What another hub is known to do differently is listed in `hub_deviations.toml`.
"""

import os
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from guarded_hub import ROLES_OF_THE_SUITE, GuardedServer, guarded_server
from hubs import HubNode, LocalHub, OwnHub, SecantusHub, SecantusServer, SharedHub, secantus_server
from nodes import EdgeNode

from skerry.sync import pull_worker

HERE = Path(__file__).parent
MONGODB_URI = os.environ.get("SKERRY_TEST_MONGODB_URI")
DEVIATIONS: list[dict[str, Any]] = tomllib.loads((HERE / "hub_deviations.toml").read_text("utf-8"))["deviation"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "hub" in metafunc.fixturenames:
        is_witnessed = metafunc.definition.get_closest_marker("witnessed") is not None
        kinds = [
            pytest.param("skerry"),
            pytest.param("secantus", marks=() if is_witnessed else pytest.mark.long),
            pytest.param("skerry_tls", marks=pytest.mark.long),
            *([pytest.param("mongodb")] if MONGODB_URI else []),
        ]
        metafunc.parametrize("hub", kinds, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE and (kind := kind_of_hub(item)):
            name = f"{item.path.stem}::{getattr(item, 'originalname', item.name)}"
            for deviation in DEVIATIONS:
                if deviation["hub"] == kind and name in deviation["tests"]:
                    item.add_marker(pytest.mark.xfail(reason=deviation["reason"], strict=deviation.get("always", True)))


def kind_of_hub(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get("hub")


@pytest.fixture(autouse=True)
def _links_stop_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopping waits as long as the stream does for an event."""
    monkeypatch.setattr(pull_worker, "AWAIT_MS", 50)


@pytest.fixture(scope="session")
def secantus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecantusServer]:
    with secantus_server(tmp_path_factory.mktemp("secantus")) as server:
        yield server


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedServer]:
    with guarded_server(tmp_path_factory.mktemp("guarded")) as server:
        yield server


@pytest.fixture
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HubNode]:
    node: HubNode
    if request.param == "skerry":
        node = OwnHub(tmp_path / "hub")
    elif request.param == "secantus":
        node = SecantusHub(request.getfixturevalue("secantus"))
    elif request.param == "skerry_tls":
        server: GuardedServer = request.getfixturevalue("guarded")
        node = SharedHub(server.user_with(ROLES_OF_THE_SUITE))
    else:
        assert MONGODB_URI is not None
        node = SharedHub(MONGODB_URI)
    yield node
    node.close()


@pytest.fixture
def local_hub(hub: HubNode) -> LocalHub:
    """The hub, for tests that stop it, put a proxy before it, or take its history."""
    if not isinstance(hub, LocalHub):
        pytest.skip("needs a hub on this machine that nobody else uses")
    return hub


@pytest.fixture
def own_hub(hub: HubNode) -> OwnHub:
    """The hub, for tests that reach into it."""
    if not isinstance(hub, OwnHub):
        pytest.skip("needs the inside of the hub")
    return hub


@pytest.fixture
def make_edge(tmp_path: Path, hub: HubNode) -> Iterator[Callable[..., EdgeNode]]:
    """Make edges of the hub, or of what stands between it and them (`hub_uri`)."""
    with ExitStack() as stack:

        def make(
            name: str = "edge", rules: str = "shop.*=both", hub_uri: str | None = None, **settings: Any
        ) -> EdgeNode:
            edge = EdgeNode(tmp_path / name, hub_uri or hub.uri, rules, prefix=hub.prefix, **settings)
            stack.callback(edge.close)
            return edge

        yield make


@pytest.fixture
def edge(make_edge: Callable[..., EdgeNode]) -> EdgeNode:
    return make_edge()
