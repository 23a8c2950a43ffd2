"""The adapters fit the installed pymongo, and a pymongo that they do not fit is noticed."""

import logging
from collections.abc import Iterator

import pytest
from pymongo import version_tuple

from skerry.local_client import async_direct_connection, direct_connection
from skerry.local_client.self_test import async_direct_connections_fit, direct_connections_fit


@pytest.fixture(autouse=True)
def _forget_the_trial() -> Iterator[None]:
    direct_connections_fit.cache_clear()
    async_direct_connections_fit.cache_clear()
    yield
    direct_connections_fit.cache_clear()
    async_direct_connections_fit.cache_clear()


@pytest.mark.skipif(version_tuple < (4, 20), reason="older versions are served over a private socket")
def test_the_adapters_fit_the_installed_pymongo() -> None:
    assert direct_connections_fit()
    assert async_direct_connections_fit()


@pytest.mark.parametrize("name", ["send_message", "receive_message"])
def test_a_connection_that_works_otherwise_is_noticed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    monkeypatch.delattr(direct_connection.DirectConnection, name)
    assert not direct_connections_fit()
    assert "a private socket is used instead" in caplog.text


def test_a_pool_that_works_otherwise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(direct_connection.DirectPool, "connect")
    assert not direct_connections_fit()


def test_a_monitor_that_is_not_asked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct_connection.DirectMonitor, "open", lambda _: None)
    assert not direct_connections_fit()


@pytest.mark.parametrize("name", ["send_message", "receive_message"])
def test_an_asynchronous_connection_that_works_otherwise_is_noticed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    monkeypatch.delattr(async_direct_connection.AsyncDirectConnection, name)
    with caplog.at_level(logging.WARNING):
        assert not async_direct_connections_fit()
    assert "a private socket is used instead" in caplog.text
