"""Dates written and read by a format: `%Y-%m-%d` and the like.

Source: MongoDB manual, `$dateToString` and `$dateFromString`, "Format Specifiers".
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from skerry.errors import CommandError, ConversionFailureError
from skerry.expressions.date_parts import day_from_sunday, week_from_sunday
from skerry.expressions.date_zones import zone_named

UNMATCHED_PERCENT: Final = 18535
UNKNOWN_SPECIFIER: Final = 18536

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

ZONE: Final = r"\s*(?P<zone>(?:GMT|UTC)?[+-]\d{1,2}:?(?:\d{2})?|[A-Za-z]{1,5})"
"""How strings name a zone: an offset, or an abbreviation of `_ABBREVIATIONS`; identifiers such as Europe/Vienna are refused."""

_ABBREVIATIONS: Final[dict[str, str]] = {
    "ACDT": "+1030", "ACST": "+0930", "AEDT": "+11", "AEST": "+10", "AKDT": "-08", "AKST": "-09", "AWST": "+08",
    "BST": "+01", "CDT": "-05", "CEST": "+02", "CET": "+01", "CST": "-06", "EDT": "-04", "EEST": "+03", "EET": "+02",
    "EST": "-05", "GMT": "UTC", "HST": "-10", "JST": "+09", "KST": "+09", "MDT": "-06", "MSK": "+03", "MST": "-07",
    "NZDT": "+13", "NZST": "+12", "PDT": "-07", "PST": "-08", "UTC": "UTC", "WEST": "+01", "WET": "UTC", "Z": "UTC",
    # Military letters; there is no J.
    **{letter: f"+{hours:02}" for hours, letter in enumerate("ABCDEFGHIKLM", 1)},
    **{letter: f"-{hours:02}" for hours, letter in enumerate("NOPQRSTUVWXY", 1)},
}  # fmt: skip

_WRITERS: Final[dict[str, Callable[[datetime, int], str]]] = {
    "%": lambda _local, _offset: "%",
    "B": lambda local, _offset: MONTHS[local.month - 1],
    "G": lambda local, _offset: f"{local.isocalendar().year:04}",
    "H": lambda local, _offset: f"{local.hour:02}",
    "L": lambda local, _offset: f"{local.microsecond // 1000:03}",
    "M": lambda local, _offset: f"{local.minute:02}",
    "S": lambda local, _offset: f"{local.second:02}",
    "U": lambda local, _offset: f"{week_from_sunday(local):02}",
    "V": lambda local, _offset: f"{local.isocalendar().week:02}",
    "Y": lambda local, _offset: f"{local.year:04}",
    "Z": lambda _local, offset: str(offset),
    "b": lambda local, _offset: MONTHS[local.month - 1][:3],
    "d": lambda local, _offset: f"{local.day:02}",
    "j": lambda local, _offset: f"{local.timetuple().tm_yday:03}",
    "m": lambda local, _offset: f"{local.month:02}",
    "u": lambda local, _offset: str(local.isoweekday()),
    "w": lambda local, _offset: str(day_from_sunday(local)),
    "z": lambda _local, offset: f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}{abs(offset) % 60:02}",
}
_READERS: Final[dict[str, str]] = {
    "%": "%",
    "B": f"(?P<month_name>{'|'.join(MONTHS)})",
    "G": r"(?P<iso_year>\d{1,4})",
    "H": r"(?P<hour>[01]?\d|2[0-4])",
    "L": r"(?P<fraction>\d{1,3})",
    "M": r"(?P<minute>[0-5]?\d)",
    "S": r"(?P<second>[0-5]?\d|60)",
    "V": r"(?P<iso_week>\d{1,2})",
    "Y": r"(?P<year>\d{1,4})",
    "Z": r"(?P<offset_minutes>[+-]?\d{1,4})",
    "b": f"(?P<month_name>{'|'.join(name[:3] for name in MONTHS)})",
    "d": r"(?P<day>[0-2]?\d|3[01])",
    "j": r"(?P<day_of_year>\d{1,3})",
    "m": r"(?P<month>0?\d|1[0-2])",
    "u": r"(?P<iso_day>[1-7])",
    "z": ZONE,
}
_SPECIFIER: Final = re.compile(r"%(.?)", re.DOTALL)


def write(layout: str, local: datetime, offset_minutes: int) -> str:
    """Return a local time by a format; `offset_minutes` is what its zone is ahead of UTC.

    Raises CommandError 18535 and 18536 for a malformed format.
    """

    def written(specifier: re.Match[str]) -> str:
        writer = _WRITERS.get(specifier[1])
        if writer is None:
            raise _unknown(specifier[1])
        return writer(local, offset_minutes)

    return _SPECIFIER.sub(written, layout)


@lru_cache(maxsize=256)
def reader_of(layout: str) -> re.Pattern[str]:
    """Compile a format to a pattern for strings; raises CommandError 18535 and 18536 for a malformed one."""
    pieces: list[str] = []
    position = 0
    for specifier in _SPECIFIER.finditer(layout):
        pieces.append(re.escape(layout[position : specifier.start()]))
        piece = _READERS.get(specifier[1])
        if piece is None:
            raise _unknown(specifier[1])
        pieces.append(piece)
        position = specifier.end()
    pieces.append(re.escape(layout[position:]))
    try:
        return re.compile("".join(pieces), re.IGNORECASE | re.ASCII)
    except re.error:
        raise CommandError(f"the format '{layout}' has a specifier twice", UNKNOWN_SPECIFIER) from None


def _unknown(character: str) -> CommandError:
    if not character:
        return CommandError("Unmatched '%' at end of format string", UNMATCHED_PERCENT)
    return CommandError(f"Invalid format character '%{character}' in format string", UNKNOWN_SPECIFIER)


def local_and_zone(text: str, match: re.Match[str] | None) -> tuple[datetime, str | None]:
    """Return the local time that a pattern of the names above read from `text`, and the zone written with it.

    Raises ConversionFailureError where there was no match, a part is missing, or there is no such day.
    """
    if match is None:
        raise ConversionFailureError(f"Error parsing date string '{text}'")
    parts = {name: value for name, value in match.groupdict().items() if value is not None}
    try:
        day = _day(parts)
        if day is None:
            raise ConversionFailureError(
                f'an incomplete date/time string has been found, with elements missing: "{text}"'
            )
        return day + _time(parts), _zone(parts)
    except (ValueError, OverflowError) as error:
        raise ConversionFailureError(f"Error parsing date string '{text}'; {error}") from None


def _day(parts: dict[str, str]) -> datetime | None:
    if "month_name" in parts:
        shorts = [name[:3].lower() for name in MONTHS]
        parts["month"] = str(shorts.index(parts["month_name"][:3].lower()) + 1)
    if any(part in parts for part in ("iso_year", "iso_week", "iso_day")):
        if any(part in parts for part in ("year", "month", "day", "day_of_year")):
            raise ValueError("Mixing of ISO dates with natural dates is not allowed")
        if "iso_year" not in parts:
            return None
        first = datetime.fromisocalendar(int(parts["iso_year"]), 1, 1)
        return first + timedelta(weeks=int(parts.get("iso_week", 1)) - 1, days=int(parts.get("iso_day", 1)) - 1)
    if "year" in parts and "day_of_year" in parts:
        return datetime(int(parts["year"]), 1, 1) + timedelta(days=int(parts["day_of_year"]) - 1)
    if "year" in parts and "month" in parts and "day" in parts:
        # A day beyond the end of its month carries over into the next one.
        day, year = int(parts["day"]), int(parts["year"])
        if not 1 <= day <= 31:
            raise ValueError("unexpected day")
        if len(parts["year"]) == 2:
            year += 1900 if year >= 70 else 2000
        return datetime(year, int(parts["month"]), 1) + timedelta(days=day - 1)
    return None


def _time(parts: dict[str, str]) -> timedelta:
    hour = 12 if parts.get("word", "").lower() == "noon" else int(parts.get("hour", 0))
    if "half" in parts:
        if not 1 <= hour <= 12:
            raise ValueError("unexpected hour")
        hour = hour % 12 + (12 if parts["half"][0] in "pP" else 0)
    return timedelta(
        hours=hour,
        minutes=int(parts.get("minute", 0)),
        seconds=int(parts.get("second", 0)),
        milliseconds=int(parts.get("fraction", "0").ljust(3, "0")[:3]),
    )


def _zone(parts: dict[str, str]) -> str | None:
    if "offset_minutes" in parts:
        minutes = int(parts["offset_minutes"])
        sign = "-" if minutes < 0 else "+"
        return f"{sign}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    return parts.get("zone")


def zone_written(text: str, name: str) -> tzinfo:
    """Return the time zone that a string has in it.

    Raises ConversionFailureError for an unknown one.
    """
    shown = name.upper()
    known = _ABBREVIATIONS.get(shown)
    if known is None:
        offset = shown.removeprefix("UTC").removeprefix("GMT")
        digits = offset[1:].replace(":", "")
        known = offset[:1] + digits.zfill(2 if len(digits) <= 2 else 4)
    try:
        return zone_named(known)
    except CommandError:
        raise ConversionFailureError(f"Error parsing date string '{text}'; unknown time zone {name}") from None
