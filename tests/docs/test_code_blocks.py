"""Every piece of Python and shell in the guides runs, page by page, from top to bottom, as a reader would run it.

For authors:
- A `python` block always runs, unless the line before it is `<!-- not run: REASON -->`. It may `await`.
- A `sh` block runs when the line before it is `<!-- run -->`.
- A `text` block behind `<!-- output -->` is what the block before it printed; `...` stands for anything.
- The blocks of a page share variables, a shell and an empty directory. The ports 27017 to 27099 become free ones.
- A `skerry serve` in the background is waited for.
"""

import ast
import asyncio
import contextlib
import doctest
import inspect
import io
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from pymongo import MongoClient

DOCS: Final = Path(__file__).parents[2] / "docs"
FENCE: Final = re.compile(
    r"(?:^ *<!-- (?P<mark>[^>\n]*) -->\n\n?)?^(?P<indent> *)```(?P<language>[a-z]+)[^\n]*\n(?P<code>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
PORT: Final = re.compile(r"\b270[1-9]\d\b")
SERVED: Final = re.compile(r"--(?:bind|admin) 127\.0\.0\.1:(\d+)")
# A node in the background says that it is ready, and writes its log, when it likes.
STARTED: Final = re.compile(r"skerry (?:ready|admin) \w+://|\d{4}-\d\d-\d\dT\S+Z \[")
READY_SECONDS_MAX: Final = 30
SAME: Final = doctest.OutputChecker().check_output
ROUGHLY: Final = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    language: str
    mark: str
    code: str
    line: int


def blocks_of(text: str) -> list[Block]:
    return [
        Block(
            found["language"],
            (found["mark"] or "").strip(),
            textwrap.dedent(found["code"]),
            text.count("\n", 0, found.start("code")) + 1,
        )
        for found in FENCE.finditer(text)
    ]


def runs(block: Block) -> bool:
    if block.language == "python":
        return not block.mark.startswith("not run:")
    return block.language == "sh" and block.mark == "run"


class Shell:
    """One bash for a page; everything it has started ends with it."""

    END: Final = "=== end of block ==="

    def __init__(self, directory: Path) -> None:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SKERRY_")}
        self._process = subprocess.Popen(
            ["bash", "-eu", "-o", "pipefail"],
            cwd=directory,
            env={**environment, "PATH": path, "HOME": str(directory)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, code: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{{\n{code}\n}} </dev/null\necho '{self.END}'\n")
        self._process.stdin.flush()
        said = ""
        for line in self._process.stdout:
            if line.strip() == self.END:
                break
            if not STARTED.match(line):
                said += line
        else:
            pytest.fail(f"the shell ended:\n{said}")
        for port in SERVED.findall(code) if "skerry serve" in code else ():
            wait_for(int(port))
        return said

    def close(self) -> None:
        for ending in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, ending)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.communicate(timeout=10)
                return


class Page:
    """Runs the blocks of one page."""

    def __init__(self, name: str, directory: Path) -> None:
        self._name = name
        self._shell = Shell(directory)
        self._names: dict[str, Any] = {"__name__": "page"}
        self._runner = asyncio.Runner()
        self._ports: dict[str, str] = {}

    def run(self, block: Block) -> str:
        code = self.localized(block.code)
        return self._python(code, block.line) if block.language == "python" else self._shell.run(code)

    def localized(self, text: str) -> str:
        return PORT.sub(lambda found: self._ports.setdefault(found[0], free_port()), text)

    def close(self) -> None:
        for value in self._names.values():
            if isinstance(value, MongoClient):  # a page about something else need not close its own
                value.close()
        self._runner.close()
        self._shell.close()

    def _python(self, code: str, line: int) -> str:
        numbered = "\n" * (line - 1) + code
        compiled = compile(numbered, self._name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            running = types.FunctionType(compiled, self._names)()
            if inspect.iscoroutine(running):
                self._runner.run(running)
        return printed.getvalue()


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def wait_for(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail(f"nothing listens on {port}")


PAGES: Final = [path for path in sorted(DOCS.rglob("*.md")) if any(map(runs, blocks_of(path.read_text("utf-8"))))]


@pytest.fixture
def page(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.chdir(tmp_path)
    opened = Page(request.param.name, tmp_path)
    yield opened
    opened.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "path"), [(path, path) for path in PAGES], ids=[p.stem for p in PAGES], indirect=["page"]
)
def test_the_code_of_a_page_runs_and_prints_what_the_page_says(page: Page, path: Path) -> None:
    said = ""
    for block in blocks_of(path.read_text("utf-8")):
        if runs(block):
            said = page.run(block)
        elif block.mark == "output":
            wanted = page.localized(block.code)
            assert SAME(wanted, said, ROUGHLY), f"line {block.line}: printed\n{said}"


def test_marks_of_code_blocks_are_known() -> None:
    for path in sorted(DOCS.rglob("*.md")):
        for block in blocks_of(path.read_text("utf-8")):
            known = block.mark in ("", "run", "output") or block.mark.startswith(("not run: ", "end generated"))
            assert known, f"{path.name}:{block.line}: {block.mark}"
            if block.mark == "run":
                assert block.language == "sh", f"{path.name}:{block.line}"
