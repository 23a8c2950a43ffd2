"""What every page stands in: the head, the way to the other pages, light or dark, and how a page is kept up to date."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from nicegui import ui
from starlette.types import ASGIApp

from skerry.admin.dashboard.node_requests import NodeRequests, RefusedError
from skerry.admin.dashboard.style import STYLE
from skerry.admin.tokens import Role

BASE: Final = "/dashboard"
THEME_COOKIE: Final = "skerry_theme"
_THEMES: Final[dict[str, bool | None]] = {"auto": None, "light": False, "dark": True}
_THEME_ICONS: Final = {"auto": "brightness_auto", "light": "light_mode", "dark": "dark_mode"}


@dataclass(frozen=True, slots=True)
class PageLink:
    """A place in the menu; who has less than `role` does not see it."""

    path: str
    title: str
    icon: str
    role: Role


class Visit:
    """One browser on one page: who it is, its requests to the node, and what to do with refusals."""

    def __init__(self, requests: NodeRequests, name: str, role: Role) -> None:
        self.requests = requests
        self.name = name
        self.role = role

    def may(self, role: Role) -> bool:
        """Whether to show what takes `role`; the API decides again when it is used."""
        return self.role >= role

    async def order(self, method: str, path: str, body: Any = None, *, done: str) -> bool:
        """Give an order; say `done`, or why not. Return whether it was taken."""
        try:
            await self.requests.send(method, path, body)
        except RefusedError as refused:
            self.refused(refused)
            return False
        ui.notify(done, type="positive")
        return True

    def refused(self, refused: RefusedError) -> None:
        """Tell what the API refused; who is logged out goes to the log-in."""
        if refused.is_logged_out:
            _to_the_log_in()
        else:
            ui.notify(str(refused), type="negative", multi_line=True)

    async def live(self, seconds: float, fetch: Callable[[], Awaitable[Any]], show: Callable[[Any], None]) -> None:
        """Show what `fetch` returns, and again whenever that has changed; a refusal takes its place."""
        with ui.column().classes("w-full skerry-live") as holder:
            pass
        last: Any = None

        async def look() -> None:
            nonlocal last
            try:
                found = await fetch()
            except RefusedError as refused:
                if refused.is_logged_out:
                    _to_the_log_in()
                    return
                found = ("refused", str(refused))
            if found == last:
                return
            last = found
            holder.clear()
            with holder:
                if isinstance(found, tuple) and len(found) == 2 and found[0] == "refused":
                    notice("error_outline", "This cannot be shown", found[1])
                else:
                    show(found)

        await look()
        ui.timer(seconds, look, immediate=False)


async def visit(app: ASGIApp, request: Request, links: tuple[PageLink, ...], path: str, title: str) -> Visit:
    """Draw the frame and return the visit; what is drawn next stands in the frame's middle."""
    requests = NodeRequests(app, request)
    who = await requests.get("/api/admin/whoami")
    visitor = Visit(requests, who["name"], Role[who["role"].upper()])
    ui.page_title(f"{title} · skerry")
    ui.add_css(STYLE)
    ui.colors(primary="#1f5f8b", positive="#1e7a3c", negative="#b3261e", warning="#8a5a00", info="#1f5f8b")
    with ui.left_drawer(value=None, bordered=True).props("width=240 breakpoint=900").classes("skerry-menu") as drawer:
        menu = ui.element("nav").props('aria-label="Pages"').classes("w-full")
        with menu:
            for link in links:
                if visitor.may(link.role):
                    _menu_item(link, is_here=link.path == path)
    _head(visitor, drawer, request)
    with ui.element("main").classes("skerry-main"):
        ui.label(title).props("role=heading aria-level=1").classes("skerry-title")
        middle = ui.column().classes("w-full skerry-middle")
    ui.skip_link("Skip to the content", target=middle)
    middle.__enter__()
    return visitor


def notice(icon: str, title: str, text: str) -> None:
    """Say that there is nothing to show, or why it cannot be shown."""
    with ui.column().classes("skerry-notice").props("role=status"):
        ui.icon(icon, size="2.5rem").props("aria-hidden=true")
        ui.label(title).classes("skerry-strong")
        ui.label(text).classes("skerry-soft")


def badge(text: str, tone: str) -> None:
    """Show a state; it is told by its words as well as by its colour."""
    ui.label(text).classes(f"skerry-badge skerry-{tone}")


def pairs(facts: tuple[tuple[str, str], ...]) -> None:
    """Show labels with their values."""
    with ui.element("dl").classes("skerry-pairs"):
        for label, value in facts:
            with ui.element("div"):
                with ui.element("dt"):
                    ui.label(label)
                with ui.element("dd"):
                    ui.label(value)


def table(titles: tuple[str, ...], name: str) -> ui.element:
    """Return the body of a table to be filled with `row`; on a phone each row is a block of its own."""
    with ui.element("div").classes("skerry-scroll"), ui.element("table").classes("skerry-table") as whole:
        whole.props["aria-label"] = name
        with ui.element("thead"), ui.element("tr"):
            for title in titles:
                with ui.element("th").props("scope=col"):
                    ui.label(title)
        return ui.element("tbody")


def row(titles: tuple[str, ...], texts: tuple[str, ...], classes: tuple[str, ...] = ()) -> None:
    """Add a row to the table that is open."""
    with ui.element("tr"):
        for index, (title, text) in enumerate(zip(titles, texts, strict=True)):
            with ui.element("td").classes(classes[index] if classes else "") as cell:
                cell.props["data-title"] = title
                ui.label(text)


def _menu_item(link: PageLink, *, is_here: bool) -> None:
    item = ui.element("a").props(f'href="{BASE}{link.path}"').classes("skerry-item")
    if is_here:
        item.classes("skerry-here").props("aria-current=page")
    with item:
        ui.icon(link.icon, size="1.5rem").props("aria-hidden=true")
        ui.label(link.title)


def _to_the_log_in() -> None:
    ui.run_javascript("location.href='/login'")  # not by ui.navigate, which stays below the dashboard


def _head(visitor: Visit, drawer: ui.left_drawer, request: Request) -> None:
    theme = request.cookies.get(THEME_COOKIE, "auto")
    theme = theme if theme in _THEMES else "auto"
    dark = ui.dark_mode(_THEMES[theme])

    async def log_out() -> None:
        ui.run_javascript("fetch('/logout',{method:'POST',redirect:'manual'}).then(()=>{location.href='/login'})")

    def change_theme() -> None:
        nonlocal theme
        names = list(_THEMES)
        theme = names[(names.index(theme) + 1) % len(names)]
        dark.value = _THEMES[theme]
        button.props(f'icon={_THEME_ICONS[theme]} aria-label="Light or dark: {theme}"')
        ui.run_javascript(f"document.cookie='{THEME_COOKIE}={theme};path=/;max-age=31536000;SameSite=Strict'")

    with ui.header().classes("skerry-head"):
        ui.button(icon="menu", on_click=drawer.toggle).props('flat round color=white aria-label="Menu"')
        ui.link("skerry", "/").classes("skerry-name")
        ui.space()
        ui.label(f"{visitor.name} ({visitor.role.label})").classes("skerry-who")
        button = ui.button(icon=_THEME_ICONS[theme], on_click=change_theme).props(
            f'flat round color=white aria-label="Light or dark: {theme}"'
        )
        ui.button(icon="logout", on_click=log_out).props('flat round color=white aria-label="Log out"')
