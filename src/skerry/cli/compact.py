"""`skerry compact`: gives the space back that deleted documents have left."""

import json
from pathlib import Path
from typing import Annotated

import typer

from skerry.cli.operator_options import Json


def compact(
    data: Annotated[Path, typer.Argument(help="Directory of the database.", file_okay=False)],
    dry_run: Annotated[  # noqa: FBT002 - typer makes an option of it
        bool, typer.Option("--dry-run", help="Only say how much would be freed at least.")
    ] = False,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Rewrite a database without the pages that it no longer needs.

    Programs may go on using it: those that write wait until it is done, those that read do not. It needs as much free space as
    the database has, and as much again for temporary files.
    """
    from skerry.engine.life_cycle import require_database
    from skerry.storage import compaction

    require_database(data)
    if dry_run:
        estimate = compaction.reclaimable_bytes(data)
        typer.echo(json.dumps({"bytes_free": estimate}) if as_json else f"{data}: {estimate} bytes can be freed")
        return
    done = compaction.compact(data)
    if as_json:
        found = {"bytes_before": done.bytes_before, "bytes_after": done.bytes_after, "bytes_freed": done.bytes_freed}
        typer.echo(json.dumps({**found, "complete": done.is_complete}))
        return
    typer.echo(f"{data}: {done.bytes_freed} bytes freed, {done.bytes_after} left")
    if not done.is_complete:
        typer.echo("a program is still reading; the rest is freed when it has finished", err=True)
