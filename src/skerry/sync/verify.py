"""Compares both sides document by document and reports; changes nothing.

A difference counts only if it is still there when it is looked at again: what is on its way is no difference.
"""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from skerry.config.sync_config import Direction
from skerry.sync.full_sync import CHUNK_BYTES, CHUNK_DOCUMENTS
from skerry.sync.hub import key_string_of
from skerry.sync.link import Link
from skerry.values import documents, key_string
from skerry.values.namespace import Namespace

LOOK_AGAIN_SECONDS: Final = 1.0
LOOKS_MAX: Final = 5
ONLY_HERE: Final = "only here"
ONLY_ON_THE_HUB: Final = "only on the hub"
DIFFERENT: Final = "different"


@dataclass(frozen=True, slots=True)
class Difference:
    """A document that the sides do not have alike: `kind` is "only here", "only on the hub" or "different"."""

    namespace: Namespace
    id: Any
    kind: str


def verify(link: Link, namespace: Namespace) -> Iterator[Difference]:
    """Iterate over the differences of one collection, in the order of `_id`. Raises pymongo's errors.

    Documents only here are none where the collection only comes down, and documents only on the hub where it only goes up.
    """
    direction, query = link.selection.direction(namespace), link.selection.query(namespace)
    lower = key_string.LOWEST
    for theirs, is_last in _chunks(link, namespace, query):
        upper = key_string.HIGHEST if is_last else key_string_of(theirs[-1])
        here = _local(link, namespace, lower, upper)
        lower = upper
        if list(here.values()) == theirs:
            continue
        there = {key_string_of(raw): raw for raw in theirs}
        if query:
            here = {key: raw for key, raw in here.items() if key in there or link.selection.in_scope(namespace, raw)}
        suspects = {
            key: documents.id_of(here[key] if key in here else there[key])
            for key in there.keys() | here.keys()
            if there.get(key) != here.get(key)
        }
        yield from _look_again(link, namespace, suspects, direction)


def _chunks(link: Link, namespace: Namespace, query: Mapping[str, Any]) -> Iterator[tuple[list[bytes], bool]]:
    """Iterate over the hub's documents, raw and in the order of `_id`, and whether that is all; reads ahead by one chunk."""

    def read(after: Any, *, is_first: bool) -> tuple[list[bytes], bool]:
        return link.hub.find_raw_after(
            namespace, after, is_first=is_first, limit=CHUNK_DOCUMENTS, bytes_max=CHUNK_BYTES, query=query
        )

    with ThreadPoolExecutor(1, thread_name_prefix="skerry-verify") as reader:
        chunk, more = read(None, is_first=True)
        while more:
            following = reader.submit(read, documents.id_of(chunk[-1]), is_first=False)
            yield chunk, False
            chunk, more = following.result()
        yield chunk, True


def _local(link: Link, namespace: Namespace, lower: bytes, upper: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    after = lower
    with link.storage.read() as view:
        entry = link.storage.catalog.snapshot(view).get(namespace)
        more = entry is not None
        while more and entry is not None:
            entries, more = view.scan_keys(
                entry.file_id, lower, upper + b"\x00", after=after, reverse=False, limit=CHUNK_DOCUMENTS
            )
            found.update((key, raw) for key, _, raw in entries)
            after = entries[-1][0] if entries else after
    return found


def _look_again(
    link: Link, namespace: Namespace, suspects: dict[bytes, Any], direction: Direction
) -> Iterator[Difference]:
    """Look at documents until they are alike or time is up; `suspects` maps key strings to `_id`s."""
    found: dict[bytes, Difference] = {}
    for _ in range(LOOKS_MAX):
        if not suspects:
            return
        theirs = link.hub.find_by_ids(namespace, list(suspects.values()))
        with link.storage.read() as view:
            ours = {key: link.storage.lookup(view, namespace, key) for key in suspects}
        suspects = {key: id_value for key, id_value in suspects.items() if ours[key] != theirs.get(key)}
        found = {
            key: Difference(namespace, id_value, _kind(ours[key], theirs.get(key)))
            for key, id_value in suspects.items()
        }
        time.sleep(LOOK_AGAIN_SECONDS / LOOKS_MAX if suspects else 0)
    tolerated = {Direction.PUSH: ONLY_ON_THE_HUB, Direction.PULL: ONLY_HERE}.get(direction)
    yield from (found[key] for key in sorted(found) if found[key].kind != tolerated)


def _kind(ours: bytes | None, theirs: bytes | None) -> str:
    if ours is None:
        return ONLY_ON_THE_HUB
    return ONLY_HERE if theirs is None else DIFFERENT
