"""`skerry doctor`: what is damaged in a data directory, and with `--mend` what can be derived is made anew."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from skerry.engine.doctor import MendReport, Treatment

EXIT_FOUND: Final = 1  # as for any operation that does not end well


def doctor(
    data: Annotated[Path, typer.Option(help="Directory of the database.", file_okay=False)],
    mend: Annotated[  # noqa: FBT002 - typer makes an option of it
        bool, typer.Option("--mend", help="Repair what can be derived; documents are never deleted.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,  # noqa: FBT002
) -> None:
    """Examine a database: the file, the catalogue, every document, index and count, the oplog, leftover files.

    Exit code 0: it is sound (now); 1: something is wrong (still); 3: there is no database, or none of ours.
    """
    from skerry.engine import doctor as treatment  # here, because it imports the whole engine

    if mend:
        report = treatment.mend(data)
    else:
        findings = treatment.examine(data)
        report = treatment.MendReport([treatment.Treatment(finding, None) for finding in findings], findings)
    typer.echo(json.dumps(_as_document(data, report)) if as_json else _as_text(data, report, mended=mend))
    if report.remaining:
        raise typer.Exit(EXIT_FOUND)


def _as_document(data: Path, report: "MendReport") -> dict[str, Any]:
    return {
        "directory": str(data),
        "sound": not report.remaining,
        "findings": [_row(each) for each in report.treatments],
        "remaining": [{"check": each.check, "where": each.where, "message": each.message} for each in report.remaining],
    }


def _row(each: "Treatment") -> dict[str, Any]:
    finding = each.finding
    return {
        "check": finding.check,
        "where": finding.where,
        "message": finding.message,
        "mendable": finding.mend is not None,
        "done": each.done,
        "failure": each.failure,
    }


def _as_text(data: Path, report: "MendReport", *, mended: bool) -> str:
    if not report.treatments:
        return f"{data}: nothing wrong"
    lines = []
    for each in report.treatments:
        lines.append(f"{each.finding.check}: {each.finding.where}: {each.finding.message}")
        if each.done is not None:
            lines.append(f"  mended: {each.done}")
        elif each.failure is not None:
            lines.append(f"  could not be mended: {each.failure}")
        elif each.finding.mend is not None:
            lines.append("  can be mended with --mend")
        else:
            lines.append("  cannot be mended from what is there")
    if mended:
        lines.append(f"{data}: {len(report.remaining)} left" if report.remaining else f"{data}: nothing wrong any more")
    return "\n".join(lines)
