"""Other people's reader of mongodump's files as a witness of what `skerry dump` writes."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from driver_archive import npm_package
from pymongo import MongoClient

import skerry

READER = """\
const restore = require('@cdxoo/mongodb-restore');
restore.dump({ uri: process.argv[1], from: process.argv[2] })
  .then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
"""


@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_reader_of_mongodump_files_restores_what_skerry_dumped(server: tuple[str, int], tmp_path: Path) -> None:
    package = npm_package("@cdxoo/mongodb-restore")
    node = shutil.which("node")
    assert node is not None
    with skerry.connect(tmp_path / "data") as client:
        client.dumped.orders.insert_many({"_id": n, "item": f"item {n % 7}"} for n in range(2500))
        client.dumped.orders.create_index([("item", 1), ("_id", -1)], name="by_item")
        wanted = list(client.dumped.orders.find().sort("_id"))
    dump = [sys.executable, "-m", "skerry", "dump", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    subprocess.run(dump, check=True, capture_output=True, timeout=60)
    uri = "mongodb://{}:{}/".format(*server)
    done = subprocess.run(
        [node, "-e", READER, uri, str(tmp_path / "out")],
        cwd=package,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with MongoClient[Any](uri) as client:
        assert list(client.dumped.orders.find().sort("_id")) == wanted
