"""The options that describe a node before it runs, and the settings that they, the file and the environment make up."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from skerry.cli.completion import complete_rule
from skerry.cli.uri_option import uri_of
from skerry.config import Settings, load_settings, parse_bind, parse_rule

SETTINGS_FILE: Final = "skerry.toml"
OPTIONS: Final = {
    ("admin", "bind_host"): "--admin",
    ("admin", "bind_port"): "--admin",
    ("server", "auth"): "--auth",
    ("server", "bind_host"): "--bind",
    ("server", "bind_port"): "--bind",
    ("server", "unix_socket_path"): "--unix-socket",
    ("sync", "hub_uri"): "--hub",
    ("sync", "link_name"): "--name",
    ("sync", "rules"): "--sync",
}
"""Under which option a setting is given."""

Bind = Annotated[str | None, typer.Option(help="HOST:PORT to listen on; port 0 takes any free one.")]
UnixSocket = Annotated[Path | None, typer.Option(help="Also listen on a Unix socket at this path.")]
Hub = Annotated[
    str | None,
    typer.Option(
        help="URI of the hub to keep in step with, without a password, as lists of processes show it; '-' reads it from"
        " the standard input."
    ),
]
Sync = Annotated[
    list[str] | None,
    typer.Option(
        help="PATTERN=DIRECTION (both, pull, push, none), for example 'shop.*=both'; may be repeated.",
        autocompletion=complete_rule,
    ),
]
LinkName = Annotated[str | None, typer.Option("--name", help="Name of the link to the hub in this node's reports.")]
Admin = Annotated[str | None, typer.Option(help="HOST:PORT of the admin API; without it there is none.")]
Auth = Annotated[bool, typer.Option("--auth", help="Everybody has to log in, even while there is no user.")]
Config = Annotated[
    Path | None,
    typer.Option(help=f"Settings file; default: {SETTINGS_FILE} in the data directory.", exists=True, dir_okay=False),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOptions:
    """What was typed; None and false stand for what was not."""

    data: Path | None
    bind: str | None
    unix_socket: Path | None
    hub: str | None
    sync: list[str] | None
    name: str | None
    admin: str | None
    auth: bool
    config: Path | None

    def settings(self) -> Settings:
        """Return the settings in effect. Raises `ConfigurationError`."""
        host, port = (None, None) if self.bind is None else parse_bind(self.bind, "--bind")
        admin_host, admin_port = (None, None) if self.admin is None else parse_bind(self.admin, "--admin")
        arguments: dict[str, dict[str, Any]] = {
            "admin": {"bind_host": admin_host, "bind_port": admin_port},
            "server": {
                "bind_host": host,
                "bind_port": port,
                "unix_socket_path": self.unix_socket,
                "auth": self.auth or None,
            },
            "sync": {
                "hub_uri": uri_of("--hub", self.hub, otherwise="SKERRY_SYNC_HUB_PASSWORD_FILE=FILE"),
                "rules": tuple(parse_rule(rule) for rule in self.sync) if self.sync else None,
                "link_name": self.name,
            },
        }
        in_directory = None if self.data is None else self.data / SETTINGS_FILE
        return load_settings(
            file=self.config or in_directory, environment=os.environ, arguments=arguments, options=OPTIONS
        )
