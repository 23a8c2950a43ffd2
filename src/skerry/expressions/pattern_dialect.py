"""MongoDB's PCRE2 dialect on Python's `re`, for `$regexMatch` and kin and for `$regex` of filters.

Translated: `\\z`, `\\Z`, `\\A`, `\\h`, `\\H`, `\\R`, `\\Q…\\E`, `(?<name>…)`, `\\g{n}`, `\\k<name>`, POSIX classes such as
`[[:alpha:]]`, and the prefixes `(*UTF8)`, `(*UTF)`, `(*UCP)`. As in PCRE2 without UCP, `\\w`, `\\d`, `\\s` and `\\b` know
ASCII only. What `re` cannot express (`\\K`, `\\p{…}`, recursion, verbs) is refused with 51091, the code of an invalid
pattern, rather than matched differently.

Options: `i` case-insensitive, `m` `^` and `$` at line ends, `s` `.` matches line ends, `x` ignore white space and
comments, `u` accepted and without effect (UTF is always on).
"""

import re
from functools import lru_cache
from typing import Final

from bson.regex import Regex

from skerry.errors import BadValueError, CommandError

MAX_PATTERN_CHARACTERS: Final = 32764  # MongoDB manual, $regex: PCRE's limit as the server compiles it

_FLAGS: Final = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "u": re.NOFLAG}
_INVALID_PATTERN: Final = 51091
_INVALID_OPTION: Final = 51108
_PREFIX: Final = re.compile(r"\(\*(UTF8|UTF|UCP)\)")
_POSIX_CLASSES: Final = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "ascii": r"\x00-\x7f",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "word": r"\w",
    "xdigit": "0-9A-Fa-f",
}
_POSIX_CLASS: Final = re.compile(r"\[:([a-z]+):\]")
# An escape, a quoted run, a named group, a class with its optional leading "]", or a construct that `re` lacks.
_TOKEN: Final = re.compile(
    r"""
    (?P<quoted> \\Q(?P<run>.*?)(?:\\E|\Z) )
  | (?P<hexadecimal> \\x\{(?P<digits>[0-9A-Fa-f]{1,6})\} )
  | (?P<comment> \#[^\n]* )
  | (?P<backreference> \\g\{?(?P<number>\d+)\}? | \\k[<'{](?P<group>\w+)[>'}] )
  | (?P<escape> \\. )
  | (?P<named> \(\?<(?=[A-Za-z_]) | \(\?' (?P<quoted_name>\w+) ' )
  | (?P<unsupported> \(\?R | \(\?[0-9]+\) | \(\?&\w+\) | \(\?P> | \(\?\| | \(\*[A-Z] | \(\?C )
  | (?P<class_open> \[\^?\]? )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES: Final = {
    "z": r"\Z",
    "Z": r"(?=\n?\Z)",
    "h": r"[ \t\u00a0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    "H": r"[^ \t\u00a0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    "R": r"(?:\r\n|[\n-\r\u0085\u2028\u2029])",
    "N": r"[^\n]",
    "v": r"[\n-\r\u0085\u2028\u2029]",
    "V": r"[^\n-\r\u0085\u2028\u2029]",
    "e": r"\x1b",
    "a": r"\a",
}
_CLASS_ESCAPES: Final = {"h": _ESCAPES["h"][1:-1], "v": _ESCAPES["v"][1:-1], "e": _ESCAPES["e"]}
_UNSUPPORTED_ESCAPES: Final = frozenset("KpPXGCE")


def options_of(regex: Regex[str]) -> str:
    """Return the options of a BSON regular expression as MongoDB writes them, in alphabetical order."""
    return "".join(
        letter
        for letter, flag in (("i", re.I), ("m", re.M), ("s", re.S), ("u", re.U), ("x", re.X))
        if regex.flags & flag
    )


@lru_cache(maxsize=512)
def compile_pattern(pattern: str, options: str) -> re.Pattern[str]:
    """Compile MongoDB's pattern for `re.Pattern.search`.

    Raises CommandError 51108 for an unknown option, 51091 for a pattern that is invalid, too long, or beyond `re`.
    """
    flags = re.NOFLAG
    for option in options:
        if option not in _FLAGS:
            raise CommandError(f"invalid flag in regex options: {option}", _INVALID_OPTION)
        flags |= _FLAGS[option]
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise CommandError("Regular expression is invalid: regular expression is too large", _INVALID_PATTERN)
    if "\0" in pattern:
        raise BadValueError("Regular expression cannot contain an embedded null byte")
    unicode_classes = False
    while prefix := _PREFIX.match(pattern):
        unicode_classes |= prefix[1] == "UCP"
        pattern = pattern[prefix.end() :]
    # `re.ASCII` narrows case folding as well, so a pattern with other letters keeps Unicode folding and classes.
    if not unicode_classes and (pattern.isascii() or not flags & re.IGNORECASE):
        flags |= re.ASCII
    try:
        return re.compile(_translate(pattern, verbose=bool(flags & re.VERBOSE)), flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise CommandError(f"Regular expression is invalid: {error}", _INVALID_PATTERN) from None


def _translate(pattern: str, *, verbose: bool) -> str:
    if "\\" not in pattern and "(?" not in pattern and "(*" not in pattern and "[" not in pattern:
        return pattern
    translated: list[str] = []
    position = 0
    while token := _TOKEN.search(pattern, position):
        translated.append(pattern[position : token.start()])
        position = token.end()
        if token["comment"] is not None:
            position = token.end() if verbose else token.start() + 1
            translated.append(pattern[token.start() : position])
        elif token["class_open"] is not None:
            text, position = _translate_class(pattern, token.start(), position)
            translated.append(text)
        else:
            translated.append(_translate_token(token))
    translated.append(pattern[position:])
    return "".join(translated)


def _translate_token(token: re.Match[str]) -> str:
    if token["quoted"] is not None:
        return re.escape(token["run"])
    if token["hexadecimal"] is not None:
        return re.escape(chr(int(token["digits"], 16)))
    if token["backreference"] is not None:
        return f"(?P={token['group']})" if token["group"] else rf"(?:\{token['number']})"
    if token["named"] is not None:
        return f"(?P<{token['quoted_name']}>" if token["quoted_name"] else "(?P<"
    if token["unsupported"] is not None:
        raise re.error(f"{token[0]} is not supported")
    letter = token[0][1]
    if letter in _UNSUPPORTED_ESCAPES:
        raise re.error(f"\\{letter} is not supported")
    return _ESCAPES.get(letter, token[0])


def _translate_class(pattern: str, start: int, body: int) -> tuple[str, int]:
    """Return a character class for `re` and where the pattern goes on."""
    translated = [pattern[start:body].replace("]", r"\]")]
    position = body
    while position < len(pattern) and pattern[position] != "]":
        posix = _POSIX_CLASS.match(pattern, position)
        if posix:
            if posix[1] not in _POSIX_CLASSES:
                raise re.error(f"unknown POSIX class name {posix[1]}")
            translated.append(_POSIX_CLASSES[posix[1]])
            position = posix.end()
        elif pattern[position] == "\\" and position + 1 < len(pattern):
            letter = pattern[position + 1]
            if letter in _UNSUPPORTED_ESCAPES:
                raise re.error(f"\\{letter} is not supported")
            translated.append(_CLASS_ESCAPES.get(letter, pattern[position : position + 2]))
            position += 2
        else:
            # `re` warns of set operators to come where these stand in a class.
            translated.append("\\" + pattern[position] if pattern[position] in "[&~|" else pattern[position])
            position += 1
    if position == len(pattern):
        raise re.error("missing terminating ] for character class")
    return "".join(translated) + "]", position + 1
