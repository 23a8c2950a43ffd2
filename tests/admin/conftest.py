"""Linked nodes for tests of the admin API, and one without a hub."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from admin_site import Site
from fastapi.testclient import TestClient

from skerry.admin.api import Api
from skerry.admin.app import create_app
from skerry.node import Node


@pytest.fixture(autouse=True, scope="session")
def _quick_streams() -> Iterator[None]:
    """The hub's stream is asked more often, so that stopping and settling take less time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skerry.sync.pull_worker.AWAIT_MS", 30)
        yield


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site("shop.*=both,logs.*=push,news.*=pull")
    yield site
    site.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Site]:
    """For tests that change nothing."""
    site = Site("shop.*=both")
    yield site
    site.close()


@pytest.fixture(scope="module")
def alone() -> Iterator[TestClient]:
    """The admin API of a node without a hub."""
    node = Node(":memory:")
    node.start()
    api = Api(node)
    headers = {"Authorization": f"Bearer {api.tokens.run_token}"}
    with TestClient(create_app(api), headers=headers) as client:
        yield client
    node.stop()
