"""Leaving a hub: which links a store knows, and how it forgets one, to begin anew with a hub or to have none.

A link goes on capturing in every process until it is forgotten, also when nobody configures it any more. Documents are never
touched. What stays is the conflict log: its versions are the only copies of what did not survive.
"""

from dataclasses import dataclass
from typing import Final

from skerry.engine.operation_context import Durability, OperationContext
from skerry.engine.storage_engine import StorageEngine
from skerry.errors import SkerryError
from skerry.storage import ReadView, WriteView
from skerry.sync import link_records, resume_tokens
from skerry.sync.lease import runner_of
from skerry.sync.link import Link
from skerry.sync.protocol.document_state import State
from skerry.sync.selection_override import OVERRIDE
from skerry.sync.shadow import Shadows

_OF_LINK: Final = (
    "DELETE FROM sync_doc WHERE place IN (SELECT place FROM sync_place WHERE link = ?)",
    "DELETE FROM sync_group WHERE link = ?",
    "DELETE FROM sync_place WHERE link = ?",
    "DELETE FROM sync_batch WHERE link = ?",
    "DELETE FROM sync_dead WHERE link = ?",
    "DELETE FROM sync_base WHERE link = ?",
)
# names that begin with the link's and a line feed, which no link's name has; \v is the character after it
_KEPT_VERSIONS: Final = "DELETE FROM sync_base WHERE link > ? || char(10) AND link < ? || char(11)"
_RECORDS: Final = (link_records.CONFLICTS,)  # how many conflicts are kept
_ORDERS: Final = (*_RECORDS, link_records.SWITCH, OVERRIDE)  # what operators have decided holds for the next hub, too


@dataclass(frozen=True, slots=True)
class Unpushed:
    """What the hub of a link may not have: how many documents wait, and collections that were written without being tracked."""

    documents: int
    untracked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownLink:
    """A link that the store captures for; `run_by` says which process runs it, None when none does."""

    name: str
    unpushed: Unpushed
    run_by: str | None


class LinkHasUnpushedError(SkerryError):
    """Documents of the link wait to be pushed, so it is only forgotten when that is asked for."""

    def __init__(self, link: str, unpushed: Unpushed) -> None:
        waiting = [f"{unpushed.documents} documents wait to be pushed"] if unpushed.documents else []
        if unpushed.untracked:
            waiting.append(f"collections have changes that were not tracked ({', '.join(unpushed.untracked)})")
        lost = "then it is no longer known that these are newer than what a hub has"
        super().__init__(f"link {link!r}: {' and '.join(waiting)}; forget it all the same with force, {lost}")
        self.unpushed = unpushed


class LinkIsRunError(SkerryError):
    """Another process runs the link."""


class LinkNotKnownError(SkerryError):
    """The store knows no link of this name."""


def known_links(view: ReadView) -> list[KnownLink]:
    """Return the links that local writes are captured for, by name."""
    names = sorted(link_records.load_all(view, link_records.SELECTION))
    return [KnownLink(name, unpushed(view, name), runner_of(view, name)) for name in names]


def unpushed(view: ReadView, link: str) -> Unpushed:
    """Return what of a link is not on the hub, as far as the store knows."""
    counts = Shadows(link).counts(view)
    documents = sum(counts.get(state, (0, 0))[0] for state in (State.DIRTY, State.INFLIGHT, State.QUARANTINED))
    selection = resume_tokens.selection_of(view, link)
    return Unpushed(documents, () if selection is None else tuple(sorted(selection.untracked)))


def require_pushed(view: ReadView, link: str) -> Unpushed:
    """Return that nothing waits. Raises `LinkHasUnpushedError` when something does."""
    waiting = unpushed(view, link)
    if waiting.documents or waiting.untracked:
        raise LinkHasUnpushedError(link, waiting)
    return waiting


def forget_link(storage: StorageEngine, link: str, *, force: bool = False) -> Unpushed:
    """Forget a link for good, in one transaction; from its commit on no process captures for it. Return what had not been pushed.

    The conflict log stays; dead letters go, because the hub has those documents. Raises `LinkNotKnownError`, `LinkIsRunError`,
    and without `force` `LinkHasUnpushedError`.
    """

    def job(view: WriteView) -> Unpushed:
        if link not in link_records.load_all(view, link_records.SELECTION):
            raise LinkNotKnownError(f"this database knows no link {link!r}")
        return _forget(view, storage, link, force=force, kept=_RECORDS)

    return storage.write(job, OperationContext(durability=Durability.FSYNCED))


def begin_anew(link: Link, *, force: bool = False) -> Unpushed:
    """Forget all that a link knows, and take its rules up again under a new name at the hub. Return what had not been pushed.

    In one transaction, so that no local write goes unnoticed between the two. Both sides are compared then as if they had never
    met: where they differ the hub's version stands, and ours is in the conflict log; what was deleted here and not yet there
    comes back. Whether operators have paused or stopped the link, or changed its rules, stays as it is. The link must not be
    running in this process. Raises `LinkIsRunError`, and without `force` `LinkHasUnpushedError`.
    """

    def job(view: WriteView) -> Unpushed:
        waited = _forget(view, link.storage, link.name, force=force, kept=_ORDERS)
        link.take_up(view)
        return waited

    return link.write(job, durable=True)


def _forget(view: WriteView, storage: StorageEngine, link: str, *, force: bool, kept: tuple[str, ...]) -> Unpushed:
    """Remove everything but the records `kept`, and have all processes look anew which links there are."""
    run_by = runner_of(view, link)
    if run_by is not None:
        raise LinkIsRunError(f"link {link!r} is run by {run_by}: end it there first")
    waited = unpushed(view, link) if force else require_pushed(view, link)
    records = {part: link_records.load(view, link, part) for part in kept}
    for statement in _OF_LINK:
        view.run(statement, (link,))
    view.run(_KEPT_VERSIONS, (link, link))
    link_records.remove_all(view, link)
    for part, record in records.items():
        if record is not None:
            link_records.save(view, link, part, record)
    storage.catalog.renew(view)
    return waited
