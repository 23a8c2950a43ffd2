"""The documents keep up with the code."""

import ast
import asyncio
import dataclasses
import importlib
import importlib.metadata
import inspect
import re
import tomllib
import types
from pathlib import Path

import pytest
import typer.main

import skerry
from skerry.cli.main import app
from skerry.config import AdminConfig, EngineConfig, ServerConfig, SyncConfig

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
GUIDES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

CODE = re.compile(r"^```\w*\n(.*?)^```$|`([^`\n]+)`", re.DOTALL | re.MULTILINE)
CHANGE_KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands_in(text: str, program: str) -> set[str]:
    """Every `program WORD` that stands at the beginning of a line of code or of an inline piece of it."""
    pieces = ["".join(found) for found in CODE.findall(text)]
    lines = [
        line.strip().removeprefix("$ ").removeprefix(".venv/bin/") for piece in pieces for line in piece.splitlines()
    ]
    return {match[1] for line in lines if (match := re.match(rf"{program} ([a-z][\w-]*)", line))}


def test_the_readme_names_make_demo_and_make_test_before_any_other_command() -> None:
    first_block = re.search(r"```\w*\n(.*?)```", README, re.DOTALL)
    assert first_block is not None
    commands = [line.split("#")[0].strip() for line in first_block.group(1).splitlines()]
    assert [command for command in commands if command][:2] == ["make demo", "make test"]


@pytest.mark.parametrize("path", GUIDES, ids=relative)
def test_every_command_that_a_guide_names_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
    subcommands = set(getattr(typer.main.get_command(app), "commands", {}))
    assert commands_in(text, "make") <= targets
    # `skerry ready` is not typed: it is the line that `skerry serve` prints.
    assert commands_in(text, "skerry") - {"ready"} <= subcommands


def test_every_subcommand_and_every_option_of_it_is_in_the_readme() -> None:
    group = typer.main.get_command(app)
    for name, command in getattr(group, "commands", {}).items():
        assert f"skerry {name}" in README, name
        for parameter in command.params:
            assert parameter.opts[0] in README, f"{name} {parameter.opts[0]}"


def test_every_exit_code_is_in_the_readme() -> None:
    source = (ROOT / "src" / "skerry" / "cli" / "main.py").read_text("utf-8")
    codes = re.findall(r"^EXIT_\w+: Final = (\d+)$", source, re.MULTILINE)
    assert codes
    for code in codes:
        assert re.search(rf"^\| {code} \|", README, re.MULTILINE), code


def test_no_place_for_output_is_left_open_in_a_guide() -> None:
    for path in GUIDES:
        assert "OUTPUT" not in path.read_text("utf-8"), relative(path)


@pytest.mark.parametrize("config", [AdminConfig, EngineConfig, ServerConfig, SyncConfig])
def test_every_setting_is_in_the_reference_with_its_default(config: type) -> None:
    table = config.__name__.removesuffix("Config").lower()
    reference = (ROOT / "docs" / "settings.md").read_text("utf-8").partition(f"## `[{table}]`")[2].partition("\n## ")[0]
    for field in dataclasses.fields(config):
        line = next((line for line in reference.splitlines() if line.startswith(f"| `{field.name}` ")), None)
        assert line is not None, field.name
        assert field.metadata["help"] in line, field.name
        if isinstance(field.default, int | str):
            is_number = isinstance(field.default, int) and not isinstance(field.default, bool)
            shown = f"{field.default:_}" if is_number else str(field.default)
            if isinstance(field.default, bool):
                shown = shown.lower()
            assert f"| `{shown}` |" in line, field.name


@pytest.mark.parametrize("config", [AdminConfig, EngineConfig, ServerConfig, SyncConfig])
def test_every_setting_is_read_by_somebody(config: type) -> None:
    source = ROOT / "src" / "skerry"
    readers = [path.read_text("utf-8") for path in source.rglob("*.py") if path.parent.name != "config"]
    for field in dataclasses.fields(config):
        assert any(re.search(rf"\.{field.name}\b", text) for text in readers), field.name


def test_every_part_that_the_architecture_names_exists() -> None:
    for name in re.findall(r"`((?:sync|catalog|engine|storage)\.[\w.]+)`", ARCHITECTURE):
        module, _, attribute = name.rpartition(".")
        path = ROOT / "src" / "skerry" / module.replace(".", "/")
        if not (path / f"{attribute}.py").exists():
            assert hasattr(importlib.import_module(f"skerry.{module}"), attribute), name


def test_every_package_has_a_line_in_the_architecture() -> None:
    for path in sorted((ROOT / "src" / "skerry").iterdir()):
        if path.is_dir() and (path / "__init__.py").exists():
            assert f"`{path.name}" in ARCHITECTURE, path.name


def test_every_module_that_the_architecture_names_exists() -> None:
    for name in re.findall(r"`([\w/]+\.py)`", ARCHITECTURE):
        assert (ROOT / "src" / "skerry" / name).exists() or (ROOT / name).exists(), name


@pytest.mark.slow
def test_the_examples_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert blocks
    for block in blocks:
        # With this flag an example may `await`: then it is a coroutine that has to be run.
        code = compile(block, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = types.FunctionType(code, {"__name__": "example"})()
        if inspect.iscoroutine(running):
            asyncio.run(running)


def test_the_changelog_has_the_shape_of_keep_a_changelog() -> None:
    lines = CHANGELOG.splitlines()
    assert lines[0] == "# Changelog"
    versions = [line for line in lines if line.startswith("## ")]
    assert versions[0] == "## Unreleased"
    for heading in versions[1:]:
        assert re.fullmatch(r"## \d+\.\d+\.\d+ - \d{4}-\d{2}-\d{2}", heading), heading
    for heading in (line for line in lines if line.startswith("### ")):
        assert heading.removeprefix("### ") in CHANGE_KINDS, heading


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == skerry.__version__ == importlib.metadata.version("skerry")
