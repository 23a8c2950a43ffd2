"""A real `skerry serve`: it serves on without its hub where a sync setting is wrong, and its secrets show nowhere."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pymongo import MongoClient

from skerry.config import ServerConfig, load_settings
from skerry.node import Node

SECRET = "sesame-open-sesame"


class Served:
    """A node that runs; `errors` is what it wrote to standard error once it has ended."""

    def __init__(self, process: "subprocess.Popen[str]", errors: Path) -> None:
        assert process.stdout is not None
        self.process, self._errors = process, errors
        self.uri = process.stdout.readline().split()[-1]

    @property
    def errors(self) -> str:
        return self._errors.read_text("utf-8")


@contextmanager
def serving(directory: Path, *arguments: str, entered: str = "", **environment: str) -> Iterator[Served]:
    command = [sys.executable, "-m", "skerry", "serve", "--data", str(directory / "data"), "--bind", "127.0.0.1:0"]
    errors = directory / "errors"
    with (
        errors.open("w") as out,
        subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
            env={**os.environ, **environment},
        ) as process,
    ):
        assert process.stdin is not None
        process.stdin.write(entered)
        process.stdin.close()
        try:
            yield Served(process, errors)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


@pytest.mark.slow
def test_a_wrong_sync_setting_turns_the_link_off_loudly_and_the_node_serves(tmp_path: Path) -> None:
    environment = {
        "SKERRY_SYNC_HUB_URI": f"mongodb://iris:{SECRET}@127.0.0.1:1",
        "SKERRY_SYNC_RULES": "shop.*=sideways",
    }
    with serving(tmp_path, "--admin", "127.0.0.1:0", **environment) as node:
        with MongoClient(node.uri) as client:
            client.shop.orders.insert_one({"_id": 1})
            assert client.shop.orders.count_documents({}) == 1
        command = [sys.executable, "-m", "skerry", "status", "--data", str(tmp_path / "data")]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "a wrong sync setting has turned the link off: sync.rules shop.*" in shown
        assert "no hub" not in shown
        assert "sync.rules shop.* cannot be 'sideways': expected one of both" in node.errors
        assert "NOTHING IS KEPT IN STEP WITH A HUB" in node.errors
        assert SECRET not in node.errors


@pytest.mark.slow
def test_secrets_are_in_no_output_and_in_no_list_of_processes(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(SECRET)
    token.chmod(0o644)
    arguments = ("--hub", "-", "--sync", "shop.*=both", "--admin", "127.0.0.1:0")
    hub = Node(":memory:", server=ServerConfig(bind_port=0, auth=True))
    hub.start()  # which does not know iris, so that there are refusals to tell of
    uri = f"mongodb://iris:{SECRET}@{hub.address}/?directConnection=true"
    with serving(tmp_path, *arguments, entered=f"{uri}\n", SKERRY_ADMIN_TOKEN_FILE=str(token)) as node:
        listed = Path(f"/proc/{node.process.pid}/cmdline")
        if listed.exists():
            assert SECRET.encode() not in listed.read_bytes()
            assert b"--hub" in listed.read_bytes()
        command = [sys.executable, "-m", "skerry", "status", "--json", "--data", str(tmp_path / "data")]
        shown = subprocess.run(command, capture_output=True, text=True, check=False)
        assert '"link": "hub"' in shown.stdout
        assert SECRET not in shown.stdout + shown.stderr
        assert f"{token} has a secret (admin.token) and every user of this machine can read it" in node.errors
    hub.stop()
    assert SECRET not in node.errors
    for file in (tmp_path / "data").iterdir():
        assert SECRET.encode() not in file.read_bytes(), file


def test_what_is_written_while_the_link_is_off_reaches_the_hub_once_it_is_put_right(tmp_path: Path) -> None:
    hub = Node(":memory:", server=ServerConfig(bind_port=0))
    hub.start()
    address = f"mongodb://{hub.address}/?directConnection=true"
    with MongoClient(address) as there:
        for number, rules in enumerate(("shop.*=both", "shop.*=sideways", "shop.*=both")):
            settings = load_settings(environment={"SKERRY_SYNC_HUB_URI": address, "SKERRY_SYNC_RULES": rules})
            assert (settings.sync is None) == (rules == "shop.*=sideways")
            node = Node(tmp_path, server=ServerConfig(bind_port=0), sync=settings.sync)
            node.start()
            with MongoClient(f"mongodb://{node.address}/?directConnection=true") as here:
                here.shop.orders.insert_one({"_id": number})
            assert node.replicator is None or node.replicator.wait_until_in_step(20)
            node.stop()
        assert there.shop.orders.distinct("_id") == [0, 1, 2]
    hub.stop()
