"""Time-series and clustered collections are refused.

MongoDB stores measurements of one source together, or documents in the order of their `_id` (manual: Time Series Collections,
Clustered Collections).
"""

from typing import Any

import pytest


@pytest.mark.parametrize(
    "options",
    [
        {"timeseries": {"timeField": "at"}},
        {"clusteredIndex": {"key": {"_id": 1}, "unique": True}},
        {"encryptedFields": {"fields": []}},
    ],
)
def test_another_kind_of_collection_is_refused(code: Any, options: dict[str, Any]) -> None:
    assert code({"create": "things", **options}) == 238
