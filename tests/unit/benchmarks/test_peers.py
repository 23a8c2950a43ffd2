"""The peers are pinned, known to the subjects, and no dependency of ours."""

import sys
import tomllib
from itertools import chain
from pathlib import Path

from benchmarks.peers import installed_version, required_versions
from benchmarks.subjects import SUBJECTS

ROOT = Path(__file__).parents[3]


def test_every_peer_of_a_subject_is_pinned_and_every_pinned_peer_is_measured() -> None:
    assert {subject.peer for subject in SUBJECTS.values() if subject.peer} == set(required_versions())


def test_every_subject_is_compared_with_another() -> None:
    for name, subject in SUBJECTS.items():
        assert subject.compared_with in SUBJECTS
        assert subject.compared_with != name


def test_no_peer_is_a_dependency_of_ours() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    required = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    assert required
    assert not [peer for peer in required_versions() for each in required if each.lower().startswith(peer)]


def test_the_version_of_what_is_not_installed_is_none() -> None:
    assert installed_version(Path(sys.executable), "no-such-distribution") is None
    assert installed_version(Path(sys.executable), "skerry") is not None
