"""A document written on both sides since the base: what it becomes, and which version does not survive.

Only asked when local and remote differ from the base and from each other. Changes to different paths are merged and are no
conflict; what overlaps is given to one side as a whole. The side that loses is kept by the caller, in full.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from skerry.config.sync_config import ConflictPolicy, DeletePolicy, Granularity
from skerry.sync.protocol.three_way_diff import merge, same


class Winner(StrEnum):
    """Whose value stands where both sides wrote."""

    LOCAL = "local"
    REMOTE = "remote"
    NEITHER = "merged"
    """Both: the changes do not overlap."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How conflicts of a link are resolved."""

    conflict: ConflictPolicy = ConflictPolicy.LWW
    delete: DeletePolicy = DeletePolicy.LWW
    granularity: Granularity = Granularity.FIELD


@dataclass(frozen=True, slots=True)
class Stamps:
    """When each side was last written, on the hub's clock (hybrid logical times)."""

    local: int
    remote: int


@dataclass(frozen=True, slots=True)
class Resolution:
    """`document` is None for a deleted one; `paths` are those both sides wrote, "" for the document as a whole."""

    document: Mapping[str, Any] | None
    winner: Winner
    paths: tuple[str, ...] = ()

    @property
    def is_conflict(self) -> bool:
        """Whether a version does not survive, and so must be kept in the conflict log."""
        return self.winner is not Winner.NEITHER


def resolve(
    base: Mapping[str, Any] | None,
    local: Mapping[str, Any] | None,
    remote: Mapping[str, Any] | None,
    stamps: Stamps,
    rules: Rules,
) -> Resolution:
    """Say what the document becomes."""
    if local is None or remote is None:
        if local is remote:
            return Resolution(None, Winner.NEITHER)
        prefer_local = _delete_prefers_local(stamps, rules, local_is_deleted=local is None)
        return _whole(local, remote, prefer_local=prefer_local)
    prefer_local = _prefers_local(stamps, rules)
    if rules.granularity is Granularity.DOCUMENT:
        if same(local, remote):
            return Resolution(remote, Winner.NEITHER)
        return _whole(local, remote, prefer_local=prefer_local)
    merged = merge(base, local, remote, prefer_local=prefer_local)
    if not merged.overlaps:
        return Resolution(merged.document, Winner.NEITHER)
    return Resolution(merged.document, Winner.LOCAL if prefer_local else Winner.REMOTE, merged.overlaps)


def _whole(local: Mapping[str, Any] | None, remote: Mapping[str, Any] | None, *, prefer_local: bool) -> Resolution:
    if prefer_local:
        return Resolution(local, Winner.LOCAL, ("",))
    return Resolution(remote, Winner.REMOTE, ("",))


def _prefers_local(stamps: Stamps, rules: Rules) -> bool:
    policy = rules.conflict
    if policy is ConflictPolicy.LOCAL_WINS:
        return True
    if policy is ConflictPolicy.REMOTE_WINS:
        return False
    if policy is ConflictPolicy.FIRST_WINS:
        return stamps.local < stamps.remote
    return stamps.local > stamps.remote


def _delete_prefers_local(stamps: Stamps, rules: Rules, *, local_is_deleted: bool) -> bool:
    if rules.delete is DeletePolicy.DELETE_WINS:
        return local_is_deleted
    if rules.delete is DeletePolicy.UPDATE_WINS:
        return not local_is_deleted
    return stamps.local > stamps.remote
