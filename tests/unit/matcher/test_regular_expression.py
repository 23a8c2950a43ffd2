from typing import Any

import pytest
from bson.regex import Regex

from skerry.errors import BadValueError, CommandError
from skerry.matcher.compile import compile_filter


@pytest.mark.parametrize(
    ("pattern", "options", "value", "expected"),
    [
        ("b", "", "abc", True),
        ("^b", "", "abc", False),
        ("B", "i", "abc", True),
        ("^c", "m", "a\nc", True),
        ("^c", "", "a\nc", False),
        ("a.c", "s", "a\nc", True),
        ("a.c", "", "a\nc", False),
        ("a c # comment", "x", "ac", True),
        ("b", "", ["x", "abc"], True),
        ("b", "", 5, False),
        ("b", "", None, False),
        ("b", "", Regex("b"), True),
        ("b", "", Regex("b", "i"), False),
        (r"\Qa.b\E", "", "xa.bx", True),
        (r"\Qa.b\E", "", "xaxbx", False),
        (r"[[:digit:]]+$", "", "ab12", True),
        (r"(?<year>\d{4})", "", "in 2024", True),
        (r"c\z", "", "abc", True),
        (r"c\Z", "", "abc\n", True),
        (r"c\z", "", "abc\n", False),
        (r"\d", "", "٣", False),
        (r"\w", "", "é", False),
        ("É", "i", "é", True),
        (r"a\hb", "", "a\tb", True),
        (r"\x{e9}", "", "é", True),
        (r"[]a]", "", "]", True),
        (r"[^]a]", "", "]", False),
        (r"(a)\g{1}", "", "aa", True),
        ("(*UTF8)é", "", "é", True),
        ("(?i)ABC", "", "abc", True),
        ("^a++b", "", "aab", True),
        ("[a&&b]", "", "&", True),
    ],
)
def test_pattern_matches_as_pcre_does(pattern: str, options: str, value: Any, expected: bool) -> None:
    filter = {"a": {"$regex": pattern, "$options": options}}
    assert compile_filter(filter).matches({"a": value}) is expected


def test_bson_pattern_carries_its_options() -> None:
    assert compile_filter({"a": Regex("^B", "im")}).matches({"a": "x\nb"})
    assert compile_filter({"a": {"$regex": Regex("^B"), "$options": "i"}}).matches({"a": "b"})
    assert compile_filter({"a": {"$options": "i", "$regex": "^B"}}).matches({"a": "b"})


@pytest.mark.parametrize(
    ("filter", "code"),
    [
        ({"a": {"$regex": "("}}, 51091),
        ({"a": Regex("[")}, 51091),
        ({"a": {"$regex": r"\p{L}"}}, 51091),
        ({"a": {"$regex": "x" * 40000}}, 51091),
        ({"a": {"$regex": "x", "$options": "q"}}, 51108),
        ({"a": {"$regex": Regex("x", "i"), "$options": "m"}}, 51074),
        ({"a": {"$regex": 5}}, 2),
        ({"a": {"$regex": "x", "$options": 5}}, 2),
        ({"a": {"$options": "i"}}, 2),
        ({"a": {"$regex": "x\0"}}, 2),
    ],
)
def test_impossible_pattern_is_refused(filter: dict[str, Any], code: int) -> None:
    with pytest.raises(CommandError) as caught:
        compile_filter(filter)
    assert caught.value.code == code


def test_options_need_a_pattern() -> None:
    with pytest.raises(BadValueError, match=r"\$options needs a \$regex"):
        compile_filter({"a": {"$options": "i", "$gt": 1}})
