"""`skerry sync`: the link of a running node, and what is left of links that no node runs any more."""

from pathlib import Path
from typing import Annotated, Any

import typer

from skerry.cli.node_client import NodeUnreachableError, path_part
from skerry.cli.open_database import opened
from skerry.cli.operator_options import Data, Json, TokenFile, Url, connect
from skerry.cli.output import print_json

sync = typer.Typer(
    name="sync",
    help="Start, stop, pause, resume or reset the link of a running node; forget one.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="Name of the link.")]
Force = Annotated[
    bool, typer.Option("--force", help="Also when documents wait to be pushed; see the guide about leaving a hub.")
]


@sync.command()
def start(*, data: Data = None, url: Url = None, token_file: TokenFile = None, as_json: Json = False) -> None:
    """Start the link after it was stopped."""
    found = connect(data, url, token_file).post("/api/sync/start")
    print_json(found) if as_json else typer.echo("started" if found["changed"] else "it was running already")


@sync.command()
def stop(*, data: Data = None, url: Url = None, token_file: TokenFile = None, as_json: Json = False) -> None:
    """Stop the link until it is started; what is written meanwhile is kept for the hub."""
    found = connect(data, url, token_file).post("/api/sync/stop")
    print_json(found) if as_json else typer.echo("stopped" if found["changed"] else "it was stopped already")


@sync.command()
def pause(*, data: Data = None, url: Url = None, token_file: TokenFile = None, as_json: Json = False) -> None:
    """Send and take nothing until it is resumed."""
    found = connect(data, url, token_file).post("/api/sync/pause")
    print_json(found) if as_json else typer.echo(found["state"])


@sync.command()
def resume(*, data: Data = None, url: Url = None, token_file: TokenFile = None, as_json: Json = False) -> None:
    """Go on after a pause, or try again at once after a refusal."""
    found = connect(data, url, token_file).post("/api/sync/resume")
    print_json(found) if as_json else typer.echo(found["state"])


@sync.command()
def reset(
    *, force: Force = False, data: Data = None, url: Url = None, token_file: TokenFile = None, as_json: Json = False
) -> None:
    """Have the link forget its hub and begin anew with the one at its address, as at their first meeting."""
    found = connect(data, url, token_file).post("/api/sync/reset", {"force": force})
    print_json(found) if as_json else typer.echo(f"{found['state']}, as with a hub never met{_lost(found)}")


@sync.command()
def forget(
    name: Name,
    *,
    force: Force = False,
    data: Data = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Forget a link that no node runs any more: nothing is captured for it from then on. Its conflicts stay.

    Goes through the node that runs on the data directory; where none answers, the directory itself is changed.
    """
    try:
        found = connect(data, url, token_file).delete(f"/api/sync/links/{path_part(name)}", force=force)
    except NodeUnreachableError:
        if data is None:
            raise
        found = _forget_in(data, name, force=force)
    print_json(found) if as_json else typer.echo(f"forgot {name}{_lost(found)}")


def _forget_in(data: Path, name: str, *, force: bool) -> dict[str, Any]:
    from skerry.sync.link_removal import forget_link  # here, because it imports the whole engine

    with opened(data) as engine:
        waited = forget_link(engine.storage, name, force=force)
    return {"link": name, "unpushed": waited.documents, "untracked": list(waited.untracked)}


def _lost(found: dict[str, Any]) -> str:
    """Say what is not known any more to be newer than what a hub has."""
    named = [f"{found['unpushed']} documents"] if found["unpushed"] else []
    named += found["untracked"]
    return f"; had not been pushed: {', '.join(named)}" if named else ""
