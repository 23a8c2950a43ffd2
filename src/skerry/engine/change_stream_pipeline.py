"""The stages behind `$changeStream`: filters on what an event is run before the documents in it are decoded.

An event is made with its documents as the bytes that the oplog has, and sent with them as they are, unless a stage reads them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bson.raw_bson import RawBSONDocument

from skerry.aggregation.pipeline import Pipeline, compile_pipeline, stage_of
from skerry.values import documents

CONTENT: Final = ("fullDocument", "updateDescription")
"""The fields of an event that may come as `RawBSONDocument`."""

_LOGICAL: Final = frozenset(("$and", "$or", "$nor"))


class ChangeStreamPipeline:
    """What is made of the events of a stream."""

    def __init__(self, stages: Sequence[Mapping[str, Any]], variables: Mapping[str, Any]) -> None:
        """Raises what compiling a pipeline raises."""
        taken = 0
        while taken < len(stages) and _is_filter_without_content(stages[taken]):
            taken += 1
        self._filter = compile_pipeline(stages[:taken], variables=variables, context=None)
        rest = stages[taken:]
        self._rest: Pipeline | None = compile_pipeline(rest, variables=variables, context=None) if rest else None

    def run(self, events: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Return the events that come out."""
        events = self._filter.run(events)
        return events if self._rest is None else self._rest.run(map(_decoded, events))


def _is_filter_without_content(stage: Mapping[str, Any]) -> bool:
    name, argument = stage_of(stage)
    return name == "$match" and isinstance(argument, Mapping) and not _reads_content(argument)


def _reads_content(condition: Mapping[str, Any]) -> bool:
    for name, operand in condition.items():
        if name in _LOGICAL:
            parts = operand if isinstance(operand, list) else ()
            if any(isinstance(part, Mapping) and _reads_content(part) for part in parts):
                return True
        elif name.startswith("$") or name.partition(".")[0] in CONTENT:
            return True
    return False


def _decoded(event: dict[str, Any]) -> dict[str, Any]:
    for name in CONTENT:
        content = event.get(name)
        if isinstance(content, RawBSONDocument):
            event[name] = documents.decode(bytes(content.raw))
    return event
