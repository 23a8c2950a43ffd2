"""What the page of collections says of each, from the answers of the API."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from skerry.admin.dashboard.wording import ago, count, plural

_DIRECTIONS: Final = {"both": "both ways", "pull": "from the hub", "push": "to the hub", "none": "stays here"}


@dataclass(frozen=True, slots=True)
class CollectionFacts:
    """One line. `tone` is a colour of the frame: positive, warning, info or grey."""

    namespace: str
    direction: str
    documents: str
    waiting: str
    state: str
    tone: str
    verified: str


def collection_facts(
    collections: Iterable[Mapping[str, Any]], verified: Mapping[str, Mapping[str, int]], now_ms: int
) -> list[CollectionFacts]:
    """Return the lines; `collections` as in `/api/sync/collections`, `verified` as `last` in `/api/sync/verify`."""
    return [_facts(each, verified.get(each["namespace"]), now_ms) for each in collections]


def copy_progress(full: Mapping[str, Any]) -> tuple[float, str] | None:
    """Return how far the comparison of collections has come, None when none is under way; `full` as in `/api/sync/full`."""
    if full["state"] != "running":
        return None
    done, pending = len(full["collections_done"]), len(full["collections_pending"])
    return full["progress"], f"{done} of {plural(done + pending, 'collection')} compared"


def _facts(each: Mapping[str, Any], last: Mapping[str, int] | None, now_ms: int) -> CollectionFacts:
    state, tone = {
        "following": ("consistent: compared, following", "positive"),
        "comparing": ("bootstrapping: being compared", "info"),
        "frozen": (f"frozen: {each['frozen']}", "warning"),
        "local": ("not part of the link", "grey"),
    }[each["state"]]
    verified = "never"
    if last is not None:
        found = "no difference" if not last["differences"] else plural(last["differences"], "difference")
        verified = f"{found}, {ago(last['at_ms'], now_ms)}"
    if each["direction"] == "none":
        verified = ""
    return CollectionFacts(
        each["namespace"],
        _DIRECTIONS[each["direction"]],
        count(each["documents"]),
        count(each["waiting"]),
        state,
        tone,
        verified,
    )
