"""The commands of `skerry`, their arguments and options, from the typer application."""

import inspect
from collections.abc import Iterator
from typing import Any, Final

import typer.main

from skerry.cli import main
from tools.reference.markdown import table

EXIT_CODES: Final = {
    "EXIT_FAILED": "the operation failed, or `doctor` or `validate` found something",
    "EXIT_USAGE": "wrong usage, or an unknown or impossible setting",
    "EXIT_STORAGE": "the data directory cannot be used: no database of ours, a newer version's, damaged, read-only, full",
    "EXIT_UNREACHABLE": "no node answers at the address, or none runs on the directory",
    "EXIT_NOT_ALLOWED": "the node refuses the token, or the token's role does not suffice",
    "EXIT_NOT_WELL": "the link is unhealthy, or `verify` found differences",
    "EXIT_INTERRUPTED": "ended by Ctrl-C; `serve` ends with 0",
}


def commands() -> str:
    """Every command and subcommand, a section each."""
    group: Any = typer.main.get_command(main.app)
    return "\n\n".join(_section(name, command) for name, command in _walk("skerry", group))


def exit_codes() -> str:
    """The exit codes. Raises KeyError for one that has no meaning here."""
    found = {name: value for name, value in vars(main).items() if name.startswith("EXIT_")}
    rows = [(str(value), EXIT_CODES[name]) for name, value in sorted(found.items(), key=lambda pair: int(pair[1]))]
    return table(("exit code", "meaning"), [("0", "done"), *rows])


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    for word, inner in sorted(getattr(command, "commands", {}).items()):
        if hasattr(inner, "commands"):
            yield from _walk(f"{name} {word}", inner)
        else:
            yield f"{name} {word}", inner


def _section(name: str, command: Any) -> str:
    text = inspect.cleandoc(command.help or "")
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    usage = " ".join([name, *(each.name.upper() for each in arguments), "[options]"])
    rows = [(_spelling(each), _default(each), each.help or "") for each in command.params if each.name != "help"]
    parts = [f"### `{name}`", text, f"```text\n{usage}\n```"]
    if rows:
        parts.append(table(("option", "default", "meaning"), rows))
    return "\n\n".join(parts)


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.name.upper()}`"
    spelled = ", ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
    return f"{spelled} (may be repeated)" if parameter.multiple else spelled


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    return "" if value in (None, False, True) or callable(value) or not str(value) else f"`{value}`"
