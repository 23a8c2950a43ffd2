"""Window function to its parser: alphabetical, the accumulators and those that are missing included."""

from typing import Final

from skerry.aggregation.accumulators.accumulator_registry import ACCUMULATORS
from skerry.aggregation.window_functions.accumulated import parse_accumulated
from skerry.aggregation.window_functions.covariance import covariance_parser
from skerry.aggregation.window_functions.derivative import parse_derivative, parse_integral
from skerry.aggregation.window_functions.filling import parse_linear_fill, parse_locf
from skerry.aggregation.window_functions.moving_average import parse_exp_moving_avg
from skerry.aggregation.window_functions.partition import Parse
from skerry.aggregation.window_functions.rank import parse_dense_rank, parse_document_number, parse_rank
from skerry.aggregation.window_functions.shift import parse_shift

WINDOW_FUNCTIONS: Final[dict[str, Parse]] = {
    **{name: parse_accumulated for name in ACCUMULATORS if name != "$mergeObjects"},
    "$covariancePop": covariance_parser(is_sample=False),
    "$covarianceSamp": covariance_parser(is_sample=True),
    "$denseRank": parse_dense_rank,
    "$derivative": parse_derivative,
    "$documentNumber": parse_document_number,
    "$expMovingAvg": parse_exp_moving_avg,
    "$integral": parse_integral,
    "$linearFill": parse_linear_fill,
    "$locf": parse_locf,
    "$rank": parse_rank,
    "$shift": parse_shift,
}
UNSUPPORTED_WINDOW_FUNCTIONS: Final = frozenset(("$concatArrays", "$minMaxScaler", "$setUnion"))
