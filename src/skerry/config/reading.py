"""Reads settings from their places, one after the other, and keeps for each what it is and where it came from."""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from skerry.config import aliases
from skerry.config.origin import ARGUMENT, ENVIRONMENT, FILE, Origin
from skerry.config.secret_values import (
    FILE_SUFFIX,
    file_of_secret,
    is_readable_by_everybody,
    read_secret_file,
)
from skerry.config.sync_config import SyncConfig
from skerry.config.values import TABLES, checked, from_text
from skerry.errors import ConfigurationError

ENVIRONMENT_PREFIX: Final = "SKERRY_"
TEST_PREFIX: Final = "SKERRY_TEST_"  # what steers the tests must not stop the nodes that they start
COMMAND_PREFIX: Final = "SKERRY_URI_"  # what commands that take a URI read by themselves
_TUNING: Final = frozenset(alias.variable for alias in aliases.ALIASES) - {aliases.HUB_ALIAS, aliases.SWITCH}

Given = Mapping[str, tuple[Any, Origin]]  # setting: what was given, and where


class Reading:
    """`values` by table and setting, `sources` likewise; each place that is read takes precedence over those before it.

    The methods raise `ConfigurationError`, but not for sync settings: the first of those errors is kept as `fault`.
    """

    def __init__(self) -> None:
        self.values: dict[str, dict[str, Any]] = {table: {} for table in TABLES}
        self.sources: dict[str, dict[str, Origin]] = {table: {} for table in TABLES}
        self.fault: ConfigurationError | None = None
        self.warnings: list[str] = []

    def read_file(self, file: Path | None) -> None:
        """Read `skerry.toml`; one that does not exist has nothing to say."""
        if file is None or not file.exists():
            return
        try:
            tables = tomllib.loads(file.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(str(file), str(error), "valid TOML") from error
        except OSError as error:
            raise ConfigurationError(str(file), None, f"a file that can be read ({error.strerror})") from error
        origin = Origin(FILE, str(file))
        for table, settings in tables.items():
            if table not in TABLES or not isinstance(settings, dict):
                raise ConfigurationError(table, settings, f"one of the tables {', '.join(TABLES)}")
            self._take_table(table, {name: (value, origin) for name, value in settings.items()})

    def read_environment(self, environment: Mapping[str, str]) -> None:
        """Read the variables `SKERRY_…`, and those of other systems that stand for a setting."""
        found: dict[str, dict[str, tuple[str, Origin]]] = {}
        for variable, text in environment.items():
            if not variable.startswith(ENVIRONMENT_PREFIX) or variable.startswith((TEST_PREFIX, COMMAND_PREFIX)):
                continue
            table, _, name = variable.removeprefix(ENVIRONMENT_PREFIX).lower().partition("_")
            if table not in TABLES:
                tables = ", ".join(f"{ENVIRONMENT_PREFIX}{known.upper()}_…" for known in TABLES)
                raise ConfigurationError(variable, text, f"a variable named {tables}")
            found.setdefault(table, {})[name] = (text, Origin(ENVIRONMENT, variable))
        for table, settings in found.items():
            self._take_table(table, settings)
        for alias in aliases.ALIASES:
            if environment.get(alias.variable):
                with self._faults_of(alias.table):
                    self._take_alias(alias, environment[alias.variable])
        self._note_aliases(environment)

    def read_arguments(
        self, arguments: Mapping[str, Mapping[str, Any]], options: Mapping[tuple[str, str], str]
    ) -> None:
        """Read what was typed; it is refused when it is wrong, sync settings as well."""
        for table, settings in arguments.items():
            for name, value in settings.items():
                if value is not None:
                    self._take(
                        table, name, checked(table, name, value), Origin(ARGUMENT, options.get((table, name), ""))
                    )

    def sync(self, environment: Mapping[str, str]) -> SyncConfig | None:
        """Return the settings of the link, None where there is to be none, or `fault` says why there is none."""
        with self._faults_of("sync"):
            self._take_rule_aliases(environment)
            if self.fault is None and self._wants_link():
                found = self.values["sync"]
                if "hub_uri" not in found:
                    raise ConfigurationError(
                        "sync.hub_uri", None, "the URI of a hub, since other sync settings are given"
                    )
                return SyncConfig(**{"rules": (), **found})
        if self.fault is not None and any(each.kind == ARGUMENT for each in self.sources["sync"].values()):
            raise self.fault  # whoever types sync options is there to read this
        return None

    @contextmanager
    def _faults_of(self, table: str) -> Iterator[None]:
        """Keep the first error of the sync settings instead of raising it."""
        try:
            yield
        except ConfigurationError as error:
            if table != "sync":
                raise
            self.fault = self.fault or error

    def _wants_link(self) -> bool:
        """Whether anything asks for a link; variables of other systems that would only tune one do not."""
        found = self.values["sync"]
        if found.get("enabled") is False and not {"hub_uri", "rules"} <= found.keys():
            return False
        return any(origin.name not in _TUNING for origin in self.sources["sync"].values())

    def _take(self, table: str, name: str, value: Any, origin: Origin) -> None:
        self.values[table][name] = value
        self.sources[table][name] = origin

    def _take_table(self, table: str, settings: Given) -> None:
        for name, (given, origin) in settings.items():
            with self._faults_of(table):
                secret = file_of_secret(TABLES[table], name)
                if secret is None:
                    read = from_text if origin.kind == ENVIRONMENT else checked
                    self._take(table, name, read(table, name, given), origin)
                elif secret in settings:
                    raise ConfigurationError(origin.name, None, f"either {table}.{secret} or {table}.{name}, not both")
                else:
                    self._take_secret_file(table, secret, given, origin)

    def _take_secret_file(self, table: str, secret: str, path: Any, origin: Origin) -> None:
        text = read_secret_file(f"{table}.{secret}{FILE_SUFFIX}", path)
        if is_readable_by_everybody(Path(path)):
            self.warnings.append(f"{path} has a secret ({table}.{secret}) and every user of this machine can read it")
        self._take(table, secret, text, Origin(origin.kind, f"{origin.name}: {path}"))

    def _take_alias(self, alias: aliases.Alias, text: str) -> None:
        value = alias.read(alias.variable, text)
        before = self.sources[alias.table].get(alias.setting)
        if before is not None and before.kind == ENVIRONMENT and self.values[alias.table][alias.setting] != value:
            raise ConfigurationError(alias.variable, None, f"the same as {before.name}, or only one of the two")
        if before is None or before.kind != ENVIRONMENT:
            self._take(alias.table, alias.setting, value, Origin(ENVIRONMENT, alias.variable))

    def _note_aliases(self, environment: Mapping[str, str]) -> None:
        for variable, why in aliases.NO_EFFECT.items():
            if environment.get(variable):
                self.warnings.append(f"{variable} has no effect: {why}")
        for name in aliases.twice_excluded(environment):
            both = f"{aliases.EXCLUDED} and {aliases.EXCLUDED_FROM_PULL}"
            self.warnings.append(f"{both} both name {name}: it does not travel at all")

    def _take_rule_aliases(self, environment: Mapping[str, str]) -> None:
        """Make `sync.rules` of the variables that describe it; `SYNC_ENABLED` alone stands for it where nothing else does."""
        given = [variable for variable in aliases.RULE_ALIASES if environment.get(variable)]
        before = self.sources["sync"].get("rules")
        if given and before is not None and before.kind == ENVIRONMENT:
            raise ConfigurationError(given[0], None, f"no value beside {before.name}: only one of the two")
        is_argument = before is not None and before.kind == ARGUMENT
        switch = self.sources["sync"].get("enabled")
        if not given and before is None and switch is not None and switch.name == aliases.SWITCH:
            given = [aliases.SWITCH]
        if given and not is_argument and "hub_uri" in self.values["sync"]:
            rules = aliases.rules_of(environment, self.values["sync"]["hub_uri"])
            self._take("sync", "rules", rules, Origin(ENVIRONMENT, ", ".join(given)))
