"""A node in a process of its own with an admin API: tokens, the run file, an open event stream at the end."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skerry.cli.node_client import NodeClient, NodeUnreachableError, NotAllowedError

TOKEN = "a-token-from-the-environment"


class ServedNode:
    """`skerry serve --admin`, with what it printed."""

    def __init__(self, data: Path, *more: str) -> None:
        self.data = data
        arguments = ["serve", "--data", str(data), "--bind", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
        environment = {**os.environ, "SKERRY_ADMIN_TOKEN": TOKEN}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "skerry", *arguments, *more], stdout=subprocess.PIPE, env=environment, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith("skerry ready mongodb://")
        self.url = self.process.stdout.readline().removeprefix("skerry admin ").strip()

    def end(self) -> float:
        """Stop it with SIGTERM; return how many seconds that took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0
        return time.monotonic() - started

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedNode]:
    node = ServedNode(tmp_path / "data")
    yield node
    node.close()


@pytest.fixture
def cut_off(tmp_path: Path) -> Iterator[ServedNode]:
    """A node with a hub that never answers."""
    node = ServedNode(tmp_path / "data", "--hub", "mongodb://127.0.0.1:9", "--sync", "shop.*=both")
    yield node
    node.close()


def test_a_node_lets_in_who_has_its_token(served: ServedNode) -> None:
    run = json.loads((served.data / "admin.json").read_text("utf-8"))
    assert run["url"] == served.url
    assert run["pid"] == served.process.pid
    for token in (TOKEN, run["token"]):
        assert NodeClient(served.url, token).get("/api/status")["sync"] is None
    with pytest.raises(NotAllowedError):
        NodeClient(served.url, "another-token-altogether").get("/api/status")
    served.end()
    assert not (served.data / "admin.json").exists()
    with pytest.raises(NodeUnreachableError):
        NodeClient(served.url, TOKEN).get("/api/status")


def test_a_node_ends_in_time_with_an_event_stream_open_and_its_hub_away(cut_off: ServedNode) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(f"{cut_off.url}/api/sync/events", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as stream:
        assert stream.readline() == b"event: status\n"
        assert cut_off.end() < 10


def test_the_token_is_not_among_what_is_stored(served: ServedNode) -> None:
    assert NodeClient(served.url, TOKEN).get("/api/admin/whoami") == {"name": "configured", "role": "admin"}
    served.end()
    for path in served.data.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path.name


def test_without_an_admin_api_no_web_framework_is_imported() -> None:
    code = (
        "import sys, skerry, skerry.node, skerry.cli.main;"
        "found = {'nicegui', 'fastapi', 'starlette', 'pydantic', 'uvicorn', 'prometheus_client'} & set(sys.modules);"
        "sys.exit(str(found) if found else 0)"
    )
    outcome: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr


def test_without_the_dashboards_packages_the_admin_api_works_and_says_what_to_install() -> None:
    code = """
import sys, urllib.request
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("nicegui", "wsproto"):
            raise ModuleNotFoundError(name)
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "nicegui" else real(name, package)
sys.meta_path.insert(0, Missing())
from skerry.config import AdminConfig
from skerry.node import Node
node = Node(":memory:", admin=AdminConfig(bind_port=0))
node.start()
assert b"skerry[dashboard]" in urllib.request.urlopen(node.admin_url).read()
assert urllib.request.urlopen(node.admin_url + "/healthz").status == 200
node.stop()
assert "nicegui" not in sys.modules
"""
    outcome: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
