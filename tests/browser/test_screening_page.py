"""The reading page in Chromium: keys, undo, a connection that is lost and comes back, accessibility."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator

import pytest

from tests.web.real_server import STAGE, Browser, RealServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"


@pytest.fixture(scope="module")
def server() -> Iterator[RealServer]:
    """A server with two people and thirty records, in batches of twelve."""
    if not os.path.exists(CHROMIUM):
        if os.environ.get("CI"):
            pytest.fail("Chromium is needed here: apt-get install chromium")
        pytest.skip("Chromium is not installed")
    made = RealServer()
    try:
        made.set_up(30, 2, 12).start()
        with Browser(made, "p00") as warm:  # the first answer of a process waits for its modules
            warm.sitting()
        yield made
    finally:
        made.remove()


@pytest.fixture
def page(server: RealServer, request: pytest.FixtureRequest) -> Iterator[object]:
    """The reading page of one person, in a browser of its own."""
    from playwright.sync_api import sync_playwright

    code = request.param
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(60_000)
        home = f"http://127.0.0.1:{server.port}"
        context.add_cookies([{"name": "sessionid", "value": server.sessions[code], "url": home}])
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto(f"{home}/reviews/{server.slug}/screening/{STAGE}/", wait_until="domcontentloaded")
        until(page, "document.querySelector('kbd[data-key]').textContent !== ''")
        yield page
        assert page.faults == []
        chromium.close()


def votes_of(server: RealServer, code: str) -> dict[str, list[str]]:
    """``{record: decisions in their order}`` as the server counted them."""
    found: dict[str, list[str]] = {}
    for who, record, decision, _ in server.tell("check")["votes"]:
        if who == code:
            found.setdefault(record, []).append(decision)
    return found


def until(page: object, condition: str) -> None:
    """Wait until a condition holds; Playwright's own waiting evaluates text, which the content policy refuses."""
    end = time.monotonic() + 90
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"never came true: {condition}"
        time.sleep(0.05)


def saved(page: object) -> None:
    """Wait until nothing is left to send."""
    until(page, "Object.keys(localStorage).filter((k) => k.startsWith('balm-vote:')).length === 0")


@pytest.mark.parametrize("page", ["p00"], indirect=True)
def test_a_batch_by_keyboard_with_undo_and_a_lost_connection(server: RealServer, page: object) -> None:
    records = [r["id"] for r in page.evaluate("JSON.parse(document.getElementById('sitting').textContent).records")]
    assert len(records) == 12
    page.keyboard.press("i")
    assert page.inner_text("#place") == "2 of 12"
    page.keyboard.press("z")  # before it was ever cast: the vote leaves no trace
    assert page.inner_text("#place") == "1 of 12"
    page.keyboard.press("e")
    page.keyboard.press("n")
    page.keyboard.type("dose not given, i e u")  # letters in a note decide nothing
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    saved(page)
    page.keyboard.press("z")  # after it was counted: it is taken back
    saved(page)
    assert page.inner_text("#place") == "2 of 12"
    assert page.input_value("#note") == "dose not given, i e u"

    page.route("**/votes/", lambda route: route.abort())
    for key in "iuee":
        page.keyboard.press(key)
    assert page.inner_text("#place") == "6 of 12"
    until(page, "document.getElementById('unsent').textContent.includes('not sent yet')")
    page.reload(wait_until="domcontentloaded")  # the tab is closed and opened again, still without a connection
    until(page, "document.getElementById('place').textContent === '6 of 12'")
    page.unroute("**/votes/")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    saved(page)

    page.select_option("#preset", "ASReview")
    held: list[object] = []
    page.route("**/next/*", lambda route: held.append(route))
    for key in "iriiiii":  # irrelevant, relevant
        page.keyboard.press(key)
    until(page, "document.getElementById('progress').textContent.startsWith('Batch 1: 12 of 12')")
    for key in "rru":  # nothing is shown to decide on: the vote before stands
        page.keyboard.press(key)
    assert held
    for route in held:
        route.continue_()
    page.unroute("**/next/*")
    until(page, "document.getElementById('progress').textContent.startsWith('Batch 2: 0 of 12')")
    saved(page)
    assert votes_of(server, "p00") == {
        records[0]: ["exclude"], records[1]: ["maybe", "withdrawn", "include"], records[2]: ["maybe"],
        records[3]: ["exclude"], records[4]: ["exclude"], records[5]: ["exclude"], records[6]: ["include"],
        **{record: ["exclude"] for record in records[7:]},
    }  # fmt: skip


@pytest.mark.parametrize("page", ["p01"], indirect=True)
def test_the_next_record_is_there_at_once_and_axe_finds_nothing_serious(server: RealServer, page: object) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    before = page.inner_text("#title")
    took = page.evaluate(
        """async () => {
            const began = performance.now();
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "e", bubbles: true }));
            const shown = document.getElementById("title").textContent;
            return [performance.now() - began, shown];
        }"""
    )
    assert took[1] != before  # in the same turn: no request stands between the key and the next record
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
