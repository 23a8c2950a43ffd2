"""`skerry dump`: what it writes gives the same database again, in both forms."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import bson
import pytest
from dump_bytes import SHOP

import skerry

Run = Callable[..., tuple[int, str, str]]
LONG_NAME = "long/" + "ä" * 100


@pytest.fixture
def data(run: Run, tmp_path: Path) -> Path:
    archive = tmp_path / "shop.archive"
    archive.write_bytes(SHOP)
    run("restore", "--archive", archive, "--data", tmp_path / "data")
    with skerry.connect(tmp_path / "data") as client:
        client.shop[LONG_NAME].insert_many({"_id": n, "text": "x" * 1000} for n in range(3000))
        client.shop.create_collection("empty")
    return tmp_path / "data"


def everything(data: Path) -> dict[str, object]:
    with skerry.connect(data, create=False) as client:
        found: dict[str, object] = {}
        for db in client.list_database_names():
            for info in client[db].list_collections():
                collection = client[db][info["name"]]
                indexes = collection.index_information() if info["type"] == "collection" else {}
                found[f"{db}.{info['name']}"] = (info["options"], indexes, list(collection.find().sort("_id")))
        return found


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("form", ["archive", "directory"])
def test_a_dump_restores_to_the_same_database(
    run: Run, data: Path, tmp_path: Path, form: str, *, compressed: bool
) -> None:
    target, gzip_option = tmp_path / "dumped", ["--gzip"] if compressed else []
    to, back = ("--archive", "--archive") if form == "archive" else ("--out", "--dump")
    code, out, err = run("dump", "--data", data, to, target, *gzip_option)
    assert (code, out, err) == (0, "3005 documents in 5 collections\n", "")
    assert run("restore", back, target, "--data", tmp_path / "again", *gzip_option)[0] == 0
    assert everything(tmp_path / "again") == everything(data)


def test_the_files_have_the_names_that_mongodump_gives(run: Run, data: Path, tmp_path: Path) -> None:
    run("dump", "--data", data, "--out", tmp_path / "out", "--ns-exclude", "logs.*")
    names = sorted(each.name for each in (tmp_path / "out" / "shop").iterdir() if each.name[0] != "l")
    assert names == ["empty.bson", "empty.metadata.json", "few.metadata.json", "orders.bson", "orders.metadata.json"]
    (long,) = (tmp_path / "out" / "shop").glob("long%2F%C3%A4*.bson")
    assert len(long.name) <= 255 - len(".metadata.json.gz") + len(".bson")
    orders = (tmp_path / "out" / "shop" / "orders.bson").read_bytes()
    assert [each["_id"] for each in bson.decode_all(orders)] == [1, 2]


def test_an_archive_goes_to_the_standard_output_and_words_to_the_other(
    run: Run, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Standard(io.StringIO):
        buffer = io.BytesIO()

    monkeypatch.setattr("sys.stdout", Standard())
    code, _, err = run("dump", "--data", data, "--archive", "-", "--gzip", "--ns-include", "shop.orders")
    assert (code, err) == (0, "2 documents in 1 collections\n")
    assert gzip.decompress(Standard.buffer.getvalue()).startswith(bytes.fromhex("6de29981"))


def test_nothing_is_written_over_and_a_failed_dump_leaves_nothing(run: Run, data: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    code, _, err = run("dump", "--data", data, "--archive", taken)
    assert code == 1
    assert "is there already" in err
    assert taken.read_text() == "mine"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    assert run("dump", "--data", data, "--out", tmp_path / "full")[0] == 1
    away = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50"
    assert run("dump", "--uri", away, "--archive", tmp_path / "new")[0] == 1
    assert sorted(each.name for each in tmp_path.glob("new*")) == []


def test_a_directory_without_a_database_is_not_made_into_one(run: Run, tmp_path: Path) -> None:
    code, _, _ = run("dump", "--data", tmp_path / "none", "--archive", tmp_path / "new")
    assert code != 0
    assert list(tmp_path.iterdir()) == []
