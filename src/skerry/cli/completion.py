"""What the shell is offered for the names of things when Tab is pressed. Never fails: no offer is better than an error there."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from skerry.cli.open_database import opened
from skerry.config import Direction
from skerry.errors import SkerryError

if TYPE_CHECKING:
    from skerry.engine.engine import Engine


def complete_namespace(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the collections of the directory that has been typed already."""
    return _offered(ctx, incomplete, _namespaces)


def complete_rule(incomplete: str) -> list[str]:
    """Return the directions once a rule has its pattern."""
    pattern, equals, begun = incomplete.rpartition("=")
    return [f"{pattern}={each}" for each in Direction if equals and each.startswith(begun)]


def complete_token(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the admin API's tokens."""
    return _offered(ctx, incomplete, _tokens)


def complete_user(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the users."""
    return _offered(ctx, incomplete, lambda engine: (each["user"] for each in engine.users.find(None)))


def _namespaces(engine: "Engine") -> Iterable[str]:
    with engine.storage.catalogue() as (view, catalog):
        return [str(each) for each in catalog.snapshot(view).collections]


def _tokens(engine: "Engine") -> Iterable[str]:
    from skerry.admin.tokens import Tokens

    return [each.name for each in Tokens(engine).entries()]


def _offered(ctx: typer.Context, incomplete: str, names: "Callable[[Engine], Iterable[str]]") -> list[str]:
    data = ctx.params.get("data")
    if data is None:
        return []
    try:
        with opened(Path(data)) as engine:
            return sorted(name for name in names(engine) if name.startswith(incomplete))
    except (SkerryError, OSError):
        return []
