"""`skerry restore` of what mongodump wrote, as a person or a script meets it."""

import gzip
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bson
import pytest
from dump_bytes import ID_INDEX, SHOP, SHOP_METADATA, archive_bytes, index
from pymongo import MongoClient

import skerry
from skerry.commands.client_context import ClientContext
from skerry.commands.entry_point import handle
from skerry.config import ServerConfig, load_settings
from skerry.engine.engine import Engine
from skerry.node import Node
from skerry.server.listener import Listener
from skerry.wire.op_msg import OpMsg

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "shop.archive"
    path.write_bytes(SHOP)
    return path


@pytest.fixture
def uri(tmp_path: Path) -> Iterator[str]:
    engine = Engine(tmp_path / "served")
    with Listener(("127.0.0.1", 0), engine) as listener:
        host, port = listener.address  # type: ignore[misc]
        yield f"mongodb://{host}:{port}/"
    engine.close()


def contents(client: MongoClient[Any]) -> dict[str, Any]:
    orders = client.shop.orders
    return {
        "orders": list(orders.find(sort=[("_id", 1)])),
        "few": [each["_id"] for each in client.shop.few.find()],
        "lines": list(client.logs.lines.find(sort=[("_id", 1)])),
        "options": orders.options(),
        "index": orders.index_information().get("item_-1_qty_1"),
        "databases": sorted(client.list_database_names()),
    }


RESTORED = {
    "orders": [{"_id": 1, "item": "oar", "qty": 2}, {"_id": 2, "item": "rope", "qty": 1, "big": 1 << 40}],
    "few": [2],
    "lines": [{"_id": n, "at": bson.Timestamp(0, 0)} for n in range(3)],
    "options": {"validator": {"qty": {"$gte": 0}}},
    "index": {"v": 2, "key": [("item", -1), ("qty", 1)], "unique": True},
    "databases": ["logs", "shop"],
}


def assert_restored(data: Path) -> None:
    with skerry.connect(data, create=False) as client:
        assert contents(client) == RESTORED


def dump_directory(path: Path, *, compressed: bool) -> Path:
    """The collections of `SHOP` as mongodump's files."""
    ending = ".gz" if compressed else ""
    pack: Callable[[bytes], bytes] = gzip.compress if compressed else bytes
    documents: dict[str, list[dict[str, Any]]] = {
        "shop.orders": RESTORED["orders"],  # type: ignore[dict-item]
        "logs.lines": RESTORED["lines"],  # type: ignore[dict-item]
    }
    for namespace, metadata in SHOP_METADATA.items():
        db, _, coll = namespace.partition(".")
        (path / db).mkdir(parents=True, exist_ok=True)
        (path / db / f"{coll}.metadata.json{ending}").write_bytes(pack(json.dumps(metadata).encode()))
        if namespace != "shop.few":
            data = b"".join(map(bson.encode, documents.get(namespace, [])))
            (path / db / f"{coll}.bson{ending}").write_bytes(pack(data))
    return path


def test_an_archive_gives_documents_options_views_and_indexes(run: Run, archive: Path, tmp_path: Path) -> None:
    code, out, err = run("restore", "--archive", archive, "--data", tmp_path / "data")
    assert (code, out) == (0, "5 documents and 1 indexes in 3 collections restored\n")
    assert err == "left out: admin.system.version, which belongs to the server that was dumped\n"
    assert_restored(tmp_path / "data")


