"""NiceGUI is one for a process, and so is the dashboard: a second node is served without, and says why."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TWO_NODES = """
import json, sys, urllib.error, urllib.request
from skerry.config import AdminConfig, ServerConfig
from skerry.node import Node

def page(url):
    try:
        with urllib.request.urlopen(url + "/dashboard/") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()

nodes = []
texts = []
for name in ("one", "two"):
    node = Node(f"{sys.argv[1]}/{name}", server=ServerConfig(bind_port=0), admin=AdminConfig(bind_port=0))
    node.start()
    nodes.append(node)
    texts.append(page(node.admin_url)[1])
ready = [urllib.request.urlopen(node.admin_url + "/readyz").status for node in nodes]
for node in nodes:
    node.stop()
print(json.dumps({"ready": ready, "texts": texts}))
"""


@pytest.mark.slow
def test_the_second_node_of_a_process_says_why_it_has_no_dashboard(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWO_NODES, str(tmp_path)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["ready"] == [200, 200]
    first, second = seen["texts"]
    assert "Another node of this process has the dashboard" in second
    assert "Another node" not in first
    assert "skerry" in first
    assert "another node of the process has it" in done.stderr
