"""`skerry backup`, `restore`, `doctor`, `validate` and `compact` as a person or a script meets them: output and exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.processes import skerry_server
from skerry.config import ServerConfig, SyncConfig, parse_rule
from skerry.engine.engine import Engine
from skerry.node import Node
from skerry.storage import Store
from skerry.sync.link import Link

Run = Callable[..., tuple[int, str, str]]


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
        (("validate", "{tmp}/none"), 3),
        (("validate", "{tmp}/data", "shop.none"), 1),
        (("validate", "{tmp}/data", "shop"), 1),
        (("compact", "{tmp}/none"), 3),
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
    code, out, err = run("doctor", "--data", data)
    assert (code, err) == (0, "")
    assert out.startswith(f"{data}: nothing wrong\ndisk: ok: ")
    assert out.endswith("configuration: ok: no hub is configured\n")
    damage(data, "DELETE FROM i_1 WHERE rid = 2")
    code, out, _ = run("doctor", "--data", data)
    assert code == 1
    found = "indexes: shop.orders: index n_1: 1 entries missing, 0 too many\n  can be mended with --mend\n"
    assert out.startswith(found)
    code, out, _ = run("doctor", "--data", data, "--mend")
    assert code == 0
    assert "  mended: rebuilt index n_1 from the documents\n" in out
    assert "nothing wrong any more\n" in out
    assert run("doctor", "--data", data)[0] == 0


def test_the_doctor_examines_the_link_of_a_node_that_runs(run: Run, data: Path) -> None:
    hub = Node(":memory:", server=ServerConfig(bind_port=0))
    hub.start()
    uri = f"mongodb://{hub.address}/?directConnection=true"
    (data / "skerry.toml").write_text(f'[sync]\nhub_uri = "{uri}"\nrules = {{"shop.*" = "both"}}\n')
    with skerry_server(data):
        code, out, err = run("doctor", "--data", data, "--json")
    report = json.loads(out)
    assert (code, err, report["well"], report["sound"]) == (0, "", True, True)
    levels = {each["check"]: each["level"] for each in report["checks"]}
    assert levels.keys() >= {
        "disk",
        "processes",
        "configuration",
        "hub",
        "tier",
        "clock",
        "rights",
        "identity",
        "markers",
    }
    assert set(levels.values()) == {"ok"}
    hub.stop()


def test_the_doctor_warns_of_a_link_that_nobody_runs_any_more(run: Run, data: Path) -> None:
    rules = (parse_rule("shop.*=both"),)
    engine = Engine(data)
    for name in ("cloud", "office"):
        config = SyncConfig(hub_uri="mongodb://127.0.0.1:1", rules=rules, link_name=name)
        Link(engine, config).register()
    engine.close()
    code, out, _ = run("doctor", "--data", data)
    assert code == 0
    assert out.count("link: warning: every write is captured for link ") == 2
    assert f"  run its node; or, if it is to be no more: skerry sync forget cloud --data {data}\n" in out
    link = ("--hub", "mongodb://127.0.0.1:1", "--sync", "shop.*=both", "--name", "office")
    code, out, _ = run("doctor", "--data", data, "--offline", *link)
    assert out.count("link: warning: ") == out.count("for link cloud, which") == 1
    assert run("sync", "forget", "cloud", "--data", data)[:2] == (0, "forgot cloud\n")
    assert "link: warning: " not in run("doctor", "--data", data, "--offline", *link)[1]


def test_the_doctor_finds_wrong_settings_and_a_hub_that_is_away(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = ("--hub", "mongodb://127.0.0.1:1", "--sync", "shop.*=both")
    monkeypatch.setattr("skerry.sync.hub._CONNECT_MS", 200)
    code, out, _ = run("doctor", "--data", data, *link)
    assert code == 1
    assert "\nhub: error: mongodb://127.0.0.1:1: " in out
    assert "\n  nothing listens at this address" in out
    code, out, _ = run("doctor", "--data", data, "--offline", *link)
    assert (code, out.splitlines()[-1]) == (0, "configuration: ok: link hub to mongodb://127.0.0.1:1")
    assert run("doctor", "--data", data, "--hub", "mongodb://iris:sesame@127.0.0.1:1")[0] == 2
    monkeypatch.setenv("SKERRY_SYNC_HUB_URI", "mongodb://127.0.0.1:1")
    code, out, _ = run("doctor", "--data", data, "--json")
    (wrong,) = [each for each in json.loads(out)["checks"] if each["check"] == "configuration"]
    assert (code, wrong["level"]) == (1, "error")
    assert "there is no link, because a sync setting is wrong: sync.rules" in wrong["message"]
    monkeypatch.setenv("SKERRY_ENGINE_CURSERS_MAX", "20")
    code, out, _ = run("doctor", "--data", data)
    assert code == 1
    assert "configuration: error: engine.cursers_max" in out


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
    assert f"\n{data}: 1 left\n" in out


def test_validate_tells_of_every_collection_and_of_one(run: Run, data: Path) -> None:
    code, out, err = run("validate", data)
    assert (code, err) == (0, "")
    assert "shop.orders" in out
    assert "valid" in out
    (report,) = json.loads(run("validate", data, "shop.orders", "--json")[1])
    assert report == {
        "ns": "shop.orders",
        "nInvalidDocuments": 0,
        "nrecords": 5,
        "nIndexes": 2,
        "keysPerIndex": {"_id_": 5, "n_1": 5},
        "valid": True,
        "warnings": [],
        "errors": [],
    }


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("DELETE FROM i_1 WHERE rid = 2", "index n_1: 1 entries missing, 0 too many"),
        ("UPDATE collection SET document_count = 6", "the catalogue counts 6 documents"),
        ("DROP TABLE i_1", "index n_1: its table is gone"),
        ("DROP TABLE c_1", "its table is gone, and its documents with it"),
    ],
)
def test_validate_ends_with_one_where_something_is_damaged(run: Run, data: Path, sql: str, error: str) -> None:
    damage(data, sql)
    code, out, _ = run("validate", data)
    assert code == 1
    assert "DAMAGED" in out
    assert f"shop.orders: {error}" in out
    code, out, _ = run("validate", data, "--json")
    assert code == 1
    assert json.loads(out)[0]["valid"] is False


def test_validate_of_an_empty_database_says_so(run: Run, tmp_path: Path) -> None:
    Store(tmp_path).close()
    assert run("validate", tmp_path) == (0, f"{tmp_path}: no collections\n", "")


def test_compact_gives_the_space_back_and_says_how_much(run: Run, data: Path) -> None:
    file = data / "skerry.db"
    numbers = "WITH n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 200)"
    damage(data, f"{numbers} INSERT INTO c_1 SELECT v + 100, randomblob(8), zeroblob(10000) FROM n")
    damage(data, "DELETE FROM c_1 WHERE rid > 100")
    before = file.stat().st_size
    assert before > 2_000_000
    code, out, _ = run("compact", data, "--dry-run", "--json")
    assert code == 0
    assert json.loads(out)["bytes_free"] > 1_000_000
    assert "bytes can be freed" in run("compact", data, "--dry-run")[1]
    assert file.stat().st_size == before
    code, out, err = run("compact", data, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert file.stat().st_size == found["bytes_after"] < 1_000_000
    assert found["bytes_freed"] == found["bytes_before"] - found["bytes_after"] > 1_000_000
    assert found["complete"] is True
    assert run("compact", data) == (0, f"{data}: 0 bytes freed, {found['bytes_after']} left\n", "")
    assert run("validate", data)[0] == 0
