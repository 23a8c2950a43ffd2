"""`skerry status`: how a node and its link are, or where one document stands. Ends with 6 when the link is unhealthy."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from skerry.cli.operator_options import Data, Json, TokenFile, Url, connect
from skerry.cli.output import console, duration, facts, moment, print_json, table

if TYPE_CHECKING:
    from rich.table import Table

EXIT_NOT_WELL: Final = 6


def status(
    *,
    data: Data = None,
    url: Url = None,
    token_file: TokenFile = None,
    document: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Where one document stands: NAMESPACE ID, the id a string or Extended JSON."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how a node and its link to the hub are."""
    node = connect(data, url, token_file)
    if document is not None:
        found = node.get("/api/sync/documents", namespace=document[0], id=document[1])
        print_json(found) if as_json else _show_document(found)
        return
    found = node.get("/api/status")
    print_json(found) if as_json else _show(found)
    if found["sync"] is not None and found["sync"]["health"]["status"] == "unhealthy":
        raise typer.Exit(EXIT_NOT_WELL)


def link_facts(link: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return what is worth telling of a link, in the order in which one asks."""
    waiting = link["dirty"] + link["in_flight"]
    return [
        ("link", link["link"]),
        ("state", link["state"]),
        (
            "switched off",
            None if link["switched"] is None else f"{link['switched']['state']} by {link['switched']['by']}",
        ),
        ("health", link["health"]["status"]),
        ("waits to be sent", waiting),
        ("oldest waits for", duration(link["oldest_dirty_ms"])),
        ("hub last heard", duration(link["stream_age_ms"])),
        ("comparing", ", ".join(link["copying"]) or None),
        ("conflicts kept", link["conflicts"]),
        ("dead letters", link["dead_letters"]),
        ("refused by the hub", link["quarantined"]),
        ("frozen", ", ".join(sorted(link["frozen"])) or None),
    ]


def _show(found: dict[str, Any]) -> None:
    out = console()
    operations = sum(each["count"] for each in found["operations"].values())
    node = [
        ("node", f"skerry {found['version']}"),
        ("data", found["path"]),
        ("up for", duration(found["uptime_ms"])),
        ("connections", found["connections"]),
        ("operations", operations),
        ("oplog spans", duration(found["oplog_span_seconds"] * 1000)),
    ]
    out.print(facts(node))
    link = found["sync"]
    if link is None:
        fault = found["sync_fault"]
        out.print("no hub" if fault is None else _reasons([fault]))
        return
    out.print(facts(pair for pair in link_facts(link) if pair[1] not in (None, "")))
    if link["health"]["reasons"]:
        out.print(_reasons(link["health"]["reasons"]))


def _reasons(found: list[dict[str, str]]) -> "Table":
    rows = [(each["level"], each["message"], each["advice"]) for each in found]
    return table(("level", "what is not well", "what to do"), rows)


def _show_document(found: dict[str, Any]) -> None:
    pairs = [
        ("document", f"{found['namespace']} {found['id']}"),
        ("direction", found["direction"]),
        ("state", found["state"]),
        ("that is", found["meaning"]),
        ("written here", moment(found.get("written_at_ms"))),
        ("error", found.get("error")),
        ("same on both sides", found.get("is_same")),
        ("hub's error", found.get("hub_error")),
        ("frozen", found["frozen"]),
    ]
    out = console()
    out.print(facts(pair for pair in pairs if pair[1] not in (None, "")))
    versions = [(name, found.get(name)) for name in ("local", "base", "hub") if found.get(name) is not None]
    out.print(table(("version", "document"), versions))
