"""Trigonometric functions of decimals, to the 34 digits of a Decimal128.

`decimal` has exponentials, logarithms and roots only; the rest is made of Taylor series, after arguments are reduced so far
that a few dozen terms suffice. Computed with spare digits and rounded by the caller.
"""

from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from typing import Final

_DIGITS: Final = 50
_TINY: Final = Decimal("1E-25")
"""Below it the first two terms of a series have all the digits."""
_CONTEXT: Final = Context(prec=_DIGITS, Emin=-6300, Emax=6300)

PI: Final = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640629")


def _precise(function: Callable[[Decimal], Decimal]) -> Callable[[Decimal], Decimal]:
    def compute(x: Decimal) -> Decimal:
        with localcontext(_CONTEXT):
            return function(x)

    return compute


def _sum_series(term: Decimal, ratio: Callable[[int], Decimal]) -> Decimal:
    """Return the sum of a series from its first term and the ratio of term n to term n - 1."""
    total, n = term, 1
    while True:
        term = term * ratio(n)
        if total + term == total:
            return total
        total += term
        n += 1


def _reduced(x: Decimal) -> Decimal:
    """Return an angle between -pi and pi; a huge one needs as many digits of pi as it has itself, and gets what there is."""
    turns = (x / (2 * PI)).to_integral_value()
    return x - turns * 2 * PI


def _sin(x: Decimal) -> Decimal:
    x = _reduced(x)
    square = x * x
    return _sum_series(x, lambda n: -square / ((2 * n) * (2 * n + 1)))


def _cos(x: Decimal) -> Decimal:
    x = _reduced(x)
    square = x * x
    return _sum_series(Decimal(1), lambda n: -square / ((2 * n - 1) * (2 * n)))


def _atan(x: Decimal) -> Decimal:
    if x.is_infinite():
        return (PI / 2).copy_sign(x)
    if abs(x) > 1:
        return (PI / 2).copy_sign(x) - _atan(1 / x)
    halvings = 0
    while abs(x) > Decimal("0.1"):
        # atan(x) = 2 atan(x / (1 + sqrt(1 + x²)))
        x = x / (1 + (1 + x * x).sqrt())
        halvings += 1
    square = x * x
    power, total, n = x, x, 1
    while True:
        power = -power * square
        step = power / (2 * n + 1)
        if total + step == total:
            return total * Decimal(2**halvings)
        total += step
        n += 1


def _asin(x: Decimal) -> Decimal:
    return (PI / 2).copy_sign(x) if abs(x) == 1 else _atan(x / ((1 - x) * (1 + x)).sqrt())


def _sinh(x: Decimal) -> Decimal:
    if abs(x) < 1:
        square = x * x
        return _sum_series(x, lambda n: square / ((2 * n) * (2 * n + 1)))
    return (x.exp() - (-x).exp()) / 2


def _asinh(x: Decimal) -> Decimal:
    if x.is_infinite():
        return x
    size = abs(x)
    if size < _TINY:
        return x - x**3 / 6
    # ln(1 + y) loses the digits of a small y, so the sum is taken with as many more.
    with localcontext() as context:
        context.prec = _DIGITS * 2
        return (size + (size * size + 1).sqrt()).ln().copy_sign(x)


def _atanh(x: Decimal) -> Decimal:
    if abs(x) < _TINY:
        return x + x**3 / 3
    with localcontext() as context:
        context.prec = _DIGITS * 2
        return ((1 + x) / (1 - x)).ln() / 2


sin: Final = _precise(_sin)
cos: Final = _precise(_cos)
tan: Final = _precise(lambda x: _sin(x) / _cos(x))
asin: Final = _precise(_asin)
acos: Final = _precise(lambda x: PI / 2 - _asin(x))
atan: Final = _precise(_atan)
sinh: Final = _precise(_sinh)
cosh: Final = _precise(lambda x: (x.exp() + (-x).exp()) / 2)
tanh: Final = _precise(lambda x: Decimal(1).copy_sign(x) if abs(x) > 100 else _sinh(x) / ((x.exp() + (-x).exp()) / 2))
asinh: Final = _precise(_asinh)
acosh: Final = _precise(lambda x: x if x.is_infinite() else (x + (x * x - 1).sqrt()).ln())
atanh: Final = _precise(_atanh)


def atan2(y: Decimal, x: Decimal) -> Decimal:
    """Return the angle of the point (x, y); the caller has dealt with not-a-number."""
    with localcontext(_CONTEXT):
        if y.is_infinite() and x.is_infinite():
            angle = PI / 4
        elif not y or x.is_infinite():
            angle = Decimal(0)
        elif not x or y.is_infinite():
            return (PI / 2).copy_sign(y)
        else:
            angle = _atan(abs(y) / abs(x))
        return (PI - angle if x.is_signed() else angle).copy_sign(y)
