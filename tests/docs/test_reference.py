"""The reference keeps up with the code: generated tables are current, and everything that there is has a line."""

import inspect
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main

import skerry
from skerry import errors
from skerry.aggregation.stage_registry import STAGES, UNSUPPORTED_STAGES
from skerry.cli.main import app
from skerry.commands.command_registry import COMMANDS
from skerry.commands.unsupported_commands import UNSUPPORTED_COMMANDS
from skerry.errors import CODE_NAMES, CommandError, SkerryError
from skerry.expressions.operator_registry import OPERATORS
from skerry.matcher import filter_parser
from skerry.update import modifier_update
from tools.reference import compatibility, error_codes
from tools.reference.pages import DOCS, TABLES, pages, renewed

EVERY_OPERATOR: Final = (
    *(OPERATORS, STAGES, UNSUPPORTED_STAGES, filter_parser.CLAUSES, filter_parser.OPERATORS, modifier_update.OPERATORS),
)


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_generated_tables_are_current(path: Path) -> None:
    text = path.read_text("utf-8")
    assert renewed(text) == text, "run: make docs"


def test_every_table_that_can_be_made_is_on_a_page() -> None:
    text = "".join(path.read_text("utf-8") for path in pages())
    for name in TABLES:
        assert f"<!-- begin generated: {name} -->" in text, name


def test_every_command_has_a_line() -> None:
    text = page("compatibility.md")
    for name in COMMANDS:
        assert f"\n| `{name}` |" in text, name
    for name in UNSUPPORTED_COMMANDS:
        assert f"`{name}`" in text, name


@pytest.mark.parametrize("table", EVERY_OPERATOR, ids=range(len(EVERY_OPERATOR)))
def test_every_operator_and_stage_is_named(table: Any) -> None:
    text = page("compatibility.md")
    for name in table:
        assert f"`{name}`" in text, name


def test_every_error_code_has_a_line() -> None:
    text = page("error-codes.md")
    for code, name in CODE_NAMES.items():
        assert f"\n| {code} | `{name}` |" in text, name
    assert error_codes.MEANINGS.keys() <= CODE_NAMES.keys()


def test_every_error_class_is_named_and_those_with_a_line_of_their_own_say_what_they_mean() -> None:
    text = page("error-codes.md")
    for name in errors.__all__:
        kind = getattr(errors, name)
        if inspect.isclass(kind) and issubclass(kind, SkerryError):
            assert f"`{name}`" in text, name
            if not issubclass(kind, CommandError):
                assert "__doc__" in vars(kind), name
                assert kind.__doc__, name


def test_every_subcommand_and_option_of_the_command_line_has_a_line() -> None:
    text = page("command-line.md")
    group: Any = typer.main.get_command(app)
    left = [("skerry", group)]
    while left:
        name, command = left.pop()
        left.extend((f"{name} {word}", inner) for word, inner in getattr(command, "commands", {}).items())
        if not hasattr(command, "commands"):
            _, _, section = text.partition(f"### `{name}`\n")
            section = section.partition("\n### ")[0]
            assert section, name
            for option in (each.opts[0] for each in command.params if each.param_type_name == "option"):
                assert f"`{option}`" in section or option == "--help", f"{name} {option}"


def test_the_stages_of_the_engine_are_answered_or_refused_as_the_page_says() -> None:
    client = skerry.connect(":memory:")
    try:
        for name in compatibility.UNSUPPORTED_ENGINE_STAGES:
            with pytest.raises(Exception, match=r"not (implemented|supported)"):
                client.shop.orders.aggregate([{name: {}}])
        assert list(client.shop.orders.aggregate([{"$collStats": {"count": {}}}]))
        assert list(client.admin.aggregate([{"$listLocalSessions": {}}]))
        client.shop.orders.watch().close()
    finally:
        client.close()
