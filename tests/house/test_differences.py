"""The known deviations from MongoDB are numbered, each with a test and a line for users."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DIFFERENCES = sorted((ROOT / "tests" / "differences").glob("diff_*.py"))


def test_differences_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name.split("_")[1]) for path in DIFFERENCES]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_difference_has_a_line_in_the_guide() -> None:
    guide = (ROOT / "docs" / "differences.md").read_text("utf-8")
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", guide, re.MULTILINE)] == list(
        range(1, len(DIFFERENCES) + 1)
    )


def test_every_difference_says_what_mongodb_does_and_where_that_is_written() -> None:
    for path in DIFFERENCES:
        heading = path.read_text("utf-8").split('"""')[1]
        assert "MongoDB" in heading, path.name
        assert re.search(r"\(manual:\s", heading), path.name
