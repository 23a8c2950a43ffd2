"""Whether an operator has paused or stopped a link, and who: kept in the store, so that it outlasts a restart of the node."""

from dataclasses import asdict

from bson.int64 import Int64

from skerry.storage import ReadView, WriteView
from skerry.sync import link_records
from skerry.sync.sync_health import LinkState, LinkSwitch


def load(view: ReadView, link: str) -> LinkSwitch | None:
    """Return who has paused or stopped the link, None when it is to run."""
    record = link_records.load(view, link, link_records.SWITCH)
    return None if record is None else LinkSwitch(record["state"], record["by"], int(record["at_ms"]))


def switch_off(view: WriteView, link: str, state: LinkState, by: str) -> None:
    """Take note that the link is to stay `state`, PAUSED or STOPPED, over restarts."""
    link_records.save(view, link, link_records.SWITCH, asdict(LinkSwitch(state.value, by, Int64(view.wall_ms))))


def switch_on(view: WriteView, link: str) -> None:
    """Take note that the link is to run."""
    link_records.remove(view, link, link_records.SWITCH)
