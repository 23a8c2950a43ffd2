"""Files and functions stay small enough to be read at one sitting."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

# Pure data may be longer: nobody reads a table from top to bottom. Every entry is a decision.
DATA_TABLES: frozenset[str] = frozenset()

SOURCES = sorted((ROOT / "src").rglob("*.py"))
ALL_FILES = sorted([*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")])


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", ALL_FILES, ids=relative)
def test_a_file_is_about_one_thing_and_at_most_400_lines(path: Path) -> None:
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= FILE_LINES_MAX or relative(path) in DATA_TABLES, f"{lines} lines"


@pytest.mark.parametrize("path", ALL_FILES, ids=relative)
def test_a_function_is_at_most_70_lines(path: Path) -> None:
    for function in functions(ast.parse(path.read_text("utf-8"))):
        assert function.end_lineno is not None
        lines = function.end_lineno - function.lineno + 1
        assert lines <= FUNCTION_LINES_MAX, f"{function.name}: {lines} lines"


def test_every_exemption_still_exists_and_is_still_needed() -> None:
    for name in DATA_TABLES:
        assert len((ROOT / name).read_text("utf-8").splitlines()) > FILE_LINES_MAX, name
