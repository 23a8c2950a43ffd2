"""Error codes and classes stay in step."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import skerry
from skerry.errors import CODE_NAMES, CommandError, SkerryError

ROOT = Path(__file__).parents[2]


@cache
def text_of(folder: str) -> str:
    """All Python of a folder, but for the package that defines the errors and for this test."""
    paths = (path for path in (ROOT / folder).rglob("*.py") if path.parent.name not in ("errors", "house"))
    return "\n".join(path.read_text("utf-8") for path in paths)


def error_classes() -> list[type[SkerryError]]:
    exceptions = importlib.import_module("skerry.errors.exceptions")
    kinds = [value for value in vars(exceptions).values() if isinstance(value, type) and issubclass(value, SkerryError)]
    return [kind for kind in kinds if kind not in (SkerryError, CommandError)]


def subclasses(of: type[CommandError]) -> Iterator[type[CommandError]]:
    for child in of.__subclasses__():
        yield child
        yield from subclasses(child)


def test_the_table_of_codes_is_sorted_and_its_names_are_distinct() -> None:
    assert list(CODE_NAMES) == sorted(CODE_NAMES)
    assert len(set(CODE_NAMES.values())) == len(CODE_NAMES)


def test_every_class_has_a_code_of_the_table_and_a_name_that_ends_in_error() -> None:
    for found in pkgutil.walk_packages(skerry.__path__, "skerry."):
        importlib.import_module(found.name)
    for kind in subclasses(CommandError):
        assert kind.default_code in CODE_NAMES, kind.__name__
        assert kind.__name__.endswith("Error"), kind.__name__


def test_every_error_of_the_errors_package_is_exported_and_has_one_root() -> None:
    exceptions = importlib.import_module("skerry.errors.exceptions")
    errors = importlib.import_module("skerry.errors")
    for name, value in vars(exceptions).items():
        if isinstance(value, type) and issubclass(value, Exception):
            assert issubclass(value, SkerryError), name
            assert name in errors.__all__, name


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__name__)
def test_every_error_can_happen(kind: type[SkerryError]) -> None:
    assert re.search(rf"\b{kind.__name__}\(", text_of("src/skerry")), "nobody raises it"


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__name__)
def test_every_error_is_provoked_by_a_test(kind: type[SkerryError]) -> None:
    names = [kind.__name__]
    if issubclass(kind, CommandError):
        names += [str(kind.default_code), CODE_NAMES[kind.default_code]]
    assert any(re.search(rf"\b{name}\b", text_of("tests")) for name in names)
