"""Settings: what is in effect, and where it came from."""

from typing import Any, Final

from nicegui import ui

from skerry.admin.dashboard.frame import Visit, row, table

_TITLES: Final = ("Setting", "Value", "From", "Meaning")
_SOURCES: Final = {
    "default": "default",
    "file": "settings file",
    "environment": "environment",
    "argument": "command line",
    "program": "program",
}


async def settings_page(visit: Visit) -> None:
    """Draw the page."""

    async def settings() -> Any:
        return await visit.requests.get("/api/admin/settings")

    ui.label("Read at the start of the node. What travels can be changed while it runs: skerry selection.").classes(
        "skerry-soft"
    )
    await visit.live(10.0, settings, _show)


def _show(found: list[dict[str, Any]]) -> None:
    with table(_TITLES, "Settings"):
        for each in found:
            source = _SOURCES[each["source"]]
            texts = (f"{each['table']}.{each['name']}", each["value"] or "not set", source, each["help"])
            row(
                _TITLES,
                texts,
                ("skerry-code", "skerry-code", "" if source == "default" else "skerry-info", "skerry-soft"),
            )
