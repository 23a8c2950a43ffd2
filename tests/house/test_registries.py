"""Tables of what MongoDB has are alphabetical, so that one look tells whether something is in them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TABLE_ENTRIES_MIN = 3


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def constant_strings(nodes: list[ast.expr | None]) -> list[str] | None:
    """The strings of which a display consists, or None when it has anything else."""
    strings = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return strings if len(strings) == len(nodes) >= TABLE_ENTRIES_MIN else None


def operator_tables(tree: ast.Module) -> Iterator[tuple[int, list[str]]]:
    """Line and keys of every table of operators or stages at the top of a module."""
    for statement in tree.body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            continue
        for node in ast.walk(statement.value):
            nodes: list[ast.expr | None] = []
            if isinstance(node, ast.Dict):
                nodes = list(node.keys)
            elif isinstance(node, ast.Set):
                nodes = list(node.elts)
            strings = constant_strings(nodes)
            if strings and all(string.startswith("$") for string in strings):
                yield node.lineno, strings


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_tables_of_operators_are_alphabetical(path: Path) -> None:
    for line, names in operator_tables(ast.parse(path.read_text("utf-8"))):
        assert names == sorted(names, key=str.lower), f"line {line}"
        assert len(set(names)) == len(names), f"line {line}"


def test_the_table_of_commands_is_alphabetical() -> None:
    path = ROOT / "src" / "skerry" / "commands" / "command_registry.py"
    tables = [
        names
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Dict) and (names := constant_strings(list(node.keys)))
    ]
    assert tables
    for names in tables:
        assert names == sorted(names, key=str.lower)
