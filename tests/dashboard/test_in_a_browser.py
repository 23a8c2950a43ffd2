"""What an operator does with the dashboard, in a real browser."""

import os
import time
from typing import Any

import pytest
from dashboard_site import SCREENSHOTS, WAIT_MS, Visitor, screenshot, wait_until

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow


def test_a_token_is_exchanged_for_a_session_that_ends_with_logging_out(site: Any, visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("/conflicts")
    assert page.url == f"{site.url}/login"
    page.get_by_label("Token").fill("not-a-token-of-this-node")
    page.get_by_role("button", name="Log in").click()
    assert page.get_by_role("alert").inner_text() == "This is no token of this node."
    screenshot(page, "login")
    visitor.log_in()
    visitor.sees("Link hub")
    (cookie,) = [each for each in visitor.context.cookies() if each["name"].startswith("skerry_session")]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert time.time() < cookie["expires"] < time.time() + 9 * 3600
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    visitor.context.add_cookies([cookie])
    visitor.go("/")
    assert page.url == f"{site.url}/login"


def test_writes_on_both_sides_are_seen_to_arrive(site: Any, visitor: Visitor) -> None:
    site.settle()
    page = visitor.log_in()
    value = page.locator(".skerry-pairs > div", has_text="Sent since the start").locator("dd")
    assert value.inner_text() == "0"
    rounds = 12 if os.environ.get(SCREENSHOTS) else 1
    for n in range(rounds):
        site.edge_client.shop.orders.insert_many([{"at": "edge", "qty": i} for i in range(3 + n % 4)])
        site.hub_client.shop.items.insert_many([{"at": "hub", "n": i} for i in range(2 + n % 5)])
        time.sleep(1 if rounds > 1 else 0)
    expect(value).not_to_have_text("0", timeout=WAIT_MS)
    taken = page.locator(".skerry-pairs > div", has_text="Taken since the start").locator("dd")
    expect(taken).not_to_have_text("0", timeout=WAIT_MS)
    page.locator(".skerry-chart svg path").first.wait_for(state="attached")
    screenshot(page, "overview")
    visitor.go("/collections")
    visitor.sees("consistent: compared, following")
    line = page.get_by_role("row").filter(has_text="shop.orders")
    count = site.edge_client.shop.orders.count_documents({})
    line.get_by_text(str(count), exact=True).first.wait_for()
    site.edge_client.shop.orders.insert_one({"at": "edge"})
    line.get_by_text(str(count + 1), exact=True).first.wait_for()
    screenshot(page, "collections")


def test_a_hub_that_is_cut_off_shows_as_degraded_with_advice(site: Any, visitor: Visitor) -> None:
    site.settle()
    page = visitor.log_in()
    page.get_by_text("healthy", exact=True).wait_for()
    site.hub.stop()
    page.get_by_text("degraded", exact=True).wait_for()
    visitor.sees("hub out of reach")
    site.edge_client.shop.orders.insert_one({"qty": 1})
    visitor.sees("1 document")
    visitor.sees("local work goes on and is sent later")
    screenshot(page, "degraded")


def test_a_conflict_is_compared_and_decided(site: Any, visitor: Visitor) -> None:
    site.make_conflict()
    visitor.log_in()
    page = visitor.go("/conflicts")
    page.get_by_role("link", name="Conflict 1").click()
    first = page.locator(".skerry-table tbody tr").first
    first.wait_for()
    assert first.locator("td").all_inner_texts() == ["qty\nin conflict", "1", "2", "3", "3"]
    screenshot(page, "conflict")
    page.get_by_role("button", name="Take local").click()
    page.get_by_text("decided", exact=True).wait_for()
    wait_until(lambda: (site.hub_client.shop.orders.find_one() or {})["qty"] == 2)
    visitor.go("/audit")
    visitor.sees("POST /api/sync/conflicts/1/resolve")
    visitor.go("/conflicts")
    visitor.sees("No conflict")


def test_a_document_changed_since_the_conflict_is_overwritten_only_when_asked_again(
    site: Any, visitor: Visitor
) -> None:
    site.make_conflict()
    site.edge_client.shop.orders.update_one({}, {"$set": {"qty": 9}})
    visitor.log_in()
    page = visitor.go("/conflicts/1")
    page.get_by_role("button", name="Take local").click()
    visitor.sees("has been changed since the conflict")
    assert site.edge_client.shop.orders.find_one()["qty"] == 9
    page.get_by_role("button", name="Overwrite").click()
    page.get_by_text("decided", exact=True).wait_for()
    assert site.edge_client.shop.orders.find_one()["qty"] == 2


def test_a_dead_letter_is_looked_at_and_given_up(site: Any, visitor: Visitor) -> None:
    site.edge_client.shop.users.create_index("email", unique=True)
    site.edge_client.shop.users.insert_one({"_id": 1, "email": "iris@example.org"})
    site.settle()
    site.hub_client.shop.users.drop_indexes()
    site.hub_client.shop.users.insert_one({"_id": 2, "email": "iris@example.org"})
    wait_until(lambda: site.state()["dead_letters"] == 1)
    visitor.log_in()
    page = visitor.go("/dead-letters")
    visitor.sees("shop.users 2")
    page.get_by_role("button", name="Try all again").click()
    visitor.sees("All of them are tried again")
    page.get_by_role("button", name="Give it up").click()
    page.get_by_role("dialog").get_by_role("button", name="Give it up").click()
    visitor.sees("No dead letter")


def test_a_full_sync_and_a_comparison_run_to_their_end(site: Any, visitor: Visitor) -> None:
    site.edge_client.shop.orders.insert_many([{"qty": n} for n in range(2_000)])
    site.settle()
    visitor.log_in()
    page = visitor.go("/comparison")
    page.get_by_role("button", name="Run a full sync").click()
    full_sync = page.get_by_role("region", name="Full sync")
    full_sync.get_by_text("done", exact=True).wait_for()
    full_sync.get_by_text("nothing had to be changed").wait_for()
    page.get_by_role("button", name="Compare").click()
    verify = page.get_by_role("region", name="Verify")
    verify.get_by_text("No difference found").wait_for()
    screenshot(page, "comparison")
    visitor.go("/collections")
    visitor.sees("no difference")


def test_a_viewer_has_no_buttons_and_is_refused_what_takes_more(site: Any, visitor: Visitor) -> None:
    made = site.api.post("/api/admin/tokens", {"name": "watcher", "role": "viewer"})
    site.make_conflict()
    page = visitor.log_in(made["token"])
    visitor.sees("watcher (viewer)")
    assert page.get_by_role("link", name="Settings").count() == 0
    assert page.get_by_role("button", name="Pause").count() == 0
    visitor.go("/conflicts/1")
    visitor.sees("this takes the role operator")
    for path in ("/settings", "/audit"):
        visitor.go(path)
        visitor.sees("this takes the role admin")
    answer = page.evaluate("fetch('/api/sync/pause', {method: 'POST'}).then(answer => answer.status)")
    assert answer == 403
    site.api.delete("/api/admin/tokens/watcher")
    visitor.go("/")
    assert page.url == f"{site.url}/login"


def test_every_page_works_on_a_phone_in_the_dark_and_by_keyboard(site: Any, browser: Any) -> None:
    site.make_conflict()
    visitor = Visitor(browser, site, viewport={"width": 390, "height": 780}, color_scheme="dark")
    page = visitor.log_in()
    visitor.sees("Link hub")
    paths = (
        "/",
        "/collections",
        "/conflicts",
        "/conflicts/1",
        "/dead-letters",
        "/comparison",
        "/operations",
        "/settings",
    )
    for path in (*paths, "/audit"):
        visitor.go(path)
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_timeout(300)
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, path
        assert page.evaluate("document.body.classList.contains('body--dark')"), path
        if path == "/conflicts/1":
            screenshot(page, "phone")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the content"
    page.get_by_role("button", name="Menu").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Collections").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/collections")
    visitor.close()
