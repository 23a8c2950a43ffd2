"""No JavaScript runs in the server.

MongoDB has `$where`, `$function`, `$accumulator` and `mapReduce` (manual: Server-side JavaScript); its manual advises against
them where an aggregation does.
"""

from typing import Any

import pytest


@pytest.mark.parametrize(
    "command",
    [
        {"find": "things", "filter": {"$where": "true"}},
        {
            "aggregate": "things",
            "pipeline": [{"$project": {"a": {"$function": {"body": "f", "args": [], "lang": "js"}}}}],
            "cursor": {},
        },
        {"mapReduce": "things", "map": "f", "reduce": "g", "out": {"inline": 1}},
    ],
)
def test_javascript_is_refused(code: Any, command: dict[str, Any]) -> None:
    assert code(command) == 238
