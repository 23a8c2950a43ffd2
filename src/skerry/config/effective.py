"""What a node's settings are and where each came from, with secrets left out."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from skerry.config.sync_config import ConflictRule, SelectionRule

DEFAULT: Final = "default"
HIDDEN: Final = "set; not shown"
SECRETS: Final = frozenset((("admin", "token"),))
_CREDENTIALS: Final = re.compile(r"(?<=//)[^/@]*@")


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One setting; `source` is default, file, environment, argument or program."""

    table: str
    name: str
    value: str
    source: str
    help: str


def effective_settings(
    configs: Mapping[str, Any], sources: Mapping[str, Mapping[str, str]] | None = None
) -> list[EffectiveSetting]:
    """Return every setting of `configs` (dataclasses by table, None for what is off) in the order of the reference.

    Where `sources` says nothing, a value other than the default was given by a program.
    """
    found = []
    for table, config in configs.items():
        for field in () if config is None else dataclasses.fields(config):
            value = getattr(config, field.name)
            given = "program" if value != field.default else DEFAULT
            source = given if sources is None else sources.get(table, {}).get(field.name, DEFAULT)
            text = HIDDEN if (table, field.name) in SECRETS and value is not None else _text(value)
            found.append(EffectiveSetting(table, field.name, text, source, field.metadata["help"]))
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(_rule(each) for each in value)
    return _CREDENTIALS.sub("…@", str(value))


def _rule(rule: Any) -> str:
    if isinstance(rule, SelectionRule):
        return f"{rule.pattern}={rule.direction.value}"
    return rule.to_text() if isinstance(rule, ConflictRule) else str(rule)
