"""Who gets in, who does not, and what is remembered of it."""

from typing import Any

import pytest
from admin_answers import data

from skerry.admin.failure_limit import FAILURES_MAX
from skerry.admin.gate import BODY_BYTES_MAX, OPEN_PATHS
from skerry.admin.tokens import Role


def operations(site: Any) -> list[tuple[str, str]]:
    document = site.viewer.get("/openapi.json").json()
    return [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]


def filled(path: str) -> str:
    return path.replace("{id}", "1").replace("{name}", "hub").replace("{namespace}", "shop.orders")


def test_without_a_token_only_the_two_open_paths_answer(shared: Any) -> None:
    stranger = shared.client(None)
    paths = [*operations(shared), ("GET", "/openapi.json"), ("GET", "/nowhere"), ("GET", "/docs"), ("POST", "/healthz")]
    assert len(paths) > 35
    for method, path in paths:
        answer = stranger.request(method, filled(path))
        if path in OPEN_PATHS and method == "GET":
            assert answer.status_code == 200, path
            assert len(answer.json()["data"]) == 1
        else:
            assert answer.status_code == 401, (method, path)
            assert answer.json()["error"]["code"] == "unauthorized"
            assert answer.headers["www-authenticate"] == "Bearer"


def test_whatever_changes_something_takes_an_operator_and_whoever_may_not_is_told_the_role(shared: Any) -> None:
    for method, path in operations(shared):
        if method == "GET":
            continue
        answer = shared.viewer.request(method, filled(path), json={})
        assert answer.status_code in (400, 403), (method, path)
    assert shared.viewer.post("/api/sync/pause").json()["error"] == {
        "code": "forbidden",
        "message": "this takes the role operator; viewer is viewer",
        "details": {},
    }


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/admin/audit", None),
        ("GET", "/api/admin/tokens", None),
        ("POST", "/api/admin/tokens", {"name": "x", "role": "admin"}),
        ("DELETE", "/api/admin/tokens/viewer", None),
        ("PUT", "/api/sync/collections/shop.orders/direction", {"direction": "none"}),
        ("PUT", "/api/sync/bidirectional/excluded-collections", {"collections": ["a"]}),
        ("POST", "/api/sync/reset", {"force": True}),
        ("DELETE", "/api/sync/links/hub?force=true", None),
    ],
)
def test_tokens_audit_and_selection_are_for_admins(shared: Any, method: str, path: str, body: Any) -> None:
    assert shared.operator.request(method, path, json=body).status_code == 403


def test_wrong_tokens_are_refused_for_a_while_after_too_many(site: Any) -> None:
    guess = site.client("a-wrong-guess-of-a-token")
    for _ in range(FAILURES_MAX):
        assert guess.get("/api/status").status_code == 401
    answer = guess.get("/api/status")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 61
    assert site.admin.get("/api/status").status_code == 429
    assert site.admin.get("/healthz").status_code == 200


def test_a_token_that_was_right_before_is_let_in_while_others_guess_from_the_same_address(site: Any) -> None:
    assert site.viewer.get("/api/status").status_code == 200
    guess = site.client("a-wrong-guess-of-a-token")
    for _ in range(FAILURES_MAX + 5):
        guess.get("/api/status")
    assert guess.get("/api/status").status_code == 429
    assert site.viewer.get("/api/status").status_code == 200
    data(site.admin.get("/healthz"))
    site.api.tokens.remove("viewer")
    assert site.viewer.get("/api/status").status_code == 401


def test_a_request_without_a_token_is_no_guess(site: Any) -> None:
    for _ in range(FAILURES_MAX + 1):
        site.client(None).get("/api/status")
    assert site.viewer.get("/api/status").status_code == 200


def test_orders_and_wrong_tokens_are_in_the_audit_log_and_reading_is_not(site: Any) -> None:
    site.client("a-wrong-guess-of-a-token").get("/api/status")
    site.viewer.get("/api/sync/status")
    site.viewer.post("/api/sync/pause")
    site.operator.post("/api/sync/bidirectional/toggle", json={"enabled": True})
    entries = site.admin.get("/api/admin/audit").json()["data"]["entries"]
    seen = [(each["who"], each["action"], each["status"]) for each in entries]
    assert seen == [
        ("operator", "POST /api/sync/bidirectional/toggle", 200),
        ("viewer", "POST /api/sync/pause", 403),
        ("", "GET /api/status", 401),
    ]
    assert entries[0]["details"] == {"role": "operator", "enabled": True}
    only = site.admin.get("/api/admin/audit", params={"who": "viewer", "limit": 1}).json()["data"]
    assert [each["who"] for each in only["entries"]] == ["viewer"]
    assert only["next"] == only["entries"][0]["id"]


