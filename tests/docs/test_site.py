"""The site builds without a warning, every page is in its navigation, and no page loads anything from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tools import site_pages

ROOT: Final = Path(__file__).parents[2]
FROM_ELSEWHERE: Final = re.compile(
    r'<(?:script|img|iframe|source)[^>]+src="?https?://|<link[^>]+rel="?stylesheet"?[^>]+href="?https?://'
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs")
    directory = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return directory


@pytest.mark.slow
def test_the_site_builds_and_has_every_page(site: Path) -> None:
    names = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}
    names |= {Path(name).stem for name in site_pages.TOP_PAGES}
    assert {path.parent.name for path in site.rglob("index.html")} >= names


@pytest.mark.slow
def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert not FROM_ELSEWHERE.search(path.read_text("utf-8")), path.name


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:")[2]
    for path in (ROOT / "docs").rglob("*.md"):
        assert f": {path.relative_to(ROOT / 'docs')}\n" in navigation, path.name


def test_every_picture_is_shown_on_a_page_with_words_for_those_who_cannot_see_it() -> None:
    text = "".join(path.read_text("utf-8") for path in (ROOT / "docs").rglob("*.md"))
    for path in (ROOT / "docs" / "images").iterdir():
        assert re.search(rf"!\[[^]]+\]\(images/{path.name}\)", text), path.name
        assert path.suffix != ".svg" or "<title>" in path.read_text("utf-8"), path.name
