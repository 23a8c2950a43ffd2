"""The C driver as a witness, as the system's packages have it (manual: Drivers)."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "c_driver.c"


def build(into: Path) -> Path:
    """Compile the program; skip where there is no compiler or no driver."""
    compiler, finder = shutil.which("cc"), shutil.which("pkg-config")
    if compiler is None or finder is None:
        pytest.skip("there is no C compiler, or no pkg-config")
    found = subprocess.run(
        [finder, "--cflags", "--libs", "libmongoc-1.0"], capture_output=True, text=True, timeout=20, check=False
    )
    if found.returncode:
        pytest.skip("the C driver (libmongoc-dev) is not installed")
    program = into / "c_driver"
    subprocess.run([compiler, "-o", str(program), str(SOURCE), *shlex.split(found.stdout)], timeout=60, check=True)
    return program


@pytest.mark.long
def test_an_application_in_c_sees_what_mongodb_would_show(server: tuple[str, int], tmp_path: Path) -> None:
    program = build(tmp_path)
    done = subprocess.run(
        [str(program), "mongodb://{}:{}/".format(*server)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "again 0 11000",
        '{ "_id" : 1, "third" : 1, "name" : "one" }',
        '{ "_id" : 0, "n" : 100 }',
        '{ "_id" : 1, "n" : 100 }',
        '{ "_id" : 2, "n" : 100 }',
        "inside 0",
        "outside 300",
        "kept 300",
        "event insert",
    ]
