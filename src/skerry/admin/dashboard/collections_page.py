"""Collections: how many documents each has, which way they travel, and whether both sides are known to agree."""

import time
from typing import Any, Final

from nicegui import ui

from skerry.admin.dashboard.collection_facts import CollectionFacts, collection_facts, copy_progress
from skerry.admin.dashboard.frame import Visit, badge, notice, table

_TITLES: Final = ("Collection", "Documents", "Direction", "State", "Waiting", "Last verify")


async def collections_page(visit: Visit) -> None:
    """Draw the page."""

    async def progress() -> Any:
        return copy_progress(await visit.requests.get("/api/sync/full"))

    async def lines() -> list[CollectionFacts]:
        found = await visit.requests.get("/api/sync/collections")
        verify = await visit.requests.get("/api/sync/verify")
        return collection_facts(found, verify["last"], int(time.time() * 1000))

    await visit.live(1.0, progress, _show_progress)
    await visit.live(2.0, lines, _show)


def _show_progress(found: tuple[float, str] | None) -> None:
    if found is not None:
        with ui.element("section").classes("skerry-card"):
            ui.label(f"Bootstrapping: {found[1]}")
            ui.linear_progress(found[0], show_value=False).props('aria-label="Progress of the comparison"')


def _show(lines: list[CollectionFacts]) -> None:
    if not lines:
        notice("inbox", "No collection yet", "The first write makes one, here or on the hub.")
        return
    with table(_TITLES, "Collections"):
        for each in lines:
            with ui.element("tr"):
                for title, text in zip(_TITLES, (each.namespace, each.documents, each.direction), strict=False):
                    _cell(title, text)
                with ui.element("td") as cell:
                    cell.props["data-title"] = "State"
                    with ui.row():
                        badge(each.state, each.tone)
                _cell("Waiting", each.waiting)
                _cell("Last verify", each.verified)


def _cell(title: str, text: str) -> None:
    with ui.element("td") as cell:
        cell.props["data-title"] = title
        ui.label(text)