def test_whatever_is_ordered_is_in_the_audit_log_whether_it_was_done_or_not(site: Any) -> None:
    orders = [(method, filled(path)) for method, path in operations(site) if method != "GET"]
    for method, path in orders:
        site.operator.request(method, path, json={})
    entries = data(site.admin.get("/api/admin/audit", params={"limit": 1000}))["entries"]
    noted = [(each["action"], each["who"]) for each in reversed(entries)]
    assert noted == [(f"{method} {path}", "operator") for method, path in orders]
    assert {each["status"] for each in entries} >= {200, 400, 403, 404, 409}


def test_tokens_are_made_shown_once_and_removed(site: Any) -> None:
    made = site.admin.post("/api/admin/tokens", json={"name": "grafana", "role": "viewer"})
    assert made.status_code == 201
    token = made.json()["data"]["token"]
    grafana = site.client(token)
    assert grafana.get("/api/admin/whoami").json()["data"] == {"name": "grafana", "role": "viewer"}
    listed = site.admin.get("/api/admin/tokens").json()["data"]
    assert {"admin", "grafana", "operator", "viewer"} == {each["name"] for each in listed}
    assert all(each.keys() == {"name", "role", "created_ms"} for each in listed)
    again = site.admin.post("/api/admin/tokens", json={"name": "grafana", "role": "viewer"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "exists")
    assert site.admin.delete("/api/admin/tokens/grafana").status_code == 200
    assert grafana.get("/api/status").status_code == 401
    assert site.admin.delete("/api/admin/tokens/grafana").status_code == 404
    audit = str(site.admin.get("/api/admin/audit").json())
    assert token not in audit


@pytest.mark.parametrize("headers", [{"Content-Length": str(BODY_BYTES_MAX + 1)}, {"Transfer-Encoding": "chunked"}])
def test_a_body_without_a_length_or_too_large_is_refused(shared: Any, headers: dict[str, str]) -> None:
    answer = shared.admin.post("/api/sync/pause", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/nowhere", None, 404, "not_found"),
        ("DELETE", "/api/status", None, 405, "method_not_allowed"),
        ("GET", "/api/sync/conflicts/99", None, 404, "not_found"),
        ("GET", "/api/sync/conflicts?limit=0", None, 400, "bad_request"),
        ("GET", "/api/sync/links/other", None, 404, "not_found"),
        ("GET", "/api/sync/documents?namespace=nodot&id=1", None, 400, "command_failed"),
        ("POST", "/api/sync/bidirectional/toggle", {"enabled": "perhaps"}, 400, "bad_request"),
        ("POST", "/api/sync/bidirectional/toggle", {"enabled": "yes"}, 400, "bad_request"),
        ("POST", "/api/sync/bidirectional/toggle", {"enabled": 1}, 400, "bad_request"),
        ("POST", "/api/sync/bidirectional/toggle", None, 400, "bad_request"),
        ("POST", "/api/sync/verify", {"collections": ["other.x"]}, 400, "bad_value"),
        ("POST", "/api/sync/dead-letters/5/retry", None, 404, "not_found"),
        ("PUT", "/api/sync/bidirectional/excluded-collections", {"collections": [" "]}, 400, "bad_value"),
        ("PUT", "/api/sync/collections/nodot/direction", {"direction": "push"}, 400, "bad_value"),
        ("DELETE", "/api/sync/collections/shop.a/direction", None, 404, "not_found"),
        ("POST", "/api/sync/collections/shop.a/thaw", None, 404, "not_found"),
        ("POST", "/api/admin/tokens", {"name": "a b", "role": "admin"}, 400, "bad_value"),
    ],
)
def test_every_refusal_has_the_one_shape(
    shared: Any, method: str, path: str, body: Any, status: int, code: str
) -> None:
    answer = shared.admin.request(method, path, json=body)
    found = answer.json()
    assert answer.status_code == status, found
    assert found.keys() == {"success", "error"}
    assert found["success"] is False
    assert found["error"].keys() == {"code", "message", "details"}
    assert found["error"]["code"] == code
    assert found["error"]["message"]


def test_a_defect_shows_no_more_than_its_kind(shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(shared.edge, "connections", fail)
    answer = shared.admin.get("/api/status")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "secret" not in answer.text


def test_roles_are_ordered() -> None:
    assert Role.VIEWER < Role.OPERATOR < Role.ADMIN
