"""The command line: a node that wants a log-in, and a user added beside it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

SKERRY = str(Path(sys.executable).with_name("skerry"))


@pytest.fixture
def uri(tmp_path: Path) -> Iterator[str]:
    command = [SKERRY, "serve", "--auth", "--data", str(tmp_path), "--bind", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.send_signal(signal.SIGTERM)


@pytest.mark.slow
def test_a_user_that_is_added_beside_a_running_node_may_log_in(uri: str, tmp_path: Path) -> None:
    with MongoClient(uri) as stranger, pytest.raises(OperationFailure, match="requires authentication"):
        stranger.shop.items.find_one()
    command = [SKERRY, "user", "add", "alice", "--data", str(tmp_path), "--role", "root", "--password-env", "ALICES"]
    subprocess.run(command, env={**os.environ, "ALICES": "secret"}, check=True, capture_output=True)
    with MongoClient(uri, username="alice", password="secret") as client:
        client.shop.items.insert_one({"_id": 1})
    time.sleep(1.1)  # by then the node has seen that there is a user
    with MongoClient(uri) as stranger, pytest.raises(OperationFailure, match="requires authentication"):
        stranger.admin.command("createUser", "mallory", pwd="x", roles=["root"])
