"""`skerry token`: the bearer tokens of a database's admin API, made and removed in its directory, while a node may run on it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from skerry.cli.completion import complete_token
from skerry.cli.open_database import opened
from skerry.cli.operator_options import Json
from skerry.cli.output import console, moment, print_json, table
from skerry.errors import SkerryError

token = typer.Typer(no_args_is_help=True, help="Add, list and remove the tokens of the admin API.")


class RoleName(StrEnum):
    """The roles, each of which includes those before."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


NewName = Annotated[str, typer.Argument(help="Name of the token, which the audit log shows.")]
Name = Annotated[str, typer.Argument(help="Name of the token.", autocompletion=complete_token)]
Data = Annotated[Path, typer.Option(help="Directory of the database.", file_okay=False)]


@token.command()
def add(
    name: NewName,
    data: Data,
    role: Annotated[
        RoleName, typer.Option(help="viewer sees numbers, operator also documents in conflict, admin changes all.")
    ] = RoleName.VIEWER,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Make a token and print it. It cannot be shown again: only its hash is kept."""
    from skerry.admin.tokens import Role, Tokens

    with opened(data) as engine:
        secret = Tokens(engine).create(name, Role[role.name])
    if as_json:
        print_json({"name": name, "role": role.value, "token": secret})
        return
    typer.echo(secret)
    typer.echo(f"{name} is {role.value}; the token is not shown again", err=True)


@token.command(name="list")
def list_tokens(data: Data, as_json: Json = False) -> None:  # noqa: FBT002
    """List the tokens with their roles, not the tokens themselves."""
    from skerry.admin.tokens import Tokens

    with opened(data) as engine:
        records = Tokens(engine).entries()
    if as_json:
        print_json([{"name": each.name, "role": each.role, "created_ms": each.created_ms} for each in records])
    elif not records:
        typer.echo("no tokens")
    else:
        rows = [(each.name, each.role, moment(each.created_ms)) for each in records]
        console().print(table(("name", "role", "made"), rows))


@token.command()
def remove(name: Name, data: Data) -> None:
    """Make a token worthless at once."""
    from skerry.admin.tokens import Tokens

    with opened(data) as engine:
        if not Tokens(engine).remove(name):
            raise SkerryError(f"there is no token called {name!r}")
    typer.echo(f"removed {name}")
