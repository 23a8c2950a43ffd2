"""Full sync and verify: compare both sides, with or without repairing, and see how far it has come."""

from typing import Any, Final

from nicegui import ui

from skerry.admin.dashboard.comparison_facts import RunFacts, full_sync_facts, verify_facts
from skerry.admin.dashboard.frame import Visit, badge, row, table
from skerry.admin.tokens import Role

_TITLES: Final = ("Collection", "Document", "Difference")


async def comparison_page(visit: Visit) -> None:
    """Draw the page."""

    async def full_sync() -> RunFacts:
        return full_sync_facts(await visit.requests.get("/api/sync/full"))

    async def verify() -> RunFacts:
        return verify_facts(await visit.requests.get("/api/sync/verify"))

    async def start(path: str, done: str) -> None:
        await visit.order("POST", path, done=done)

    async def cancel() -> None:
        await visit.order("DELETE", "/api/sync/verify", done="The comparison ends")

    with ui.element("section").classes("skerry-card").props('aria-label="Full sync"'):
        _heading("Full sync", "Compares every collection with the hub and repairs what differs.")
        if visit.may(Role.OPERATOR):
            button = ui.button(
                "Run a full sync", icon="sync", on_click=lambda: start("/api/sync/full", "The full sync begins")
            )
            button.props("outline no-caps")
        await visit.live(0.5, full_sync, _show)
    with ui.element("section").classes("skerry-card").props('aria-label="Verify"'):
        _heading("Verify", "Compares every collection with the hub and changes nothing.")
        if visit.may(Role.OPERATOR):
            with ui.element("div").classes("skerry-row"):
                button = ui.button(
                    "Compare", icon="rule", on_click=lambda: start("/api/sync/verify", "The comparison begins")
                )
                button.props("outline no-caps")
                ui.button("Cancel", on_click=cancel).props("flat no-caps")
        await visit.live(0.5, verify, _show)


def _heading(title: str, text: str) -> None:
    ui.label(title).props("role=heading aria-level=2").classes("skerry-strong")
    ui.label(text).classes("skerry-soft")


def _show(facts: RunFacts) -> None:
    with ui.element("div").classes("skerry-row"):
        badge(facts.state, facts.tone if not facts.is_running else "info")
    if facts.is_running or facts.progress:
        ui.linear_progress(facts.progress, show_value=False).props('aria-label="Progress"')
    for line in facts.lines:
        ui.label(line)
    if facts.differences:
        _differences(facts.differences)


def _differences(found: tuple[tuple[str, str, str], ...]) -> Any:
    with table(_TITLES, "Differences"):
        for each in found:
            row(_TITLES, each)
