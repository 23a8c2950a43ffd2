"""`skerry restore`: a backup in the place of a database."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from skerry.cli.progress import progress_bars


def restore(
    url: Annotated[str, typer.Argument(help="Backup to restore: a path, s3://BUCKET/KEY, …")],
    data: Annotated[
        Path, typer.Option(help="Directory of the database; made when it does not exist.", file_okay=False)
    ],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the database that is there.")] = False,  # noqa: FBT002
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,  # noqa: FBT002
) -> None:
    """Put a backup in place, after proving that it is sound; no program may have the database open.

    The restored database takes a new identity on its links to hubs, so the node it was copied from may go on.
    """
    from skerry.engine.restore import restore as put_in_place  # here, because it imports the whole engine
    from skerry.sync.origin import note_copied

    with progress_bars(shown=not as_json) as on_progress:
        report = put_in_place(url, data, overwrite=overwrite, adapt=note_copied, on_progress=on_progress)
    if as_json:
        typer.echo(json.dumps(asdict(report), default=str))
        return
    manifest = report.manifest
    typer.echo(
        f"{data}: {manifest.documents} documents in {manifest.collections} collections, as of {manifest.created}"
    )
