"""Modules and public functions say what they answer."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")])
SENTENCE_END = (".", ":", "?", "…", '."', ".)")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def public_functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a module that others may import; methods may let their name and their class speak."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_module_says_in_its_first_paragraph_what_it_answers(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert docstring
    assert docstring.split("\n\n")[0].rstrip().endswith(SENTENCE_END), "the first paragraph is a sentence"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_public_function_says_what_it_does(path: Path) -> None:
    for function in public_functions(path):
        docstring = ast.get_docstring(function)
        assert docstring, f"{function.name} has no docstring"
        paragraph = re.split(r"\n\s*\n", docstring)[0].rstrip()
        assert paragraph.endswith(SENTENCE_END), f"{function.name}: the first paragraph is a sentence"
