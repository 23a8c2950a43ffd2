"""The stages behind `$changeStream`: filters on what an event is run before the documents in it are decoded.

An event is made with its documents as the bytes that the oplog has, and sent with them as they are, unless a stage reads them.
Filters that read no more than what all writes of one kind to one collection in one transaction share are run once for them all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import takewhile
from typing import Any, Final

from bson.raw_bson import RawBSONDocument

from skerry.aggregation.pipeline import Pipeline, compile_pipeline, stage_of
from skerry.values import documents

CONTENT: Final = ("fullDocument", "updateDescription")
"""The fields of an event that may come as `RawBSONDocument`."""

SHARED: Final = ("operationType", "ns", "lsid", "txnNumber")
"""The fields that tell apart the kinds of events which `keeps` is asked for."""

_LOGICAL: Final = frozenset(("$and", "$or", "$nor"))


class ChangeStreamPipeline:
    """What is made of the events of a stream."""

    def __init__(self, stages: Sequence[Mapping[str, Any]], variables: Mapping[str, Any]) -> None:
        """Raises what compiling a pipeline raises."""
        filters = list(takewhile(partial(_is_filter, reads=_is_no_content), stages))
        shared = list(takewhile(partial(_is_filter, reads=SHARED.__contains__), filters))
        self._shared = _compiled(shared, variables)
        self._filter = _compiled(filters, variables)
        self._rest = _compiled(stages[len(filters) :], variables)

    def keeps(self, kind: dict[str, Any]) -> bool:
        """Whether events with these values of the fields in `SHARED` may come out."""
        return self._shared is None or any(True for _ in self._shared.run(iter((kind,))))

    def run(self, events: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Return the events that come out."""
        if self._filter is not None:
            events = self._filter.run(events)
        return events if self._rest is None else self._rest.run(map(_decoded, events))


def _compiled(stages: Sequence[Mapping[str, Any]], variables: Mapping[str, Any]) -> Pipeline | None:
    return compile_pipeline(stages, variables=variables, context=None) if stages else None


def _is_filter(stage: Mapping[str, Any], *, reads: Callable[[str], bool]) -> bool:
    """Whether it is a `$match` that reads only fields which `reads` says yes to."""
    name, argument = stage_of(stage)
    return name == "$match" and isinstance(argument, Mapping) and all(map(reads, _fields_read(argument)))


def _is_no_content(field: str) -> bool:
    return field not in CONTENT and not field.startswith("$")


def _fields_read(condition: Mapping[str, Any]) -> Iterator[str]:
    """Iterate over the top-level fields that a condition reads; an operator in place of a field may read any."""
    for name, operand in condition.items():
        if name in _LOGICAL and isinstance(operand, list):
            for part in operand:
                if isinstance(part, Mapping):
                    yield from _fields_read(part)
        elif name not in _LOGICAL:
            yield name.partition(".")[0]


def _decoded(event: dict[str, Any]) -> dict[str, Any]:
    for name in CONTENT:
        content = event.get(name)
        if isinstance(content, RawBSONDocument):
            event[name] = documents.decode(bytes(content.raw))
    return event
