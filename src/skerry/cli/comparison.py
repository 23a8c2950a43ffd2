"""`skerry full-sync` repairs what differs between node and hub, `skerry verify` only tells; both show how far they are."""

import sys
import time
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from skerry.cli.node_client import NodeClient, NodeError
from skerry.cli.operator_options import Data, Json, TokenFile, Url, connect
from skerry.cli.output import console, duration, facts, print_json, table
from skerry.cli.status import EXIT_NOT_WELL

POLL_SECONDS: Final = 0.2
SHOWN_MAX: Final = 50

NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Only begin it; ask for it again with --json or skerry status.")
]


def full_sync(
    *, data: Data = None, url: Url = None, token_file: TokenFile = None, no_wait: NoWait = False, as_json: Json = False
) -> None:
    """Compare every collection with the hub and repair what differs."""
    node = connect(data, url, token_file)
    found = node.post("/api/sync/full")
    if not no_wait:
        found = _followed(node, "/api/sync/full", _of_full_sync, quiet=as_json)
    if as_json:
        print_json(found)
        return
    changes = [(name.replace("_", " "), count) for name, count in found["changes"].items()]
    console().print(facts([("full sync", found["state"]), *changes]))


def verify(
    *,
    data: Data = None,
    url: Url = None,
    token_file: TokenFile = None,
    collection: Annotated[list[str] | None, typer.Option(help="Compare only this NAMESPACE; may be repeated.")] = None,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Compare the collections with the hub, document by document, and change nothing. Ends with 6 when they differ."""
    node = connect(data, url, token_file)
    found = node.post("/api/sync/verify", {"collections": collection} if collection else None)
    try:
        if not no_wait:
            found = _followed(node, "/api/sync/verify", _of_verify, quiet=as_json)
    except KeyboardInterrupt:
        node.delete("/api/sync/verify")
        raise
    print_json(found) if as_json else _show_verify(found)
    if found["state"] == "failed":
        raise NodeError(found["error"])
    if found["differences"]:
        raise typer.Exit(EXIT_NOT_WELL)


def _followed(
    node: NodeClient, path: str, place: Callable[[dict[str, Any]], tuple[str, int, int]], *, quiet: bool
) -> dict[str, Any]:
    """Ask until it is no longer running, with a progress bar on a terminal; return the last answer."""
    if quiet or not sys.stdout.isatty():
        while (found := node.get(path))["state"] == "running":
            time.sleep(POLL_SECONDS)
        return dict(found)
    from rich.progress import Progress

    with Progress(transient=True) as progress:
        task = progress.add_task("", total=None)
        while (found := node.get(path))["state"] == "running":
            text, done, total = place(found)
            progress.update(task, description=text, completed=done, total=total or None)
            time.sleep(POLL_SECONDS)
    return dict(found)


def _of_full_sync(found: dict[str, Any]) -> tuple[str, int, int]:
    pending, done = found["collections_pending"], len(found["collections_done"])
    return (f"comparing {pending[0]}" if pending else "comparing"), done, done + len(pending)


def _of_verify(found: dict[str, Any]) -> tuple[str, int, int]:
    text = f"{found['collection'] or 'comparing'}: {found['differences']} different"
    return text, found["collections_done"], found["collections"]


def _show_verify(found: dict[str, Any]) -> None:
    out = console()
    took = None if found["ended_ms"] is None else duration(found["ended_ms"] - found["started_ms"])
    pairs = [
        ("comparison", found["state"]),
        ("collections", f"{found['collections_done']} of {found['collections']}"),
        ("different documents", found["differences"]),
        ("took", took),
    ]
    out.print(facts(pairs))
    rows = [(each["namespace"], each["id"], each["kind"]) for each in found["shown"][:SHOWN_MAX]]
    if rows:
        title = f"the first {SHOWN_MAX}" if found["differences"] > SHOWN_MAX else None
        out.print(table(("collection", "_id", "what"), rows, title=title))
