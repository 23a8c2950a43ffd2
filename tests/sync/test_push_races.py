"""What somebody else writes on the hub between the reads of a push and its commit."""

from typing import Any

import pytest
from quiet_pair import documents_of, pair

from skerry.sync import hub_writes


@pytest.mark.parametrize("after", [None, {"_id": 1, "v": "later"}])
def test_a_change_of_what_the_hub_had_already_is_not_taken_for_an_older_one(
    monkeypatch: pytest.MonkeyPatch, after: dict[str, Any] | None
) -> None:
    """A transaction does not protect what it only reads: the change comes before the marker, and is newer than what we pushed."""
    with pair() as (hub, edge):
        hub.shop.orders.insert_one({"_id": 1, "v": "same"})
        edge.shop.orders.insert_one({"_id": 1, "v": "same"})
        edge.shop.orders.insert_one({"_id": 2})
        plan = hub_writes.plan_writes

        def plan_and_wait(*arguments: Any) -> Any:
            planned = plan(*arguments)
            if after is None:
                hub.shop.orders.delete_one({"_id": 1})
            else:
                hub.shop.orders.replace_one({"_id": 1}, after)
            return planned

        with monkeypatch.context() as patched:
            patched.setattr(hub_writes, "plan_writes", plan_and_wait)
            edge.push()
        edge.sync()
        assert documents_of(edge) == documents_of(hub) == [after or {"_id": 1, "v": "same"}, {"_id": 2}]
