"""A validator is strict, or there is none.

MongoDB can leave documents alone that were invalid before, or only warn (manual: Schema Validation, `validationLevel`,
`validationAction`).
"""

from typing import Any

import pytest


@pytest.mark.parametrize(
    "option", [{"validationLevel": "moderate"}, {"validationLevel": "off"}, {"validationAction": "warn"}]
)
def test_a_milder_validator_is_refused(code: Any, option: dict[str, Any]) -> None:
    assert code({"create": "things", "validator": {"a": 1}, **option}) == 238
