"""The Node driver as a witness: another implementation of the protocol, by other people (manual: Drivers)."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from driver_archive import npm_package

SCRIPT = Path(__file__).parent / "node_driver.mjs"


@pytest.mark.long
@pytest.mark.timeout(400)
def test_an_application_on_node_sees_what_mongodb_would_show(server: tuple[str, int]) -> None:
    package = npm_package("mongodb")
    node = shutil.which("node")
    assert node is not None
    uri = "mongodb://{}:{}/".format(*server)
    done = subprocess.run(
        [node, str(SCRIPT), uri, str(package)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen == {
        "inserted": 3,
        "generated": True,
        "found": [{"item": "oar"}, {"item": "rope"}, {"item": "oar"}],
        "long": "9007199254740993",
        "updated": 2,
        "upserted": 9,
        "after": ["wood", "new"],
        "deleted": 2,
        "distinct": ["oar", "rope"],
        "bulk": [11000, 1, 1],
        "clientBulk": 2,
        "index": "item_1",
        "duplicate": [11000, {"item": "oar"}],
        "indexes": ["_id_", "item_1"],
        "batches": 1000,
        "groups": [{"_id": 0, "n": 334}, {"_id": 1, "n": 333}, {"_id": 2, "n": 333}],
        "event": ["update", 2, 50],
        "resumed": 77,
        "committed": [1, 666],
        "aborted": 0,
        "unknownCommand": "CommandNotFound",
        "hello": True,
    }
