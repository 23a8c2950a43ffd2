"""`explain` (manual: explain)."""

from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import OperationFailure


@pytest.fixture
def things(database: Database[Any]) -> Any:
    database.things.insert_many([{"_id": number, "a": number % 10, "b": number} for number in range(100)])
    database.things.create_index("a")
    return database.things


def stages(plan: Any) -> set[str]:
    found: set[str] = set()
    if isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            found.add(plan["stage"])
        for value in plan.values():
            found |= stages(value)
    elif isinstance(plan, list):
        for value in plan:
            found |= stages(value)
    return found


@pytest.mark.parametrize(
    ("filter", "stage"),
    [({}, "COLLSCAN"), ({"b": 5}, "COLLSCAN"), ({"a": 5}, "IXSCAN"), ({"a": {"$gt": 3, "$lt": 5}}, "IXSCAN")],
)
def test_the_winning_plan_says_how_documents_are_found(things: Any, filter: dict[str, Any], stage: str) -> None:
    plan = things.find(filter).explain()["queryPlanner"]
    assert stage in stages(plan["winningPlan"])
    assert plan["namespace"] == things.full_name


def test_a_query_by_id_uses_the_id_index(things: Any) -> None:
    plan = things.find({"_id": 5}).explain()["queryPlanner"]["winningPlan"]
    assert stages(plan) & {"EXPRESS_IXSCAN", "IDHACK", "IXSCAN"}


def test_execution_statistics_count_what_was_examined(things: Any) -> None:
    statistics = things.find({"a": 5}).explain()["executionStats"]
    assert statistics["nReturned"] == 10
    assert statistics["totalKeysExamined"] == 10
    assert statistics["totalDocsExamined"] == 10


def test_planning_alone_executes_nothing(things: Any) -> None:
    reply = things.database.command("explain", {"find": "things", "filter": {"a": 5}}, verbosity="queryPlanner")
    assert "executionStats" not in reply
    assert reply["command"]["find"] == "things"


@pytest.mark.parametrize(
    "command",
    [
        {"count": "things", "query": {"a": 5}},
        {"distinct": "things", "key": "b", "query": {"a": 5}},
        {"aggregate": "things", "pipeline": [{"$match": {"a": 5}}], "cursor": {}},
        {"update": "things", "updates": [{"q": {"a": 5}, "u": {"$set": {"b": 0}}, "multi": True}]},
        {"delete": "things", "deletes": [{"q": {"a": 5}, "limit": 0}]},
        {"findAndModify": "things", "query": {"a": 5}, "remove": True},
        {"findAndModify": "things", "query": {"a": 5}, "update": {"$set": {"b": 0}}},
    ],
)
def test_other_commands_are_explained_and_change_nothing(things: Any, command: dict[str, Any]) -> None:
    before = list(things.find())
    reply = things.database.command("explain", command)
    assert "IXSCAN" in stages(reply)
    assert list(things.find()) == before


def test_a_pipeline_is_explained_by_its_option(things: Any) -> None:
    reply = things.database.command("aggregate", "things", pipeline=[{"$match": {"a": 5}}], explain=True)
    assert "IXSCAN" in stages(reply)


def test_what_cannot_be_explained_is_refused(things: Any) -> None:
    with pytest.raises(OperationFailure) as caught:
        things.database.command("explain", {"ping": 1})
    assert caught.value.code == 59
    with pytest.raises(OperationFailure) as caught:
        things.database.command("explain", {"find": "things"}, verbosity="nonsense")
    assert caught.value.code == 9
