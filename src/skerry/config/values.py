"""What a value of the file, the environment or the command line is as a setting: typed, or refused by name."""

import dataclasses
import typing
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, Final

from skerry.config.admin_config import AdminConfig
from skerry.config.checks import choice
from skerry.config.engine_config import EngineConfig
from skerry.config.secret_values import is_secret, revealed
from skerry.config.server_config import ServerConfig
from skerry.config.sync_config import ConflictRule, SelectionRule, SyncConfig, parse_conflict_rule, parse_rule
from skerry.errors import ConfigurationError

TABLES: Final[Mapping[str, type]] = {
    "engine": EngineConfig,
    "server": ServerConfig,
    "sync": SyncConfig,
    "admin": AdminConfig,
}

_TRUTH: Final[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}
_RULES: Final[Mapping[type, Callable[[str], object]]] = {
    ConflictRule: parse_conflict_rule,
    SelectionRule: parse_rule,
}
_EXPECTED: Final[Mapping[type, str]] = {int: "a whole number", bool: "true or false"}


def _kinds(table: str, name: str) -> tuple[type, ...]:
    """The types that a setting may have; a tuple of rules shows as `tuple` and the kind of rule."""
    config_field(table, name)
    hint = typing.get_type_hints(TABLES[table])[name]
    if typing.get_origin(hint) is tuple:
        return (tuple, typing.get_args(hint)[0])
    return typing.get_args(hint) or (hint,)


def from_text(table: str, name: str, text: str) -> Any:
    """Read the text of an environment variable as what the setting is. Raises `ConfigurationError`."""
    kinds = _kinds(table, name)
    if kinds[0] is tuple:
        return tuple(_RULES[kinds[1]](rule) for rule in _split(text) if rule.strip())
    if bool in kinds:
        return truth(f"{table}.{name}", text)
    if int in kinds:
        return whole_number(f"{table}.{name}", text)
    return checked(table, name, text)


def checked(table: str, name: str, value: Any) -> Any:
    """Return a typed `value` as what the setting is; a secret is looked up where it refers to a keyring.

    Raises `ConfigurationError`, which does not repeat a secret.
    """
    kinds = _kinds(table, name)
    setting = f"{table}.{name}"
    if kinds[0] is tuple:
        return _rules(setting, value, kinds[1])
    kind = next(kind for kind in kinds if kind is not NoneType)
    if issubclass(kind, StrEnum):
        return choice(kind, setting, value)
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    if isinstance(value, bool) != (kind is bool) or not isinstance(value, kind):
        shown = "" if is_secret(config_field(table, name)) else value
        raise ConfigurationError(setting, shown, _EXPECTED.get(kind, "a string"))
    return revealed(setting, str(value)) if is_secret(config_field(table, name)) else value


def config_field(table: str, name: str) -> "dataclasses.Field[Any]":
    """Return the field of a setting. Raises `ConfigurationError` for one that there is not."""
    fields = dataclasses.fields(TABLES[table])
    for field in fields:
        if field.name == name:
            return field
    known = ", ".join(field.name for field in fields)
    raise ConfigurationError(f"{table}.{name}", None, f"one of the settings {known}")


def truth(setting: str, text: str) -> bool:
    """Read a switch. Raises `ConfigurationError`."""
    if text.lower() not in _TRUTH:
        raise ConfigurationError(setting, text, "true or false")
    return _TRUTH[text.lower()]


def whole_number(setting: str, text: str) -> int:
    """Read a number. Raises `ConfigurationError`."""
    try:
        return int(text)
    except ValueError:
        raise ConfigurationError(setting, text, "a whole number") from None


def _split(text: str) -> list[str]:
    """Split at the commas that are in no braces or brackets: a rule may hold a query in JSON."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "{[") - (character in "}]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _rules(setting: str, value: Any, kind: type) -> tuple[Any, ...]:
    """Rules as the file has them (a table in order of its lines) or as arguments bring them."""
    if isinstance(value, dict):
        return tuple(_RULES[kind](f"{pattern}={rule}") for pattern, rule in value.items())
    if isinstance(value, tuple) and all(isinstance(rule, kind) for rule in value):
        return value
    raise ConfigurationError(setting, value, "a table of PATTERN = RULE")
