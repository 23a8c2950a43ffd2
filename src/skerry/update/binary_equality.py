"""Would two values be the same bytes? The equality that decides whether an update changes anything.

Stricter than MongoDB's comparison: 1 differs from 1.0 and from a long 1, and the order of fields counts.
"""

import math
from typing import Any, Final

from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.timestamp import Timestamp

from skerry.values.documents import encode
from skerry.values.missing import Missing

# Values of these classes are equal to others of their class only when their bytes are.
_PLAIN: Final = frozenset((str, int, bool, type(None), ObjectId, Int64, bytes, Timestamp, Decimal128, Missing))


def binary_equal(a: Any, b: Any) -> bool:
    """Tell whether two values have the same type and the same bytes; either may be `MISSING`."""
    if a is b:
        return True
    kind = a.__class__
    if kind is not b.__class__:
        return False
    if kind in _PLAIN:
        return bool(a == b)
    if kind is float:
        return _same_double(a, b)
    if kind is dict:
        return _same_fields(a, b)
    if kind is list:
        return len(a) == len(b) and all(map(binary_equal, a, b))
    return encode({"": a}) == encode({"": b})


def _same_double(a: float, b: float) -> bool:
    if a != a or b != b:
        return a != a and b != b
    return a == b and (a != 0 or math.copysign(1, a) == math.copysign(1, b))


def _same_fields(a: dict[str, Any], b: dict[str, Any]) -> bool:
    if len(a) != len(b):
        return False
    for (name, value), (other_name, other) in zip(a.items(), b.items()):
        if name != other_name or (value is not other and not binary_equal(value, other)):
            return False
    return True
