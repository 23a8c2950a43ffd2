"""What stands between a data directory and its hub: reached and let in, what the hub can do, rights, clock, history, identity.

The store is only read, and the hub is left as it was, so a node may run on the directory meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pymongo.errors import ConfigurationError as DriverConfigurationError
from pymongo.errors import OperationFailure, PyMongoError

from skerry.config.hub_uri import without_secrets
from skerry.config.sync_config import SyncConfig
from skerry.engine.circumstances import Check, Level
from skerry.storage import ReadView, Store
from skerry.sync import link_switch, selection_override
from skerry.sync.hub import MARKER_DAYS_MAX, Hub, HubFacts, failure_of
from skerry.sync.hub_probe import headroom, probe
from skerry.sync.lease import runner_of
from skerry.sync.link_removal import known_links
from skerry.sync.missing_rights import is_denied, with_privilege
from skerry.sync.origin import Identity
from skerry.sync.protocol.capability import Tier
from skerry.sync.resume_tokens import StreamPosition
from skerry.sync.rights_trial import try_rights
from skerry.sync.selection import MARKERS, Selection

CLOCK_OFFSET_MS_MAX: Final = 5_000
"""A clock that is kept right is off by less than a second."""

_TIERS: Final = {
    Tier.A: (Level.OK, "it has transactions and change streams", ""),
    Tier.B: (Level.OK, "it has transactions and change streams, and is older than MongoDB 6.0", ""),
    Tier.C: (
        Level.WARNING,
        "it has change streams, but no transactions: batches are not atomic there",
        "use a replica set of MongoDB 4.4 or newer",
    ),
    Tier.D: (
        Level.WARNING,
        "it has no change streams: both sides are compared every poll_interval_ms",
        "make a single mongod a replica set of one: --replSet and rs.initiate()",
    ),
}


@dataclass(frozen=True, slots=True)
class _LinkState:
    """What the store knows of a link; `place` is a cluster time, 0 before the stream was opened."""

    selection: Selection
    identity: Identity | None
    place: int
    switched: str | None
    run_by: str | None


def examine_link(directory: Path, config: SyncConfig) -> list[Check]:
    """Check the link that `config` describes, against its hub. Raises what opening a `Store` raises."""
    store = Store(directory)
    try:
        with store.read() as view:
            state = _load(view, config)
    finally:
        store.close()
    found = _of_switch(config, state)
    try:
        hub = Hub(config.hub_uri, config.hub_password)
    except (PyMongoError, ValueError, OSError) as error:
        return [*found, _unreachable(config, error)]
    try:
        try:
            hub.facts = probe(hub)
        except PyMongoError as error:
            return [*found, _unreachable(config, error)]
        return [*found, *_of_hub(hub, hub.facts, config, state)]
    finally:
        hub.close()


def examine_unattended(directory: Path, configured: str | None) -> list[Check]:
    """Warn of the links, but for the one `configured`, that writes are captured for and no process runs.

    Raises what opening a `Store` raises.
    """
    store = Store(directory)
    try:
        with store.read() as view:
            known = known_links(view)
    finally:
        store.close()
    found = []
    for each in known:
        if each.name != configured and each.run_by is None:
            message = f"every write is captured for link {each.name}, which no setting names and no process runs"
            advice = f"run its node; or, if it is to be no more: skerry sync forget {each.name} --data {directory}"
            found.append(Check("link", Level.WARNING, message, advice))
    return found


def _load(view: ReadView, config: SyncConfig) -> _LinkState:
    name = config.link_name
    position = StreamPosition.load(view, name)
    switched = link_switch.load(view, name)
    return _LinkState(
        Selection(selection_override.load(view, name).applied_to(config.rules)),
        Identity.load(view, name),
        0 if position is None else position.time,
        None if switched is None else f"{switched.state} by {switched.by}",
        runner_of(view, name),
    )


def _of_switch(config: SyncConfig, state: _LinkState) -> list[Check]:
    if state.switched is not None:
        verb = "resume" if state.switched.startswith("paused") else "start"
        message = f"link {config.link_name} is {state.switched}"
        return [Check("link", Level.WARNING, message, f"let it go on: skerry sync {verb}")]
    if state.run_by is None:
        return [Check("link", Level.OK, f"no process runs link {config.link_name} now")]
    return [Check("link", Level.OK, f"link {config.link_name} is run by {state.run_by}")]


def _unreachable(config: SyncConfig, error: Exception) -> Check:
    """Say why nothing can be asked of the hub, and what to look at first."""
    shown = without_secrets(config.hub_uri)
    if isinstance(error, OperationFailure):
        message = failure_of(error).message
        if error.code in (18, 8000):
            advice = "check the user's name, the password, and authSource in the URI"
            return Check("log-in", Level.ERROR, f"{shown} does not let the link's user in: {message}", advice)
        return Check("hub", Level.ERROR, f"{shown}: {with_privilege(message)}", "see what the hub's message says")
    text = without_secrets(str(error).partition(", Timeout:")[0])
    for words, check, advice in _REASONS:
        if any(word in text.lower() for word in words):
            return Check(check, Level.ERROR, f"{shown}: {text}", advice)
    if isinstance(error, DriverConfigurationError):
        return Check("hub", Level.ERROR, f"{shown}: {text}", "correct the URI of the hub")
    return Check("hub", Level.ERROR, f"{shown} does not answer: {text}", "check its address, the network, and the hub")


_REASONS: Final[tuple[tuple[tuple[str, ...], str, str], ...]] = (
    (
        ("certificate", "ssl", "tls"),
        "tls",
        "check that both sides use TLS, and that tlsCAFile in the URI names who signed the hub's certificate",
    ),
    (
        ("name or service not known", "nodename nor servname", "name resolution", "dns"),
        "hub",
        "the name of the hub cannot be resolved: check the URI and this machine's DNS",
    ),
    (("connection refused",), "hub", "nothing listens at this address: check host and port, and whether the hub runs"),
    (
        ("timed out", "unreachable"),
        "hub",
        "nothing answers: check firewalls, and on Atlas the list of allowed addresses",
    ),
    (("connection closed", "reset by peer"), "hub", "the hub hangs up: perhaps it wants TLS (tls=true in the URI)"),
)


def _of_hub(hub: Hub, facts: HubFacts, config: SyncConfig, state: _LinkState) -> list[Check]:
    shown = without_secrets(config.hub_uri)
    level, why, advice = _TIERS[facts.tier]
    found = [
        Check("hub", Level.OK, f"{shown} answers and lets the link's user in"),
        Check("tier", level, f"the hub is of tier {facts.tier}: {why}", advice),
        check_clock(facts.clock_offset_ms),
    ]
    later: tuple[tuple[str, Callable[[], list[Check]]], ...] = (
        ("rights", lambda: try_rights(hub, state.selection, config.hub_uri)),
        ("history", lambda: _of_history(hub, config, state)),
        ("identity", lambda: _of_identity(hub, config, state)),
        ("markers", lambda: _of_markers(hub, state)),
    )
    for name, check in later:
        try:
            found += check()
        except PyMongoError as error:
            if is_denied(error):
                continue  # said among the rights
            message = failure_of(error).message
            found.append(Check(name, Level.ERROR, f"the hub failed while it was asked: {message}", "try again"))
    return found


def check_clock(offset_ms: int) -> Check:
    """Judge how far the hub's clock is ahead of ours."""
    ahead = "ahead of" if offset_ms >= 0 else "behind"
    message = f"the hub's clock is {abs(offset_ms)} ms {ahead} this machine's"
    if abs(offset_ms) <= CLOCK_OFFSET_MS_MAX:
        return Check("clock", Level.OK, message)
    advice = "synchronise both clocks (chronyc tracking, timedatectl); until then the link corrects by the difference"
    return Check("clock", Level.WARNING, message, advice)


