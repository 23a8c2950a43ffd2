"""`skerry selection`: which collections travel and which way; seen, and changed while the node runs."""

import json
from typing import Annotated, Any

import typer

from skerry.cli.node_client import NodeClient, path_part
from skerry.cli.operator_options import Data, Json, TokenFile, Url, connect
from skerry.cli.output import console, facts, print_json, table
from skerry.config import parse_rule


def selection(
    *,
    data: Data = None,
    url: Url = None,
    token_file: TokenFile = None,
    set_rules: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="NAMESPACE=DIRECTION (both, pull, push, none) instead of the configured one; may be repeated. With a query,"
            " NAMESPACE=DIRECTION {…} in Extended JSON, only documents that match it travel.",
        ),
    ] = None,
    unset: Annotated[list[str] | None, typer.Option(help="NAMESPACE that is to travel as configured again.")] = None,
    thaw: Annotated[list[str] | None, typer.Option(help="Frozen NAMESPACE that is to travel again.")] = None,
    both_ways: Annotated[
        bool | None, typer.Option("--both-ways/--one-way", help="Whether the hub's changes come down at all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what travels and which way; with options, change it at once and for good."""
    rules = [parse_rule(text) for text in set_rules or ()]
    node = connect(data, url, token_file)
    if both_ways is not None:
        node.post("/api/sync/bidirectional/toggle", {"enabled": both_ways})
    for rule in rules:
        order = {"direction": rule.direction.value, "filter": json.loads(rule.filter) if rule.filter else None}
        node.put(f"/api/sync/collections/{path_part(rule.pattern)}/direction", order)
    for namespace in unset or ():
        node.delete(f"/api/sync/collections/{path_part(namespace)}/direction")
    for namespace in thaw or ():
        node.post(f"/api/sync/collections/{path_part(namespace)}/thaw")
    found = {"selection": node.get("/api/sync/selection"), "collections": node.get("/api/sync/collections")}
    print_json(found) if as_json else _show(node, found)


def _show(node: NodeClient, found: dict[str, object]) -> None:
    chosen, collections = found["selection"], found["collections"]
    assert isinstance(chosen, dict)
    assert isinstance(collections, list)
    override = chosen["override"]
    out = console()
    pairs = [
        ("node", node.url),
        ("rules in effect", ", ".join(_rule(rule) for rule in chosen["effective"])),
        ("the hub's changes", "come down" if override["both_ways"] else "do not come down"),
        ("excluded", ", ".join(override["excluded"]) or None),
        ("excluded from coming down", ", ".join(override["excluded_from_pull"]) or None),
    ]
    out.print(facts(pair for pair in pairs if pair[1] is not None))
    headings = ("collection", "direction", "only", "state", "documents", "wait to be sent", "frozen because")
    names = ("namespace", "direction", "filter", "state", "documents", "waiting", "frozen")
    out.print(table(headings, [[each[name] for name in names] for each in collections]))


def _rule(rule: dict[str, Any]) -> str:
    only = "" if rule["filter"] is None else f" {json.dumps(rule['filter'])}"
    return f"{rule['pattern']}={rule['direction']}{only}"
