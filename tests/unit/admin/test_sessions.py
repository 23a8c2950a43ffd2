"""Sessions of browsers."""

import pytest

from skerry.admin.sessions import SESSION_SECONDS, SESSIONS_MAX, Sessions, cookie_name, is_same_origin


def test_a_cookie_stands_for_its_token_until_it_ends() -> None:
    sessions = Sessions()
    cookie = sessions.begin("secret", 1_000.0)
    assert sessions.token(cookie, 1_000.0 + SESSION_SECONDS - 1) == "secret"
    assert sessions.token(cookie, 1_000.0 + SESSION_SECONDS) is None
    assert "secret" not in cookie


def test_a_cookie_that_was_changed_or_made_elsewhere_is_worth_nothing() -> None:
    sessions = Sessions()
    name, ends, signature = sessions.begin("secret", 0.0).split(".")
    later = str(int(ends) + 1)
    for wrong in (
        "",
        "..",
        name,
        f"{name}.{ends}.",
        f"{name}.{later}.{signature}",
        f"{name}x.{ends}.{signature}",
        "é.1.ü",
    ):
        assert sessions.token(wrong, 0.0) is None
    assert Sessions().token(f"{name}.{ends}.{signature}", 0.0) is None


def test_logging_out_ends_one_session_only() -> None:
    sessions = Sessions()
    first, second = sessions.begin("a", 0.0), sessions.begin("a", 0.0)
    sessions.end(first)
    sessions.end("nothing")
    assert sessions.token(first, 0.0) is None
    assert sessions.token(second, 0.0) == "a"


def test_the_oldest_sessions_make_room() -> None:
    sessions = Sessions()
    first = sessions.begin("a", 0.0)
    for _ in range(SESSIONS_MAX):
        last = sessions.begin("b", 0.0)
    assert sessions.token(first, 0.0) is None
    assert sessions.token(last, 0.0) == "b"


def test_two_nodes_of_a_host_have_cookies_of_their_own() -> None:
    assert cookie_name(27080) != cookie_name(27081)


@pytest.mark.parametrize(
    ("headers", "is_same"),
    [
        ({"host": "node:1", "origin": "http://node:1"}, True),
        ({"host": "node:1", "origin": "https://NODE:1"}, True),
        ({"host": "node:1", "origin": "http://node:2"}, False),
        ({"host": "node:1", "origin": "null"}, False),
        ({"host": "node:1", "origin": "file://node:1"}, False),
        ({"host": "", "origin": "http://"}, False),
        ({"host": "node:1"}, False),
        ({"host": "node:1", "sec-fetch-site": "same-origin"}, True),
        ({"host": "node:1", "sec-fetch-site": "same-site"}, False),
        ({"host": "node:1", "origin": "http://other", "sec-fetch-site": "same-origin"}, False),
    ],
)
def test_only_a_page_of_the_node_itself_is_the_same_origin(headers: dict[str, str], is_same: bool) -> None:
    assert is_same_origin(headers) is is_same
