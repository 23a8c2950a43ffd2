import pytest

from skerry.aggregation.accumulators.accumulator_registry import ACCUMULATORS, UNSUPPORTED_ACCUMULATORS
from skerry.aggregation.stage import ENGINE_STAGES
from skerry.aggregation.stage_registry import STAGES, UNSUPPORTED_STAGES
from skerry.aggregation.window_functions.window_registry import UNSUPPORTED_WINDOW_FUNCTIONS, WINDOW_FUNCTIONS


@pytest.mark.parametrize("table", [STAGES, ACCUMULATORS])
def test_tables_are_in_alphabetical_order(table):
    assert list(table) == sorted(table)


@pytest.mark.parametrize(
    ("supported", "missing"),
    [
        (STAGES, UNSUPPORTED_STAGES | ENGINE_STAGES),
        (ACCUMULATORS, UNSUPPORTED_ACCUMULATORS),
        (WINDOW_FUNCTIONS, UNSUPPORTED_WINDOW_FUNCTIONS),
    ],
)
def test_nothing_is_both_there_and_missing(supported, missing):
    assert missing.isdisjoint(supported)
