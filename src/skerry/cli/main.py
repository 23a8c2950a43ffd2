"""The `skerry` command: its subcommands, and which exit code an error gives.

0  done                                2  wrong usage, or an unknown or impossible setting
1  the operation failed                3  the data directory cannot be used
"""

import sys
from typing import Annotated, Final

import typer

from skerry.cli.demo.command import demo
from skerry.cli.serve import serve
from skerry.errors import ConfigurationError, SkerryError, StorageError

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_STORAGE: Final = 3

app = typer.Typer(
    name="skerry",
    help="A local-first MongoDB: an edge server in step with a hub.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(serve)


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


def exit_code(error: Exception) -> int:
    """Return the code by which scripts tell errors apart."""
    if isinstance(error, ConfigurationError):
        return EXIT_USAGE
    return EXIT_STORAGE if isinstance(error, StorageError) else EXIT_FAILED
