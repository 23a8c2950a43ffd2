"""There are no capped collections, and no cursors that wait at the end of a collection.

MongoDB keeps such a collection at a fixed size, and lets tailable cursors follow it (manual: Capped
Collections, Tailable Cursors).
"""

from typing import Any


def test_a_capped_collection_is_refused(code: Any) -> None:
    assert code({"create": "log", "capped": True, "size": 4096}) == 238
    assert code({"convertToCapped": "things", "size": 4096}) == 238


def test_a_tailable_cursor_needs_a_capped_collection(code: Any) -> None:
    assert code({"find": "things", "tailable": True}) == 2
