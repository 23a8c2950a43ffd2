"""The commands for running a large server are not there.

MongoDB has a profiler, lists and ends operations, locks its files for snapshots and injects failures for tests (manual:
Diagnostic Commands, Administration Commands). `skerry backup` copies a database while it is used.
"""

from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import OperationFailure


@pytest.mark.parametrize(
    "command", ["profile", "currentOp", "killOp", "fsync", "setParameter", "replSetStepDown", "top"]
)
def test_the_command_is_refused(database: Database[Any], command: str) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.client.admin.command(command)
    assert caught.value.code == 238


@pytest.mark.parametrize("stage", ["$currentOp", "$indexStats", "$planCacheStats", "$listSessions"])
def test_the_stage_is_refused(code: Any, stage: str) -> None:
    target = "things" if stage in ("$indexStats", "$planCacheStats") else 1
    assert code({"aggregate": target, "pipeline": [{stage: {}}], "cursor": {}}) == 238


def test_there_are_no_fail_points(database: Database[Any]) -> None:
    with pytest.raises(OperationFailure) as caught:
        database.client.admin.command("configureFailPoint", "failCommand", mode="off")
    assert caught.value.code == 59
