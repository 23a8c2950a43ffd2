"""Conflicts: where both sides changed the same, the newest first."""

from typing import Any, Final

from nicegui import ui

from skerry.admin.dashboard.frame import Visit, badge, notice, table
from skerry.admin.dashboard.wording import as_text, moment

_TITLES: Final = ("Conflict", "Document", "Found (UTC)", "Fields", "Winner", "State")
_SIDES: Final = {"local": "local", "remote": "hub", "merged": "merged"}
_SHOWN: Final = 1_000


async def conflicts_page(visit: Visit) -> None:
    """Draw the page."""
    with ui.element("div").classes("skerry-row"):
        only_open = ui.switch("Only those without a decision", value=True)

    async def conflicts() -> Any:
        query = {"resolved": "false"} if only_open.value else {}
        return await visit.requests.get("/api/sync/conflicts", limit=_SHOWN, **query)

    await visit.live(1.5, conflicts, _show)


def _show(found: dict[str, Any]) -> None:
    if not found["conflicts"]:
        notice("handshake", "No conflict", "Nothing here waits for a decision.")
        return
    if found["next"] is not None:
        ui.label(f"The {_SHOWN} oldest are shown; decide these to see the others.").classes("skerry-warning")
    with table(_TITLES, "Conflicts"):
        for each in reversed(found["conflicts"]):
            _line(each)


def _line(each: dict[str, Any]) -> None:
    with ui.element("tr"):
        with _cell("Conflict"):
            ui.link(f"Conflict {each['id']}", f"/conflicts/{each['id']}").classes("skerry-link")
        with _cell("Document"):
            ui.label(f"{each['namespace']} {as_text(each['document_id'])}")
        with _cell("Found (UTC)"):
            ui.label(moment(each["at_ms"]))
        with _cell("Fields"):
            ui.label(", ".join(each["paths"]) or "the whole document")
        with _cell("Winner"):
            ui.label(_SIDES.get(each["winner"], each["winner"]))
        with _cell("State"), ui.row():
            badge("decided" if each["resolved"] else "open", "grey" if each["resolved"] else "warning")


def _cell(title: str) -> ui.element:
    cell = ui.element("td")
    cell.props["data-title"] = title
    return cell
