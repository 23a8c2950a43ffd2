"""Stage name to its definition: alphabetical, the stages that the engine answers and those that are missing included."""

from typing import Final

from skerry.aggregation.stage import StageDefinition
from skerry.aggregation.stages.count import parse_count
from skerry.aggregation.stages.group import parse_group
from skerry.aggregation.stages.lookup import parse_lookup
from skerry.aggregation.stages.match import parse_match
from skerry.aggregation.stages.project import parse_add_fields, parse_project, parse_unset
from skerry.aggregation.stages.replace_root import parse_replace_root, parse_replace_with
from skerry.aggregation.stages.skip_limit import parse_limit, parse_skip
from skerry.aggregation.stages.sort import parse_bounded_sort, parse_sort
from skerry.aggregation.stages.unwind import parse_unwind

STAGES: Final[dict[str, StageDefinition]] = {
    "$addFields": StageDefinition(parse_add_fields),
    "$count": StageDefinition(parse_count),
    "$group": StageDefinition(parse_group),
    "$limit": StageDefinition(parse_limit),
    "$lookup": StageDefinition(parse_lookup),
    "$match": StageDefinition(parse_match),
    "$project": StageDefinition(parse_project),
    "$replaceRoot": StageDefinition(parse_replace_root),
    "$replaceWith": StageDefinition(parse_replace_with),
    "$set": StageDefinition(parse_add_fields),
    "$skip": StageDefinition(parse_skip),
    "$sort": StageDefinition(parse_sort, bounded=parse_bounded_sort),
    "$unset": StageDefinition(parse_unset),
    "$unwind": StageDefinition(parse_unwind),
}

ENGINE_STAGES: Final = frozenset(
    ("$changeStream", "$collStats", "$currentOp", "$indexStats", "$listLocalSessions", "$listSessions")
)
"""Stages that lead a pipeline and that the engine answers, so that they never arrive here in their place."""

UNSUPPORTED_STAGES: Final = frozenset(
    (
        "$changeStreamSplitLargeEvent",
        "$geoNear",
        "$listSampledQueries",
        "$listSearchIndexes",
        "$planCacheStats",
        "$querySettings",
        "$queryStats",
        "$rankFusion",
        "$scoreFusion",
        "$search",
        "$searchMeta",
        "$shardedDataDistribution",
        "$vectorSearch",
    )
)
