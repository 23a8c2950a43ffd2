"""Which addresses are this machine's own."""

import logging

import pytest

from skerry.server.loopback import is_loopback, loopback_only


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("no such name", False),
    ],
)
def test_only_addresses_that_nobody_else_reaches_are_loopback(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(("host", "instead"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.1", "127.0.0.1")])
def test_another_address_is_replaced_with_a_warning(host: str, instead: str, caplog: pytest.LogCaptureFixture) -> None:
    assert loopback_only(host) == instead
    assert f"instead of {host}" in caplog.text


def test_the_loopback_stays_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "skerry.server"):
        assert loopback_only("127.0.0.1") == "127.0.0.1"
    assert [record.levelname for record in caplog.records] == ["INFO"]
