from math import inf, nan

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"$ceil": 7.2}, 8.0),
        ({"$ceil": -0.2}, -0.0),
        ({"$ceil": 7}, 7),
        ({"$ceil": Decimal128("-1.6")}, Decimal128("-1")),
        ({"$ceil": None}, None),
        ({"$ceil": inf}, inf),
        ({"$floor": 7.8}, 7.0),
        ({"$floor": -1.5}, -2.0),
        ({"$floor": Int64(4)}, Int64(4)),
        ({"$floor": Decimal128("1.6")}, Decimal128("1")),
        ({"$trunc": Int64(4)}, Int64(4)),
        ({"$trunc": nan}, nan),
        ({"$trunc": -1.2}, -1.0),
        ({"$trunc": Decimal128("-1.6")}, Decimal128("-1")),
        ({"$trunc": [1.298, 1]}, 1.2),
        ({"$trunc": [23.298, -1]}, 20.0),
        ({"$trunc": [Decimal128("1.298"), 1]}, Decimal128("1.2")),
        ({"$trunc": [Decimal128("23.298"), -1]}, Decimal128("2E+1")),
        ({"$trunc": [1.298, 100]}, 1.298),
        ({"$trunc": [Decimal128("1.298"), Decimal128("100")]}, Decimal128("1.298000000000000000000000000000000")),
        ({"$trunc": [-129, -1]}, -120),
        ({"$round": 2.5}, 2.0),
        ({"$round": 3.5}, 4.0),
        ({"$round": [1.298, 1]}, 1.3),
        ({"$round": [23.298, -1]}, 20.0),
        ({"$round": [12350, -2]}, 12400),
        ({"$round": [12450, -2]}, 12400),
        ({"$round": [2147483647, -1]}, Int64(2147483650)),
        ({"$round": [5, 3]}, 5),
        ({"$round": [None, 1]}, None),
        ({"$round": [1.5, None]}, None),
        ({"$round": [Decimal128("2.5"), 0]}, Decimal128("2")),
        ({"$round": -inf}, -inf),
    ],
)
def test_rounding_keeps_the_type(check, spec, expected):
    check(spec, expected)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"$ceil": "x"}, 28765),
        ({"$round": "x"}, 51081),
        ({"$round": [1.5, 0.5]}, 51082),
        ({"$trunc": [1.5, 101]}, 51083),
        ({"$trunc": [1.5, -21]}, 51083),
        ({"$round": [Int64(2**63 - 1), -1]}, 51080),
        ({"$round": [1, 2, 3]}, 28667),
    ],
)
def test_places_out_of_range_are_refused(fails, spec, code):
    fails(spec, code)
