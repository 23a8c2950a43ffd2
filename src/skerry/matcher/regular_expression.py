"""`$regex` and BSON regular expressions as predicates; `expressions.pattern_dialect` has the dialect and the options."""

from typing import Any

from bson.regex import Regex

from skerry.errors import BadValueError, CommandError
from skerry.expressions.pattern_dialect import compile_pattern, options_of
from skerry.matcher.match_expression import RegexMatch
from skerry.matcher.path_traversal import ValueTest


def match_of_regex(path: str, regex: Regex[str]) -> RegexMatch:
    """Return the predicate of `{path: /pattern/options}`; an invalid pattern is refused here (51091)."""
    options = options_of(regex)
    compile_pattern(regex.pattern, options)
    return RegexMatch(path, regex.pattern, options)


def parse_regex(path: str, pattern: Any, options: Any = "") -> RegexMatch:
    """Parse `{$regex: pattern, $options: options}`.

    Raises BadValueError for operands of other types, CommandError 51108 for an unknown option, 51074 when both carry
    options, 51091 for an invalid pattern.
    """
    if not isinstance(options, str):
        raise BadValueError("$options has to be a string")
    if isinstance(pattern, Regex):
        own = options_of(pattern)
        if own and options:
            raise CommandError("options set in both $regex and $options", 51074)
        pattern, options = pattern.pattern, own or options
    if not isinstance(pattern, str):
        raise BadValueError("$regex has to be a string")
    compile_pattern(pattern, options)
    return RegexMatch(path, pattern, "".join(sorted(set(options))))


def regex_test(pattern: str, options: str) -> ValueTest:
    """Return the test of a value: a string that the pattern matches somewhere, or the same regular expression."""
    search = compile_pattern(pattern, options).search
    own = "".join(sorted(set(options)))

    def test(value: Any) -> bool:
        if value.__class__ is str:
            return search(value) is not None
        return value.__class__ is Regex and value.pattern == pattern and options_of(value) == own

    return test
