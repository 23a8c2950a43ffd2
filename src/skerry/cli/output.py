"""How answers are shown: tables on a terminal, tables without colours elsewhere, JSON when it was asked for."""

import datetime
import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPE_COLUMNS: Final = 200  # a pipe has no width; long enough that tables are not cut
_COLOURS: Final = {
    "healthy": "green",
    "streaming": "green",
    "degraded": "yellow",
    "paused": "yellow",
    "connecting": "yellow",
    "copying": "cyan",
    "unhealthy": "red",
    "offline": "red",
    "refused": "red",
    "stopped": "red",
}


def print_json(data: Any) -> None:
    """Print one JSON value."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def console() -> "Console":
    """Return where tables go."""
    from rich.console import Console  # here, because it is slow to import and JSON needs none of it

    return Console() if sys.stdout.isatty() else Console(width=PIPE_COLUMNS, color_system=None)


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None) -> "Table":
    """Return a table; None is shown as nothing, lists and documents as JSON."""
    from rich.markup import escape
    from rich.table import Table

    made = Table(title=title, title_justify="left")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*(escape(shown(value)) for value in row))
    return made


def facts(pairs: Iterable[tuple[str, Any]]) -> "Table":
    """Return names and values in two columns without lines."""
    from rich.markup import escape
    from rich.table import Table

    made = Table.grid(padding=(0, 2))
    for name, value in pairs:
        colour = _COLOURS.get(str(value))
        text = escape(shown(value))
        made.add_row(f"[dim]{escape(name)}", f"[{colour}]{text}" if colour else text)
    return made


def shown(value: Any) -> str:
    """Return a value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace(",", " ")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def moment(milliseconds: int | None) -> str:
    """Return a moment (since 1970) in this machine's time."""
    if milliseconds is None:
        return ""
    return datetime.datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration(milliseconds: float | None) -> str:
    """Return a span of time in its two largest units."""
    if milliseconds is None:
        return ""
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, whole = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {whole} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"
