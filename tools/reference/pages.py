"""Which pages have generated tables, and a page's text with its tables made anew."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from skerry.config.values import TABLES as CONFIGURATIONS
from tools.reference import command_line, compatibility, error_codes, rest, settings

DOCS: Final = Path(__file__).parents[2] / "docs"
BLOCK: Final = re.compile(
    r"^<!-- begin generated: (?P<name>[\w -]+) -->\n.*?^<!-- end generated -->$", re.DOTALL | re.MULTILINE
)

TABLES: Final[dict[str, Callable[[], str]]] = {
    "accumulators": compatibility.accumulators,
    "aggregation operators": compatibility.expressions,
    "aggregation stages": compatibility.stages,
    "command line": command_line.commands,
    "commands": compatibility.commands,
    "driver tests": compatibility.driver_tests,
    "error classes": error_codes.classes,
    "error codes": error_codes.codes,
    "exit codes": command_line.exit_codes,
    "index options": compatibility.index_options,
    "query operators": compatibility.query_operators,
    "rest errors": rest.errors,
    **{f"settings {name}": partial(settings.table, name) for name in CONFIGURATIONS},
    "update operators": compatibility.update_operators,
    "variables of other systems": settings.variables_of_other_systems,
    "window functions": compatibility.window_functions,
}


def pages() -> list[Path]:
    """Return the pages that have a generated table."""
    return [path for path in sorted(DOCS.rglob("*.md")) if BLOCK.search(path.read_text("utf-8"))]


def renewed(text: str) -> str:
    """Return a page's text with current tables. Raises KeyError for a table that nobody makes."""

    def make(found: re.Match[str]) -> str:
        name = found["name"]
        return f"<!-- begin generated: {name} -->\n\n{TABLES[name]().strip()}\n\n<!-- end generated -->"

    return BLOCK.sub(make, text)
