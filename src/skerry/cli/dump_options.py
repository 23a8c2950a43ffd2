"""What `skerry dump` and `skerry restore` have in common: which database they mean, and which collections."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from skerry.cli.uri_option import uri_of
from skerry.config.hub_uri import has_password, user_of
from skerry.config.secret_values import FILE_SUFFIX, read_secret_file, revealed
from skerry.errors import ConfigurationError

if TYPE_CHECKING:
    from pymongo import MongoClient

PASSWORD_VARIABLE: Final = "SKERRY_URI_PASSWORD"  # noqa: S105  a name
FILE_VARIABLE: Final = PASSWORD_VARIABLE + FILE_SUFFIX.upper()

Uri = Annotated[
    str | None,
    typer.Option(
        "--uri",
        help="Instead of --data: a running server, MongoDB or skerry, as mongodb://…, without a password, as lists of processes"
        f" show it; '-' reads it from the standard input. Or set {PASSWORD_VARIABLE}, or {FILE_VARIABLE}.",
    ),
]
Gzip = Annotated[bool, typer.Option("--gzip", help="The dump is compressed with gzip.")]
Include = Annotated[
    list[str] | None,
    typer.Option("--ns-include", help="Only these collections, as DATABASE.COLLECTION with *; may be repeated."),
]
Exclude = Annotated[
    list[str] | None, typer.Option("--ns-exclude", help="Not these collections, as --ns-include; may be repeated.")
]


@contextmanager
def opened(data: Path | None, uri: str | None, *, create: bool) -> "Iterator[MongoClient[Any]]":
    """Give a client of the database in a directory, or of a server.

    Raises ConfigurationError for both or none of them, and for a URI that is none; what `skerry.connect` raises.
    """
    if (data is None) == (uri is None):
        raise ConfigurationError("--data", None if data is None else str(data), "either --data DIR or --uri URI")
    client = _of_server(uri) if data is None else _of_directory(data, create=create)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def document_counter() -> Iterator[Callable[[str, int], None]]:
    """Give a function that is told (stage, documents so far) and shows it on a terminal, on standard error."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("") as status:
        told = 0

        def tell(stage: str, documents: int) -> None:
            nonlocal told
            if documents - told >= 1000 or documents < told:
                told = documents
                status.update(f"{stage}: {documents}")

        yield tell


def _of_directory(data: Path | None, *, create: bool) -> "MongoClient[Any]":
    import skerry

    assert data is not None
    return skerry.connect(data, create=create)


def _of_server(given: str | None) -> "MongoClient[Any]":
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    uri = uri_of("--uri", given, otherwise=f"{FILE_VARIABLE}=FILE") or ""
    password = _password() if user_of(uri) and not has_password(uri) else None
    credentials: dict[str, Any] = {} if password is None else {"password": password}
    try:
        return MongoClient(uri, appname="skerry", **credentials)
    except (PyMongoError, ValueError) as error:  # the message is about the option; the URI may have a password in it
        raise ConfigurationError("--uri", None, f"a MongoDB URI ({error})") from error


def _password() -> str | None:
    """Return the password that the environment has for the user in the URI, None for a log-in without one."""
    if FILE_VARIABLE in os.environ:
        return read_secret_file(FILE_VARIABLE, os.environ[FILE_VARIABLE])
    return revealed(PASSWORD_VARIABLE, os.environ.get(PASSWORD_VARIABLE, "")) or None
