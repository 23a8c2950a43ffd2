"""Slow operations: which commands take long, since the start."""

from typing import Final

from nicegui import ui

from skerry.admin.dashboard.frame import Visit, notice, row, table
from skerry.admin.dashboard.operation_facts import SLOW_SECONDS, OperationFacts, operation_facts
from skerry.admin.dashboard.wording import duration

_TITLES: Final = ("Command", "Calls", "Failed", "Mean", "99 of 100", "Slow")


async def operations_page(visit: Visit) -> None:
    """Draw the page."""

    async def operations() -> list[OperationFacts]:
        status = await visit.requests.get("/api/status")
        return operation_facts(status["operations"], status["seconds_bounds"])

    text = f"Slow is what took longer than {duration(SLOW_SECONDS * 1000)}; numbers are since the node started."
    ui.label(text).classes("skerry-soft")
    await visit.live(2.0, operations, _show)


def _show(found: list[OperationFacts]) -> None:
    if not found:
        notice("speed", "No operation yet", "No program has asked this node for anything since it started.")
        return
    with table(_TITLES, "Operations"):
        for each in found:
            name = f"{each.command} (waits for changes)" if each.waits else each.command
            tone = "skerry-warning" if each.slow_share and not each.waits else ""
            texts = (name, each.calls, each.failed, each.mean, each.most, each.slow)
            row(_TITLES, texts, ("", "", "", "", "", tone))
