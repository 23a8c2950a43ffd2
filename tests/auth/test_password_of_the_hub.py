"""The password of the hub's user, kept apart from the hub's URI."""

import logging
from pathlib import Path

import pytest
from pymongo import MongoClient

from skerry.config import ServerConfig, SyncConfig, parse_rule
from skerry.node import Node

SECRET = "sesame/open:sesame@"


@pytest.mark.slow
def test_the_link_logs_in_with_it_and_logs_it_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hub = Node(tmp_path / "hub", server=ServerConfig(bind_port=0, auth=True))
    hub.start()
    with MongoClient(f"mongodb://{hub.address}/?directConnection=true") as first:
        first.admin.command("createUser", "iris", pwd=SECRET, roles=["root"])
    uri = f"mongodb://iris@{hub.address}/?directConnection=true&authSource=admin"
    sync = SyncConfig(hub_uri=uri, hub_password=SECRET, rules=(parse_rule("shop.*=both"),), backoff_ms_min=20)
    edge = Node(tmp_path / "edge", server=ServerConfig(bind_port=0), sync=sync)
    edge.start()
    try:
        with (
            MongoClient(f"mongodb://{edge.address}/?directConnection=true") as here,
            MongoClient(uri, password=SECRET) as there,
        ):
            here.shop.orders.insert_one({"_id": 1})
            assert edge.replicator is not None
            assert edge.replicator.wait_until_in_step(20)
            assert there.shop.orders.count_documents({}) == 1
        shown = [str(each) for each in edge.settings()]
    finally:
        edge.stop()
        hub.stop()
    assert SECRET not in "".join(shown)
    assert caplog.records
    assert not [record for record in caplog.records if SECRET in record.getMessage()]