def _of_history(hub: Hub, config: SyncConfig, state: _LinkState) -> list[Check]:
    if not hub.tier.has_streams:
        return []
    if not state.place:
        return [Check("history", Level.OK, "the link has no place in the hub's history yet: it begins by comparing")]
    room = headroom(hub, state.place)
    if room is None:
        return [Check("history", Level.OK, "the hub does not show how far its history reaches back")]
    if room.seconds < 0:
        message = f"the hub's history begins {-room.seconds} s after the link's place"
        advice = "nothing is lost, everything is compared; for longer absences make the hub's oplog larger"
        return [Check("history", Level.WARNING, message, advice)]
    message = f"the hub's history reaches back {room.seconds} s behind the link's place"
    if room.is_low(patience_seconds=2 * config.heartbeat_ms // 1000):
        advice = "let the node run and catch up, or make the hub's oplog larger; else everything is compared anew"
        return [Check("history", Level.WARNING, message, advice)]
    return [Check("history", Level.OK, message)]


def _of_identity(hub: Hub, config: SyncConfig, state: _LinkState) -> list[Check]:
    identity = state.identity
    if identity is None or identity.hub is None:
        return [Check("identity", Level.OK, f"link {config.link_name} has not met a hub yet")]
    markers = hub.markers(identity.home or state.selection.home)
    there: dict[str, Any] | None = markers.find_one({"_id": {"hub": 1}})
    if there is None or there["name"] != identity.hub:
        name = "none" if there is None else there["name"]
        message = f"this is not the hub that link {config.link_name} belongs to: its identity is {name}"
        advice = "correct the URI; or, if another hub is to take its place, begin anew with it: skerry sync reset"
        return [Check("identity", Level.ERROR, message, advice)]
    registered = markers.find_one({"_id": {"edge": identity.edge}})
    if registered is not None and registered["run"] not in (identity.run, identity.next_run):
        message = "a copy of this data directory has used its name on the hub"
        advice = "nothing: at its next start this node takes a new name and compares everything"
        return [Check("identity", Level.WARNING, message, advice)]
    return [Check("identity", Level.OK, f"it is the hub that link {config.link_name} belongs to")]


def _of_markers(hub: Hub, state: _LinkState) -> list[Check]:
    home = state.selection.home if state.identity is None else state.identity.home or state.selection.home
    found = []
    for db in sorted({home, state.selection.home}):
        names = hub.database(db).list_collection_names(filter={"name": MARKERS})
        if not names:
            found.append(Check("markers", Level.OK, f"{db}.{MARKERS} is made when the link first connects"))
            continue
        indexes = hub.markers(db).index_information().values()
        expires = [each.get("expireAfterSeconds") for each in indexes if list(each["key"]) == [("at", 1)]]
        if any(seconds is not None for seconds in expires):
            found.append(Check("markers", Level.OK, f"{db}.{MARKERS} is there, and its markers expire"))
            continue
        key = f"expireAfterSeconds: {MARKER_DAYS_MAX * 86_400}, name: 'expiry'"
        advice = f"drop an index on at that is none of TTL, then: db.{MARKERS}.createIndex({{at: 1}}, {{{key}}})"
        message = f"{db}.{MARKERS} has no TTL index: markers stay for ever"
        found.append(Check("markers", Level.WARNING, message, advice))
    return found
