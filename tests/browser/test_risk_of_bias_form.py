"""The form of a domain in a browser: by keyboard, questions as they are triggered, a phone's width, axe; and a walk by
Tab alone through central pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.web.real_server import RealServer

CHROMIUM = os.environ.get("BALM_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
PLACE = "rob2-assignment/noppers2011/responder~immediate~ketamine-placebo"

if CHROMIUM is None and os.environ.get("CI"):
    pytest.fail("Chromium is missing: install it or set BALM_CHROMIUM", pytrace=False)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (set BALM_CHROMIUM)")

#: The controls of a page by number, without the buttons of one choice: Tab stops at one of these.
CONTROLS = """() => {
  const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')];
  all.forEach((e, i) => { e.dataset.stop = i; });
  return all.filter((e) => e.checkVisibility() && !e.disabled && !['hidden', 'radio'].includes(e.type)
    && (!e.closest('details:not([open])') || e.matches('summary'))).map((e) => Number(e.dataset.stop));
}"""
#: The control that has the focus, and whether it is seen to have it.
FOCUSED = """() => {
  const e = document.activeElement;
  if (e === document.body) return null;
  const style = (x) => getComputedStyle(x);
  const seen = (x) => style(x).outlineStyle !== 'none' && parseFloat(style(x).outlineWidth) > 0;
  const around = [e, ...(e.labels || []), e.parentElement];
  return { number: Number(e.dataset.stop), name: (e.innerText || e.name || '').trim(), ring: around.some(seen) };
}"""


@pytest.fixture(scope="module")
def server() -> Iterator[RealServer]:
    """A server with two reviewers."""
    made = RealServer(workers=1)
    try:
        yield made.set_up(1, 2).start()
    finally:
        made.remove()


@pytest.fixture(scope="module")
def page(server: RealServer):
    """A signed-in reviewer's browser; what its console says is kept."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        context.add_cookies(
            [{"name": "sessionid", "value": server.sessions["p00"], "url": f"http://127.0.0.1:{server.port}"}]
        )
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        yield page
        chromium.close()


def test_a_domain_is_judged_by_keyboard_alone(server: RealServer, page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    address = f"http://127.0.0.1:{server.port}/reviews/{server.slug}/risk-of-bias/{PLACE}"
    page.goto(f"{address}/domains/D3/")
    page.focus("#q3\\.1-Y")
    for question, presses in (("3.1", 2), ("3.2", 3), ("3.3", 4)):  # arrows walk the answers of a question
        for _ in range(presses):
            page.keyboard.press("ArrowRight")
        following = f"#q3\\.{int(question[-1]) + 1}-Y"
        page.wait_for_selector(following, timeout=8000)
        assert page.evaluate("document.activeElement.name") == f"q{question}", "focus stays where it was"
        page.wait_for_function("!document.querySelector('.htmx-request')")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == f"q3.{int(question[-1]) + 1}-Y"
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector(".because li")
    assert "some concerns" in page.inner_text(".proposal")
    assert Axe().run(page).violations_count == 0
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.focus("#support")
    page.keyboard.type("Nine of 24 left, p. 5")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/domains/D4/")
    assert "some concerns" in page.inner_text("aside")
    assert [said for said in page.said if not said.startswith("htmx:")] == []  # htmx tells of requests it gave up


def test_three_central_pages_are_walked_by_tab_alone(server: RealServer, page) -> None:
    """Every control is reached, in reading order, with its focus seen; the first stop skips to the content; no trap."""
    home = f"http://127.0.0.1:{server.port}/reviews/{server.slug}"
    page.set_viewport_size({"width": 1280, "height": 900})
    for address in (f"{home}/screening/", f"{home}/synthesis/", f"{home}/risk-of-bias/{PLACE}/"):
        page.goto(address)
        there = page.evaluate(CONTROLS)
        stops: list[dict[str, object]] = []
        for _ in range(len(there) + 5):
            page.keyboard.press("Tab")
            if (stop := page.evaluate(FOCUSED)) is None or stop in stops:
                break
            stops.append(stop)
        assert stops[0]["name"] == "Skip to content", address
        assert [s["name"] for s in stops if not s["ring"]] == [], address
        assert {s["number"] for s in stops} >= set(there), (address, "cannot be reached by Tab")
        numbers = [s["number"] for s in stops]
        assert numbers == sorted(numbers), (address, "focus jumps")  # type: ignore[type-var]
        page.goto(address)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content", address
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('main').contains(document.activeElement)"), address
        page.keyboard.press("Shift+Tab")  # and back: the focus is not held in the content
        assert not page.evaluate("document.querySelector('main').contains(document.activeElement)"), address
