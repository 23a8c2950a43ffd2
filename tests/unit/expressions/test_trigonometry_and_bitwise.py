import math
from decimal import Decimal
from math import inf, nan

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

from skerry.expressions import decimal_trigonometry

PI = Decimal128("3.141592653589793238462643383279503")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"$sin": 0}, 0.0),
        ({"$cos": 0}, 1.0),
        ({"$tan": 1}, math.tan(1)),
        ({"$asin": 1}, math.asin(1)),
        ({"$acos": -1}, math.pi),
        ({"$atan": inf}, math.pi / 2),
        ({"$atan2": [1, 0]}, math.pi / 2),
        ({"$sinh": 1}, math.sinh(1)),
        ({"$sinh": -1000}, -inf),
        ({"$cosh": -1000}, inf),
        ({"$tanh": 0.5}, math.tanh(0.5)),
        ({"$asinh": 1}, math.asinh(1)),
        ({"$acosh": 1}, 0.0),
        ({"$atanh": 1}, inf),
        ({"$atanh": -0.5}, math.atanh(-0.5)),
        ({"$sin": nan}, nan),
        ({"$sin": None}, None),
        ({"$atan2": [None, 1]}, None),
        ({"$degreesToRadians": 180}, math.pi),
        ({"$radiansToDegrees": math.pi}, 180.0),
        ({"$degreesToRadians": Decimal128("180")}, PI),
        ({"$asinh": Decimal128("1E-200")}, Decimal128("1.000000000000000000000000000000000E-200")),
        ({"$sin": Decimal128("1")}, Decimal128("0.8414709848078965066525023216302990")),
        ({"$acos": Decimal128("-1")}, PI),
        ({"$atan2": [Decimal128("0"), Decimal128("-1")]}, PI),
        ({"$asinh": Decimal128("1")}, Decimal128("0.8813735870195430252326093249797923")),
        ({"$atanh": Decimal128("-1")}, Decimal128("-Infinity")),
        ({"$bitAnd": [7, 3]}, 3),
        ({"$bitAnd": []}, -1),
        ({"$bitOr": [4, Int64(1)]}, Int64(5)),
        ({"$bitXor": [5, 3]}, 6),
        ({"$bitOr": [1, None]}, None),
        ({"$bitNot": 5}, -6),
        ({"$bitNot": Int64(0)}, Int64(-1)),
        ({"$bitNot": None}, None),
    ],
)
def test_functions_of_numbers(check, spec, expected):
    check(spec, expected)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"$sin": inf}, 50989),
        ({"$acos": 2}, 50989),
        ({"$acosh": 0.5}, 50989),
        ({"$atanh": Decimal128("2")}, 50989),
        ({"$sin": "x"}, 28765),
        ({"$atan2": ["x", 1]}, 51044),
        ({"$atan2": [1, "x"]}, 51045),
        ({"$bitAnd": [1.5]}, 14),
        ({"$bitNot": 1.5}, 28765),
    ],
)
def test_arguments_out_of_the_domain_have_the_servers_codes(fails, spec, code):
    fails(spec, code)


@pytest.mark.parametrize(
    "name", ["sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "atanh"]
)
@given(number=st.floats(-0.99, 0.99))
def test_decimals_agree_with_doubles(name, number):
    exact = getattr(decimal_trigonometry, name)(Decimal(number))
    assert math.isclose(exact, getattr(math, name)(number), rel_tol=1e-12, abs_tol=1e-300)


@given(st.decimals(-100, 100, places=3), st.decimals(-100, 100, places=3))
def test_the_angle_of_a_point_agrees_with_doubles(y, x):
    assert math.isclose(decimal_trigonometry.atan2(y, x), math.atan2(y, x), rel_tol=1e-12, abs_tol=1e-12)
