"""The options that every command for a running node has, and how the node is found by them.

With `--data`, by the run file in the data directory, which also has a token; else at `--url`, with the token from a file or
from `SKERRY_ADMIN_TOKEN` or `SKERRY_ADMIN_TOKEN_FILE`. A token is never an argument: arguments show in lists of processes.
"""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from skerry.cli.node_client import NodeClient, NodeUnreachableError
from skerry.config.secret_values import FILE_SUFFIX, read_secret_file, revealed
from skerry.errors import ConfigurationError

DEFAULT_URL: Final = "http://127.0.0.1:27080"
TOKEN_VARIABLE: Final = "SKERRY_ADMIN_TOKEN"  # noqa: S105  a name
FILE_VARIABLE: Final = TOKEN_VARIABLE + FILE_SUFFIX.upper()

Data = Annotated[
    Path | None, typer.Option("--data", help="Data directory of a node on this machine.", file_okay=False, exists=True)
]
Url = Annotated[str | None, typer.Option("--url", help=f"Admin API of a node; default {DEFAULT_URL}.")]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", help=f"File with the token; default: {TOKEN_VARIABLE}.", dir_okay=False, exists=True),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def connect(data: Path | None, url: str | None, token_file: Path | None) -> NodeClient:
    """Return the client that the options describe. Raises `ConfigurationError`, `NodeUnreachableError` without a run file."""
    token = _token(token_file)
    if data is None:
        chosen = url or DEFAULT_URL
        if not chosen.startswith(("http://", "https://")):
            raise ConfigurationError("--url", chosen, "an address that begins with http:// or https://")
        return NodeClient(chosen, token)
    if url is not None:
        raise ConfigurationError("--url", url, "either --data or --url")
    from skerry.admin import run_file

    run = run_file.read(data)
    if run is None:
        raise NodeUnreachableError(
            f"no node with an admin API runs on {data}: skerry serve --data {data} --admin HOST:PORT"
        )
    return NodeClient(run.url, token or run.token)


def _token(token_file: Path | None) -> str | None:
    if token_file is not None:
        return read_secret_file("--token-file", token_file)
    if FILE_VARIABLE in os.environ:
        return read_secret_file(FILE_VARIABLE, os.environ[FILE_VARIABLE])
    return revealed(TOKEN_VARIABLE, os.environ.get(TOKEN_VARIABLE, "")) or None
