"""The tables of settings, from the metadata of the configuration's dataclasses."""

import dataclasses
from typing import Any

from skerry.config.load import TABLES


def table(name: str) -> str:
    """Return the table of one configuration, in the order of its fields."""
    lines = ["| setting | default | least | most | meaning |", "|---|---|---|---|---|"]
    for field in dataclasses.fields(TABLES[name]):
        limits = (_number(field.metadata.get(end)) for end in ("least", "most"))
        cells = (f"`{field.name}`", _default(field.default), *limits, field.metadata["help"])
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _default(value: Any) -> str:
    if value is dataclasses.MISSING:
        return "required"
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:_}`" if isinstance(value, int) else f"`{value}`"


def _number(limit: int | None) -> str:
    return "" if limit is None else f"{limit:_}"
