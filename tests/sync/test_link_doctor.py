"""What `doctor` says of a link: that it is well, or what stands in its way and what to do, leaving nothing on the hub."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme
from bson.timestamp import Timestamp
from guarded_hub import GuardedServer
from hubs import HubNode, OwnHub, SharedHub
from nodes import EdgeNode, contents

from skerry.config.sync_config import SyncConfig, parse_rule
from skerry.engine.circumstances import Check, Level
from skerry.engine.engine import Engine
from skerry.sync import hub as hub_client
from skerry.sync import hub_probe, link_switch
from skerry.sync.link_doctor import CLOCK_OFFSET_MS_MAX, check_clock, examine_link
from skerry.sync.selection import MARKERS
from skerry.sync.sync_health import LinkState

Make = Callable[..., EdgeNode]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A database that has met no hub."""
    Engine(tmp_path / "new").close()
    return tmp_path / "new"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_client, "_CONNECT_MS", 1_000)


def config_of(uri: str, *rules: str) -> SyncConfig:
    return SyncConfig(hub_uri=uri, rules=tuple(parse_rule(rule) for rule in rules))


def troubles(checks: list[Check]) -> list[Check]:
    return [each for each in checks if each.level is not Level.OK]


def test_a_running_link_is_well_and_the_hub_stays_as_it_was(hub: HubNode, make_edge: Make) -> None:
    hub.shop.orders.insert_one({"_id": 1})
    edge = make_edge()
    edge.settle()
    before = contents(hub.shop), hub.shop[MARKERS].count_documents({"_id.trial": {"$exists": True}})
    checks = examine_link(edge.path, edge.config)
    assert troubles(checks) == []
    assert [each.check for each in checks] == [
        "link",
        "hub",
        "tier",
        "clock",
        "rights",
        "history",
        "identity",
        "markers",
    ]
    assert "run by process" in checks[0].message
    assert (contents(hub.shop), hub.shop[MARKERS].count_documents({"_id.trial": {"$exists": True}})) == before
    edge.shop.orders.insert_one({"_id": 2})
    edge.settle()


def test_a_link_that_was_never_made_can_be_tried_before(hub: HubNode, directory: Path) -> None:
    names = [f"{hub.prefix}shop.*=both", f"{hub.prefix}logs.lines=push"]
    checks = examine_link(directory, config_of(hub.uri, *names))
    assert troubles(checks) == []
    assert hub.client[f"{hub.prefix}logs"].list_collection_names() == []
    assert any("has not met a hub yet" in each.message for each in checks)


def test_another_hub_is_an_error_and_so_is_what_only_looks_like_it(
    own_hub: OwnHub, make_edge: Make, tmp_path: Path
) -> None:
    edge = make_edge()
    edge.settle()
    edge.close()
    other = OwnHub(tmp_path / "other")
    (identity,) = troubles(examine_link(edge.path, config_of(other.uri, "shop.*=both")))
    other.close()
    assert (identity.check, identity.level) == ("identity", Level.ERROR)
    assert "this is not the hub that link hub belongs to" in identity.message
    assert "skerry sync reset" in identity.advice


def test_lost_history_missing_expiry_and_a_copy_are_warnings(own_hub: OwnHub, make_edge: Make) -> None:
    edge = make_edge()
    edge.shop.orders.insert_one({"_id": 1})
    edge.settle()
    edge.close()
    place = int(time.time())
    oplog = own_hub.client.local["oplog.rs"]  # as a MongoDB shows it
    oplog.insert_many([{"ts": Timestamp(place + 1000, 1)}, {"ts": Timestamp(place + 2000, 1)}])
    own_hub.shop[MARKERS].drop_index("expiry")
    own_hub.shop[MARKERS].update_one({"_id.edge": {"$exists": True}}, {"$set": {"run": "of a copy"}})
    found = {each.check: each for each in troubles(examine_link(edge.path, edge.config))}
    assert {each.level for each in found.values()} == {Level.WARNING}
    assert found.keys() == {"history", "markers", "identity"}
    assert "after the link's place" in found["history"].message
    assert "expireAfterSeconds: 2592000" in found["markers"].advice
    assert "a copy of this data directory" in found["identity"].message
    assert all(each.advice for each in found.values())
    oplog.delete_many({})
    oplog.insert_many([{"ts": Timestamp(place - 1000, 1)}, {"ts": Timestamp(place + 9000, 1)}])
    (short,) = [each for each in troubles(examine_link(edge.path, edge.config)) if each.check == "history"]
    assert "make the hub's oplog larger" in short.advice


def test_a_link_that_an_operator_has_paused_says_who(hub: HubNode, make_edge: Make) -> None:
    edge = make_edge(linked=False)
    edge.replicator.link.write(lambda view: link_switch.switch_off(view, "hub", LinkState.PAUSED, "iris"))
    (paused,) = troubles(examine_link(edge.path, edge.config))
    assert (paused.message, paused.advice) == ("link hub is paused by iris", "let it go on: skerry sync resume")


