"""The log of `skerry serve`: a line an event, with the fields that the event is about, and no variables of the program."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from skerry.cli.log_output import end_log, start_log
from skerry.config.server_config import LogFormat, LogLevel

LOG = logging.getLogger("skerry.sync")


class Log(io.StringIO):
    def entries(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def json_log() -> Iterator[Log]:
    log = Log()
    handler = start_log(LogFormat.JSON, LogLevel.INFO, log)
    yield log
    end_log(handler)


def test_json_has_link_namespace_and_batch_as_fields(json_log: Log) -> None:
    LOG.warning("link %s: lost", "kiosk", extra={"link": "kiosk", "namespace": "shop.orders", "batch": 7})
    (entry,) = json_log.entries()
    assert entry.pop("timestamp")
    entry.pop("message", None)  # of pytest, which renders the record as well
    assert entry == {
        "event": "link kiosk: lost",
        "level": "warning",
        "logger": "skerry.sync",
        "link": "kiosk",
        "namespace": "shop.orders",
        "batch": 7,
    }


def test_the_console_shows_them_behind_the_text() -> None:
    log = Log()
    handler = start_log(LogFormat.CONSOLE, LogLevel.INFO, log)
    LOG.info("pushed", extra={"link": "kiosk", "batch": 7})
    end_log(handler)
    assert "pushed" in log.getvalue()
    assert "link=kiosk" in log.getvalue()
    assert "batch=7" in log.getvalue()
    assert "\x1b" not in log.getvalue()


def test_a_level_leaves_out_what_is_below_it_and_libraries_only_warn(json_log: Log) -> None:
    LOG.debug("too fine")
    logging.getLogger("pymongo.command").debug("a command with its documents")
    logging.getLogger("pymongo").info("as well")
    logging.getLogger("uvicorn").warning("worth knowing")
    assert [entry["event"] for entry in json_log.entries()] == ["worth knowing"]


@pytest.mark.parametrize("form", list(LogFormat))
def test_a_traceback_shows_no_variables(form: LogFormat) -> None:
    log = Log()
    handler = start_log(form, LogLevel.INFO, log)
    document = f"hunter{'-'}two"  # put together, because the lines of the source are shown
    try:
        raise LookupError("no such thing")
    except LookupError:
        LOG.exception("failed")
    end_log(handler)
    assert "no such thing" in log.getvalue()
    assert document not in log.getvalue()


def test_nothing_is_written_once_it_has_ended() -> None:
    log = Log()
    end_log(start_log(LogFormat.JSON, LogLevel.DEBUG, log))
    LOG.error("later")
    assert log.getvalue() == ""
