"""`skerry dump`: everything in the form that mongorestore reads, so that nobody is tied to skerry."""

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from skerry.cli.dump_options import Exclude, Gzip, Include, Uri, document_counter, opened
from skerry.errors import ConfigurationError


def dump(
    archive: Annotated[
        str | None, typer.Option(help="File to write, in one piece; '-' is the standard output.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Instead: new directory with a file for each collection.")] = None,
    data: Annotated[Path | None, typer.Option(help="Directory of the database.", file_okay=False)] = None,
    uri: Uri = None,
    gzip: Gzip = False,  # noqa: FBT002 - typer makes an option of it
    ns_include: Include = None,
    ns_exclude: Exclude = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,  # noqa: FBT002
) -> None:
    """Write collections, options and indexes in mongodump's form, which mongorestore and `skerry restore` read.

    The collections are read one after the other; for one moment in time of all of them, stop the writers or use `skerry backup`.
    """
    from skerry.mongodump.archive_file import STANDARD_STREAM, ArchiveFileWriter  # here: serve need not import it
    from skerry.mongodump.dump import dump as write_dump
    from skerry.mongodump.dump_directory import DumpDirectoryWriter
    from skerry.mongodump.namespace_choice import NamespaceChoice

    if (archive is None) == (out is None):
        raise ConfigurationError("--archive", archive, "either --archive FILE or --out DIR")
    choice = NamespaceChoice.of(ns_include or (), ns_exclude or ())
    with opened(data, uri, create=False) as client, document_counter() as tell, contextlib.ExitStack() as writing:
        if archive is not None:
            target = writing.enter_context(ArchiveFileWriter(archive, is_compressed=gzip))
            report = write_dump(client, target, choice, tell)
        else:
            assert out is not None
            report = write_dump(client, DumpDirectoryWriter(out, is_compressed=gzip), choice, tell)
    told = (
        json.dumps(asdict(report)) if as_json else f"{report.documents} documents in {report.collections} collections"
    )
    typer.echo(told, err=archive == STANDARD_STREAM)
