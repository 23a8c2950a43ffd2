"""Audit: who did what, the newest first."""

import json
from typing import Any, Final

from nicegui import ui

from skerry.admin.dashboard.frame import Visit, notice, row, table
from skerry.admin.dashboard.node_requests import RefusedError
from skerry.admin.dashboard.wording import moment

_TITLES: Final = ("When (UTC)", "Who", "From", "What", "Answer", "Details")
_PAGE: Final = 100
_DONE_BELOW: Final = 400


async def audit_page(visit: Visit) -> None:
    """Draw the page."""

    async def entries() -> Any:
        return await visit.requests.get("/api/admin/audit", limit=_PAGE)

    async def older(before: int, holder: ui.element) -> None:
        try:
            found = await visit.requests.get("/api/admin/audit", limit=_PAGE, before=before)
        except RefusedError as refused:
            visit.refused(refused)
            return
        holder.clear()
        with holder:
            show(found)

    def show(found: dict[str, Any]) -> None:
        if not found["entries"]:
            notice("history", "No entry", "Nobody has given an order yet.")
            return
        with table(_TITLES, "Audit log"):
            for each in found["entries"]:
                _line(each)
        if found["next"] is not None:
            holder = ui.column().classes("w-full")
            with holder:
                ui.button("Older", on_click=lambda: older(found["next"], holder)).props("outline no-caps")

    await visit.live(5.0, entries, show)


def _line(each: dict[str, Any]) -> None:
    details = json.dumps(each["details"], ensure_ascii=False)
    texts = (
        moment(each["at_ms"]),
        each["who"] or "nobody",
        each["address"],
        each["action"],
        str(each["status"]),
        details,
    )
    tone = "" if each["status"] < _DONE_BELOW else "skerry-negative"
    row(_TITLES, texts, ("", "", "", "skerry-code", tone, "skerry-code"))
