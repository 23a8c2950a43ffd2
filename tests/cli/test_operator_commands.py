"""The commands for a running node: tables for people, JSON for programs, exit codes for both."""

import contextlib
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner, Result

from skerry.admin import run_file
from skerry.admin.run_file import RunFile
from skerry.cli.main import app, exit_code
from skerry.config import AdminConfig, ServerConfig, SyncConfig, parse_rule
from skerry.node import Node
from skerry.sync.link import Link
from skerry.sync.link_removal import known_links


class Site:
    """A hub and an edge with an admin API, found by its data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.hub = Node(":memory:", server=ServerConfig(bind_port=0))
        self.hub.start()
        address = f"mongodb://{self.hub.address}/?directConnection=true"
        self.sync = SyncConfig(
            hub_uri=address, rules=(parse_rule("shop.*=both"),), backoff_ms_min=20, backoff_ms_max=100
        )
        self.edge = Node(data, server=ServerConfig(bind_port=0), sync=self.sync, admin=AdminConfig(bind_port=0))
        self.edge.start()
        self.there: Any = MongoClient(address).shop
        self.here: Any = MongoClient(f"mongodb://{self.edge.address}/?directConnection=true").shop

    def skerry(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--data", str(self.data)])

    def json(self, *arguments: str) -> Any:
        result = self.skerry(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def settle(self) -> None:
        assert self.edge.replicator is not None
        assert self.edge.replicator.wait_until_in_step(10)

    def lose(self, collection: str) -> None:
        """Delete the documents here, but not on the hub."""
        storage = self.edge.engine.storage
        observers, storage.observers = storage.observers, ()
        self.here[collection].delete_many({})
        storage.observers = observers

    def make_conflict(self, id: str) -> int:
        self.here.orders.insert_one({"_id": id, "qty": 1})
        self.settle()
        self.skerry("sync", "pause")
        wait_until(lambda: self.edge.replicator and not self.edge.replicator._connected.is_set())
        self.here.orders.update_one({"_id": id}, {"$set": {"qty": 2}})
        time.sleep(0.005)
        self.there.orders.update_one({"_id": id}, {"$set": {"qty": 3}})
        self.skerry("sync", "resume")
        self.settle()
        return int(self.json("conflicts", "list")["conflicts"][-1]["id"])

    def close(self) -> None:
        self.there.client.close()
        self.here.client.close()
        self.edge.stop()
        self.hub.stop()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skerry.sync.pull_worker.AWAIT_MS", 30)
        site = Site(tmp_path_factory.mktemp("edge"))
        site.settle()
        yield site
        site.close()


def test_status_tells_how_node_and_link_are(site: Site) -> None:
    site.settle()
    result = site.skerry("status")
    assert result.exit_code == 0
    assert "streaming" in result.stdout
    assert "healthy" in result.stdout
    assert str(site.data) in result.stdout
    assert site.json("status")["sync"]["health"]["status"] == "healthy"


def test_status_of_a_document_shows_both_sides(site: Site) -> None:
    site.here.orders.insert_one({"_id": 42, "item": "oars"})
    site.settle()
    result = site.skerry("status", "--document", "shop.orders", "42")
    assert result.exit_code == 0, result.output
    assert "in step with the hub" in result.stdout
    assert result.stdout.count('{"_id": 42, "item": "oars"}') == 3  # here, as both agreed, on the hub
    assert site.json("status", "--document", "shop.orders", "none")["state"] == "untracked"


def test_the_link_is_stopped_and_started_and_unhealthy_meanwhile(site: Site) -> None:
    assert site.skerry("sync", "stop").stdout == "stopped\n"
    assert site.skerry("sync", "stop").stdout == "it was stopped already\n"
    status = site.skerry("status")
    assert status.exit_code == 6
    assert "start it: skerry sync start" in status.stdout
    refused = site.skerry("sync", "pause")
    assert str(refused.exception) == "the link is stopped; start it first"
    assert site.json("sync", "start") == {"changed": True}
    site.settle()
    assert site.skerry("sync", "pause").stdout == "paused\n"
    assert site.skerry("sync", "resume").exit_code == 0
    site.settle()


def test_the_link_is_reset_and_an_old_one_is_forgotten(site: Site) -> None:
    site.skerry("sync", "pause")
    site.here.orders.insert_many([{"_id": n} for n in range(2)])
    refused = site.skerry("sync", "reset")
    assert "2 documents wait to be pushed" in str(refused.exception)
    assert exit_code(refused.exception) == 1  # type: ignore[arg-type]
    forced = site.skerry("sync", "reset", "--force")
    assert forced.stdout == "paused, as with a hub never met; had not been pushed: 2 documents\n"
    site.skerry("sync", "resume")
    site.settle()
    assert site.there.orders.count_documents({}) == 2
    assert site.json("sync", "reset")["unpushed"] == 0

    Link(site.edge.engine, replace(site.sync, link_name="cloud")).register()
    assert site.skerry("sync", "forget", "cloud").stdout == "forgot cloud\n"
    again = site.skerry("sync", "forget", "cloud")
    assert (exit_code(again.exception), str(again.exception)) == (1, "this database knows no link 'cloud'")  # type: ignore[arg-type]
    own = site.skerry("sync", "forget", "hub", "--force")
    assert "link 'hub' is this node's" in str(own.exception)
    site.settle()


def test_the_link_of_a_node_that_runs_no_more_is_forgotten_in_its_directory(site: Site) -> None:
    site.edge.stop()
    site.edge = Node(site.data, server=ServerConfig(bind_port=0))  # from now on without a hub
    site.edge.start()
    client: Any = MongoClient(f"mongodb://{site.edge.address}/?directConnection=true")
    client.shop.orders.insert_one({"_id": 1})
    refused = site.skerry("sync", "forget", "hub")
    assert (exit_code(refused.exception), "1 documents wait" in str(refused.exception)) == (1, True)  # type: ignore[arg-type]
    assert site.json("sync", "forget", "hub", "--force") == {"link": "hub", "unpushed": 1, "untracked": []}
    client.shop.orders.insert_one({"_id": 2})
    client.close()
    with site.edge.engine.storage.read() as view:
        assert known_links(view) == []
    elsewhere = CliRunner().invoke(app, ["sync", "forget", "hub", "--url", "http://127.0.0.1:9"])
    assert exit_code(elsewhere.exception) == 4  # type: ignore[arg-type]


def test_verify_ends_with_six_when_the_sides_differ_and_full_sync_mends_it(site: Site) -> None:
    site.here.parts.insert_many([{"_id": n} for n in range(3)])
    site.settle()
    site.lose("parts")
    result = site.skerry("verify", "--collection", "shop.parts")
    assert result.exit_code == 6
    assert result.stdout.count("only on the hub") == 3
    mended = site.json("full-sync")
    assert (mended["state"], mended["changes"]["pulled_applied"]) == ("done", 3)
    equal = site.skerry("verify")
    assert equal.exit_code == 0
    assert "different documents" in equal.stdout
    assert site.json("verify")["differences"] == 0


def test_a_conflict_is_listed_shown_decided_and_exported(site: Site, tmp_path: Path) -> None:
    number = site.make_conflict("c1")
    listed = site.skerry("conflicts", "list")
    assert "shop.orders" in listed.stdout
    assert "c1" in listed.stdout
    shown = site.skerry("conflicts", "show", str(number))
    assert shown.exit_code == 0
    assert "qty" in shown.stdout
    decided = site.skerry("conflicts", "resolve", str(number), "--take", "local")
    assert decided.stdout == f"conflict {number} is resolved: local\n"
    site.settle()
    assert site.there.orders.find_one({"_id": "c1"})["qty"] == 2
    assert site.json("conflicts", "list")["conflicts"] == []
    assert site.skerry("conflicts", "list").stdout.startswith("no open conflicts; ")
    assert number in [each["id"] for each in site.json("conflicts", "list", "--all")["conflicts"]]
    file = tmp_path / "conflicts.ndjson"
    assert site.skerry("conflicts", "export", "--file", str(file)).exit_code == 0
    assert number in [json.loads(line)["id"] for line in file.read_text("utf-8").splitlines()]
    assert site.skerry("conflicts", "export").stdout == file.read_text("utf-8")


def test_a_conflict_is_decided_by_a_document_in_a_file(site: Site, tmp_path: Path) -> None:
    number = site.make_conflict("c2")
    file = tmp_path / "document.json"
    file.write_text("[]")
    for arguments in ((), ("--take", "local", "--document", str(file)), ("--document", str(file))):
        result = site.skerry("conflicts", "resolve", str(number), *arguments)
        assert result.exception is not None
        assert exit_code(result.exception) == 2  # type: ignore[arg-type]
    file.write_text('{"qty": 9}')
    assert site.skerry("conflicts", "resolve", str(number), "--document", str(file)).exit_code == 0
    assert site.here.orders.find_one({"_id": "c2"}) == {"_id": "c2", "qty": 9}


def test_dead_letters_are_listed_retried_and_discarded(site: Site) -> None:
    site.here.people.create_index("email", unique=True)
    site.settle()
    site.here.people.insert_one({"_id": "here", "email": "x"})
    site.there.people.insert_one({"_id": "there", "email": "x"})
    wait_until(lambda: site.json("dead-letters", "list")["total"] == 1)
    listed = site.skerry("dead-letters", "list")
    assert "there" in listed.stdout
    assert "duplicate key" in listed.stdout

    def times_put_aside() -> Any:
        return site.json("status")["sync"]["counters"]["dead_letters"]

    number = str(site.json("dead-letters", "list")["dead_letters"][0]["id"])
    first = times_put_aside()
    assert site.skerry("dead-letters", "retry", number).stdout == f"dead letter {number} is being tried again\n"
    wait_until(lambda: times_put_aside() == first + 1)
    assert site.skerry("dead-letters", "retry").stdout == "they are being tried again\n"
    wait_until(lambda: times_put_aside() == first + 2)
    assert site.skerry("dead-letters", "discard", number).exit_code == 0
    assert site.skerry("dead-letters", "list").stdout == "no dead letters\n"
    assert site.skerry("dead-letters", "discard", number).exit_code == 1
    site.here.people.delete_one({"_id": "here"})


def test_what_travels_is_seen_and_changed(site: Site) -> None:
    result = site.skerry("selection", "--set", "shop.drafts=none", "--one-way")
    assert result.exit_code == 0, result.output
    assert "shop.drafts=none, shop.*=push" in result.stdout
    assert "do not come down" in result.stdout
    site.here.drafts.insert_one({"_id": 1})
    shown = site.json("selection", "--both-ways")
    assert {
        "namespace": "shop.drafts",
        "direction": "none",
        "filter": None,
        "documents": 1,
        "waiting": 0,
        "state": "local",
        "frozen": None,
    } in shown["collections"]
    again = site.json("selection", "--unset", "shop.drafts")
    assert again["selection"]["effective"] == [{"pattern": "shop.*", "direction": "both", "filter": None}]
    filtered = site.skerry("selection", "--set", 'shop.notes=both {"region": "north"}')
    assert 'shop.notes=both {"region": "north"}' in filtered.stdout.replace("\n", " ")
    assert site.skerry("selection", "--unset", "shop.notes").exit_code == 0
    no_query = site.skerry("selection", "--set", 'shop.notes=both {"region": {"$nowhere": 1}}')
    assert exit_code(no_query.exception) == 1  # type: ignore[arg-type]
    assert "unknown operator: $nowhere" in str(no_query.exception)
    wrong = site.skerry("selection", "--set", "shop.drafts=sideways")
    assert wrong.exception is not None
    assert exit_code(wrong.exception) == 2  # type: ignore[arg-type]
    site.settle()


def test_top_looks_as_often_as_it_is_told(site: Site) -> None:
    result = site.skerry("top", "--json", "--count", "2", "--interval", "0.1")
    assert result.exit_code == 0
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert first["rates"] == {}
    assert second["rates"]["pushed"] >= 0
    shown = site.skerry("top", "--count", "1")
    assert "connections" in shown.stdout
    assert "documents" in shown.stdout


def test_on_a_terminal_top_redraws_and_verify_has_colours(site: Site) -> None:
    site.settle()
    for arguments in (["top", "--count", "2", "--interval", "0.1"], ["verify"], ["status"]):
        primary, secondary = pty.openpty()
        command = [sys.executable, "-m", "skerry", *arguments, "--data", str(site.data)]
        with subprocess.Popen(
            command, stdout=secondary, stdin=secondary, env={**os.environ, "TERM": "xterm"}
        ) as process:
            os.close(secondary)
            shown = b""
            with contextlib.suppress(OSError):  # that is how the end of a terminal shows
                while chunk := os.read(primary, 65536):
                    shown += chunk
        os.close(primary)
        assert process.returncode == 0, shown.decode()
        assert b"\x1b[" in shown, arguments
        assert b"Traceback" not in shown


def test_no_node_and_a_wrong_token_have_exit_codes_of_their_own(site: Site, tmp_path: Path) -> None:
    def code(*arguments: str) -> int:
        result = CliRunner().invoke(app, ["status", *arguments])
        assert result.exception is not None
        assert "Traceback" not in result.output
        return exit_code(result.exception)  # type: ignore[arg-type]

    assert code("--data", str(tmp_path)) == 4
    run_file.write(tmp_path, RunFile("http://127.0.0.1:9", "x", 1))
    assert code("--data", str(tmp_path)) == 4
    run = run_file.read(site.data)
    assert run is not None
    assert code("--url", run.url) == 5
    token = tmp_path / "token"
    token.write_text("a-wrong-guess-of-a-token\n")
    assert code("--url", run.url, "--token-file", str(token)) == 5
    assert code("--url", f"http://{site.edge.address}", "--token-file", str(token)) in (1, 4)
    assert code("--url", run.url, "--data", str(tmp_path)) == 2
    assert code("--url", "ftp://x") == 2
    token.write_text(run.token)
    assert CliRunner().invoke(app, ["status", "--url", run.url, "--token-file", str(token)]).exit_code == 0
