"""`skerry backup`, `restore` and `doctor` as a person or a script meets them: output, exit codes, no tracebacks."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import bson
import pytest

from skerry.cli.main import main
from skerry.engine.engine import Engine
from skerry.engine.operation_context import OperationContext
from skerry.storage import Store
from skerry.values.namespace import Namespace

ORDERS = Namespace("shop", "orders")

Outcome = tuple[int, str, str]
Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `skerry` with these arguments; return exit code, standard output and standard error."""

    def run_one(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["skerry", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ending:
            code = int(ending.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_one


@pytest.fixture
def data(tmp_path: Path) -> Path:
    engine = Engine(tmp_path / "data")
    ctx = OperationContext()
    engine.create_indexes(ORDERS, [{"key": {"n": 1}, "name": "n_1"}], ctx)
    engine.insert(ORDERS, [bson.encode({"_id": number, "n": number}) for number in range(5)], ordered=True, ctx=ctx)
    engine.close()
    return tmp_path / "data"


def damage(data: Path, sql: str) -> None:
    store = Store(data)
    store.write(lambda view: view.run(sql), durable=False)
    store.close()


def test_a_backup_and_its_restoration_are_told_in_one_line_each(run: Run, data: Path, tmp_path: Path) -> None:
    code, out, err = run("backup", tmp_path / "b.zip", "--data", data)
    assert (code, err) == (0, "")
    assert out.startswith(f"{tmp_path}/b.zip: 5 documents in 1 collections, ")
    assert out.endswith("bytes, verified\n")
    code, out, err = run("restore", tmp_path / "b.zip", "--data", tmp_path / "new")
    assert (code, err) == (0, "")
    assert out.startswith(f"{tmp_path}/new: 5 documents in 1 collections, as of 20")


def test_both_can_answer_in_json(run: Run, data: Path, tmp_path: Path) -> None:
    _, out, _ = run("backup", tmp_path / "b.zip", "--data", data, "--json")
    report = json.loads(out)
    assert report["manifest"]["documents"] == 5
    assert report["archive_bytes"] == (tmp_path / "b.zip").stat().st_size
    _, out, _ = run("restore", tmp_path / "b.zip", "--data", tmp_path / "new", "--json")
    assert json.loads(out)["manifest"] == report["manifest"]


def test_restoring_over_something_has_to_be_asked_for(run: Run, data: Path, tmp_path: Path) -> None:
    run("backup", tmp_path / "b.zip", "--data", data)
    code, out, err = run("restore", tmp_path / "b.zip", "--data", data)
    assert (code, out) == (3, "")
    assert err == f"skerry: {data} is not empty; allow it to be overwritten, or take another\n"
    code, _, _ = run("restore", tmp_path / "b.zip", "--data", data, "--overwrite")
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("backup", "{tmp}/b.zip", "--data", "{tmp}/none"), 3),
        (("backup", "nowhere://b.zip", "--data", "{tmp}/data"), 2),
        (("backup", "{tmp}/data/skerry.db/b.zip", "--data", "{tmp}/data"), 1),
        (("restore", "{tmp}/none.zip", "--data", "{tmp}/new"), 1),
        (("restore", "{tmp}/data/skerry.db", "--data", "{tmp}/new"), 1),
        (("doctor", "--data", "{tmp}/none"), 3),
        (("doctor", "--data", "{tmp}"), 3),
    ],
)
def test_every_failure_is_one_line_and_an_exit_code(
    run: Run, data: Path, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    assert data.exists()
    found, out, err = run(*(argument.replace("{tmp}", str(tmp_path)) for argument in arguments))
    assert (found, out) == (code, "")
    assert err.startswith("skerry: ")
    assert err.count("\n") == 1


def test_the_doctor_tells_mends_and_is_content(run: Run, data: Path) -> None:
    assert run("doctor", "--data", data) == (0, f"{data}: nothing wrong\n", "")
    damage(data, "DELETE FROM i_1 WHERE rid = 2")
    code, out, _ = run("doctor", "--data", data)
    assert code == 1
    assert out == "indexes: shop.orders: index n_1: 1 entries missing, 0 too many\n  can be mended with --mend\n"
    code, out, _ = run("doctor", "--data", data, "--mend")
    assert code == 0
    assert "  mended: rebuilt index n_1 from the documents\n" in out
    assert out.endswith("nothing wrong any more\n")
    assert run("doctor", "--data", data)[0] == 0


def test_what_cannot_be_mended_keeps_the_exit_code_and_is_told_in_json(run: Run, data: Path) -> None:
    damage(data, "DROP TABLE c_1")
    code, out, _ = run("doctor", "--data", data, "--mend", "--json")
    report = json.loads(out)
    assert code == 1
    assert report["sound"] is False
    assert report["findings"][0]["mendable"] is False
    assert report["findings"][0]["done"] is None
    assert [(each["check"], each["where"]) for each in report["remaining"]] == [("tables", "shop.orders")]
    code, out, _ = run("doctor", "--data", data, "--mend")
    assert code == 1
    assert "  cannot be mended from what is there\n" in out
    assert out.endswith("1 left\n")
