"""Tables and lists as Markdown."""

from collections.abc import Iterable, Sequence


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; line ends and pipes in cells would break it and are replaced."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(_cell(each) for each in line) + " |" for line in lines)


def names(found: Iterable[str]) -> str:
    """Return names as code, in one paragraph, sorted."""
    return ", ".join(f"`{name}`" for name in sorted(found, key=str.lower))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
