import pytest

from skerry.planner.pattern_prefix import pattern_prefix


@pytest.mark.parametrize(
    ("pattern", "options", "text", "whole"),
    [
        ("^abc", "", "abc", True),
        ("^abc", "s", "abc", True),
        ("^abc", "i", "", False),
        ("^abc", "m", "", False),
        ("^abc", "x", "", False),
        (r"\Aabc", "", "abc", True),
        (r"\Aabc", "m", "abc", True),
        ("abc", "", "", False),
        ("^", "", "", False),
        ("^a.*", "", "a", False),
        ("^abc$", "", "abc", False),
        ("^abc*", "", "ab", False),
        ("^abc?d", "", "ab", False),
        ("^abc+", "", "ab", False),
        ("^abc{2}", "", "ab", False),
        ("^a|b", "", "", False),
        ("^a(b|c)", "", "", False),
        ("^(ab)", "", "", False),
        ("^a[bc]", "", "a", False),
        (r"^a\.b", "", "a.b", True),
        (r"^a\.?b", "", "a", False),
        (r"^a\db", "", "a", False),
        (r"^a\Q.\E", "", "a", False),
        ("^a\\", "", "a", False),
        ("(?i)^abc", "", "", False),
        ("^(?i)abc", "", "", False),
        ("^üé ", "", "üé ", True),
    ],
)
def test_the_prefix_that_a_pattern_demands(pattern: str, options: str, text: str, whole: bool) -> None:
    found = pattern_prefix(pattern, options)
    assert (found.text, found.is_whole_pattern) == (text, whole)
