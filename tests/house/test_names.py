"""Names say what a thing is, imports are absolute, and nothing points at somebody's machine."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BANNED_MODULES = {"base", "common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
BANNED_CLASS_ENDINGS = ("Manager", "Helper", "Service", "Util", "Utils", "Processor")
KEPT_FROM_THE_SEEDS = {"FileService"}

PYTHON_FOLDERS = ("src", "tests", "benchmarks")
PYTHON_FILES = sorted(path for folder in PYTHON_FOLDERS for path in (ROOT / folder).rglob("*.py"))
TEXT_FILES = sorted(
    [*PYTHON_FILES, *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "Makefile", ROOT / "pyproject.toml"]
)
# Put together from pieces, so that this file does not find itself.
MACHINE_PATH = re.compile(
    r"(?<![\w.\-/])/(?:" + "wo" + "rk|tmp/" + "skerry|home/\\w+)(?=[/\\s\"'`),;:]|$)", re.MULTILINE
)
TICKET = re.compile("(?i)\\b(?:iss" + r"ue|ticket|pull request|session)\s+(?:no\.\s*|#)?\d+")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def classes(path: Path) -> Iterator[ast.ClassDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef):
            yield node


@pytest.mark.parametrize("path", PYTHON_FILES, ids=relative)
def test_no_module_or_package_has_a_name_that_says_nothing(path: Path) -> None:
    words = {part for name in (path.stem, path.parent.name) for part in name.split("_")}
    assert not words & BANNED_MODULES


@pytest.mark.parametrize("path", sorted((ROOT / "src").rglob("*.py")), ids=relative)
def test_no_class_has_a_name_that_says_nothing(path: Path) -> None:
    inflated = {found.name for found in classes(path) if found.name.endswith(BANNED_CLASS_ENDINGS)}
    assert inflated <= KEPT_FROM_THE_SEEDS


@pytest.mark.parametrize("path", PYTHON_FILES, ids=relative)
def test_imports_are_absolute(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"line {node.lineno}"


@pytest.mark.parametrize("path", TEXT_FILES, ids=relative)
def test_no_path_of_a_build_machine(path: Path) -> None:
    assert MACHINE_PATH.findall(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", TEXT_FILES, ids=relative)
def test_nothing_refers_to_a_ticket_that_a_reader_cannot_see(path: Path) -> None:
    assert TICKET.findall(path.read_text("utf-8")) == []
