"""The difference between two versions of a document, in the form of a change event's `updateDescription`.

Source: MongoDB manual, "update Event". Embedded documents are described field by field, arrays position by position where
that is shorter than the whole array; `a.0` is a position where the old version has an array at `a`. A difference in the
order of fields or in fields whose names hold dots is described by setting the embedded document that has them. For such
names at the top, and for paths through fields whose names are numbers, `disambiguatedPaths` tells the path's components, array
positions as integers, as the server does.

`apply_description(old, update_description(old, new))` is `new`, but for the place of top-level fields that changed their
order, for which the form has no words: they are set and stay where they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from skerry.update.binary_equality import binary_equal
from skerry.values.field_path import split

_Path = tuple[str | int, ...]


class _Description:
    """The three lists in the making."""

    __slots__ = ("disambiguated", "removed", "truncated", "updated")

    def __init__(self) -> None:
        self.updated: dict[str, Any] = {}
        self.removed: list[str] = []
        self.truncated: list[dict[str, Any]] = []
        self.disambiguated: dict[str, list[str | int]] = {}

    def add(self, inner: "_Description") -> None:
        self.updated.update(inner.updated)
        self.removed += inner.removed
        self.truncated += inner.truncated
        self.disambiguated.update(inner.disambiguated)

    def note(self, path: "_Path") -> str:
        """Return the path with dots, and remember its components where those do not tell them."""
        dotted = ".".join(map(str, path))
        names = [part for part in path if isinstance(part, str)]
        if any("." in name for name in names) or any(name.isdigit() for name in names[1:]):
            self.disambiguated[dotted] = list(path)
        return dotted


def update_description(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return what an update from `old` to `new` changed: `updatedFields`, `removedFields`, `truncatedArrays`."""
    found = _Description()
    for name in old:
        if name not in new:
            found.removed.append(found.note((name,)))
    for name, value in new.items():
        if name not in old:
            found.updated[found.note((name,))] = value
        elif value is not old[name] and not binary_equal(old[name], value):
            inner = _change((name,), old[name], value)
            if inner is None or _has_dotted_names(old) or _has_dotted_names(new):
                found.updated[found.note((name,))] = value
            else:
                found.add(inner)
    if not _keeps_order(old, new):
        for name in _moved(old, new):
            if not any(path == name or path.startswith(name + ".") for path in found.updated):
                found.updated[found.note((name,))] = new[name]
    description = {
        "updatedFields": found.updated,
        "removedFields": found.removed,
        "truncatedArrays": found.truncated,
    }
    if found.disambiguated:
        description["disambiguatedPaths"] = found.disambiguated
    return description


def _has_dotted_names(document: dict[str, Any]) -> bool:
    """Tell whether some name looks like a path, so that paths into embedded documents would be ambiguous."""
    return any("." in name for name in document)


def _change(path: _Path, old: Any, new: Any) -> _Description | None:
    """Describe an embedded change; None when only setting the whole value says it."""
    if old.__class__ is dict and new.__class__ is dict:
        return _document_change(path, old, new)
    if old.__class__ is list and new.__class__ is list:
        return _array_change(path, old, new)
    return None


def _document_change(path: _Path, old: dict[str, Any], new: dict[str, Any]) -> _Description | None:
    if not new or not _keeps_order(old, new):
        return None
    found = _Description()
    for name in old:
        if name not in new:
            if "." in name:
                return None
            found.removed.append(found.note((*path, name)))
    for name, value in new.items():
        if name not in old or not binary_equal(old[name], value):
            if "." in name:
                return None
            _describe(found, (*path, name), old.get(name), value)
    return found


def _array_change(path: _Path, old: list[Any], new: list[Any]) -> _Description | None:
    if not new:
        return None
    found = _Description()
    if len(new) < len(old):
        found.truncated.append({"field": found.note(path), "newSize": len(new)})
    for position, value in enumerate(new):
        if position >= len(old) or not binary_equal(old[position], value):
            _describe(found, (*path, position), old[position] if position < len(old) else None, value)
    changes = len(found.updated) + len(found.removed) + len(found.truncated)
    return found if changes <= len(new) // 2 else None


def _describe(found: _Description, path: _Path, old: Any, new: Any) -> None:
    inner = _change(path, old, new)
    if inner is None:
        found.updated[found.note(path)] = new
    else:
        found.add(inner)


def _keeps_order(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Tell whether the fields of `new` are those kept from `old`, in its order, and then fresh ones."""
    kept = [name for name in old if name in new]
    return list(new)[: len(kept)] == kept


def _moved(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return the kept fields from the first place on where `new` does not go on as `old` did."""
    kept = [name for name in old if name in new]
    now = list(new)
    same = 0
    while same < len(kept) and kept[same] == now[same]:
        same += 1
    return [name for name in now[same:] if name in old]


def apply_description(old: dict[str, Any], description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the version that a description leads to; `old` is left alone."""
    disambiguated: Mapping[str, Sequence[str | int]] = description.get("disambiguatedPaths") or {}

    def parts_of(path: str) -> Sequence[str | int]:
        return disambiguated.get(path) or split(path)

    new = dict(old)
    for path in description.get("removedFields", ()):
        *way, last = parts_of(path)
        holder = _copied(new, way)
        holder.pop(last, None)
    for truncated in description.get("truncatedArrays", ()):
        *way, last = parts_of(truncated["field"])
        holder = _copied(new, way)
        key = int(last) if holder.__class__ is list else last
        holder[key] = holder[key][: truncated["newSize"]]
    for path, value in description.get("updatedFields", {}).items():
        *way, last = parts_of(path)
        holder = _copied(new, way)
        if holder.__class__ is not list:
            holder[last] = value
        elif int(last) < len(holder):
            holder[int(last)] = value
        else:
            holder.extend([None] * (int(last) - len(holder)))  # a write behind the end fills up with nulls
            holder.append(value)
    return new


def _copied(document: dict[str, Any], way: Sequence[str | int]) -> Any:
    """Copy the documents and arrays on the way, so that the last one may be changed, and return that."""
    holder: Any = document
    for part in way:
        key = int(part) if holder.__class__ is list else part
        holder[key] = holder[key].copy()
        holder = holder[key]
    return holder
