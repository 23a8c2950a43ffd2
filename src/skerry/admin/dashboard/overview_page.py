"""Overview: how the node and its link are, live."""

from typing import Any

from nicegui import ui

from skerry.admin.dashboard.charts import LinkCharts
from skerry.admin.dashboard.frame import Visit, badge, notice, pairs
from skerry.admin.dashboard.history import INTERVAL_SECONDS, History
from skerry.admin.dashboard.link_facts import LinkFacts, LinkIsOff, link_facts, link_is_off, node_facts
from skerry.admin.tokens import Role

_SWITCHES = (
    ("can_pause", "pause", "Pause", "pause", "The link is paused"),
    ("can_resume", "play_arrow", "Resume", "resume", "The link goes on"),
    ("can_start", "play_circle", "Start", "start", "The link has been started"),
    ("can_stop", "stop_circle", "Stop", "stop", "The link has been stopped"),
)


async def overview_page(visit: Visit, history: History) -> None:
    """Draw the page."""

    async def link() -> LinkFacts | LinkIsOff:
        status = await visit.requests.get("/api/status")
        if status["sync"] is None:
            return link_is_off(status["sync_fault"])
        directions = await visit.requests.get("/api/sync/bidirectional/metrics")
        return link_facts(status["sync"], directions)

    async def node() -> tuple[tuple[str, str], ...]:
        return node_facts(await visit.requests.get("/api/status"))

    def show_link(facts: LinkFacts | LinkIsOff) -> None:
        if isinstance(facts, LinkIsOff):
            notice("link_off", facts.title, facts.text)
        else:
            _show_link(facts)

    await visit.live(1.0, link, show_link)
    has_link = isinstance(await link(), LinkFacts)
    if visit.may(Role.OPERATOR) and has_link:
        await _switches(visit, link)
    if has_link:
        charts = LinkCharts(history)
        ui.timer(INTERVAL_SECONDS, charts.update)
    with ui.element("section").classes("skerry-card").props('aria-label="This node"'):
        ui.label("This node").props("role=heading aria-level=2").classes("skerry-strong")
        await visit.live(2.0, node, pairs)


def _show_link(facts: LinkFacts) -> None:
    with ui.element("section").classes("skerry-card") as card:
        card.props["aria-label"] = f"Link {facts.name}"
        with ui.element("div").classes("skerry-row"):
            ui.label(f"Link {facts.name}").props("role=heading aria-level=2").classes("skerry-strong")
            badge(facts.health, facts.tone)
            badge(facts.state, "grey")
        for message, advice in facts.reasons:
            with ui.element("div").classes("skerry-reason"):
                ui.label(message).classes("skerry-warning")
                ui.label(advice).classes("skerry-soft")
        pairs(facts.facts)


async def _switches(visit: Visit, link: Any) -> None:
    """Buttons that stay in place, so that the keyboard does not lose them while the numbers change."""
    buttons: dict[str, ui.button] = {}
    with ui.element("div").classes("skerry-row"):
        for shown, icon, title, verb, done in _SWITCHES:

            async def give(verb: str = verb, done: str = done) -> None:
                await visit.order("POST", f"/api/sync/{verb}", done=done)
                await look()

            buttons[shown] = ui.button(title, icon=icon, on_click=give).props("outline no-caps")

    async def look() -> None:
        facts = await link()
        for shown, button in buttons.items():
            button.set_visibility(getattr(facts, shown))

    await look()
    ui.timer(2.0, look)
