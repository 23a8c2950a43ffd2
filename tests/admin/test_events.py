"""Server-sent events of a served node: what comes by itself, and how many may listen."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2
import pytest
from admin_answers import wait_until
from admin_site import Site

from skerry.admin.listener import AdminListener
from skerry.admin.sync_routes import STREAMS_OF_CALLER_MAX
from skerry.admin.tokens import Role
from skerry.config import AdminConfig

PATH = "/api/sync/events"


class Served:
    """A linked node with its admin API on a port."""

    def __init__(self, site: Site, listener: AdminListener) -> None:
        self.site = site
        self.url = listener.url

    @contextmanager
    def stream(self, role: Role = Role.VIEWER) -> Iterator[Any]:
        headers = {"Authorization": f"Bearer {self.site.tokens[role]}"}
        with httpx2.stream("GET", self.url + PATH, headers=headers, timeout=10) as answer:
            yield answer


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr("skerry.admin.sync_routes.EVENT_SECONDS", 0.05)
    site = Site("shop.*=both")
    listener = AdminListener(site.edge, AdminConfig(bind_port=0))
    listener.start()
    site.settle()
    yield Served(site, listener)
    listener.stop()
    site.close()


def events(answer: Any) -> Iterator[tuple[str, Any]]:
    """Iterate over the events of a stream, as name and data."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_a_change_of_the_links_state_is_told_as_it_happens(served: Served) -> None:
    with served.stream() as answer:
        found = events(answer)
        assert next(found)[0] == "status"
        served.site.operator.post("/api/sync/pause")
        name, status = next((name, each) for name, each in found if each.get("state") == "paused")
        assert (name, status["switched"]["by"]) == ("status", "operator")
        served.site.edge_client.shop.orders.insert_one({"_id": 1})
        assert next(each for _, each in found if each.get("dirty") == 1)
        lag = next(each for name, each in found if name == "lag")
        assert lag["oldest_dirty_ms"] >= 0
        served.site.operator.post("/api/sync/resume")
        last = next(each for _, each in found if each.get("state") == "streaming" and each["dirty"] == 0)
        assert last["switched"] is None


def test_one_token_cannot_take_the_streams_from_others_and_gives_them_back(served: Served) -> None:
    with ExitStack() as stack:
        listening = [events(stack.enter_context(served.stream())) for _ in range(STREAMS_OF_CALLER_MAX)]
        assert [next(found)[0] for found in listening] == ["status"] * STREAMS_OF_CALLER_MAX
        with served.stream() as refused:
            assert refused.status_code == 503
            assert json.loads(refused.read())["error"]["code"] == "too_many_streams"
        with served.stream(Role.OPERATOR) as other:
            assert next(events(other))[0] == "status"

    def is_let_in() -> bool:
        with served.stream() as answer:
            return bool(answer.status_code == 200)

    wait_until(is_let_in)
