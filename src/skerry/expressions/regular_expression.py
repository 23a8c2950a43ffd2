"""`$regexMatch`, `$regexFind`, `$regexFindAll`.

Source: MongoDB manual, "String Expression Operators". A null or missing input or pattern finds nothing; positions count
code points.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from bson.regex import Regex

from skerry.errors import CommandError
from skerry.expressions.operands import named
from skerry.expressions.pattern_dialect import compile_pattern, options_of
from skerry.expressions.scope import OperatorParser
from skerry.expressions.truth import is_nullish
from skerry.values.type_order import type_name_of

INVALID_PATTERN: Final = 51111
_OPTIONS: Final = frozenset("imsxu")


def _compile(name: str, regex: Any, options: Any) -> re.Pattern[str]:
    if not is_nullish(options) and not isinstance(options, str):
        raise CommandError(f"{name} needs 'options' to be of type string, found {type_name_of(options)}", 51106)
    if isinstance(regex, Regex):
        pattern, own = regex.pattern, options_of(regex)
        if own and not is_nullish(options):
            raise CommandError(f"{name}: found regex option(s) specified in both 'regex' and 'option' fields", 51107)
        flags = own or ("" if is_nullish(options) else options)
    elif isinstance(regex, str):
        pattern, flags = regex, "" if is_nullish(options) else options
    else:
        raise CommandError(f"{name} needs 'regex' to be of type string or regex, found {type_name_of(regex)}", 51105)
    if "\0" in pattern:
        raise CommandError(f"{name}: regular expression cannot contain an embedded null byte", 51109)
    if "\0" in flags:
        raise CommandError(f"{name}: regular expression options cannot contain an embedded null byte", 51110)
    if not _OPTIONS.issuperset(flags):
        raise CommandError(f"{name}: invalid flag in regex options: {flags}", 51108)
    try:
        return compile_pattern(pattern, flags)
    except CommandError as error:
        raise CommandError(f"Invalid Regex in {name}: {error.message}", INVALID_PATTERN) from None


def _shown(match: re.Match[str]) -> dict[str, Any]:
    return {"match": match[0], "idx": match.start(), "captures": list(match.groups())}


def _matches(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.search(text) is not None


def _find(pattern: re.Pattern[str], text: str) -> Any:
    match = pattern.search(text)
    return None if match is None else _shown(match)


def _find_all(pattern: re.Pattern[str], text: str) -> list[Any]:
    found: list[Any] = []
    position = 0
    while match := pattern.search(text, position):
        found.append(_shown(match))
        # An empty match moves on by one character; at the end of the text nothing more is looked for.
        position = match.end() + (match.end() == match.start())
        if position >= len(text):
            break
    return found


def _regex(name: str, search: Callable[[re.Pattern[str], str], Any], nothing: Callable[[], Any]) -> OperatorParser:
    def compute(text: Any, regex: Any, options: Any) -> Any:
        if not is_nullish(text) and not isinstance(text, str):
            raise CommandError(f"{name} needs 'input' to be of type string, found {type_name_of(text)}", 51104)
        if is_nullish(regex):
            return nothing()
        pattern = _compile(name, regex, options)
        return nothing() if is_nullish(text) else search(pattern, text)

    return named(
        compute,
        required=("input", "regex"),
        optional={"options": None},
        not_a_document=51103,
        unknown=31024,
        missing={"input": 31022, "regex": 31023},
    )


OPERATORS: Final[dict[str, OperatorParser]] = {
    "$regexFind": _regex("$regexFind", _find, lambda: None),
    "$regexFindAll": _regex("$regexFindAll", _find_all, list),
    "$regexMatch": _regex("$regexMatch", _matches, lambda: False),
}
