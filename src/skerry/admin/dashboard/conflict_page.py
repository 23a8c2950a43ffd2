"""One conflict: the base, both versions and the result side by side, and the decision."""

import json
from typing import Any, Final

from nicegui import ui

from skerry.admin.dashboard.document_difference import TITLES, VERSIONS, Row, difference
from skerry.admin.dashboard.frame import Visit, badge, notice, table
from skerry.admin.dashboard.node_requests import RefusedError
from skerry.admin.dashboard.wording import as_text, moment

_CHOICES: Final = (
    ("result", "Keep the result"),
    ("local", "Take local"),
    ("remote", "Take the hub's"),
    ("base", "Take the base"),
)
_COLUMNS: Final = ("Field", *TITLES.values())


async def conflict_page(visit: Visit, id: int) -> None:
    """Draw the page of the conflict `id`."""
    ui.link("All conflicts", "/conflicts").classes("skerry-link")
    try:
        conflict = await visit.requests.get(f"/api/sync/conflicts/{id}")
    except RefusedError as refused:
        notice("error_outline", "This conflict cannot be shown", str(refused))
        return
    with ui.element("div").classes("skerry-row"):
        ui.label(f"{conflict['namespace']} {as_text(conflict['document_id'])}").classes("skerry-strong")
        badge("decided" if conflict["resolved"] else "open", "grey" if conflict["resolved"] else "warning")
        ui.label(f"found {moment(conflict['at_ms'])} UTC").classes("skerry-soft")
    ui.label("Marked cells differ from the base; fields in conflict come first.").classes("skerry-soft")
    with table(_COLUMNS, "Versions of the document"):
        for line in difference(conflict["versions"], conflict["paths"]):
            _line(line)
    _decision(visit, id, conflict)


def _line(line: Row) -> None:
    with ui.element("tr"):
        with ui.element("td").classes("skerry-code") as cell:
            cell.props["data-title"] = "Field"
            ui.label(line.path)
            if line.is_conflict:
                ui.label("in conflict").classes("skerry-warning")
        for name, value in zip(VERSIONS, line.cells, strict=True):
            tone = "skerry-changed" if value.is_changed else ""
            look = "skerry-code" if value.is_there else "skerry-absent"
            with ui.element("td").classes(f"{tone} {look}") as cell:
                cell.props["data-title"] = TITLES[name]
                ui.label(value.text)


def _decision(visit: Visit, id: int, conflict: dict[str, Any]) -> None:
    async def decide(choice: str, document: Any = None, *, force: bool = False) -> None:
        body = {"choice": choice, "force": force}
        if document is not None:
            body["document"] = document
        try:
            await visit.requests.send("POST", f"/api/sync/conflicts/{id}/resolve", body)
        except RefusedError as refused:
            if refused.code == "changed_since":
                _ask_force(choice, document)
            else:
                visit.refused(refused)
            return
        ui.navigate.to(f"/conflicts/{id}")

    def _ask_force(choice: str, document: Any) -> None:
        with ui.dialog(value=True) as dialog, ui.card():
            ui.label("The document has been changed since the conflict.").classes("skerry-strong")
            ui.label("Its newest version would be overwritten.")
            with ui.row():
                ui.button("Leave it", on_click=dialog.close).props("flat no-caps")
                ui.button("Overwrite", on_click=lambda: decide(choice, document, force=True)).props(
                    "color=negative no-caps"
                )

    async def decide_by_text() -> None:
        try:
            document = json.loads(text.value)
        except ValueError as error:
            ui.notify(f"This is no JSON: {error}", type="negative")
            return
        if not isinstance(document, dict):
            ui.notify("A document is needed: {…}", type="negative")
            return
        await decide("document", document)

    with ui.element("section").classes("skerry-card").props('aria-label="Decision"'):
        ui.label("Decide").props("role=heading aria-level=2").classes("skerry-strong")
        ui.label("The chosen version is written here as any write is, and travels to the hub.").classes("skerry-soft")
        with ui.element("div").classes("skerry-row"):
            for choice, title in _CHOICES:
                missing = conflict["versions"][choice] is None
                label = f"{title} (delete)" if missing else title
                ui.button(label, on_click=lambda choice=choice: decide(choice)).props("outline no-caps")
        with ui.expansion("Another document").classes("w-full"):
            result = conflict["versions"]["result"] or {}
            shown = json.dumps(result, indent=2, ensure_ascii=False)
            text = ui.textarea("Document as Extended JSON", value=shown).props("outlined autogrow").classes("w-full")
            ui.button("Take this document", on_click=decide_by_text).props("outline no-caps")
