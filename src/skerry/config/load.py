"""Where settings come from: defaults, then `skerry.toml`, then the environment, then arguments; the last one wins.

The file has a table for each configuration, the environment a variable for each setting:

    [engine]
    oplog_bytes_max = 536_870_912           # SKERRY_ENGINE_OPLOG_BYTES_MAX=536870912

    [sync]
    hub_uri = "mongodb://hub:27017"         # SKERRY_SYNC_HUB_URI=mongodb://hub:27017
    [sync.rules]
    "shop.*" = "both"                       # SKERRY_SYNC_RULES='shop.*=both,logs.*=push'
    [sync.conflict_rules]
    "shop.stock#total" = "counter"          # SKERRY_SYNC_CONFLICT_RULES='shop.stock#total=counter'
"""

import dataclasses
import tomllib
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, Final

from skerry.config.admin_config import AdminConfig
from skerry.config.checks import choice
from skerry.config.engine_config import EngineConfig
from skerry.config.server_config import ServerConfig
from skerry.config.sync_config import ConflictRule, SelectionRule, SyncConfig, parse_conflict_rule, parse_rule
from skerry.errors import ConfigurationError

ENVIRONMENT_PREFIX: Final = "SKERRY_"
TEST_PREFIX: Final = "SKERRY_TEST_"  # what steers the tests must not stop the nodes that they start
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

Values = dict[str, dict[str, Any]]  # table, setting, value


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that was set; `sync` is None for a node without a hub, `admin` for one without an admin API.

    `sources` says by table and setting where what is no default came from: file, environment or argument.
    """

    engine: EngineConfig
    server: ServerConfig
    sync: SyncConfig | None
    admin: AdminConfig | None = None
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict, compare=False)


def load_settings(
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    arguments: Mapping[str, Mapping[str, Any]] | None = None,
) -> Settings:
    """Put the settings together; a `file` that does not exist counts as empty.

    `arguments` has a mapping for each table; an argument that is None was not given. Raises `ConfigurationError`.
    """
    values: Values = {table: {} for table in TABLES}
    sources: dict[str, dict[str, str]] = {table: {} for table in TABLES}
    given = {
        "file": _from_file(file),
        "environment": _from_environment(environment or {}),
        "argument": _from_arguments(arguments or {}),
    }
    for source, tables in given.items():
        for table, settings in tables.items():
            values[table].update(settings)
            sources[table].update(dict.fromkeys(settings, source))
    sync = values["sync"]
    if sync and "hub_uri" not in sync:
        raise ConfigurationError("sync.hub_uri", None, "the URI of a hub, since other sync settings are given")
    return Settings(
        engine=EngineConfig(**values["engine"]),
        server=ServerConfig(**values["server"]),
        sync=SyncConfig(**{"rules": (), **sync}) if sync else None,
        admin=AdminConfig(**values["admin"]) if values["admin"].keys() & {"bind_host", "bind_port"} else None,
        sources=sources,
    )


def _from_file(file: Path | None) -> Values:
    if file is None or not file.exists():
        return {}
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(str(file), str(error), "valid TOML") from error
    found: Values = {}
    for table, settings in tables.items():
        if table not in TABLES or not isinstance(settings, dict):
            raise ConfigurationError(table, settings, f"one of the tables {', '.join(TABLES)}")
        found[table] = {name: _checked(table, name, value) for name, value in settings.items()}
    return found


def _from_environment(environment: Mapping[str, str]) -> Values:
    found: Values = {}
    for variable, text in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable.startswith(TEST_PREFIX):
            continue
        table, _, name = variable.removeprefix(ENVIRONMENT_PREFIX).lower().partition("_")
        if table not in TABLES:
            tables = ", ".join(f"{ENVIRONMENT_PREFIX}{known.upper()}_…" for known in TABLES)
            raise ConfigurationError(variable, text, f"a variable named {tables}")
        found.setdefault(table, {})[name] = _from_text(table, name, text)
    return found


def _from_arguments(arguments: Mapping[str, Mapping[str, Any]]) -> Values:
    return {
        table: {name: _checked(table, name, value) for name, value in settings.items() if value is not None}
        for table, settings in arguments.items()
    }


def _kinds(table: str, name: str) -> tuple[type, ...]:
    """The types that a setting may have; a tuple of rules shows as `tuple` and the kind of rule."""
    config = TABLES[table]
    hints = typing.get_type_hints(config)
    if name not in hints:
        known = ", ".join(field.name for field in dataclasses.fields(config))
        raise ConfigurationError(f"{table}.{name}", None, f"one of the settings {known}")
    hint = hints[name]
    if typing.get_origin(hint) is tuple:
        return (tuple, typing.get_args(hint)[0])
    return typing.get_args(hint) or (hint,)


def _from_text(table: str, name: str, text: str) -> Any:
    """Read the text of an environment variable as what the setting is."""
    kinds = _kinds(table, name)
    if kinds[0] is tuple:
        return tuple(_RULES[kinds[1]](rule) for rule in _split(text) if rule.strip())
    if bool in kinds:
        if text.lower() not in _TRUTH:
            raise ConfigurationError(f"{table}.{name}", text, "true or false")
        return _TRUTH[text.lower()]
    if int in kinds:
        try:
            return int(text)
        except ValueError:
            raise ConfigurationError(f"{table}.{name}", text, "a whole number") from None
    return _checked(table, name, text)


def _checked(table: str, name: str, value: Any) -> Any:
    """Return a typed `value` as what the setting is, or refuse it."""
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
        raise ConfigurationError(setting, value, _EXPECTED.get(kind, "a string"))
    return value


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
