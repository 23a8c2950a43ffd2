"""What MkDocs puts into the site beside docs/: pages that lie at the top of the tree, and the figures of the last benchmarks."""

import json
import re
from pathlib import Path
from typing import Any, Final

from mkdocs.structure.files import File, Files

ROOT: Final = Path(__file__).parents[1]
TOP_PAGES: Final = {"architecture.md": "ARCHITECTURE.md", "changelog.md": "CHANGELOG.md"}
RESULTS: Final = ROOT / "benchmarks" / "results" / "latest.json"
MEASURED: Final = "<!-- measured -->"


def on_files(files: Files, config: Any) -> Files:
    """Add the pages; their links into docs/ point beside them then."""
    for name, source in TOP_PAGES.items():
        text = (ROOT / source).read_text("utf-8").replace("](docs/", "](")
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the tables of the last complete run of the benchmarks in place of the mark."""
    return markdown.replace(MEASURED, measured()) if MEASURED in markdown else markdown


def measured() -> str:
    """Return the tables, or a sentence when there has been no complete run."""
    if not RESULTS.exists():
        return "No complete run is stored with this version. `make bench` makes one."
    from benchmarks import report  # here, because it needs what the benchmarks need

    text = report.markdown(json.loads(RESULTS.read_text("utf-8")))
    return re.sub(r"^# .*\n", "", text, count=1).replace("\n## ", "\n### ")
