"""`skerry config`: every setting that a node would have, and where each comes from; or what is wrong with them."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from skerry.cli.node_options import Admin, Auth, Bind, Config, Hub, LinkName, NodeOptions, Sync, UnixSocket
from skerry.cli.operator_options import Json
from skerry.cli.output import console, print_json, table
from skerry.config import EffectiveSetting, effective_settings

SOURCES = {"argument": "option", "environment": "variable", "file": "file", "default": "default"}


def config(
    data: Annotated[
        Path | None, typer.Option(help="Directory of the database, for its settings file.", file_okay=False)
    ] = None,
    bind: Bind = None,
    unix_socket: UnixSocket = None,
    hub: Hub = None,
    sync: Sync = None,
    name: LinkName = None,
    admin: Admin = None,
    auth: Auth = False,  # noqa: FBT002 - typer makes an option of it
    config: Config = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show the settings that `skerry serve` would have with the same options, and where each comes from.

    Secrets are not shown. Ends with 2 where something is wrong, naming the setting and what is allowed; that includes what only
    turns the link to the hub off.
    """
    options = NodeOptions(
        data=data,
        bind=bind,
        unix_socket=unix_socket,
        hub=hub,
        sync=sync,
        name=name,
        admin=admin,
        auth=auth,
        config=config,
    )
    settings = options.settings()
    configs = {"engine": settings.engine, "server": settings.server, "sync": settings.sync, "admin": settings.admin}
    found = effective_settings(configs, settings.sources)
    if as_json:
        fault = None if settings.sync_fault is None else str(settings.sync_fault)
        rows = [dataclasses.asdict(each) for each in found]
        print_json({"settings": rows, "warnings": list(settings.warnings), "sync_fault": fault})
    else:
        _show(found, settings.warnings)
    if settings.sync_fault is not None:
        raise settings.sync_fault


def _show(found: list[EffectiveSetting], warnings: tuple[str, ...]) -> None:
    rows = [(f"{each.table}.{each.name}", each.value, _source(each)) for each in found]
    console().print(table(("setting", "value", "from"), rows))
    for warning in warnings:
        typer.echo(f"skerry: WARNING: {warning}", err=True)


def _source(setting: EffectiveSetting) -> str:
    kind = SOURCES[setting.source]
    return f"{kind} {setting.origin}" if setting.origin else kind
