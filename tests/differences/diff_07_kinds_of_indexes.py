"""Indexes are ascending or descending; the other kinds are refused, with the queries that need them.

MongoDB also has text, geospatial, hashed and wildcard indexes (manual: Index Types).
"""

from typing import Any

import pytest


@pytest.mark.parametrize(
    "key", [{"a": "text"}, {"a": "2dsphere"}, {"a": "2d"}, {"a": "hashed"}, {"$**": 1}, {"a.$**": 1}]
)
def test_another_kind_of_index_is_refused(code: Any, key: dict[str, Any]) -> None:
    assert code({"createIndexes": "things", "indexes": [{"key": key, "name": "other"}]}) == 238


@pytest.mark.parametrize(
    "filter",
    [
        {"$text": {"$search": "oar"}},
        {"at": {"$near": [1, 2]}},
        {"at": {"$geoWithin": {"$centerSphere": [[1, 2], 3]}}},
        {"at": {"$geoIntersects": {"$geometry": {"type": "Point", "coordinates": [1, 2]}}}},
    ],
)
def test_what_such_indexes_are_for_is_refused(code: Any, filter: dict[str, Any]) -> None:
    assert code({"find": "things", "filter": filter}) == 238


@pytest.mark.parametrize("stage", ["$geoNear", "$search", "$searchMeta", "$vectorSearch"])
def test_stages_of_search_are_refused(code: Any, stage: str) -> None:
    assert code({"aggregate": "things", "pipeline": [{stage: {}}], "cursor": {}}) == 238
