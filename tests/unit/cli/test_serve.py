"""What `skerry serve` hands to the node, and when it stops it."""

import gc
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typer.testing import CliRunner, Result

import skerry.node
from skerry.cli.main import app
from skerry.config import Direction, SelectionRule


class RecordingNode:
    """Stands in for a node: remembers what it was built from, and has the process signalled as soon as it runs."""

    latest: ClassVar["RecordingNode"]
    signal_to_send: ClassVar[signal.Signals] = signal.SIGTERM
    failure: ClassVar[Exception | None] = None

    def __init__(
        self, data: Path, *, server: Any, sync: Any, engine: Any, admin: Any, sources: Any, sync_fault: Any
    ) -> None:
        self.data, self.server, self.sync, self.engine, self.admin = data, server, sync, engine, admin
        self.sources, self.sync_fault = sources, sync_fault
        self.stopped = False
        RecordingNode.latest = self

    @property
    def address(self) -> str:
        return f"{self.server.bind_host}:{self.server.bind_port}"

    @property
    def admin_url(self) -> str | None:
        return None if self.admin is None else f"http://{self.admin.bind_host}:{self.admin.bind_port}"

    def start(self) -> None:
        if self.failure:
            raise self.failure
        identity = threading.main_thread().ident
        assert identity is not None
        signal.pthread_kill(identity, self.signal_to_send)

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture(autouse=True)
def _same_interpreter() -> Iterator[None]:
    switch_interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(switch_interval)
    gc.set_threshold(*threshold)


@pytest.fixture(autouse=True)
def _recording_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skerry.node, "Node", RecordingNode, raising=False)
    monkeypatch.setattr(RecordingNode, "signal_to_send", signal.SIGTERM)


def serve(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["serve", "--data", str(data), *arguments])


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_node_and_the_exit_code_is_zero(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: signal.Signals
) -> None:
    monkeypatch.setattr(RecordingNode, "signal_to_send", ending)
    result = serve(tmp_path, "--bind", "127.0.0.1:4711")
    assert result.exit_code == 0
    assert result.stdout == "skerry ready mongodb://127.0.0.1:4711\n"
    assert RecordingNode.latest.stopped


def test_the_signal_mask_is_as_before_afterwards(tmp_path: Path) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    serve(tmp_path)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_a_node_that_fails_to_start_is_stopped_and_prints_no_ready_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RecordingNode, "failure", OSError("address in use"))
    result = serve(tmp_path)
    assert isinstance(result.exception, OSError)
    assert result.stdout == ""
    assert RecordingNode.latest.stopped


def test_threads_take_turns_often_enough_for_short_reads_beside_long_scans(tmp_path: Path) -> None:
    serve(tmp_path)
    assert sys.getswitchinterval() == pytest.approx(0.0005)


def test_without_a_hub_there_is_no_sync(tmp_path: Path) -> None:
    serve(tmp_path)
    assert RecordingNode.latest.data == tmp_path
    assert RecordingNode.latest.sync is None


def test_an_admin_address_opens_the_admin_api_and_is_printed_after_the_ready_line(tmp_path: Path) -> None:
    assert serve(tmp_path, "--bind", "127.0.0.1:4711").stdout.count("\n") == 1
    assert RecordingNode.latest.admin is None
    result = serve(tmp_path, "--bind", "127.0.0.1:4711", "--admin", "127.0.0.1:4712")
    assert result.stdout == "skerry ready mongodb://127.0.0.1:4711\nskerry admin http://127.0.0.1:4712\n"


def test_hub_rules_and_name_become_the_sync_configuration(tmp_path: Path) -> None:
    serve(tmp_path, "--hub", "mongodb://hub", "--sync", "shop.*=both", "--sync", "logs.*=push", "--name", "kiosk")
    sync = RecordingNode.latest.sync
    assert sync.hub_uri == "mongodb://hub"
    assert sync.link_name == "kiosk"
    assert sync.rules == (SelectionRule("shop.*", Direction.BOTH), SelectionRule("logs.*", Direction.PUSH))


def test_the_settings_file_lies_in_the_data_directory_unless_another_is_named(tmp_path: Path) -> None:
    (tmp_path / "skerry.toml").write_text("[server]\nbind_port = 4711\n")
    other = tmp_path / "other.toml"
    other.write_text("[server]\nbind_port = 4712\n")
    serve(tmp_path)
    assert RecordingNode.latest.server.bind_port == 4711
    serve(tmp_path, "--config", str(other))
    assert RecordingNode.latest.server.bind_port == 4712
    serve(tmp_path, "--bind", "[::1]:4713")
    assert (RecordingNode.latest.server.bind_host, RecordingNode.latest.server.bind_port) == ("::1", 4713)
