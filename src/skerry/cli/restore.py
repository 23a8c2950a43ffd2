"""`skerry restore`: a backup in the place of a database, or a dump of mongodump into one."""

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skerry.cli.dump_options import Exclude, Gzip, Include, Uri, document_counter, opened
from skerry.cli.progress import progress_bars
from skerry.cli.uri_option import STANDARD_INPUT
from skerry.errors import ConfigurationError

if TYPE_CHECKING:
    from skerry.mongodump.restore import DumpSource, RestoreOptions, RestoreReport


def restore(
    url: Annotated[str | None, typer.Argument(help="Backup to restore: a path, s3://BUCKET/KEY, …")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Directory of the database; made when it does not exist.", file_okay=False)
    ] = None,
    overwrite: Annotated[  # noqa: FBT002 - typer makes an option of it
        bool, typer.Option("--overwrite", help="With a backup: replace the database that is there.")
    ] = False,
    archive: Annotated[
        str | None, typer.Option(help="Instead of a backup: an archive of mongodump; '-' is the standard input.")
    ] = None,
    dump: Annotated[
        Path | None,
        typer.Option(help="Instead of a backup: a directory that mongodump wrote.", file_okay=False, exists=True),
    ] = None,
    uri: Uri = None,
    gzip: Gzip = False,  # noqa: FBT002
    ns_include: Include = None,
    ns_exclude: Exclude = None,
    drop: Annotated[  # noqa: FBT002
        bool, typer.Option("--drop", help="With a dump: replace each of its collections that is there.")
    ] = False,
    no_index_restore: Annotated[bool, typer.Option("--no-index-restore", help="With a dump: build no index.")] = False,  # noqa: FBT002
    no_options_restore: Annotated[  # noqa: FBT002
        bool, typer.Option("--no-options-restore", help="With a dump: make collections without their options.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,  # noqa: FBT002
) -> None:
    """Put a backup in place, after proving that it is sound; or read a dump of mongodump into a database or a server.

    For a backup no program may have the database open; it takes a new identity on its links to hubs, so the node it was
    copied from may go on. A dump is added to what is there, while programs use it.
    """
    if [url, archive, dump].count(None) != 2:
        raise ConfigurationError("restore", url, "one of a backup, --archive FILE and --dump DIR")
    if url is not None:
        if data is None or uri is not None:
            raise ConfigurationError("--data", None, "the directory in which the backup is put in place")
        _put_in_place(url, data, overwrite=overwrite, as_json=as_json)
        return
    if archive == uri == STANDARD_INPUT:
        raise ConfigurationError("--uri", STANDARD_INPUT, "an archive from a file, as the standard input has the URI")
    if overwrite:
        raise ConfigurationError("--overwrite", "true", "a backup; with a dump it is --drop")
    from skerry.mongodump.namespace_choice import NamespaceChoice  # here: serve need not import it
    from skerry.mongodump.restore import RestoreOptions

    options = RestoreOptions(
        choice=NamespaceChoice.of(ns_include or (), ns_exclude or ()),
        drop=drop,
        with_indexes=not no_index_restore,
        with_options=not no_options_restore,
    )
    report = _read_dump(archive, dump, data, uri, options, is_compressed=gzip)
    _tell(report, as_json=as_json)
    if not report.is_complete:
        raise typer.Exit(1)


def _put_in_place(url: str, data: Path, *, overwrite: bool, as_json: bool) -> None:
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


def _read_dump(
    archive: str | None,
    dump: Path | None,
    data: Path | None,
    uri: str | None,
    options: "RestoreOptions",
    *,
    is_compressed: bool,
) -> "RestoreReport":
    from skerry.mongodump.archive_file import ArchiveFile
    from skerry.mongodump.dump_directory import DumpDirectory
    from skerry.mongodump.restore import restore as restore_dump

    with contextlib.ExitStack() as reading:
        source: DumpSource
        if archive is not None:
            source = reading.enter_context(contextlib.closing(ArchiveFile(archive, is_compressed=is_compressed)))
        else:
            assert dump is not None
            source = DumpDirectory(dump, is_compressed=is_compressed)
        client = reading.enter_context(opened(data, uri, create=True))
        return restore_dump(client, source, options, reading.enter_context(document_counter()))


def _tell(report: "RestoreReport", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**asdict(report), "is_complete": report.is_complete}))
        return
    typer.echo(
        f"{report.documents} documents and {report.indexes} indexes in {report.collections} collections restored"
    )
    for name in report.left_out:
        typer.echo(f"left out: {name}, which belongs to the server that was dumped", err=True)
    for failure in report.failures:
        typer.echo(failure, err=True)
    if not report.is_complete:
        typer.echo(
            f"skerry: not restored: {report.documents_failed} documents, {report.indexes_failed} indexes", err=True
        )
