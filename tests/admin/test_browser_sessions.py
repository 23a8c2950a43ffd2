"""Logging in with a browser: what the cookie is good for, and for whom."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from skerry.admin.failure_limit import FAILURES_MAX
from skerry.admin.sessions import SESSION_SECONDS
from skerry.admin.tokens import Role

ORIGIN = {"Origin": "http://testserver"}


@pytest.fixture
def browser(site: Any) -> Iterator[TestClient]:
    site.api.dashboard_problem = None
    with TestClient(site.app, follow_redirects=False) as client:
        yield client


def log_in(site: Any, browser: TestClient, role: Role = Role.ADMIN, **headers: str) -> Any:
    return browser.post("/login", data={"token": site.tokens[role]}, headers={**ORIGIN, **headers})


def test_a_token_is_exchanged_for_a_strict_cookie_that_scripts_cannot_read(site: Any, browser: TestClient) -> None:
    answer = log_in(site, browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("skerry_session_80=")
    for part in ("HttpOnly", "SameSite=strict", f"Max-Age={SESSION_SECONDS}", "Path=/"):
        assert part in cookie
    assert "Secure" not in cookie
    assert site.tokens[Role.ADMIN] not in cookie
    assert browser.get("/api/admin/whoami").json()["data"] == {"name": "admin", "role": "admin"}


def test_behind_tls_the_cookie_stays_behind_tls(site: Any, browser: TestClient) -> None:
    assert "Secure" in log_in(site, browser, Origin="https://testserver").headers["set-cookie"]


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "http://elsewhere"}, {"Origin": "null"}, {"Origin": "http://testserver.x"}]
)
def test_an_order_with_a_session_has_to_come_from_a_page_of_the_node(
    site: Any, browser: TestClient, headers: dict[str, str]
) -> None:
    log_in(site, browser)
    refused = browser.post("/api/sync/pause", headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "other_origin")
    assert browser.get("/api/status", headers=headers).status_code == 200
    assert site.edge.replicator.status().state.value != "paused"


@pytest.mark.parametrize("headers", [ORIGIN, {"Sec-Fetch-Site": "same-origin"}])
def test_orders_from_a_page_of_the_node_count_with_the_role_and_are_noted(
    site: Any, browser: TestClient, headers: dict[str, str]
) -> None:
    site.settle()
    log_in(site, browser, Role.VIEWER)
    assert browser.post("/api/sync/pause", headers=headers).status_code == 403
    log_in(site, browser, Role.OPERATOR)
    assert browser.post("/api/sync/pause", headers=headers).status_code == 200
    seen = [(each.who, each.action, each.status) for each in site.api.audit.entries()]
    assert seen == [
        ("operator", "POST /api/sync/pause", 200),
        ("operator", "POST /login", 303),
        ("viewer", "POST /api/sync/pause", 403),
        ("viewer", "POST /login", 303),
    ]


def test_another_site_cannot_log_a_browser_in(site: Any, browser: TestClient) -> None:
    assert log_in(site, browser, Origin="http://elsewhere").status_code == 403
    assert not browser.cookies


def test_logging_out_makes_the_cookie_worthless(site: Any, browser: TestClient) -> None:
    log_in(site, browser)
    kept = dict(browser.cookies)
    assert browser.post("/logout", headers=ORIGIN).status_code == 303
    assert not browser.cookies
    browser.cookies.update(kept)
    assert browser.get("/api/status").status_code == 401


def test_a_session_ends_with_its_token(site: Any, browser: TestClient) -> None:
    log_in(site, browser, Role.VIEWER)
    assert site.api.tokens.remove("viewer")
    assert browser.get("/api/status").status_code == 401
    assert browser.get("/dashboard/").headers["location"] == "/login"


def test_a_session_ends_with_its_time(site: Any, browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(site, browser)
    ended = time.time() + SESSION_SECONDS + 1
    monkeypatch.setattr("skerry.admin.gate.time.time", lambda: ended)
    assert browser.get("/api/status").status_code == 401


def test_wrong_tokens_count_like_those_of_the_api(site: Any, browser: TestClient) -> None:
    for _ in range(FAILURES_MAX):
        assert browser.post("/login", data={"token": "a-guess"}, headers=ORIGIN).status_code == 401
    answer = log_in(site, browser)
    assert answer.status_code == 429
    assert "Too many wrong tokens" in answer.text
    assert site.admin.get("/api/status").status_code == 429
    assert site.api.audit.entries()[0].action == "POST /login"


@pytest.mark.parametrize("body", ["", "token=", "other=x", "token=" + "x" * 5_000, "%ff%fe"])
def test_whatever_is_sent_instead_of_a_token_is_none(browser: TestClient, body: str) -> None:
    headers = {**ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
    assert browser.post("/login", content=body, headers=headers).status_code == 401


def test_a_web_socket_takes_a_session_and_a_page_of_the_node(site: Any, browser: TestClient) -> None:
    for headers in ({}, ORIGIN):
        with (
            pytest.raises((WebSocketDisconnect, RuntimeError, AssertionError)),
            browser.websocket_connect("/dashboard/x", headers=headers),
        ):
            pass


def test_without_the_packages_the_root_says_what_to_install_and_nobody_logs_in(site: Any) -> None:
    stranger = site.client(None)
    page = stranger.get("/")
    assert page.status_code == 200
    assert "pip install &#x27;skerry[dashboard]&#x27;" in page.text
    answer = stranger.post("/login", data={"token": site.tokens[Role.ADMIN]}, headers=ORIGIN)
    assert answer.url.path == "/"
    assert not stranger.cookies
    assert stranger.get("/dashboard/", follow_redirects=False).headers["location"] == "/login"


def test_the_settings_in_effect_are_shown_to_admins_without_secrets(site: Any) -> None:
    assert site.operator.get("/api/admin/settings").status_code == 403
    found = site.admin.get("/api/admin/settings").json()["data"]
    by_name = {(each["table"], each["name"]): each for each in found}
    assert by_name["sync", "rules"]["value"] == "shop.*=both, logs.*=push, news.*=pull"
    assert by_name["sync", "rules"]["source"] == "program"
    assert by_name["engine", "cursors_max"]["source"] == "default"