def test_a_compressed_archive_from_the_standard_input(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Standard:
        buffer = io.BytesIO(gzip.compress(SHOP))

    monkeypatch.setattr("sys.stdin", Standard)
    code, out, _ = run("restore", "--archive", "-", "--gzip", "--data", tmp_path / "data", "--json")
    assert code == 0
    assert json.loads(out)["documents"] == 5
    assert_restored(tmp_path / "data")


@pytest.mark.parametrize("compressed", [False, True])
def test_a_directory_gives_the_same(run: Run, tmp_path: Path, *, compressed: bool) -> None:
    dump = dump_directory(tmp_path / "dump", compressed=compressed)
    options = ["--gzip"] if compressed else []
    code, out, _ = run("restore", "--dump", dump, "--data", tmp_path / "data", *options)
    assert (code, out) == (0, "5 documents and 1 indexes in 3 collections restored\n")
    assert_restored(tmp_path / "data")


def test_a_running_server_gets_it_over_the_wire(run: Run, archive: Path, uri: str) -> None:
    assert run("restore", "--archive", archive, "--uri", uri)[0] == 0
    with MongoClient[Any](uri) as client:
        assert contents(client) == RESTORED


def test_a_server_that_is_older_than_an_option_of_insert_gets_its_documents_without_it(
    run: Run, archive: Path, tmp_path: Path
) -> None:
    def older(message: OpMsg, client: ClientContext, engine: Engine) -> bytes | None:
        if "bypassEmptyTsReplacement" in bson.decode(message.body):
            return bson.encode({"ok": 0.0, "code": 40415, "errmsg": "BSON field is an unknown field."})
        return handle(message, client, engine)

    engine = Engine(tmp_path / "older")
    with Listener(("127.0.0.1", 0), engine, handle=older) as listener:
        host, port = listener.address  # type: ignore[misc]
        assert run("restore", "--archive", archive, "--uri", f"mongodb://{host}:{port}/")[0] == 0
        with MongoClient[Any](host, port) as client:
            assert client.logs.lines.count_documents({}) == 3
    engine.close()


def test_collections_are_chosen_by_patterns(run: Run, archive: Path, tmp_path: Path) -> None:
    patterns = ["--ns-include", "shop.*", "--ns-include", "logs.*", "--ns-exclude", "*.few", "--ns-exclude", "l*"]
    code, out, err = run("restore", "--archive", archive, "--data", tmp_path / "data", *patterns)
    assert (code, out, err) == (0, "2 documents and 1 indexes in 1 collections restored\n", "")


def test_documents_that_are_there_already_are_counted_and_told(run: Run, archive: Path, tmp_path: Path) -> None:
    run("restore", "--archive", archive, "--data", tmp_path / "data")
    with skerry.connect(tmp_path / "data") as client:
        client.logs.lines.delete_one({"_id": 1})
    code, out, err = run("restore", "--archive", archive, "--data", tmp_path / "data")
    assert (code, out) == (1, "1 documents and 1 indexes in 3 collections restored\n")
    assert "shop.orders: a document was refused: E11000 duplicate key error" in err
    assert err.endswith("skerry: not restored: 4 documents, 0 indexes\n")
    assert_restored(tmp_path / "data")


def test_with_drop_a_collection_is_replaced_and_others_stay(run: Run, archive: Path, tmp_path: Path) -> None:
    with skerry.connect(tmp_path / "data") as client:
        client.shop.orders.insert_one({"_id": 9})
        client.shop.other.insert_one({"_id": 9})
    assert run("restore", "--archive", archive, "--data", tmp_path / "data", "--drop")[0] == 0
    assert_restored(tmp_path / "data")
    with skerry.connect(tmp_path / "data") as client:
        assert client.shop.other.count_documents({}) == 1


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_archive_is_refused_before_anything_is_dropped_or_written(
    run: Run, archive: Path, tmp_path: Path, damage: str
) -> None:
    with skerry.connect(tmp_path / "data") as client:
        client.shop.orders.insert_one({"_id": 9})
    archive.write_bytes(SHOP[:-20] if damage == "cut" else SHOP.replace(b"rope", b"soap"))
    code, out, err = run("restore", "--archive", archive, "--data", tmp_path / "data", "--drop")
    assert (code, out) == (1, "")
    assert err.startswith(f"skerry: {archive} is not a whole archive of mongodump: ")
    with skerry.connect(tmp_path / "data") as client:
        assert [list(client.shop.orders.find()), client.list_database_names()] == [[{"_id": 9}], ["shop"]]


def test_a_cut_compressed_archive_is_refused(run: Run, archive: Path, tmp_path: Path) -> None:
    archive.write_bytes(gzip.compress(SHOP)[:-30])
    code, _, err = run("restore", "--archive", archive, "--gzip", "--data", tmp_path / "data")
    assert code == 1
    assert err.startswith(f"skerry: {archive} is not a compressed archive of mongodump: ")


def test_a_directory_with_a_cut_or_missing_file_is_refused(run: Run, tmp_path: Path) -> None:
    dump = dump_directory(tmp_path / "dump", compressed=False)
    lines = dump / "logs" / "lines.bson"
    lines.write_bytes(lines.read_bytes()[:-3])
    code, _, err = run("restore", "--dump", dump, "--data", tmp_path / "data")
    assert (code, err) == (1, f"skerry: {lines} is not a whole file of mongodump: it is cut off in a document\n")
    lines.unlink()
    code, _, err = run("restore", "--dump", dump, "--data", tmp_path / "data")
    assert code == 1
    assert "there is no lines.bson beside it" in err
    with skerry.connect(tmp_path / "data") as client:
        assert client.list_database_names() == []


def test_an_index_of_a_kind_that_skerry_lacks_is_named_and_costs_no_other(run: Run, tmp_path: Path) -> None:
    text = index("words", {"_fts": "text", "_ftsx": 1}, weights={"t": {"$numberInt": "1"}}, textIndexVersion=3)
    metadata: dict[str, dict[str, Any] | None] = {
        "a.b": {"options": {}, "indexes": [ID_INDEX, text, index("n_1", {"n": 1})], "collectionName": "b"}
    }
    archive = tmp_path / "text.archive"
    archive.write_bytes(archive_bytes(metadata, [("a.b", [{"_id": 1, "n": 1}]), ("a.b", None)]))
    code, out, err = run("restore", "--archive", archive, "--data", tmp_path / "data")
    assert (code, out) == (1, "1 documents and 1 indexes in 1 collections restored\n")
    assert err.startswith("a.b: no index words: ")
    assert "skerry: not restored: 0 documents, 1 indexes\n" in err
    with skerry.connect(tmp_path / "data") as client:
        assert sorted(client.a.b.index_information()) == ["_id_", "n_1"]
    options = ["--drop", "--no-index-restore"]
    assert run("restore", "--archive", archive, "--data", tmp_path / "data", *options)[0] == 0
    with skerry.connect(tmp_path / "data") as client:
        assert sorted(client.a.b.index_information()) == ["_id_"]


def test_a_collection_whose_options_skerry_lacks_stops_the_restoration_before_it_begins(
    run: Run, tmp_path: Path
) -> None:
    metadata: dict[str, dict[str, Any] | None] = {
        "a.a": {"options": {}, "indexes": [ID_INDEX], "collectionName": "a"},
        "a.b": {"options": {"capped": True, "size": {"$numberInt": "4096"}}, "indexes": [], "collectionName": "b"},
    }
    archive = tmp_path / "capped.archive"
    archive.write_bytes(archive_bytes(metadata, [("a.a", None), ("a.b", [{"_id": 1}]), ("a.b", None)]))
    code, out, err = run("restore", "--archive", archive, "--data", tmp_path / "data")
    assert (code, out) == (1, "")
    assert err.startswith("skerry: a.b cannot be restored: ")
    assert "capped" in err
    with skerry.connect(tmp_path / "data") as client:
        assert client.a.list_collection_names() == []
    assert run("restore", "--archive", archive, "--data", tmp_path / "data", "--no-options-restore")[0] == 0
    with skerry.connect(tmp_path / "data") as client:
        assert client.a.b.count_documents({}) == 1


def test_what_cannot_be_made_does_not_cost_what_it_would_replace(run: Run, tmp_path: Path) -> None:
    metadata: dict[str, dict[str, Any] | None] = {
        "a.a": {"options": {}, "indexes": [ID_INDEX], "collectionName": "a"},
        "a.b": {"options": {"capped": True, "size": {"$numberInt": "4096"}}, "indexes": [], "collectionName": "b"},
    }
    archive = tmp_path / "capped.archive"
    archive.write_bytes(archive_bytes(metadata, [("a.a", None), ("a.b", None)]))
    with skerry.connect(tmp_path / "data") as client:
        client.a.a.insert_one({"_id": 1})
        client.a.b.insert_one({"_id": 1})
    assert run("restore", "--archive", archive, "--data", tmp_path / "data", "--drop")[0] == 1
    with skerry.connect(tmp_path / "data") as client:
        assert sorted(client.a.list_collection_names()) == ["a", "b"]
        assert [client.a[name].count_documents({}) for name in ("a", "b")] == [1, 1]


def test_time_series_are_refused_by_name(run: Run, tmp_path: Path) -> None:
    metadata: dict[str, dict[str, Any] | None] = {
        "a.t": {"options": {"timeseries": {"timeField": "at"}}, "indexes": [], "type": "timeseries"}
    }
    archive = tmp_path / "t.archive"
    archive.write_bytes(archive_bytes(metadata, [("a.t", None)]))
    code, _, err = run("restore", "--archive", archive, "--data", tmp_path / "data")
    expected = "skerry: a.t cannot be restored: time series collections are not supported; see --ns-exclude\n"
    assert (code, err) == (1, expected)


@pytest.mark.parametrize(
    "arguments",
    [
        ["restore", "--data", "d"],
        ["restore", "b.zip", "--archive", "a", "--data", "d"],
        ["restore", "--archive", "a"],
        ["restore", "--archive", "a", "--data", "d", "--overwrite"],
        ["restore", "--archive", "a", "--data", "d", "--ns-include", "nothing"],
        ["restore", "b.zip"],
        ["dump", "--data", "d"],
        ["dump", "--data", "d", "--archive", "a", "--out", "o"],
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a").write_bytes(SHOP)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1


def test_a_server_that_is_not_there_is_one_line_without_the_password(
    run: Run, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("mongodb://me:secret@127.0.0.1:1/?serverSelectionTimeoutMS=50\n"))
    code, _, err = run("restore", "--archive", archive, "--uri", "-")
    assert code == 1
    assert len(err.splitlines()) == 1
    assert "secret" not in err


@pytest.mark.parametrize("command", [("restore", "--archive"), ("dump", "--archive")])
def test_a_password_on_the_command_line_is_refused_and_not_repeated(
    run: Run, archive: Path, command: tuple[str, str]
) -> None:
    before = archive.read_bytes()
    code, out, err = run(*command, archive, "--uri", "mongodb://me:sesame@127.0.0.1:1/")
    assert (code, out) == (2, "")
    assert "'-' reads it from the standard input; or SKERRY_URI_PASSWORD_FILE=FILE" in err
    assert "sesame" not in err
    assert archive.read_bytes() == before


def test_the_password_comes_from_the_environment_a_file_or_the_standard_input(
    run: Run, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(":memory:", server=ServerConfig(bind_port=0))
    node.start()
    with MongoClient[Any](f"mongodb://{node.address}") as client:
        client.admin.command("createUser", "iris", pwd="sesame", roles=["root"])
    uri = f"mongodb://iris@{node.address}/?authSource=admin"
    restore = ("restore", "--archive", archive, "--drop", "--uri")
    assert run(*restore, uri)[0] != 0
    file = tmp_path / "password"
    file.write_text("sesame\n")
    with monkeypatch.context() as patch:
        patch.setenv("SKERRY_URI_PASSWORD_FILE", str(file))
        assert run(*restore, uri)[0] == 0
    with monkeypatch.context() as patch:
        patch.setenv("SKERRY_URI_PASSWORD", "sesame")
        assert run("dump", "--archive", tmp_path / "new", "--uri", uri)[0] == 0
        assert load_settings(environment=os.environ).sync is None  # it is no setting of a node
    monkeypatch.setattr(sys, "stdin", io.StringIO(uri.replace("iris@", "iris:sesame@") + "\n"))
    assert run(*restore, "-")[0] == 0
    node.stop()


def test_the_standard_input_is_a_uri_or_an_archive_but_not_both(run: Run) -> None:
    code, _, err = run("restore", "--archive", "-", "--uri", "-")
    assert (code, "an archive from a file" in err) == (2, True)
