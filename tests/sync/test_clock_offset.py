"""How the difference between the hub's clock and the node's is measured."""

import time
from pathlib import Path

import pytest
from nodes import wait_for

from skerry.config import Direction, SelectionRule, ServerConfig, SyncConfig
from skerry.node import Node
from skerry.sync.sync_health import LinkState

LATE_SECONDS = 0.6


@pytest.mark.slow
def test_the_wait_for_a_hub_that_comes_up_later_does_not_count_as_a_difference_of_the_clocks(tmp_path: Path) -> None:
    first = Node(tmp_path / "hub", server=ServerConfig(bind_port=0))
    first.start()
    address = first.address
    first.stop()
    rules = (SelectionRule("shop.*", Direction.BOTH),)
    edge = Node(tmp_path / "edge", sync=SyncConfig(hub_uri=f"mongodb://{address}", rules=rules))
    hub = Node(tmp_path / "hub", server=ServerConfig(bind_port=int(address.rpartition(":")[2])))
    try:
        edge.start()
        time.sleep(LATE_SECONDS)
        hub.start()
        replicator = edge.replicator
        assert replicator is not None
        wait_for(lambda: replicator.status().state is LinkState.STREAMING)
        assert abs(replicator.link.clock_offset_ms) < LATE_SECONDS * 1000 / 3
    finally:
        edge.stop()
        hub.stop()
