"""`skerry user`: the users of a database, added, listed and removed in its directory, while a node may run on it.

A running node takes note within a second. Passwords come from a prompt, a variable or a file, never from the command line, which
every process can read.
"""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from skerry.cli.completion import complete_user
from skerry.cli.open_database import opened
from skerry.config.secret_values import read_secret_file
from skerry.errors import BadValueError

user = typer.Typer(no_args_is_help=True, help="Add, list and remove the users of a database.")

Name = Annotated[str, typer.Argument(help="Name of the user.", autocompletion=complete_user)]
NewName = Annotated[str, typer.Argument(help="Name of the user.")]
Data = Annotated[Path, typer.Option(help="Directory of the database.", file_okay=False)]
Database = Annotated[str, typer.Option("--db", help="Database in which the user is, and logs in.")]
PasswordFile = Annotated[
    Path | None, typer.Option(help="File whose first line is the password; '-' is the standard input.", allow_dash=True)
]
PasswordVariable = Annotated[str | None, typer.Option(help="Environment variable that has the password.")]


@user.command()
def add(
    name: NewName,
    data: Data,
    role: Annotated[list[str], typer.Option(help="ROLE@DB, or ROLE for one in the user's database; may be repeated.")],
    db: Database = "admin",
    password_file: PasswordFile = None,
    password_env: PasswordVariable = None,
) -> None:
    """Add a user; from then on everybody who comes over the network has to log in."""
    from skerry.commands.command import EXTERNAL_DATABASE
    from skerry.commands.user_commands import check_first_user, roles_from, user_record

    roles = roles_from([_role(each, db) for each in role], db)
    with opened(data) as engine:
        if not engine.users.has_any():
            check_first_user(roles)
        secret = None if db == EXTERNAL_DATABASE else _password(password_file, password_env)
        record = user_record(db, name, secret, roles)
        engine.users.create(record)
    typer.echo(f"added {name}@{db}")


@user.command(name="list")
def list_users(
    data: Data,
    as_json: Annotated[bool, typer.Option("--json", help="Print the users as JSON.")] = False,  # noqa: FBT002
) -> None:
    """List the users with their roles."""
    with opened(data) as engine:
        records = engine.users.find(None)
    if as_json:
        shown = [{"user": each["user"], "db": each["db"], "roles": each["roles"]} for each in records]
        typer.echo(json.dumps(shown))
        return
    for each in records:
        roles = ", ".join(f"{role['role']}@{role['db']}" for role in each["roles"])
        typer.echo(f"{each['user']}@{each['db']}: {roles or 'no role'}")


@user.command()
def remove(name: Name, data: Data, db: Database = "admin") -> None:
    """Remove a user, who is logged out wherever he is."""
    with opened(data) as engine:
        engine.users.remove(db, name)
    typer.echo(f"removed {name}@{db}")


@user.command()
def password(
    name: Name,
    data: Data,
    db: Database = "admin",
    password_file: PasswordFile = None,
    password_env: PasswordVariable = None,
) -> None:
    """Give a user another password."""
    from skerry.commands.user_commands import changed_password

    with opened(data) as engine:
        secret = _password(password_file, password_env)
        engine.users.change(db, name, lambda record: changed_password(record, secret, None))
    typer.echo(f"changed the password of {name}@{db}")


def _role(text: str, db: str) -> dict[str, Any]:
    name, at, of = text.partition("@")
    return {"role": name, "db": of if at else db}


def _password(file: Path | None, variable: str | None) -> str:
    """The new password. Raises BadValueError when it is not there, ConfigurationError for a file that cannot be read."""
    if file is not None and variable is not None:
        raise BadValueError("give the password in a file or in a variable, not in both")
    if variable is not None:
        if variable not in os.environ:
            raise BadValueError(f"the environment has no variable {variable}")
        return os.environ[variable]
    if file is not None:
        if str(file) == "-":
            return sys.stdin.readline().rstrip("\r\n")
        return read_secret_file("--password-file", file)
    return _asked()


def _asked() -> str:
    try:
        answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    except typer.Abort as abort:
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None  # as everywhere else; without this it ends with 1
        raise
    return answer
