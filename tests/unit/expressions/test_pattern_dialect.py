import pytest
from bson.regex import Regex

from skerry.errors import CommandError
from skerry.expressions.pattern_dialect import compile_pattern, options_of


@pytest.mark.parametrize(
    ("pattern", "options", "text", "found"),
    [
        ("^a.c$", "", "abc", True),
        ("A", "i", "a", True),
        ("^b", "m", "a\nb", True),
        ("a.b", "s", "a\nb", True),
        ("a b # comment", "x", "ab", True),
        (r"\d", "", "٣", False),
        (r"(*UCP)\d", "", "٣", True),
        ("É", "i", "é", True),
        (r"\Qa.b\E", "", "a.b", True),
        (r"\Qa.b\E", "", "axb", False),
        (r"(?<first>a)\k<first>", "", "aa", True),
        (r"(a)\g{1}", "", "aa", True),
        (r"[[:digit:]]+", "", "12", True),
        (r"[[:^x]", "", ":", True),
        (r"a\z", "", "a\n", False),
        (r"a\Z", "", "a\n", True),
        (r"\x{e9}", "", "é", True),
    ],
)
def test_patterns_match_as_in_pcre(pattern, options, text, found):
    assert (compile_pattern(pattern, options).search(text) is not None) == found


@pytest.mark.parametrize(
    ("pattern", "options", "code"),
    [("(", "", 51091), (r"\p{L}", "", 51091), (r"(?R)", "", 51091), ("a" * 40_000, "", 51091), ("a", "q", 51108)],
)
def test_what_cannot_be_matched_is_refused(pattern, options, code):
    with pytest.raises(CommandError) as caught:
        compile_pattern(pattern, options)
    assert caught.value.code == code


def test_options_are_in_alphabetical_order():
    assert options_of(Regex("a", "xsmi")) == "imsx"
