"""A hub in this process, an edge in a process of its own with its dashboard, and somebody who visits it with a browser."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from skerry.cli.node_client import NodeClient
from skerry.config import ServerConfig
from skerry.node import Node

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
SCREENSHOTS = "SKERRY_TEST_SCREENSHOTS"
TOKEN = "a-token-from-the-environment"
WAIT_MS = 15_000


class Site:
    """A hub, an edge linked to it with a dashboard, and clients of both."""

    def __init__(self, data: Path, *, rules: str = "shop.*=both") -> None:
        self.hub = Node(":memory:", server=ServerConfig(bind_port=0))
        self.hub.start()
        hub_uri = f"mongodb://{self.hub.address}/?directConnection=true"
        arguments = ["serve", "--data", str(data), "--bind", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "SKERRY_"))}
        self.edge = subprocess.Popen(
            [sys.executable, "-m", "skerry", *arguments, "--hub", hub_uri, "--sync", rules],
            stdout=subprocess.PIPE,
            env={**environment, "SKERRY_ADMIN_TOKEN": TOKEN},
            text=True,
        )
        assert self.edge.stdout is not None
        edge_uri = self.edge.stdout.readline().split()[-1]
        self.url = self.edge.stdout.readline().split()[-1]
        self.api = NodeClient(self.url, TOKEN)
        self.hub_client: MongoClient[dict[str, Any]] = MongoClient(hub_uri)
        self.edge_client: MongoClient[dict[str, Any]] = MongoClient(edge_uri)

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get("/api/sync/status")
        return found

    def settle(self) -> None:
        def is_in_step() -> bool:
            found = self.state()
            waiting = found["dirty"] + found["in_flight"] + found["awaiting_echo"]
            return found["state"] == "streaming" and not waiting and not found["copying"]

        wait_until(is_in_step)

    def make_conflict(self) -> None:
        """Have both sides change the same field of one order; the hub wins."""
        order = {"_id": "A-1042", "qty": 1, "status": "open", "customer": {"name": "Iris", "city": "Oban"}}
        self.edge_client.shop.orders.insert_one(order)
        self.settle()
        self.api.post("/api/sync/pause")
        wait_until(lambda: self.state()["state"] == "paused")
        time.sleep(0.3)
        changed = {"$set": {"qty": 2, "note": "by the kiosk"}}
        self.edge_client.shop.orders.update_one({"_id": "A-1042"}, changed)
        time.sleep(0.01)
        changed = {"$set": {"qty": 3, "customer.city": "Leith"}}
        self.hub_client.shop.orders.update_one({"_id": "A-1042"}, changed)
        self.api.post("/api/sync/resume")
        wait_until(lambda: self.state()["conflicts"] == 1)
        self.settle()

    def close(self) -> None:
        self.hub_client.close()
        self.edge_client.close()
        self.edge.terminate()
        assert self.edge.wait(10) == 0
        assert self.edge.stdout is not None
        self.edge.stdout.close()
        self.hub.stop()


def wait_until(condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.05)


class Visitor:
    """Somebody with a browser. At the end nothing may have been loaded from elsewhere, and no script may have failed."""

    def __init__(self, browser: Any, site: Site, **options: Any) -> None:
        self.site = site
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self._seen(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def log_in(self, token: str = TOKEN) -> Any:
        self.page.goto(f"{self.site.url}/")
        self.page.get_by_label("Token").fill(token)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/dashboard/")
        return self.page

    def go(self, path: str) -> Any:
        self.page.goto(f"{self.site.url}/dashboard{path}")
        return self.page

    def sees(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()

    def close(self) -> None:
        self.context.close()
        assert not self.foreign
        assert not self.errors

    def _seen(self, url: str) -> None:
        if not url.startswith((self.site.url, "data:", "blob:")):
            self.foreign.append(url)


def screenshot(page: Any, name: str) -> None:
    """Keep a picture for the documents, when `SKERRY_TEST_SCREENSHOTS` asks for it."""
    if os.environ.get(SCREENSHOTS):
        IMAGES.mkdir(parents=True, exist_ok=True)
        page.wait_for_timeout(300)
        page.screenshot(path=IMAGES / f"dashboard-{name}.png")
