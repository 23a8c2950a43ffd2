"""`skerry top`: a node as it works, refreshed until Ctrl-C."""

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skerry.cli.node_client import NodeClient
from skerry.cli.operator_options import Data, Json, TokenFile, Url, connect
from skerry.cli.output import console, duration, facts, print_json, table
from skerry.cli.status import link_facts

if TYPE_CHECKING:
    from rich.console import Group

_COUNTERS = ("pushed", "pulled_applied", "pulled_merged", "conflicts", "echoes")


def top(
    *,
    data: Data = None,
    url: Url = None,
    token_file: TokenFile = None,
    interval: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.1)] = 1.0,
    count: Annotated[int | None, typer.Option(help="Look this many times, then leave.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Show live what a node and its link are doing."""
    node = connect(data, url, token_file)
    if as_json or not sys.stdout.isatty():
        _print_each(node, interval, count, as_json=as_json)
    else:
        _live(node, interval, count)


def _print_each(node: NodeClient, interval: float, count: int | None, *, as_json: bool) -> None:
    before: dict[str, Any] | None = None
    looks = 0
    while count is None or looks < count:
        if looks:
            time.sleep(interval)
        looks += 1
        found = node.get("/api/status")
        print_json({**found, "rates": rates(before, found)}) if as_json else console().print(_screen(before, found))
        before = found


def _live(node: NodeClient, interval: float, count: int | None) -> None:
    from rich.live import Live

    before = node.get("/api/status")
    with Live(_screen(None, before), screen=True, auto_refresh=False) as live:
        looks = 1
        while count is None or looks < count:
            time.sleep(interval)
            looks += 1
            found = node.get("/api/status")
            live.update(_screen(before, found), refresh=True)
            before = found


def rates(before: dict[str, Any] | None, now: dict[str, Any]) -> dict[str, float]:
    """Return operations and documents of the link a second between two looks at a node; empty for the first look."""
    if before is None or now["uptime_ms"] <= before["uptime_ms"]:
        return {}
    seconds = (now["uptime_ms"] - before["uptime_ms"]) / 1000
    found = {}
    for name, each in now["operations"].items():
        earlier = before["operations"].get(name, {"count": 0})["count"]
        found[name] = round((each["count"] - earlier) / seconds, 1)
    if now["sync"] is not None and before["sync"] is not None:
        for name in _COUNTERS:
            grown = now["sync"]["counters"].get(name, 0) - before["sync"]["counters"].get(name, 0)
            found[name] = round(max(0, grown) / seconds, 1)
    return found


def _screen(before: dict[str, Any] | None, now: dict[str, Any]) -> "Group":
    from rich.console import Group

    speeds = rates(before, now)
    node = [
        ("node", f"skerry {now['version']}, up for {duration(now['uptime_ms'])}"),
        ("connections", now["connections"]),
        ("cursors", now["cursors"]),
        ("transactions", now["transactions"]),
    ]
    operations = sorted(now["operations"].items(), key=lambda each: -speeds.get(each[0], 0))
    rows = [(name, speeds.get(name), each["count"], each["failed"]) for name, each in operations[:12]]
    parts: list[Any] = [facts(node), table(("command", "a second", "in all", "failed"), rows)]
    if now["sync"] is not None:
        counters = now["sync"]["counters"]
        parts.append(facts(pair for pair in link_facts(now["sync"]) if pair[1] not in (None, "")))
        flows = [(name.replace("_", " "), speeds.get(name), counters.get(name, 0)) for name in _COUNTERS]
        parts.append(table(("documents", "a second", "since the start"), flows))
    return Group(*parts)
