"""`skerry serve`: run a node until SIGTERM or SIGINT."""

import gc
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from skerry.config import load_settings, parse_bind, parse_rule

SETTINGS_FILE: Final = "skerry.toml"
# With the interpreter's own 5 ms a scan in one thread makes the point reads of others 17 times slower (measured).
SWITCH_INTERVAL_SECONDS: Final = 0.0005
GC_THRESHOLD: Final = 50_000  # a large $group holds many objects and no cycle: looking for them halves its speed


def serve(
    data: Annotated[
        Path, typer.Option(help="Directory of the database; made when it does not exist.", file_okay=False)
    ],
    bind: Annotated[str | None, typer.Option(help="HOST:PORT to listen on; port 0 takes any free one.")] = None,
    unix_socket: Annotated[Path | None, typer.Option(help="Also listen on a Unix socket at this path.")] = None,
    hub: Annotated[str | None, typer.Option(help="URI of the hub to keep in step with.")] = None,
    sync: Annotated[
        list[str] | None,
        typer.Option(help="PATTERN=DIRECTION (both, pull, push, none), for example 'shop.*=both'; may be repeated."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the link to the hub in this node's reports.")] = None,
    admin: Annotated[str | None, typer.Option(help="HOST:PORT of the admin API; without it there is none.")] = None,
    auth: Annotated[  # noqa: FBT002 - typer makes an option of it
        bool, typer.Option("--auth", help="Everybody has to log in, even while there is no user.")
    ] = False,
    config: Annotated[
        Path | None, typer.Option(help=f"Settings file; default: {SETTINGS_FILE} in the data directory.", exists=True)
    ] = None,
) -> None:
    """Run a node: the database for every program on this site, kept in step with a hub.

    Prints one line, `skerry ready mongodb://HOST:PORT`, when it accepts connections; with `--admin` a second one with its URL.
    """
    host, port = parse_bind(bind) if bind is not None else (None, None)
    admin_host, admin_port = parse_bind(admin) if admin is not None else (None, None)
    arguments: dict[str, dict[str, Any]] = {
        "admin": {"bind_host": admin_host, "bind_port": admin_port},
        "server": {"bind_host": host, "bind_port": port, "unix_socket_path": unix_socket, "auth": auth or None},
        "sync": {
            "hub_uri": hub,
            "rules": tuple(parse_rule(rule) for rule in sync) if sync else None,
            "link_name": name,
        },
    }
    settings = load_settings(file=config or data / SETTINGS_FILE, environment=os.environ, arguments=arguments)
    ending = {signal.SIGTERM, signal.SIGINT}
    _tune_interpreter()
    # Blocked before any thread starts: a signal that comes while the node starts waits for sigwait, and none hits a worker.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        from skerry.node import Node  # here, because it imports the whole engine

        node = Node(
            data,
            server=settings.server,
            sync=settings.sync,
            engine=settings.engine,
            admin=settings.admin,
            sources=settings.sources,
        )
        try:
            node.start()
            typer.echo(f"skerry ready mongodb://{node.address}")
            if node.admin_url is not None:
                typer.echo(f"skerry admin {node.admin_url}")
            signal.sigwait(ending)
        finally:
            # A second signal ends the process at once, should stopping take too long for somebody.
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            node.stop()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _tune_interpreter() -> None:
    """Suit the process to its only job: threads that wait for sockets, many short-lived objects and few cycles."""
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    gc.set_threshold(GC_THRESHOLD, 20, 100)
