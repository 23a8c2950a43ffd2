"""Spans for OpenTelemetry: what took how long, for a tracer that somebody hands over; nothing, and no import, without one.

Rules: attributes name things (commands, collections, links, batches) and count them; they never have a value of a document.
Names are those of OpenTelemetry's semantic conventions for databases where it has one.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

_UNTRACED: Final[AbstractContextManager[None]] = nullcontext()
_tracer: "Tracer | None" = None


def start_tracing(tracer: "Tracer") -> None:
    """Make spans with `tracer` from now on, in the whole process."""
    global _tracer
    _tracer = tracer


def stop_tracing() -> None:
    """Make no more spans."""
    global _tracer
    _tracer = None


def is_tracing() -> bool:
    """Whether spans are made, so that callers need not gather attributes for nothing."""
    return _tracer is not None


def span(name: str, attributes: Mapping[str, Any]) -> "AbstractContextManager[Span | None]":
    """Return a context manager whose block is a span; an exception that leaves the block is named in it, without its message.

    A message may quote a document, and so stays out.
    """
    return _UNTRACED if _tracer is None else _span(_tracer, name, attributes)


@contextmanager
def _span(tracer: "Tracer", name: str, attributes: Mapping[str, Any]) -> "Iterator[Span]":
    from opentelemetry.trace import Status, StatusCode

    with tracer.start_as_current_span(
        name, attributes=dict(attributes), record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield made
        except BaseException as error:
            made.set_status(Status(StatusCode.ERROR))
            made.set_attribute("error.type", type(error).__name__)
            raise
