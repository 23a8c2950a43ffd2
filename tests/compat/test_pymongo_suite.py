"""pymongo's own tests against `skerry serve`: what fails is listed with its reason, and nothing else may.

The list, `expected_failures.toml`, is strict: a test in it that passes is to be taken out. pymongo skips by itself what
needs a sharded cluster, authentication, TLS or fail points.
"""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from driver_archive import pymongo_suite

HERE: Final = Path(__file__).parent
MODULE_SECONDS_MAX: Final = 600
TEST_SECONDS_MAX: Final = 60

_LISTED: Final[dict[str, Any]] = tomllib.loads((HERE / "expected_failures.toml").read_text("utf-8"))
QUICK: Final[list[str]] = _LISTED["modules"]["quick"]
THOROUGH: Final[list[str]] = _LISTED["modules"]["thorough"]
UNSTEADY: Final[list[str]] = _LISTED["unsteady"]["tests"]
EXPECTED: Final = {
    test: f"{group['feature']}: {group['reason']}" for group in _LISTED["group"] for test in group["tests"]
}


def run_module(module: str, server: tuple[str, int], directory: Path) -> dict[str, str]:
    """Run one file of pymongo's suite; return outcomes by `Class::test`."""
    outcomes = directory / "outcomes.json"
    host, port = server
    environment = {
        **os.environ,
        "DB_IP": host,
        "DB_PORT": str(port),
        "OUTCOMES": str(outcomes),
        "PYTHONPATH": str(HERE),
    }
    options = ["-p", "outcome_recorder", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist", "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "pytest.ini", *options]
        + [f"--timeout={TEST_SECONDS_MAX}", "--tb=short", f"test/{module}.py"],
        cwd=pymongo_suite(),
        env=environment,
        capture_output=True,
        text=True,
        timeout=MODULE_SECONDS_MAX,
        check=False,
    )
    assert outcomes.exists(), done.stdout[-4000:] + done.stderr[-4000:]
    (directory / "output.txt").write_text(done.stdout, "utf-8")
    found: dict[str, str] = json.loads(outcomes.read_text("utf-8"))
    return {node.partition("::")[2]: outcome for node, outcome in found.items()}


def check_module(module: str, server: tuple[str, int], directory: Path) -> None:
    outcomes = run_module(module, server, directory)
    assert "passed" in outcomes.values(), f"nothing ran; see {directory / 'output.txt'}"
    failed = {f"{module}::{test}" for test, outcome in outcomes.items() if outcome == "failed"}
    expected = {test for test in EXPECTED if test.startswith(f"{module}::")}
    ran = {f"{module}::{test}" for test in outcomes}
    steady = ran.difference(UNSTEADY)
    problems = {
        "failed, and is not listed": sorted((failed - expected) & steady),
        "is listed, and passed": sorted((expected - failed) & steady),
        "is listed, and does not exist": sorted(expected - ran),
    }
    assert not any(problems.values()), f"{problems}; see {directory / 'output.txt'}"


@pytest.mark.slow
@pytest.mark.timeout(MODULE_SECONDS_MAX)
@pytest.mark.parametrize("module", QUICK)
def test_a_quick_module_of_pymongo_fails_only_where_expected(
    module: str, server: tuple[str, int], tmp_path: Path
) -> None:
    check_module(module, server, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(MODULE_SECONDS_MAX)
@pytest.mark.parametrize("module", THOROUGH)
def test_a_module_of_pymongo_fails_only_where_expected(module: str, server: tuple[str, int], tmp_path: Path) -> None:
    check_module(module, server, tmp_path)


def test_every_expected_failure_is_of_a_module_that_is_run_and_is_listed_once() -> None:
    listed = [test for group in _LISTED["group"] for test in group["tests"]]
    assert len(listed) == len(set(listed))
    assert {test.partition("::")[0] for test in [*listed, *UNSTEADY]} <= {*QUICK, *THOROUGH}
    assert not set(QUICK) & set(THOROUGH)
