"""`skerry serve`: run a node until SIGTERM or SIGINT."""

import gc
import logging
import signal
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from skerry.cli.log_output import end_log, start_log
from skerry.cli.node_options import Admin, Auth, Bind, Config, Hub, LinkName, NodeOptions, Sync, UnixSocket
from skerry.cli.trace_output import end_traces, start_traces
from skerry.config import Settings

LOG: Final = logging.getLogger("skerry.config")

# With the interpreter's own 5 ms a scan in one thread makes the point reads of others 17 times slower (measured).
SWITCH_INTERVAL_SECONDS: Final = 0.0005
GC_THRESHOLD: Final = 50_000  # a large $group holds many objects and no cycle: looking for them halves its speed


def serve(
    data: Annotated[
        Path, typer.Option(help="Directory of the database; made when it does not exist.", file_okay=False)
    ],
    bind: Bind = None,
    unix_socket: UnixSocket = None,
    hub: Hub = None,
    sync: Sync = None,
    name: LinkName = None,
    admin: Admin = None,
    auth: Auth = False,  # noqa: FBT002 - typer makes an option of it
    config: Config = None,
) -> None:
    """Run a node: the database for every program on this site, kept in step with a hub.

    Prints one line, `skerry ready mongodb://HOST:PORT`, when it accepts connections; with `--admin` a second one with its URL.
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
    ending = {signal.SIGTERM, signal.SIGINT}
    _tune_interpreter()
    log = start_log(settings.server.log_format, settings.server.log_level)
    _log_doubts(settings)
    traces = start_traces() if settings.server.traces else None
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
            sync_fault=settings.sync_fault,
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
        if traces is not None:
            end_traces(traces)
        end_log(log)


def _log_doubts(settings: Settings) -> None:
    """Log what is odd about the settings, and loudest why there is no link although there should be one."""
    for warning in settings.warnings:
        LOG.warning(warning)
    if settings.sync_fault is not None:
        LOG.error("%s. NOTHING IS KEPT IN STEP WITH A HUB until that is put right", settings.sync_fault)


def _tune_interpreter() -> None:
    """Suit the process to its only job: threads that wait for sockets, many short-lived objects and few cycles."""
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    gc.set_threshold(GC_THRESHOLD, 20, 100)
