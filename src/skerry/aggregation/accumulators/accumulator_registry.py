"""Accumulator name to its parser: alphabetical, those of MongoDB that skerry does not have included."""

from collections.abc import Mapping
from typing import Any, Final

from skerry.aggregation.accumulators.accumulator import AccumulatorExpression, Parse
from skerry.aggregation.accumulators.collecting import parse_add_to_set, parse_merge_objects, parse_push
from skerry.aggregation.accumulators.first_last import parse_first, parse_first_n, parse_last, parse_last_n
from skerry.aggregation.accumulators.min_max import parse_max, parse_max_n, parse_min, parse_min_n
from skerry.aggregation.accumulators.percentile import parse_median, parse_percentile
from skerry.aggregation.accumulators.std_dev import parse_std_dev_pop, parse_std_dev_samp
from skerry.aggregation.accumulators.sum_avg import parse_average, parse_count, parse_sum
from skerry.aggregation.accumulators.top_bottom import parse_bottom, parse_bottom_n, parse_top, parse_top_n
from skerry.aggregation.stage import StageScope
from skerry.errors import CommandError, NotImplementedYetError

ACCUMULATORS: Final[dict[str, Parse]] = {
    "$addToSet": parse_add_to_set,
    "$avg": parse_average,
    "$bottom": parse_bottom,
    "$bottomN": parse_bottom_n,
    "$count": parse_count,
    "$first": parse_first,
    "$firstN": parse_first_n,
    "$last": parse_last,
    "$lastN": parse_last_n,
    "$max": parse_max,
    "$maxN": parse_max_n,
    "$median": parse_median,
    "$mergeObjects": parse_merge_objects,
    "$min": parse_min,
    "$minN": parse_min_n,
    "$percentile": parse_percentile,
    "$push": parse_push,
    "$stdDevPop": parse_std_dev_pop,
    "$stdDevSamp": parse_std_dev_samp,
    "$sum": parse_sum,
    "$top": parse_top,
    "$topN": parse_top_n,
}
UNSUPPORTED_ACCUMULATORS: Final = frozenset(("$accumulator", "$concatArrays", "$setUnion"))


def parse_accumulated_field(field: str, spec: Any, scope: StageScope) -> AccumulatorExpression:
    """Parse one field of `$group`, `$bucket`, …: a document with one accumulator.

    Raises CommandError 40234 to 40238 for a bad form or name, 15952 for an unknown accumulator.
    """
    if "." in field:
        raise CommandError(f"The field name '{field}' cannot contain '.'", 40235)
    if field.startswith("$"):
        raise CommandError(f"The field name '{field}' cannot be an operator name", 40236)
    if not isinstance(spec, Mapping):
        raise CommandError(f"The field '{field}' must be an accumulator object", 40234)
    if len(spec) != 1:
        raise CommandError(f"The field '{field}' must specify one accumulator", 40238)
    ((name, argument),) = spec.items()
    parse = ACCUMULATORS.get(name)
    if parse is not None:
        return parse(name, argument, scope)
    if name in UNSUPPORTED_ACCUMULATORS:
        raise NotImplementedYetError(f"the accumulator {name} is not supported yet")
    raise CommandError(f"unknown group operator '{name}'", 15952)
