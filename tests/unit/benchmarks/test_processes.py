"""Foreign processes: their last words, their memory, their files."""

import os
import socket
import sys
from pathlib import Path

import pytest

from benchmarks.processes import bytes_on_disk, foreign_server, free_port, is_listening, peak_memory_bytes


def test_a_free_port_is_one_that_nobody_listens_on() -> None:
    port = free_port()
    assert not is_listening(port)
    with socket.create_server(("127.0.0.1", port)):
        assert is_listening(port)


def test_a_server_that_does_not_start_is_reported_with_its_last_words() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such storage')"]
    with pytest.raises(OSError, match="did not start: no such storage"), foreign_server(command, free_port()):
        pass


def test_a_server_is_ended_with_the_block() -> None:
    port = free_port()
    program = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"
    with foreign_server([sys.executable, "-c", program], port) as server:
        assert server.uri == f"mongodb://127.0.0.1:{port}"
        assert is_listening(port)
    assert not is_listening(port)


def test_the_peak_memory_of_this_process_is_known_by_its_id_too() -> None:
    # Other threads may allocate between the two looks.
    assert peak_memory_bytes() == pytest.approx(peak_memory_bytes(os.getpid()), rel=0.5)


def test_bytes_on_disk_are_those_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b").write_bytes(b"123")
    assert bytes_on_disk(tmp_path) == 8
