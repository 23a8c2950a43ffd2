"""How Hypothesis runs here: the same cases every time in `make test`, new ones in `make test-long`; never timed. And `skerry`."""

import gc
import os
import sys
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from skerry.cli.main import main

settings.register_profile("gate", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("SKERRY_TEST_HYPOTHESIS_PROFILE", "gate"))

Outcome = tuple[int, str, str]
Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run `skerry` in this process with these arguments; return exit code, standard output and standard error."""
    switch_interval, threshold = sys.getswitchinterval(), gc.get_threshold()

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

    yield run_one
    sys.setswitchinterval(switch_interval)
    gc.set_threshold(*threshold)
