"""`skerry sync start|stop|pause|resume`: the link of a running node."""

import typer

from skerry.cli.operator_options import Data, Json, TokenFile, Url, connect
from skerry.cli.output import print_json

sync = typer.Typer(name="sync", help="Start, stop, pause or resume the link of a running node.", no_args_is_help=True)


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
