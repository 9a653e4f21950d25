"""The report in a browser: accessible in both colour schemes, no wider than a phone, usable from disk by keyboard."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

CHROMIUM = os.environ.get("BALM_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
REVIEW = Path(__file__).resolve().parents[2] / "reviews" / "ketamine-chronic-pain"

if CHROMIUM is None and os.environ.get("CI"):
    pytest.fail("Chromium is missing: install it or set BALM_CHROMIUM", pytrace=False)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (set BALM_CHROMIUM)")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    from balm.actions.review import Review

    return Review.load(REVIEW).report(tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, report):
    """Opens the report from disk at a width and in a colour scheme; every request and console message is kept."""
    contexts = []

    def at(width, scheme="light", **options):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, **options)
        contexts.append(context)
        page = context.new_page()
        page.asked, page.said = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.said.append(message.text))
        page.goto(report.as_uri())
        return page

    yield at
    for context in contexts:
        context.close()


#: What a colour scheme or a narrow screen can break; the rest of the rules look at the same elements again.
OF_LAYOUT = ["color-contrast", "scrollable-region-focusable", "aria-required-children"]
#: Rows, lists and analyses that repeat what stands before them tell axe nothing new, and most of its time goes there.
SHORTEN = """([rows, analyses]) => {
  document.querySelectorAll('details').forEach(d => d.open = true)
  document.querySelectorAll('tbody').forEach(body => {
    [...body.rows].filter(row => !row.matches('.unverified, .own, .group')).slice(rows).forEach(row => row.remove());
    [...body.querySelectorAll('.group')].slice(2).forEach(row => row.remove());
    [...body.querySelectorAll('.unverified')].slice(1).forEach(row => row.remove());
  });
  [...document.querySelectorAll('#numbers details')].slice(2).forEach(list => list.remove());
  [...document.querySelectorAll('#results > section')].slice(analyses).forEach(one => one.remove());
}"""


@pytest.mark.parametrize(
    ("width", "scheme", "rows", "analyses", "rules"),
    [(1280, "light", 3, 99, None), (1280, "dark", 2, 6, OF_LAYOUT), (360, "light", 2, 6, OF_LAYOUT)],
)
def test_axe_finds_nothing(opened, width, scheme, rows, analyses, rules):
    axe = _axe()
    page = opened(width, scheme)
    page.evaluate(SHORTEN, [rows, analyses])
    # What passes is not collected, which takes much of the time too.
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    assert axe.run(page, options=options).response["violations"] == []


def _axe():
    if os.environ.get("CI"):
        from axe_playwright_python.sync_playwright import Axe
    else:
        module = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing")
        Axe = module.Axe
    return Axe()


def test_nothing_is_asked_of_the_network_and_nothing_complains(opened, report):
    page = opened(1280, java_script_enabled=True)
    assert [url for url in page.asked if url != report.as_uri() and not url.startswith("data:")] == []
    assert page.said == []


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_no_wider_than_the_screen(opened, width):
    page = opened(width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_reads_without_scripts_and_a_number_leads_to_its_rows(opened):
    page = opened(1280, java_script_enabled=False)
    page.locator("#glance a[href^='#rows-']").first.click()
    assert "#rows-" in page.url


def test_the_skip_link_is_the_first_stop_of_the_keyboard(opened):
    page = opened(1280)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_a_link_to_a_folded_row_opens_its_list(opened):
    page = opened(1280, java_script_enabled=False)
    place = page.locator("#rows-pain-two-trials a[href^='#result-']").first
    row = page.locator(place.get_attribute("href"))
    assert not row.is_visible()
    place.click()
    row.wait_for(state="visible", timeout=3000)


def test_details_are_printed_open_and_the_contents_left_out(opened):
    page = opened(1280)
    page.emulate_media(media="print")
    assert page.locator(".contents").is_hidden()
    assert page.locator("#regimens caption").is_visible()
    assert page.locator("#numbers caption").first.is_visible()
    assert page.locator("#standards caption").is_visible()
