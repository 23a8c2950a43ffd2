"""Modification tokens: what tells one committed state of a collection from the next.

Shape: `<milliseconds since 1970>-<up to 9 base-36 digits>`, for example `1718000000000-k3j9x2a1q`.
"""

import random
import re
from typing import Any, Final

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_SHAPE: Final = re.compile(r"\d+-[a-z0-9]+")
_RANDOM_DIGITS: Final = 9


def generate(wall_ms: int) -> str:
    """Return a new token for a change made at `wall_ms`."""
    number = random.getrandbits(46)  # 36 ** 9 is a little above 2 ** 46
    digits = []
    while number:
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
    return f"{wall_ms}-{''.join(digits).rjust(_RANDOM_DIGITS, '0')}"


def is_valid(token: Any) -> bool:
    """Whether `token` has the shape of a modification token; never raises."""
    return isinstance(token, str) and _SHAPE.fullmatch(token) is not None
