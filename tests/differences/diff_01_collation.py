"""Collations other than the simple one are refused.

MongoDB compares strings by the rules of a language where an operation, an index or a collection asks for it (manual: Collation).
"""

from typing import Any

import pytest
from pymongo.database import Database


@pytest.mark.parametrize(
    "command",
    [
        {"find": "things", "collation": {"locale": "en"}},
        {"aggregate": "things", "pipeline": [], "cursor": {}, "collation": {"locale": "en", "strength": 2}},
        {"create": "names", "collation": {"locale": "fr"}},
        {"createIndexes": "things", "indexes": [{"key": {"a": 1}, "name": "a_1", "collation": {"locale": "de"}}]},
        {"update": "things", "updates": [{"q": {}, "u": {"$set": {"a": 1}}, "collation": {"locale": "en"}}]},
        {"delete": "things", "deletes": [{"q": {}, "limit": 1, "collation": {"locale": "en"}}]},
    ],
)
def test_a_language_is_refused(code: Any, command: dict[str, Any]) -> None:
    assert code(command) == 238


def test_the_simple_collation_is_what_there_is(database: Database[Any]) -> None:
    assert database.command({"find": "things", "collation": {"locale": "simple"}})["ok"] == 1
