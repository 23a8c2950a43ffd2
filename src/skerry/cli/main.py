"""The `skerry` command: its subcommands, and which exit code an error gives.

0  done                                4  no node answers (commands for a running node)
1  the operation failed                5  the node's admin API does not let the caller in
2  wrong usage, or an unknown or       6  not well: the link is unhealthy, or both sides differ
   impossible setting
3  the data directory cannot be used       130  ended by Ctrl-C
"""

import sys
from typing import Annotated, Final

import typer

from skerry.cli.backup import backup
from skerry.cli.compact import compact
from skerry.cli.comparison import full_sync, verify
from skerry.cli.config import config
from skerry.cli.conflicts import conflicts
from skerry.cli.dead_letters import dead_letters
from skerry.cli.demo import demo
from skerry.cli.doctor import doctor
from skerry.cli.dump import dump
from skerry.cli.node_client import NodeError
from skerry.cli.restore import restore
from skerry.cli.selection import selection
from skerry.cli.serve import serve
from skerry.cli.status import status
from skerry.cli.sync import sync
from skerry.cli.token import token
from skerry.cli.top import top
from skerry.cli.user import user
from skerry.cli.validate import validate
from skerry.errors import ConfigurationError, SkerryError, StorageError

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_STORAGE: Final = 3
EXIT_UNREACHABLE: Final = 4
EXIT_NOT_ALLOWED: Final = 5
EXIT_NOT_WELL: Final = 6
EXIT_INTERRUPTED: Final = 130

app = typer.Typer(
    name="skerry",
    help="A local-first MongoDB: an edge server in step with a hub.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(backup)
app.command()(compact)
app.command()(config)
app.command()(demo)
app.command()(doctor)
app.command()(dump)
app.command()(full_sync)
app.command()(restore)
app.command()(selection)
app.command()(serve)
app.command()(status)
app.command()(top)
app.command()(validate)
app.command()(verify)
app.add_typer(conflicts, name="conflicts")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(sync, name="sync")
app.add_typer(token, name="token")
app.add_typer(user, name="user")


@app.command()
def version() -> None:
    """Print the version, and those of what decides its behaviour."""
    from importlib.metadata import version as version_of
    from platform import python_version

    parts = ", ".join(f"{name} {version_of(name)}" for name in ("pymongo", "apsw"))
    typer.echo(f"skerry {version_of('skerry')} ({parts}, Python {python_version()})")


def print_version(wanted: bool) -> None:  # noqa: FBT001 - the shape of a click callback
    """Do what `skerry version` does, for those who expect an option, and leave."""
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def root(
    _wants_version: Annotated[  # noqa: FBT002 - typer makes an option of it
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """A local-first MongoDB: an edge server in step with a hub."""


def main() -> None:
    """Run the command line; an error of skerry's becomes one line and an exit code, never a traceback."""
    try:
        app()
    except (SkerryError, OSError) as error:
        typer.echo(f"skerry: {error}", err=True)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def exit_code(error: Exception) -> int:
    """Return the code by which scripts tell errors apart."""
    if isinstance(error, ConfigurationError):
        return EXIT_USAGE
    if isinstance(error, NodeError):
        return error.exit_code
    return EXIT_STORAGE if isinstance(error, StorageError) else EXIT_FAILED
