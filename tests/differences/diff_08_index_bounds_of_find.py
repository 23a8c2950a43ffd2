"""`find` takes no bounds of an index and returns no keys of it.

MongoDB has `min`, `max`, `returnKey` and `showRecordId` (manual: find). A filter and a projection say the same.
"""

from typing import Any

import pytest


@pytest.mark.parametrize(
    "option", [{"min": {"_id": 1}}, {"max": {"_id": 1}}, {"returnKey": True}, {"showRecordId": True}]
)
def test_the_option_is_refused(code: Any, option: dict[str, Any]) -> None:
    assert code({"find": "things", "hint": {"_id": 1}, **option}) == 238
