"""A node in a process of its own, as `skerry serve` runs it."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pymongo

READY: Final = "skerry ready mongodb://"
_STOP_SECONDS_MAX: Final = 15.0


class NodeProcess:
    """One `skerry serve` on a free loopback port; `start` returns when it answers. Raises RuntimeError when it does not start."""

    def __init__(self, name: str, directory: Path, *, hub_uri: str | None = None, rules: Sequence[str] = ()) -> None:
        self.name = name
        self.directory = directory
        arguments = [sys.executable, "-m", "skerry", "serve", "--data", str(directory), "--bind", "127.0.0.1:0"]
        if hub_uri is not None:
            arguments += ["--hub", hub_uri, "--name", name]
            for rule in rules:
                arguments += ["--sync", rule]
        directory.mkdir(parents=True)
        self._log = (directory.parent / f"{name}.log").open("w", encoding="utf-8")
        self._process = subprocess.Popen(  # noqa: S603  our own command
            arguments, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith(READY):
            self.stop()
            log = Path(self._log.name).read_text(encoding="utf-8").strip()
            raise RuntimeError(f"{name} did not start: {log or line.strip() or 'no output'}")
        host, _, port = line.removeprefix(READY).strip().rpartition(":")
        self.address = (host, int(port))
        self.client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(self.uri)

    @property
    def uri(self) -> str:
        return f"mongodb://{self.address[0]}:{self.address[1]}/?directConnection=true"

    def stop(self) -> None:
        """End the process: politely first."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()
