"""Servers as processes of their own: start, wait for the first answer, read what they cost, stop."""

import contextlib
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

READY = "skerry ready "
START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 30


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers."""

    uri: str
    pid: int


@contextlib.contextmanager
def skerry_server(data: Path, *arguments: str, port: int = 0) -> Iterator[Server]:
    """Run `skerry serve` on the directory until the block ends. Raises OSError with its last words when it does not start."""
    bind = f"127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("skerry")), "serve", "--data", str(data), "--bind", bind, *arguments]
    with running(command, stdout=subprocess.PIPE) as (process, words):
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith(READY):
            process.wait(STOP_SECONDS_MAX)
            raise OSError(f"skerry serve did not start: {last_line(words) or f'exit code {process.returncode}'}")
        yield Server(line.removeprefix(READY).strip(), process.pid)


@contextlib.contextmanager
def foreign_server(command: Sequence[str], port: int) -> Iterator[Server]:
    """Run another MongoDB-like server, which listens on `port`, until the block ends."""
    with running(command, stdout=subprocess.DEVNULL) as (process, words):
        deadline = time.monotonic() + START_SECONDS_MAX
        while not is_listening(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise OSError(f"{Path(command[0]).name} did not start: {last_line(words)}")
            time.sleep(0.05)
        yield Server(f"mongodb://127.0.0.1:{port}", process.pid)


@contextlib.contextmanager
def running(command: Sequence[str], *, stdout: int) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """Run a command until the block ends, then ask it to stop and insist; the file is what it says on stderr."""
    with tempfile.TemporaryFile("w+") as words:
        process = subprocess.Popen(command, stdout=stdout, stderr=words, text=True)
        with process.stdout or contextlib.nullcontext():
            try:
                yield process, words
            finally:
                process.terminate()
                try:
                    process.wait(STOP_SECONDS_MAX)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def last_line(words: IO[str]) -> str:
    """Return the last line that is not empty."""
    words.seek(0)
    lines = [line.strip() for line in words if line.strip()]
    return lines[-1] if lines else ""


def connect(uri: str) -> Any:
    """Return a pymongo client of one server that has answered a ping."""
    from pymongo import MongoClient

    client: Any = MongoClient(uri, directConnection=True, serverSelectionTimeoutMS=START_SECONDS_MAX * 1000)
    client.admin.command("ping")
    return client


def free_port() -> int:
    """Return a TCP port of the loopback that nobody listens on at the moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections on a port of the loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def peak_memory_bytes(pid: int | None = None) -> int:
    """Return the most memory that a process, or this one, has held at a time; 0 where the system does not say.

    From /proc where there is one: `ru_maxrss` begins with the size of the process that started this one.
    """
    status = Path("/proc") / str(pid or "self") / "status"
    if status.exists():
        for line in status.read_text("ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if pid is not None:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def bytes_on_disk(directory: Path) -> int:
    """Return the size of all files in a directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
