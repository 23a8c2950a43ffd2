"""mongosh as a witness: what is typed into MongoDB's own shell gives what it would give there (manual: mongosh Methods)."""

import os
import subprocess
from pathlib import Path

import pytest
from bson import Decimal128, json_util
from driver_archive import npm_package

SCRIPT = Path(__file__).parent / "shell.js"


@pytest.mark.long
@pytest.mark.timeout(400)
def test_the_shell_shows_what_it_would_show_of_mongodb(server: tuple[str, int], tmp_path: Path) -> None:
    shell = npm_package("mongosh") / "node_modules" / ".bin" / "mongosh"
    done = subprocess.run(
        [str(shell), "--quiet", "--norc", "mongodb://{}:{}/shell".format(*server), "--file", str(SCRIPT)],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert json_util.loads(done.stdout) == {
        "inserted": {"0": 1, "1": 2, "2": 3},
        "found": [{"_id": 3, "a": 3}, {"_id": 2, "a": 2}],
        "updated": 1,
        "replaced": {"_id": 2, "c": Decimal128("1.10")},
        "index": "by_a",
        "indexes": [
            {"v": 2, "key": {"_id": 1}, "name": "_id_"},
            {"v": 2, "key": {"a": 1}, "name": "by_a", "expireAfterSeconds": 3600},
        ],
        "plan": "FETCH",
        "groups": [{"_id": None, "n": 4}],
        "counted": [3, 3],
        "view": [{"_id": 3, "a": 3}],
        "collections": ["seen", "things"],  # and system.views, on MongoDB: differences/diff_12
        "database": ["shell"],
        "event": {"_id": 4},
        "inside": 0,
        "outside": 4,
        "kept": 4,
        "duplicate": 11000,
        "dropped": [True, ["seen"]],
    }
