"""Unknown options of an index are never ignored.

MongoDB drops them where `ignoreUnknownIndexOptions` is set (manual: createIndexes).
"""

from typing import Any


def test_they_cannot_be_ignored(code: Any) -> None:
    indexes = [{"key": {"a": 1}, "name": "a_1", "nonsense": 1}]
    assert code({"createIndexes": "things", "indexes": indexes}) == 197
    assert code({"createIndexes": "things", "indexes": indexes, "ignoreUnknownIndexOptions": True}) == 238
