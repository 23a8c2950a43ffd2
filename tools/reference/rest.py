"""The errors that the admin API answers, from its source."""

import ast
from pathlib import Path

from skerry import admin
from tools.reference.markdown import table


def errors() -> str:
    """The words by which programs tell errors apart."""
    found: set[tuple[int, str]] = set()
    for path in sorted(Path(admin.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("ApiError", "failure"):
                values = [each.value for each in node.args[:2] if isinstance(each, ast.Constant)]
                if len(values) == 2:
                    found.add((int(str(values[0])), str(values[1])))
    return table(("status", "error"), ((str(status), f"`{word}`") for status, word in sorted(found)))
