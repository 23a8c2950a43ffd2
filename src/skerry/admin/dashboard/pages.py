"""The table of the pages: where each is, what it is called, and the role that can see it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from skerry.admin.dashboard.audit_page import audit_page
from skerry.admin.dashboard.collections_page import collections_page
from skerry.admin.dashboard.comparison_page import comparison_page
from skerry.admin.dashboard.conflicts_page import conflicts_page
from skerry.admin.dashboard.dead_letters_page import dead_letters_page
from skerry.admin.dashboard.frame import PageLink, Visit
from skerry.admin.dashboard.operations_page import operations_page
from skerry.admin.dashboard.settings_page import settings_page
from skerry.admin.tokens import Role


@dataclass(frozen=True, slots=True)
class Page:
    """A page that needs nothing but who visits it."""

    link: PageLink
    build: Callable[[Visit], Awaitable[None]]


OVERVIEW: Final = PageLink("/", "Overview", "dashboard", Role.VIEWER)
PAGES: Final = (
    Page(PageLink("/collections", "Collections", "dataset", Role.VIEWER), collections_page),
    Page(PageLink("/conflicts", "Conflicts", "call_split", Role.VIEWER), conflicts_page),
    Page(PageLink("/dead-letters", "Dead letters", "report", Role.OPERATOR), dead_letters_page),
    Page(PageLink("/comparison", "Full sync and verify", "compare_arrows", Role.VIEWER), comparison_page),
    Page(PageLink("/operations", "Slow operations", "speed", Role.VIEWER), operations_page),
    Page(PageLink("/settings", "Settings", "tune", Role.ADMIN), settings_page),
    Page(PageLink("/audit", "Audit", "history", Role.ADMIN), audit_page),
)
LINKS: Final = (OVERVIEW, *(page.link for page in PAGES))
