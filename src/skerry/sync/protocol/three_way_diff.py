"""Base, local and remote version of a document: which paths each side changed, and the merge of changes that do not overlap.

Sub-documents are merged field by field; an array is one value. Values are the same only if their BSON is: 1 and 1.0 differ. The
result keeps the hub's order of fields, with the fields added here behind.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from skerry.values import documents
from skerry.values.missing import MISSING


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged document, and the dotted paths that both sides changed differently."""

    document: dict[str, Any]
    overlaps: tuple[str, ...]


def merge(
    base: Mapping[str, Any] | None,
    local: Mapping[str, Any],
    remote: Mapping[str, Any],
    *,
    prefer_local: Callable[[str], bool],
) -> Merged:
    """Merge two versions made from `base` (None: both were created); `prefer_local` decides about each overlapping path."""
    overlaps: list[str] = []
    document = _merge_documents(base or {}, local, remote, "", overlaps.append, prefer_local=prefer_local)
    return Merged(document, tuple(overlaps))


def with_ours(
    base: Mapping[str, Any] | None, pushed: Mapping[str, Any], remote: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the base with what `remote` has of a version that was pushed from it without a clear outcome.

    Where the hub's version has our value, it is ours, or as good: a later change here follows upon it.
    """
    if base is None and not any(
        same(value, remote.get(name, MISSING)) for name, value in pushed.items() if name != "_id"
    ):
        return None
    seen = dict(base or {})
    for name in {**seen, **pushed}:
        old, ours, theirs = seen.get(name, MISSING), pushed.get(name, MISSING), remote.get(name, MISSING)
        if same(ours, theirs):
            seen[name] = ours
        elif isinstance(old, dict) and isinstance(ours, dict) and isinstance(theirs, dict):
            seen[name] = with_ours(old, ours, theirs)
    return {name: value for name, value in seen.items() if value is not MISSING}


def same(a: Any, b: Any) -> bool:
    """Tell whether two values are the same BSON; `MISSING` is the same as itself only."""
    if a is b:
        return True
    if a is MISSING or b is MISSING:
        return False
    if a.__class__ is not b.__class__:
        return False
    if a.__class__ is str or a.__class__ is bool or a.__class__ is int:
        return bool(a == b)
    return documents.encode({"": a}) == documents.encode({"": b})


def _merge_documents(
    base: Mapping[str, Any],
    local: Mapping[str, Any],
    remote: Mapping[str, Any],
    prefix: str,
    report: Callable[[str], None],
    *,
    prefer_local: Callable[[str], bool],
) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name in [*remote, *(name for name in local if name not in remote)]:
        old, mine, theirs = base.get(name, MISSING), local.get(name, MISSING), remote.get(name, MISSING)
        if same(mine, theirs) or same(old, mine):
            value = theirs
        elif same(old, theirs):
            value = mine
        elif isinstance(mine, dict) and isinstance(theirs, dict):
            inner = old if isinstance(old, dict) else {}
            value = _merge_documents(inner, mine, theirs, f"{prefix}{name}.", report, prefer_local=prefer_local)
        else:
            report(prefix + name)
            value = mine if prefer_local(prefix + name) else theirs
        if value is not MISSING:
            merged[name] = value
    return merged
