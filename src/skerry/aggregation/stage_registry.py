"""Stage name to its definition: alphabetical, the stages that the engine answers and those that are missing included."""

from typing import Final

from skerry.aggregation.stage import Place, StageDefinition
from skerry.aggregation.stages.bucket import parse_bucket
from skerry.aggregation.stages.bucket_auto import parse_bucket_auto
from skerry.aggregation.stages.count import parse_count
from skerry.aggregation.stages.densify import parse_densify
from skerry.aggregation.stages.documents import parse_documents
from skerry.aggregation.stages.facet import parse_facet
from skerry.aggregation.stages.fill import parse_fill
from skerry.aggregation.stages.graph_lookup import parse_graph_lookup
from skerry.aggregation.stages.group import parse_group
from skerry.aggregation.stages.lookup import parse_lookup
from skerry.aggregation.stages.match import parse_match
from skerry.aggregation.stages.merge import parse_merge
from skerry.aggregation.stages.out import parse_out
from skerry.aggregation.stages.project import parse_add_fields, parse_project, parse_unset
from skerry.aggregation.stages.redact import parse_redact
from skerry.aggregation.stages.replace_root import parse_replace_root, parse_replace_with
from skerry.aggregation.stages.sample import parse_sample
from skerry.aggregation.stages.set_window_fields import parse_set_window_fields
from skerry.aggregation.stages.skip_limit import parse_limit, parse_skip
from skerry.aggregation.stages.sort import parse_bounded_sort, parse_sort
from skerry.aggregation.stages.sort_by_count import parse_sort_by_count
from skerry.aggregation.stages.union_with import parse_union_with
from skerry.aggregation.stages.unwind import parse_unwind

STAGES: Final[dict[str, StageDefinition]] = {
    "$addFields": StageDefinition(parse_add_fields),
    "$bucket": StageDefinition(parse_bucket),
    "$bucketAuto": StageDefinition(parse_bucket_auto),
    "$count": StageDefinition(parse_count),
    "$densify": StageDefinition(parse_densify),
    "$documents": StageDefinition(parse_documents, place=Place.FIRST, in_facet=False),
    "$facet": StageDefinition(parse_facet, in_facet=False),
    "$fill": StageDefinition(parse_fill),
    "$graphLookup": StageDefinition(parse_graph_lookup),
    "$group": StageDefinition(parse_group),
    "$limit": StageDefinition(parse_limit),
    "$lookup": StageDefinition(parse_lookup),
    "$match": StageDefinition(parse_match),
    "$merge": StageDefinition(parse_merge, place=Place.LAST, in_facet=False, in_sub_pipeline=False),
    "$out": StageDefinition(parse_out, place=Place.LAST, in_facet=False, in_sub_pipeline=False),
    "$project": StageDefinition(parse_project),
    "$redact": StageDefinition(parse_redact),
    "$replaceRoot": StageDefinition(parse_replace_root),
    "$replaceWith": StageDefinition(parse_replace_with),
    "$sample": StageDefinition(parse_sample),
    "$set": StageDefinition(parse_add_fields),
    "$setWindowFields": StageDefinition(parse_set_window_fields),
    "$skip": StageDefinition(parse_skip),
    "$sort": StageDefinition(parse_sort, bounded=parse_bounded_sort),
    "$sortByCount": StageDefinition(parse_sort_by_count),
    "$unionWith": StageDefinition(parse_union_with),
    "$unset": StageDefinition(parse_unset),
    "$unwind": StageDefinition(parse_unwind),
}

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
