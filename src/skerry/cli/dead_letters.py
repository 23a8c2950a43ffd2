"""`skerry dead-letters list|retry|discard`: what one of the sides does not take from the other."""

from typing import Annotated

import typer

from skerry.cli.operator_options import Data, Json, TokenFile, Url, connect
from skerry.cli.output import console, moment, print_json, table

dead_letters = typer.Typer(
    name="dead-letters",
    help="Look at what one side does not take from the other, try it again, or give it up.",
    no_args_is_help=True,
)


@dead_letters.command("list")
def list_dead_letters(
    *,
    data: Data = None,
    url: Url = None,
    token_file: TokenFile = None,
    limit: Annotated[int, typer.Option(help="How many of each kind at most.", min=1, max=1000)] = 100,
    as_json: Json = False,
) -> None:
    """List changes of the hub that could not be applied here, and documents that the hub refuses."""
    found = connect(data, url, token_file).get("/api/sync/dead-letters", limit=limit)
    if as_json:
        print_json(found)
        return
    if not found["dead_letters"] and not found["quarantined"]:
        typer.echo("no dead letters")
        return
    out = console()
    rows = [
        (each["id"], moment(each["at_ms"]), each["namespace"], each["document_id"], each["error"])
        for each in found["dead_letters"]
    ]
    if rows:
        out.print(table(("no.", "since", "collection", "_id", "why it is not applied here"), rows))
    refused = [
        (each["namespace"], each["document_id"], each["attempts"], moment(each["next_retry_ms"]), each["error"])
        for each in found["quarantined"]
    ]
    if refused:
        out.print(table(("collection", "_id", "attempts", "next", "why the hub refuses it"), refused))


@dead_letters.command()
def retry(
    id: Annotated[
        int | None, typer.Argument(help="The dead letter's number; none: all, and what the hub refuses.")
    ] = None,
    *,
    data: Data = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Try again, within a second: one alone, or all of them."""
    path = "/api/sync/dead-letters/retry" if id is None else f"/api/sync/dead-letters/{id}/retry"
    found = connect(data, url, token_file).post(path)
    print_json(found) if as_json else typer.echo(
        "they are being tried again" if id is None else f"dead letter {id} is being tried again"
    )


@dead_letters.command()
def discard(
    id: Annotated[int, typer.Argument(help="The dead letter's number, from the list.")],
    *,
    data: Data = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Give a change of the hub up; the document here stays as it is."""
    found = connect(data, url, token_file).delete(f"/api/sync/dead-letters/{id}")
    print_json(found) if as_json else typer.echo(f"discarded: {found['namespace']} {found['document_id']}")
