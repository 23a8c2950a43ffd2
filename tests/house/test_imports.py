"""Imports run downwards, and a package exports what it says."""

import importlib
import pkgutil
import subprocess
import sys
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
def test_a_package_has_what_its_all_says(name: str) -> None:
    # That it says all of what it imports for others is a rule of ruff (F401).
    package = importlib.import_module(name)
    exported: list[str] = list(getattr(package, "__all__", []))
    assert len(set(exported)) == len(exported)
    for export in exported:
        assert hasattr(package, export), export
        assert not export.startswith("_") or export == "__version__"
