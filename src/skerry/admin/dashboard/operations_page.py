"""Slow operations: which commands take long, since the start."""

from typing import Final

from nicegui import ui

from skerry.admin.dashboard.frame import Visit, notice, row, table
from skerry.admin.dashboard.operation_facts import SLOW_SECONDS, OperationFacts, SlowFacts, operation_facts, slow_facts
from skerry.admin.dashboard.wording import duration

_TITLES: Final = ("Command", "Calls", "Failed", "Mean", "99 of 100", "Slow")
_SLOW_TITLES: Final = ("When", "Operation", "Took", "Plan", "Examined", "Returned", "Shape")


async def operations_page(visit: Visit) -> None:
    """Draw the page."""

    async def operations() -> list[OperationFacts]:
        status = await visit.requests.get("/api/status")
        return operation_facts(status["operations"], status["seconds_bounds"])

    text = f"Slow is what took longer than {duration(SLOW_SECONDS * 1000)}; numbers are since the node started."
    ui.label(text).classes("skerry-soft")
    await visit.live(2.0, operations, _show)

    async def slow() -> list[SlowFacts]:
        return slow_facts(await visit.requests.get("/api/operations/slow"))

    ui.label("The newest that took longer than engine.slow_ms, without the values in them.").classes("skerry-soft")
    await visit.live(2.0, slow, _show_slow)


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


def _show_slow(found: list[SlowFacts]) -> None:
    if not found:
        notice("speed", "None was slow", "No operation has taken that long since the node started.")
        return
    with table(_SLOW_TITLES, "Slow operations"):
        for each in found:
            row(_SLOW_TITLES, (each.when, each.command, each.took, each.plan, each.examined, each.returned, each.shape))
