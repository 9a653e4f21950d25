"""The answer of the guidance in a browser: accessible, no wider than a phone, the basis of a line one key away."""

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
def page(tmp_path_factory):
    from playwright.sync_api import sync_playwright

    from balm.cli.main import main

    file = tmp_path_factory.mktemp("guidance") / "guidance.html"
    words = ["--weight", "70", "--comorbidity", "pregnancy", "--plan", "0.35 mg/kg bolus; 0.5 mg/kg/h for 4 h"]
    assert main(["guide", str(REVIEW), *words, "-o", str(file)]) == 0
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = chromium.new_page(viewport={"width": 360, "height": 800})
        opened.goto(file.as_uri())
        yield opened
        chromium.close()


def test_a_phone_shows_it_without_scrolling_sideways(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_axe_finds_nothing(page):
    from axe_playwright_python.sync_playwright import Axe

    assert Axe().run(page).response["violations"] == []


def test_the_parts_lead_where_they_say(page):
    for link in page.locator(".parts a").all():
        target = link.get_attribute("href").removeprefix("#")
        assert page.locator(f"h2[id='{target}']").count() == 1, target


def test_a_basis_closes_and_opens_by_keyboard(page):
    summary = page.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is None
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None
