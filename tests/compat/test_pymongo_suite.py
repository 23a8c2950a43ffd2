"""pymongo's own tests against `skerry serve`: what fails is listed with its reason, and nothing else may.

The list, `expected_failures.toml`, is strict: a test in it that passes is to be taken out. pymongo skips by itself what
needs a sharded cluster, authentication or TLS. Modules whose tests make a server fail run on `failing_server`.
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
from pymongo import MongoClient

HERE: Final = Path(__file__).parent
MODULE_SECONDS_MAX: Final = 600
TEST_SECONDS_MAX: Final = 60

_LISTED: Final[dict[str, Any]] = tomllib.loads((HERE / "expected_failures.toml").read_text("utf-8"))
QUICK: Final[list[str]] = _LISTED["modules"]["quick"]
THOROUGH: Final[list[str]] = _LISTED["modules"]["thorough"]
WITH_FAIL_POINTS: Final[list[str]] = _LISTED["modules"]["with_fail_points"]
EXPECTED: Final = [test for group in _LISTED["expected"] for test in group["tests"]]
NOT_RUN: Final = [test for group in _LISTED["not_run"] for test in group["tests"]]


def run_module(module: str, server: tuple[str, int], directory: Path) -> dict[str, str]:
    """Run one file of pymongo's suite on an empty server; return outcomes by `module::Class::test`."""
    outcomes = directory / "outcomes.json"
    host, port = server
    with MongoClient(host, port) as client:  # a module expects nothing of another to be left
        for name in client.list_database_names():
            client.drop_database(name)
    environment = {
        **os.environ,
        "DB_IP": host,
        "DB_PORT": str(port),
        "OUTCOMES": str(outcomes),
        "PYTHONPATH": str(HERE),
    }
    command = [sys.executable, "-m", "pytest", "-c", "pytest.ini", "-p", "outcome_recorder", "-p", "no:randomly"]
    command += ["-p", "no:cacheprovider", "-p", "no:xdist", "-q", "--tb=short", f"--timeout={TEST_SECONDS_MAX}"]
    command += [f"--deselect=test/{_node(test)}" for test in NOT_RUN if test.startswith(f"{module}::")]
    done = subprocess.run(
        [*command, f"test/{module}.py"],
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
    return {node.removeprefix("test/").replace(".py::", "::", 1): outcome for node, outcome in found.items()}


def _node(test: str) -> str:
    module, _, name = test.partition("::")
    return f"{module}.py::{name}"


def check_module(module: str, server: tuple[str, int], directory: Path) -> None:
    outcomes = run_module(module, server, directory)
    # pymongo skips everything where it finds no server
    assert {"passed", "failed"} & set(outcomes.values()), f"nothing ran; see {directory / 'output.txt'}"
    failed = {test for test, outcome in outcomes.items() if outcome == "failed"}
    expected = {test for test in EXPECTED if test.startswith(f"{module}::")}
    problems = {
        "failed, and is not listed": sorted(failed - expected),
        "is listed, and did not fail": sorted(expected - failed),
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


@pytest.mark.long
@pytest.mark.timeout(MODULE_SECONDS_MAX)
@pytest.mark.parametrize("module", WITH_FAIL_POINTS)
def test_a_module_of_pymongo_that_makes_the_server_fail_fails_only_where_expected(
    module: str, failing_server: tuple[str, int], tmp_path: Path
) -> None:
    check_module(module, failing_server, tmp_path)


def test_every_listed_test_is_of_a_module_that_is_run_and_is_listed_once() -> None:
    listed = [*EXPECTED, *NOT_RUN]
    assert len(listed) == len(set(listed))
    modules = [*QUICK, *THOROUGH, *WITH_FAIL_POINTS]
    assert len(modules) == len(set(modules))
    assert {test.partition("::")[0] for test in listed} <= set(modules)


@pytest.mark.parametrize("group", [*_LISTED["expected"], *_LISTED["not_run"]], ids=lambda group: group["feature"])
def test_every_group_says_why(group: dict[str, Any]) -> None:
    assert group["reason"].endswith(".")
    assert group["tests"]
