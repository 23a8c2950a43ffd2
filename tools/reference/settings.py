"""The tables of settings, from the metadata of the configuration's dataclasses, and of the variables that stand for some."""

import dataclasses
from typing import Any

from skerry.config import aliases
from skerry.config.secret_values import is_secret
from skerry.config.values import TABLES
from tools.reference import markdown


def table(name: str) -> str:
    """Return the table of one configuration, in the order of its fields."""
    lines = ["| setting | default | least | most | meaning |", "|---|---|---|---|---|"]
    for field in dataclasses.fields(TABLES[name]):
        limits = (_number(field.metadata.get(end)) for end in ("least", "most"))
        meaning = f"{field.metadata['help']} [A secret](#secrets)." if is_secret(field) else field.metadata["help"]
        cells = (f"`{field.name}`", _default(field.default), *limits, meaning)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def variables_of_other_systems() -> str:
    """Return the table of the environment variables that are read beside `SKERRY_…`."""
    rows = {each.variable: (f"`{each.table}.{each.setting}`", each.meaning) for each in aliases.ALIASES}
    rows |= {variable: ("`sync.rules`", meaning) for variable, meaning in aliases.RULE_MEANINGS.items()}
    rows |= {variable: ("nothing", why) for variable, why in aliases.NO_EFFECT.items()}
    return markdown.table(
        ("variable", "sets", "value"), ((f"`{variable}`", *rest) for variable, rest in sorted(rows.items()))
    )


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
