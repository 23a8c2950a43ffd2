"""What a node's settings are and where each came from, with secrets left out."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from skerry.config.hub_uri import without_secrets
from skerry.config.origin import Origin
from skerry.config.secret_values import is_secret
from skerry.config.sync_config import ConflictRule, SelectionRule

DEFAULT: Final = "default"
HIDDEN: Final = "set; not shown"
HUB_URI: Final = "hub_uri"
"""It holds secrets among other things, and is shown without them."""


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One setting; `source` is default, file, environment, argument or program, `origin` its path, variable or option."""

    table: str
    name: str
    value: str
    source: str
    help: str
    origin: str = ""


def effective_settings(
    configs: Mapping[str, Any], sources: Mapping[str, Mapping[str, Origin]] | None = None
) -> list[EffectiveSetting]:
    """Return every setting of `configs` (dataclasses by table, None for what is off) in the order of the reference.

    Where `sources` says nothing, a value other than the default was given by a program.
    """
    found = []
    for table, config in configs.items():
        for field in () if config is None else dataclasses.fields(config):
            value = getattr(config, field.name)
            given = Origin("program" if value != field.default else DEFAULT, "")
            origin = given if sources is None else sources.get(table, {}).get(field.name, Origin(DEFAULT, ""))
            text = HIDDEN if is_secret(field) and value is not None else _text(value)
            text = without_secrets(value) if field.name == HUB_URI else text
            found.append(EffectiveSetting(table, field.name, text, origin.kind, field.metadata["help"], origin.name))
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(_rule(each) for each in value)
    return str(value)


def _rule(rule: Any) -> str:
    if isinstance(rule, SelectionRule):
        return f"{rule.pattern}={rule.direction.value}"
    return rule.to_text() if isinstance(rule, ConflictRule) else str(rule)
