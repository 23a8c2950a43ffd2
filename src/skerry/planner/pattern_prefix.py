"""Which text must every string start with that a regular expression matches?

Only anchored, case-sensitive patterns have one (MongoDB manual, `$regex`, "Index Use").
"""

from dataclasses import dataclass
from typing import Final

_SPECIAL: Final = frozenset("^$.[]()*+?{}|\\")
_QUANTIFIERS: Final = frozenset("*+?{")


@dataclass(frozen=True, slots=True)
class PatternPrefix:
    """The text, and whether nothing else is asked of the string."""

    text: str
    is_whole_pattern: bool


def pattern_prefix(pattern: str, options: str) -> PatternPrefix:
    """Return the prefix that a pattern demands; an empty text demands nothing."""
    nothing = PatternPrefix("", is_whole_pattern=False)
    if "i" in options or "x" in options or "|" in pattern:
        return nothing
    if pattern.startswith("^") and "m" not in options:
        at = 1
    elif pattern.startswith("\\A"):
        at = 2
    else:
        return nothing
    text: list[str] = []
    while at < len(pattern):
        letter = pattern[at]
        size = 1
        if letter == "\\" and at + 1 < len(pattern) and not pattern[at + 1].isalnum():
            letter, size = pattern[at + 1], 2
        elif letter in _SPECIAL:
            break
        text.append(letter)
        at += size
    if at < len(pattern) and pattern[at] in _QUANTIFIERS and text:
        text.pop()
    return PatternPrefix("".join(text), is_whole_pattern=at == len(pattern) and bool(text))