@pytest.mark.parametrize(
    ("lacking", "tier", "words"),
    [("_has_transactions", "C", "no transactions"), ("_has_streams", "D", "rs.initiate()")],
)
def test_a_lesser_hub_says_what_it_lacks(
    hub: HubNode, directory: Path, monkeypatch: pytest.MonkeyPatch, lacking: str, tier: str, words: str
) -> None:
    monkeypatch.setattr(hub_probe, lacking, lambda hub: False)
    (found,) = troubles(examine_link(directory, config_of(hub.uri, f"{hub.prefix}shop.*=both")))
    assert f"of tier {tier}:" in found.message
    assert words in found.message + found.advice
    assert hub.shop[MARKERS].count_documents({}) == 0


def test_nobody_at_the_address_is_told_with_what_to_look_at(directory: Path) -> None:
    for uri, words in (
        ("mongodb://me:sesame@127.0.0.1:1/", "nothing listens at this address"),
        ("mongodb://me:sesame@hub.invalid/", "cannot be resolved"),
    ):
        checks = examine_link(directory, config_of(uri, "shop.*=both"))
        (hub,) = troubles(checks)
        assert (hub.check, hub.level) == ("hub", Level.ERROR)
        assert words in hub.advice
        assert "sesame" not in str(checks)


def test_clocks_may_differ_by_a_little_either_way() -> None:
    for offset in (-CLOCK_OFFSET_MS_MAX, 0, CLOCK_OFFSET_MS_MAX):
        assert check_clock(offset).level is Level.OK
    ahead, behind = check_clock(CLOCK_OFFSET_MS_MAX + 1), check_clock(-CLOCK_OFFSET_MS_MAX - 1)
    assert (ahead.level, behind.level) == (Level.WARNING, Level.WARNING)
    assert "5001 ms ahead of" in ahead.message
    assert "5001 ms behind" in behind.message
    assert "timedatectl" in ahead.advice


class TestHubThatWantsALogIn:
    """A real `skerry serve` with TLS and users."""

    pytestmark = pytest.mark.slow

    @pytest.fixture
    def root(self, guarded: GuardedServer) -> Iterator[SharedHub]:
        with ExitStack() as stack:
            hub = SharedHub(guarded.user_with([("root", "admin")]))
            stack.callback(hub.close)
            hub.shop.orders.insert_one({"_id": 1})
            hub.database("depot").stock.insert_one({"_id": 1})
            yield hub

    def examine(
        self, directory: Path, guarded: GuardedServer, root: SharedHub, roles: list[tuple[str, str]], *rules: str
    ) -> list[Check]:
        granted = [(role, db if db == "admin" else root.prefix + db) for role, db in roles]
        return examine_link(directory, config_of(guarded.user_with(granted), *(root.prefix + rule for rule in rules)))

    def test_the_documented_roles_are_enough(self, directory: Path, guarded: GuardedServer, root: SharedHub) -> None:
        several = [("readWrite", "shop"), ("readWrite", "depot"), ("readAnyDatabase", "admin")]
        for roles, rules in (
            ([("readWrite", "shop")], ["shop.*=both"]),
            (several, ["shop.*=both", "depot.*=both"]),
            ([("readWriteAnyDatabase", "admin")], ["depot*.*=both"]),
        ):
            assert troubles(self.examine(directory, guarded, root, roles, *rules)) == []

    def test_a_user_who_may_only_read_lacks_each_privilege_by_name(
        self, directory: Path, guarded: GuardedServer, root: SharedHub
    ) -> None:
        found = troubles(self.examine(directory, guarded, root, [("read", "shop")], "shop.*=both"))
        shop = root.shop.name
        assert {(each.check, each.level) for each in found} == {("rights", Level.ERROR)}
        shown = "\n".join(each.message for each in found)
        for privilege in (f"update on {shop}.{MARKERS}", f"remove on {shop}.orders", f"insert on {shop}.{MARKERS}"):
            assert f"the link's user lacks the privilege {privilege}" in shown
        assert all(f"grant readWrite on {shop}: db.getSiblingDB" in each.advice for each in found)

    def test_a_stream_over_several_databases_needs_a_role_of_its_own(
        self, directory: Path, guarded: GuardedServer, root: SharedHub
    ) -> None:
        roles = [("readWrite", "shop"), ("readWrite", "depot")]
        (missing,) = troubles(self.examine(directory, guarded, root, roles, "shop.*=both", "depot.*=both"))
        assert "it cannot watch the whole deployment" in missing.message
        assert "grant readAnyDatabase on admin" in missing.advice

    def test_a_wrong_password_and_a_wrong_authority_are_told_apart(
        self, directory: Path, guarded: GuardedServer, tmp_path: Path
    ) -> None:
        uri = guarded.user_with([("root", "admin")])
        authority = tmp_path / "other.pem"
        trustme.CA().cert_pem.write_to_path(str(authority))
        for wrong, check, words in (
            (uri.replace(":secret@", ":sesame@"), "log-in", "authSource"),
            (uri.partition("tlsCAFile=")[0] + f"tlsCAFile={authority}&authSource=admin", "tls", "tlsCAFile"),
        ):
            checks = examine_link(directory, config_of(wrong, "shop.*=both"))
            (found,) = troubles(checks)
            assert (found.check, found.level) == (check, Level.ERROR)
            assert words in found.advice
            assert "secret" not in str(checks)
            assert "sesame" not in str(checks)
