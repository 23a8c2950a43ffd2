"""`skerry conflicts list|show|resolve|export`: what both sides changed, and what became of it."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from skerry.cli.node_client import NodeClient
from skerry.cli.operator_options import Data, Json, TokenFile, Url, connect
from skerry.cli.output import console, facts, moment, print_json, table
from skerry.errors import ConfigurationError

conflicts = typer.Typer(name="conflicts", help="Look at conflicts with the hub, and decide them.", no_args_is_help=True)

Id = Annotated[int, typer.Argument(help="The conflict's number, from the list.")]


@conflicts.command("list")
def list_conflicts(
    *,
    data: Data = None,
    url: Url = None,
    token_file: TokenFile = None,
    show_all: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    namespace: Annotated[str | None, typer.Option(help="Only those of this NAMESPACE.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)] = 100,
    as_json: Json = False,
) -> None:
    """List conflicts, the oldest first."""
    node = connect(data, url, token_file)
    resolved = None if show_all else False
    found = node.get("/api/sync/conflicts", resolved=resolved, namespace=namespace, limit=limit)
    if as_json:
        print_json(found)
        return
    if not found["conflicts"]:
        typer.echo(
            "no conflicts" if found["total"] == 0 or show_all else f"no open conflicts; {found['total']} in all: --all"
        )
        return
    rows = [
        (
            each["id"],
            moment(each["at_ms"]),
            each["namespace"],
            each["document_id"],
            each["winner"],
            _paths(each),
            each["resolved"],
        )
        for each in found["conflicts"]
    ]
    console().print(table(("no.", "found", "collection", "_id", "winner", "fields", "resolved"), rows))


@conflicts.command()
def show(id: Id, *, data: Data = None, url: Url = None, token_file: TokenFile = None, as_json: Json = False) -> None:
    """Show one conflict with all versions of the document."""
    found = connect(data, url, token_file).get(f"/api/sync/conflicts/{id}")
    if as_json:
        print_json(found)
        return
    out = console()
    pairs = [
        ("conflict", found["id"]),
        ("document", f"{found['namespace']} {found['document_id']}"),
        ("found", moment(found["at_ms"])),
        ("winner", found["winner"]),
        ("fields", _paths(found)),
        ("resolved", found["resolved"]),
    ]
    out.print(facts(pairs))
    versions = found["versions"]
    names = [name for name in ("base", "local", "remote", "result") if name in versions]
    fields = dict.fromkeys(key for name in names for key in (versions[name] or {}))
    rows = [(field, *((versions[name] or {}).get(field) for name in names)) for field in fields]
    headings = ("field", *(name if versions[name] is not None else f"{name} (none)" for name in names))
    out.print(table(headings, rows))


@conflicts.command()
def resolve(
    id: Id,
    *,
    take: Annotated[
        Literal["result", "local", "remote", "base"] | None,
        typer.Option(help="The version that stands: result (as it is), local, remote or base."),
    ] = None,
    document: Annotated[
        Path | None,
        typer.Option(help="Take the document in this file (Extended JSON) instead.", exists=True, dir_okay=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Even if the document has been changed since.")] = False,
    data: Data = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Decide a conflict: the chosen version is written here and travels to the hub."""
    if (take is None) == (document is None):
        raise ConfigurationError("--take", take, "either --take VERSION or --document FILE")
    order: dict[str, Any] = {"choice": take or "document", "force": force}
    if document is not None:
        order["document"] = _read_document(document)
    found = connect(data, url, token_file).post(f"/api/sync/conflicts/{id}/resolve", order)
    print_json(found) if as_json else typer.echo(f"conflict {id} is resolved: {found['choice']}")


@conflicts.command()
def export(
    *,
    file: Annotated[Path | None, typer.Option(help="Where to; default: standard output.", dir_okay=False)] = None,
    data: Data = None,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: Json = False,  # noqa: ARG001 - it always is JSON; scripts give the option everywhere
) -> None:
    """Write every conflict with its documents, one JSON object a line."""
    node = connect(data, url, token_file)
    if file is None:
        for line in node.lines("/api/sync/conflicts/export"):
            sys.stdout.write(line)
        return
    count = _write(node, file)
    typer.echo(f"{count} conflicts written to {file}", err=True)


def _write(node: NodeClient, file: Path) -> int:
    count = 0
    with file.open("w", encoding="utf-8") as out:
        for line in node.lines("/api/sync/conflicts/export"):
            out.write(line)
            count += 1
    return count


def _paths(conflict: dict[str, Any]) -> str:
    return ", ".join(path or "whole document" for path in conflict["paths"])


def _read_document(path: Path) -> Any:
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ConfigurationError("--document", str(path), f"a file with one JSON object ({error})") from error
    if not isinstance(found, dict):
        raise ConfigurationError("--document", str(path), "a file with one JSON object")
    return found
