"""Imports run downwards, and a package exports what it says."""

import importlib
import pkgutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

import skerry

ROOT = Path(__file__).parents[2]
PACKAGES = ["skerry"] + [found.name for found in pkgutil.walk_packages(skerry.__path__, "skerry.") if found.ispkg]


@pytest.mark.slow
def test_the_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_exports_exactly_what_its_all_says(name: str) -> None:
    package = importlib.import_module(name)
    exported: list[str] = list(getattr(package, "__all__", []))
    assert len(set(exported)) == len(exported)
    for export in exported:
        assert hasattr(package, export), export
        assert not export.startswith("_") or export == "__version__"
    imported = {
        attribute
        for attribute, value in vars(package).items()
        if not attribute.startswith("_")
        and not isinstance(value, types.ModuleType)
        # A module that the package itself defines things in names its own; only re-exports must be listed.
        and getattr(value, "__module__", name) not in {name, "typing", "collections.abc"}
        and str(getattr(value, "__module__", "")).startswith("skerry")
    }
    assert imported <= set(exported), "imported into the package but not exported"
