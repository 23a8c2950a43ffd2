"""What the tests of dumps share: a command line to call."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.cli.main import main

sys.path.insert(0, str(Path(__file__).parent))

Outcome = tuple[int, str, str]
Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `skerry` with these arguments; return exit code, standard output and standard error."""

    def run_one(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["skerry", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ending:
            code = int(ending.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_one
