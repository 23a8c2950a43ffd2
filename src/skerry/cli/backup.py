"""`skerry backup`: a verified copy of a database elsewhere, while everybody goes on using it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from skerry.cli.progress import progress_bars


def backup(
    url: Annotated[
        str,
        typer.Argument(help="File to write: a path, s3://BUCKET/KEY, …; a name is made up for one that ends in '/'."),
    ],
    data: Annotated[Path, typer.Option(help="Directory of the database.", file_okay=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,  # noqa: FBT002
) -> None:
    """Copy the whole database to one file elsewhere, and prove that the copy is sound.

    Programs that use the database go on meanwhile; the copy is one committed state.
    """
    from skerry.engine.backup import back_up  # here, because it imports the whole engine

    with progress_bars(shown=not as_json) as on_progress:
        report = back_up(data, url, on_progress=on_progress)
    if as_json:
        typer.echo(json.dumps(asdict(report)))
        return
    manifest = report.manifest
    typer.echo(
        f"{report.url}: {manifest.documents} documents in {manifest.collections} collections,"
        f" {report.archive_bytes} bytes, verified"
    )
