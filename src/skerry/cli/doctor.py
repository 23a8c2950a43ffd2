"""`skerry doctor`: what is damaged in a data directory or stands between it and its hub; `--mend` makes anew what it can."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from skerry.cli.node_options import Config, Hub, LinkName, NodeOptions, Sync
from skerry.errors import ConfigurationError

if TYPE_CHECKING:
    from skerry.engine.circumstances import Check
    from skerry.engine.doctor import MendReport, Treatment

EXIT_FOUND: Final = 1  # as for any operation that does not end well


def doctor(
    data: Annotated[Path, typer.Option(help="Directory of the database.", file_okay=False)],
    mend: Annotated[  # noqa: FBT002 - typer makes an option of it
        bool, typer.Option("--mend", help="Repair what can be derived; documents are never deleted.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the hub.")] = False,  # noqa: FBT002
    hub: Hub = None,
    sync: Sync = None,
    name: LinkName = None,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,  # noqa: FBT002
) -> None:
    """Examine a database and its link: the file, every document and index, the disk, the settings, the hub, rights, clocks.

    Programs may go on using it. With the options of `skerry serve` about the hub it examines the link that those describe, else
    the one of the settings file and the environment. Nothing is changed without `--mend`, here or on the hub.

    Exit code 0: nothing is wrong, though there may be warnings; 1: something is wrong; 3: there is no database, or none of ours.
    """
    from skerry.engine import doctor as treatment  # here, because it imports the whole engine
    from skerry.engine.circumstances import Level, check_circumstances

    options = NodeOptions(
        data=data, bind=None, unix_socket=None, hub=hub, sync=sync, name=name, admin=None, auth=False, config=config
    )
    if mend:
        report = treatment.mend(data)
    else:
        findings = treatment.examine(data)
        report = treatment.MendReport([treatment.Treatment(finding, None) for finding in findings], findings)
    checks = [*check_circumstances(data), *_of_link(data, options, offline=offline)]
    is_well = not report.remaining and all(each.level is not Level.ERROR for each in checks)
    if as_json:
        typer.echo(json.dumps(_as_document(data, report, checks, is_well=is_well)))
    else:
        typer.echo("\n".join([_as_text(data, report, mended=mend), *_checks_as_text(checks)]))
    if not is_well:
        raise typer.Exit(EXIT_FOUND)


def _of_link(data: Path, options: NodeOptions, *, offline: bool) -> "list[Check]":
    """Check the settings, and the link that they describe."""
    from skerry.config.hub_uri import without_secrets
    from skerry.engine.circumstances import Check, Level

    advice = "put it right: skerry config shows every setting and where it comes from"
    try:
        settings = options.settings()
    except ConfigurationError as error:
        if error.setting.startswith("--"):
            raise
        return [Check("configuration", Level.ERROR, str(error), advice)]
    found = [Check("configuration", Level.WARNING, warning, advice) for warning in settings.warnings]
    if settings.sync_fault is not None:
        message = f"there is no link, because a sync setting is wrong: {settings.sync_fault}"
        return [*found, Check("configuration", Level.ERROR, message, advice)]
    from skerry.sync.link_doctor import examine_link, examine_unattended

    link = settings.sync
    unattended = examine_unattended(data, None if link is None else link.link_name)
    if link is None or not link.enabled:
        return [*found, Check("configuration", Level.OK, "no hub is configured"), *unattended]
    shown = f"link {link.link_name} to {without_secrets(link.hub_uri)}"
    found.append(Check("configuration", Level.OK, shown))
    if offline:
        return [*found, *unattended]
    return [*found, *examine_link(data, link), *unattended]


def _as_document(data: Path, report: "MendReport", checks: "list[Check]", *, is_well: bool) -> dict[str, Any]:
    return {
        "directory": str(data),
        "well": is_well,
        "sound": not report.remaining,
        "findings": [_row(each) for each in report.treatments],
        "remaining": [{"check": each.check, "where": each.where, "message": each.message} for each in report.remaining],
        "checks": [
            {"check": each.check, "level": each.level.value, "message": each.message, "advice": each.advice}
            for each in checks
        ],
    }


def _checks_as_text(checks: "list[Check]") -> list[str]:
    lines = []
    for each in checks:
        lines.append(f"{each.check}: {each.level.value}: {each.message}")
        if each.advice:
            lines.append(f"  {each.advice}")
    return lines


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
