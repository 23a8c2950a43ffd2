"""Versions of one document side by side: a row for each path, and what differs from the base."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

VERSIONS: Final = ("base", "local", "remote", "result")
TITLES: Final = {"base": "Base", "local": "Local", "remote": "Hub", "result": "Result"}
ABSENT: Final = "absent"
DELETED: Final = "no document"
_ROWS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` is JSON, or says that there is nothing; `is_changed`: other than in the base."""

    text: str
    is_there: bool
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One path in every version, in the order of `VERSIONS`; `is_conflict`: both sides changed it."""

    path: str
    cells: tuple[Cell, ...]
    is_conflict: bool

    @property
    def is_same(self) -> bool:
        return not any(cell.is_changed for cell in self.cells)


def difference(versions: Mapping[str, Any], conflict_paths: Sequence[str]) -> list[Row]:
    """Return the rows, those in conflict first, then those that differ, then the rest in the order of the documents.

    `versions` have a document, or None where there was none. Documents are taken apart, arrays are not: a change within one is a
    change of it. At most 500 rows.
    """
    leaves = {name: dict(_leaves(versions.get(name))) for name in VERSIONS}
    paths = list(dict.fromkeys(path for name in VERSIONS for path in leaves[name]))
    rows = []
    for path in paths:
        texts = [leaves[name].get(path) for name in VERSIONS]
        cells = tuple(
            Cell(_shown(text, versions.get(name)), text is not None, text != texts[0])
            for name, text in zip(VERSIONS, texts, strict=True)
        )
        rows.append(Row(path, cells, any(_is_within(path, each) for each in conflict_paths)))
    return sorted(rows, key=lambda row: (not row.is_conflict, row.is_same))[:_ROWS_MAX]


def _leaves(document: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in (document or {}).items():
        path = f"{prefix}{name}"
        is_document = isinstance(value, dict) and value and not any(key.startswith("$") for key in value)
        if is_document:
            yield from _leaves(value, f"{path}.")
        else:
            yield path, json.dumps(value, ensure_ascii=False)


def _shown(text: str | None, document: Any) -> str:
    if text is not None:
        return text
    return DELETED if document is None else ABSENT


def _is_within(path: str, conflict: str) -> bool:
    return path == conflict or path.startswith(f"{conflict}.") or conflict.startswith(f"{path}.")
