"""`$bitsAllSet`, `$bitsAllClear`, `$bitsAnySet`, `$bitsAnyClear`: tests of bits in integers and binary values.

Integers are two's complement and sign-extended without end, as the manual says; binary values are little-endian and
end with zeros.
"""

from typing import Any, Final

from bson.binary import Binary

from skerry.errors import BadValueError
from skerry.matcher.integer_operand import MAX_INT64, MIN_INT64, integral
from skerry.matcher.match_expression import BitTest, BitTestKind, MatchExpression
from skerry.matcher.path_traversal import ValueTest

# Past the end of the largest document (16 MiB) a position reads the sign of an integer and zero of a binary value, as
# every position beyond does: so a mask stays small.
_BEYOND_ANY_VALUE: Final = 16 * 1024 * 1024 * 8


def parse_bit_test(path: str, kind: BitTestKind, operand: Any) -> MatchExpression:
    """Parse a mask: a non-negative integer, a binary value, or an array of bit positions."""
    if isinstance(operand, list | tuple):
        return BitTest(path, kind, _mask_of_positions(operand))
    if isinstance(operand, bytes | Binary):
        return BitTest(path, kind, int.from_bytes(operand, "little"))
    mask = integral(operand)
    if mask is None:
        raise BadValueError(f"{kind} takes an Array, a number, or a BinData but received: {operand!r}")
    if mask < 0:
        raise BadValueError(f"Expected a non-negative number in: {kind}: {operand}")
    if mask > MAX_INT64:
        raise BadValueError(f"Cannot represent as a 64-bit integer: {kind}: {operand}")
    return BitTest(path, kind, mask)


def _mask_of_positions(positions: list[Any] | tuple[Any, ...]) -> int:
    mask = 0
    for item in positions:
        position = integral(item)
        if position is None:
            raise BadValueError(f"Failed to parse bit position. Expected an integer: {item!r}")
        if position < 0:
            raise BadValueError(f"Failed to parse bit position. Expected a non-negative number in: {item!r}")
        if position >= 2**31:
            raise BadValueError(f"Failed to parse bit position. Cannot represent as a 32-bit integer: {item!r}")
        mask |= 1 << min(position, _BEYOND_ANY_VALUE)
    return mask


def bit_test(kind: BitTestKind, mask: int) -> ValueTest:
    """Return the test of a value's bits; values that are neither integral 64-bit numbers nor binary do not match."""

    def test(value: Any) -> bool:
        if value.__class__ is bytes or value.__class__ is Binary:
            bits: int | None = int.from_bytes(value, "little")
        elif isinstance(value, int | float):
            bits = integral(value)
            if bits is None or not MIN_INT64 <= bits <= MAX_INT64:
                return False
        else:
            return False
        assert bits is not None
        common = bits & mask
        if kind == "$bitsAllSet":
            return common == mask
        if kind == "$bitsAllClear":
            return common == 0
        if kind == "$bitsAnySet":
            return common != 0
        return common != mask

    return test
