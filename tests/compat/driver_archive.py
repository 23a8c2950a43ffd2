"""Witnesses by other people: fetched from their registries once, kept under the environment, never part of the repository."""

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

import pymongo
import pytest

CACHE: Final = Path(sys.prefix) / "compat"
FETCH_SECONDS_MAX: Final = 240

_PYTEST_INI: Final = """\
[pytest]
markers =
    default
    default_async
filterwarnings =
    default
"""


def fetch(command: list[str], *, into: Path, what: str) -> None:
    """Run an installer in an empty directory that becomes `into` when it succeeds; skip the test when it does not."""
    CACHE.mkdir(exist_ok=True)
    fetched = Path(tempfile.mkdtemp(dir=CACHE, prefix="fetching-"))
    try:
        done = subprocess.run(
            command, cwd=fetched, capture_output=True, text=True, timeout=FETCH_SECONDS_MAX, check=False
        )
        if done.returncode:
            reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
            pytest.skip(f"{what} cannot be fetched: {' '.join(reason)}")
        try:
            fetched.rename(into)
        except OSError:  # somebody else was faster
            assert into.is_dir()
    except subprocess.TimeoutExpired:
        pytest.skip(f"{what} cannot be fetched in {FETCH_SECONDS_MAX} s")
    finally:
        shutil.rmtree(fetched, ignore_errors=True)


def pymongo_suite() -> Path:
    """Return a directory with the test suite of the installed pymongo, ready to be run; skip when it cannot be had."""
    suite = CACHE / f"pymongo-suite-{pymongo.version}"
    if suite.is_dir():
        return suite
    archives = CACHE / f"pymongo-archive-{pymongo.version}"
    if not archives.is_dir():
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        source = ["--no-binary", ":all:", f"pymongo=={pymongo.version}"]
        fetch([*pip, *source], into=archives, what="pymongo's source archive")
    unpacked = Path(tempfile.mkdtemp(dir=CACHE, prefix="unpacking-"))
    try:
        with tarfile.open(next(archives.glob("pymongo-*.tar.gz"))) as archive:
            archive.extractall(unpacked, filter="data")
        prepared = unpacked / "suite"
        prepared.mkdir()
        (unpacked / f"pymongo-{pymongo.version}" / "test").rename(prepared / "test")
        (prepared / "pytest.ini").write_text(_PYTEST_INI)
        try:
            prepared.rename(suite)
        except OSError:  # somebody else was faster
            assert suite.is_dir()
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    return suite


def npm_package(name: str) -> Path:
    """Return a directory whose `node_modules` has the package; skip when Node or the package cannot be had."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("there is no Node")
    directory = CACHE / f"npm-{name.replace('/', '-')}"
    if not directory.is_dir():
        install = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", ".", name]
        fetch(install, into=directory, what=f"the npm package {name}")
    return directory
