"""Dead letters: changes of the hub that do not fit here, and documents that the hub refuses."""

import json
from typing import Any, Final

from nicegui import ui

from skerry.admin.dashboard.frame import Visit, notice
from skerry.admin.dashboard.wording import as_text, moment

_SHOWN: Final = 200


async def dead_letters_page(visit: Visit) -> None:
    """Draw the page."""

    async def letters() -> Any:
        return await visit.requests.get("/api/sync/dead-letters", limit=_SHOWN)

    async def retry() -> None:
        await visit.order("POST", "/api/sync/dead-letters/retry", done="All of them are tried again")

    async def discard(id: int) -> None:
        await visit.order("DELETE", f"/api/sync/dead-letters/{id}", done=f"Dead letter {id} has been given up")

    def show(found: dict[str, Any]) -> None:
        if not found["dead_letters"] and not found["quarantined"]:
            notice("mark_email_read", "No dead letter", "Every change was taken, here and on the hub.")
            return
        ui.button("Try all again", icon="refresh", on_click=retry).props("outline no-caps")
        for each in found["dead_letters"]:
            _letter(each, discard)
        for each in found["quarantined"]:
            _refused(each)

    await visit.live(2.0, letters, show)


def _letter(each: dict[str, Any], discard: Any) -> None:
    with ui.element("section").classes("skerry-card"):
        ui.label(f"{each['namespace']} {as_text(each['document_id'])}").classes("skerry-strong")
        ui.label(f"Change of the hub, {moment(each['at_ms'])} UTC: {each['error']}").classes("skerry-warning")
        with ui.expansion("The hub's document").classes("w-full"):
            ui.label(json.dumps(each["document"], indent=2, ensure_ascii=False)).classes("skerry-code")
        ui.button("Give it up", icon="delete", on_click=lambda: _ask(each, discard)).props(
            "flat no-caps color=negative"
        )


def _ask(each: dict[str, Any], discard: Any) -> None:
    with ui.dialog(value=True) as dialog, ui.card():
        ui.label(f"Give up the hub's change of {as_text(each['document_id'])}?").classes("skerry-strong")
        ui.label("Both sides stay different until the document changes there again, or a full sync compares them.")

        async def go() -> None:
            dialog.close()
            await discard(each["id"])

        with ui.row():
            ui.button("Keep it", on_click=dialog.close).props("flat no-caps")
            ui.button("Give it up", on_click=go).props("color=negative no-caps")


def _refused(each: dict[str, Any]) -> None:
    with ui.element("section").classes("skerry-card"):
        ui.label(f"{each['namespace']} {as_text(each['document_id'])}").classes("skerry-strong")
        ui.label(f"The hub refuses it: {each['error']}").classes("skerry-warning")
        retry = f", tried again {moment(each['next_retry_ms'])} UTC" if each["next_retry_ms"] else ""
        ui.label(f"Written {moment(each['written_at_ms'])} UTC, tried {each['attempts']} times{retry}").classes(
            "skerry-soft"
        )
