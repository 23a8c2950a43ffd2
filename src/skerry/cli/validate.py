"""`skerry validate`: whether every document, index entry and count of a database's collections agree."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from skerry.cli.completion import complete_namespace
from skerry.cli.operator_options import Json
from skerry.cli.output import console, table

EXIT_FOUND: Final = 1


def validate(
    data: Annotated[Path, typer.Argument(help="Directory of the database.", file_okay=False)],
    namespace: Annotated[
        str | None,
        typer.Argument(help="Only this collection, DATABASE.COLLECTION.", autocompletion=complete_namespace),
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Compare every document of a database, or of one collection, with every index entry and count.

    Nothing is changed, and programs may go on using the database. Ends with 1 when something is wrong; `skerry doctor --mend`
    makes indexes and counts anew.
    """
    from skerry.engine import doctor  # here, because it imports the whole engine
    from skerry.values.namespace import Namespace

    reports = doctor.validate(data, None if namespace is None else Namespace.parse(namespace))
    if as_json:
        typer.echo(json.dumps(reports))
    else:
        _show(data, reports)
    if not all(report["valid"] for report in reports):
        raise typer.Exit(EXIT_FOUND)


def _show(data: Path, reports: list[dict[str, Any]]) -> None:
    if not reports:
        typer.echo(f"{data}: no collections")
        return
    rows = [
        (each["ns"], "valid" if each["valid"] else "DAMAGED", each["nrecords"], each["nIndexes"]) for each in reports
    ]
    console().print(table(("collection", "is", "documents", "indexes"), rows))
    for report in reports:
        for error in report["errors"]:
            typer.echo(f"{report['ns']}: {error}")
