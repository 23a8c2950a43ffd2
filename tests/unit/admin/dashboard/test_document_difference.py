"""Versions of a document side by side."""

from skerry.admin.dashboard.document_difference import ABSENT, DELETED, difference


def test_fields_in_conflict_come_first_then_those_that_differ() -> None:
    versions = {
        "base": {"_id": 1, "a": 1, "qty": 1},
        "local": {"_id": 1, "a": 1, "qty": 2, "here": True},
        "remote": {"_id": 1, "a": 1, "qty": 3},
        "result": {"_id": 1, "a": 1, "qty": 3, "here": True},
    }
    rows = difference(versions, ["qty"])
    assert [row.path for row in rows] == ["qty", "here", "_id", "a"]
    assert [cell.text for cell in rows[0].cells] == ["1", "2", "3", "3"]
    assert [cell.is_changed for cell in rows[0].cells] == [False, True, True, True]
    assert [cell.text for cell in rows[1].cells] == [ABSENT, "true", ABSENT, "true"]
    assert rows[0].is_conflict
    assert rows[3].is_same


def test_documents_are_taken_apart_and_values_of_extended_json_are_not() -> None:
    document = {"_id": {"$oid": "0" * 24}, "to": {"city": "Oban", "at": {"$date": "2026-01-01T00:00:00Z"}}, "none": {}}
    paths = {row.path for row in difference({"base": document}, [])}
    assert paths == {"_id", "to.city", "to.at", "none"}


def test_a_deleted_version_says_so_in_every_row() -> None:
    rows = difference({"base": {"_id": 1, "a": 1}, "local": None, "remote": {"_id": 1, "a": 2}, "result": None}, [])
    assert {row.cells[1].text for row in rows} == {DELETED}
    assert not rows[0].cells[1].is_there


def test_a_conflict_of_a_whole_subdocument_marks_its_fields() -> None:
    rows = difference({"base": {"to": {"city": "a", "zip": 1}, "total": 1}}, ["to"])
    assert {row.path: row.is_conflict for row in rows} == {"to.city": True, "to.zip": True, "total": False}
