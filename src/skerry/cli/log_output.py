"""Where the log of `skerry serve` goes and how it looks: one line an event on standard error, for people or as JSON.

The modules of skerry log by the standard library, and with `extra` name the link, the namespace, the batch that a line is about;
a program that embeds skerry decides by itself what to do with that. Here structlog renders it. Tracebacks are plain: one that
shows variables would show documents.
"""

import logging
import sys
from typing import TextIO

import structlog

from skerry.config.server_config import LogFormat, LogLevel

_OTHERS_LEVEL = logging.WARNING
"""Of the libraries: some of them would log commands with their documents at lower levels."""


def start_log(form: LogFormat, level: LogLevel, stream: TextIO | None = None) -> logging.Handler:
    """Begin to write the log to `stream`, by default standard error; `end_log` ends it."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_formatter(form, has_colours=handler.stream.isatty()))
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(_OTHERS_LEVEL)
    logging.getLogger("skerry").setLevel(level.value.upper())
    return handler


def end_log(handler: logging.Handler) -> None:
    """Write nothing more."""
    logging.captureWarnings(False)
    logging.getLogger().removeHandler(handler)
    logging.getLogger("skerry").setLevel(logging.NOTSET)
    handler.close()


def _formatter(form: LogFormat, *, has_colours: bool) -> structlog.stdlib.ProcessorFormatter:
    last: list[structlog.typing.Processor]
    if form is LogFormat.JSON:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    else:
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=has_colours, exception_formatter=plain)]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
