"""Numbers as people read them."""

import json
from datetime import UTC, datetime
from typing import Any, Final

NOTHING: Final = "\u2013"
_STEPS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))


def count(number: float | None) -> str:
    """Return a number with spaces between thousands."""
    return NOTHING if number is None else f"{number:,.0f}".replace(",", "\u202f")


def duration(milliseconds: float | None) -> str:
    """Return a length of time in the largest unit that it fills, `NOTHING` for None."""
    if milliseconds is None:
        return NOTHING
    for size, unit in _STEPS:
        if milliseconds >= size:
            amount = milliseconds / size
            return f"{amount:.0f} {unit}" if amount >= 10 or amount == int(amount) else f"{amount:.1f} {unit}"
    return f"{milliseconds:.0f} ms" if milliseconds >= 1 or not milliseconds else f"{milliseconds * 1000:.0f} µs"


def moment(milliseconds: int | None) -> str:
    """Return a moment, given in milliseconds since 1970, in UTC."""
    if milliseconds is None:
        return NOTHING
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def ago(milliseconds: int | None, now_ms: int) -> str:
    """Return how long ago a moment was."""
    return "never" if milliseconds is None else f"{duration(max(0, now_ms - milliseconds))} ago"


def share(part: float | None) -> str:
    """Return a share between 0 and 1 in percent."""
    return NOTHING if part is None else f"{part:.0%}"


def plural(number: int, noun: str) -> str:
    """Return `1 document`, `2 documents`."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def as_text(value: Any) -> str:
    """Return an `_id` in one line: strings as they are, the rest as JSON has it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
