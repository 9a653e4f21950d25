"""A person at a browser: what they press and fill in, and what a page must be like wherever they come by."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import struct
import time
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = os.environ.get("BALM_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}


def need_chromium() -> str:
    """Where Chromium is; without it the test is skipped, and fails on the merge run."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: install it or set BALM_CHROMIUM", pytrace=False)
        pytest.skip("no Chromium on this machine (set BALM_CHROMIUM)")
    return CHROMIUM


#: Drawing in the browser's own process, without a second one that has no graphics card to draw on.
PLAIN = ("--no-sandbox", "--in-process-gpu", "--disable-gpu-compositing", "--process-per-site")


def chromium_of(playwright: Any) -> Any:
    """Chromium itself, without the parts that a test does not look at."""
    return playwright.chromium.launch(executable_path=need_chromium(), args=list(PLAIN))


def code_of(secret: str, at: float | None = None) -> str:
    """The six digits that an authenticator app shows now (RFC 6238: SHA-1, 30 seconds)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    counter = struct.pack(">Q", int((time.time() if at is None else at) // 30))
    digest = hmac.new(key, counter, hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place : place + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


class Person:
    """Somebody with a browser window of their own. ``faults`` is what the window's console complained of."""

    def __init__(self, chromium: Any, home: str, name: str) -> None:
        self.home, self.name = home.rstrip("/"), name
        self.context = chromium.new_context(viewport=DESK, accept_downloads=True, reduced_motion="reduce")
        self.context.set_default_timeout(60_000)
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.seen: dict[str, float] = {}
        self.page.on("pageerror", lambda error: self.faults.append(f"{self.page.url}: {error}"))
        self.page.on("console", self._said)

    def _said(self, message: Any) -> None:
        if message.type == "error" and "status of 4" not in message.text:  # a refusal is an answer, not a fault
            self.faults.append(f"{self.page.url}: {message.text}")

    def go(self, path: str) -> Person:
        """Open an address of the server, or the whole one that a page gave."""
        self.page.goto(path if path.startswith("http") else f"{self.home}{path}", wait_until="load")
        return self

    def press(self, name: str, *, inside: str = "main", exact: bool = False, stays: bool = False) -> Person:
        """Press the button or link of this name and wait for the page it leads to; ``stays``: it leads nowhere."""
        found = self.page.locator(inside).get_by_role("button", name=name, exact=exact)
        if not found.count():
            found = self.page.locator(inside).get_by_role("link", name=name, exact=exact)
        assert found.count(), f"{self.name} at {self.page.url}: no {name!r} in\n{self.says}"
        if stays:
            found.first.click()
            return self
        with self.page.expect_navigation(wait_until="load"):
            found.first.click()
        return self

    def fill(self, **fields: str) -> Person:
        """Fill fields by their names; ``_`` at the end of one that Python keeps for itself."""
        for name, value in fields.items():
            self.page.locator(f'main [name="{name.rstrip("_")}"]:not([type=hidden])').first.fill(value)
        return self

    def give_code(self, secret: str, button: str) -> Person:
        """Give the authenticator's code; once more where its half minute ended on the way."""
        for _ in range(3):
            self.fill(code=code_of(secret)).press(button)
            if not self.page.locator('main [name="code"]').count():
                break
        return self

    @property
    def says(self) -> str:
        """What the page says, as it is seen."""
        return str(self.page.inner_text("main"))

    def until(self, condition: str, seconds: float = 90) -> Person:
        """Wait until a condition holds; Playwright's own waiting evaluates text, which the content policy refuses."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(condition):
            assert time.monotonic() < end, f"{self.name} at {self.page.url}: never came true: {condition}"
            time.sleep(0.05)
        return self

    def until_it_says(self, words: str, seconds: float = 90) -> Person:
        """Wait for words."""
        end = time.monotonic() + seconds
        while words not in self.says:
            assert time.monotonic() < end, f"{self.name} at {self.page.url}: {words!r} is not in\n{self.says}"
            time.sleep(0.1)
        return self

    def well(self, name: str) -> Person:
        """The page is as every page must be: no serious finding of axe, and no sideways scroll on a phone."""
        serious = [
            (v["id"], [n["html"][:160] for n in v["nodes"][:3]]) for v in axe(self.page) if v["impact"] in SERIOUS
        ]
        assert serious == [], f"{name}: {serious}"
        self.page.set_viewport_size(PHONE)
        wide = self.page.evaluate(WIDE)
        self.page.set_viewport_size(DESK)
        assert wide == [], f"{name}: wider than a phone: {wide}"
        if folder := os.environ.get("BALM_SCREENSHOTS"):
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
        assert self.faults == [], f"{name}: {self.faults}"
        return self


def axe(page: Any, **options: Any) -> list[dict[str, Any]]:
    """What axe finds wrong on the page; of siblings that differ in their text alone it looks at the first two."""
    from axe_playwright_python.base import AXE_SCRIPT

    page.evaluate(f"{AXE_SCRIPT};0")  # without the 0 the whole of axe would come back as the value
    return list(page.evaluate(ASK_AXE, {"resultTypes": ["violations"], "iframes": False} | options))


SERIOUS = ("serious", "critical")
#: Most of axe's time goes into the contrast of every line. Two elements are alike where they and all in them have the
#: same tags, classes, roles, styles, attributes and places of text; what is alike in one parent is looked at twice.
ASK_AXE = """async (options) => {
  const OWN = ["href", "src", "value", "title", "id", "for", "name", "content", "action", "d", "datetime", "colspan"];
  const shape = (e) => e.tagName + [...e.attributes]
    .filter((a) => !/^(data-|hx-post|hx-get|aria-(label|labelledby|describedby|controls|current)$)/.test(a.name))
    .map((a) => a.name + (OWN.includes(a.name) ? a.value !== "" : a.value)).join() + "(" + [...e.childNodes]
    .map((n) => n.nodeType === 1 ? shape(n) : n.nodeType === 3 && n.data.trim() ? "t" : "").join("") + ")";
  const again = [];
  const walk = (parent) => {
    const seen = new Map();
    for (const child of parent.children) {
      const like = shape(child);
      seen.set(like, (seen.get(like) || 0) + 1);
      if (seen.get(like) > 2 && child.matches("tr, li, dt, dd, option, section, details, p")) again.push(child);
      else walk(child);
    }
  };
  walk(document.body);
  return (await axe.run({ exclude: again }, options)).violations;
}"""
#: What sticks out where a page scrolls sideways; nothing where it does not.
WIDE = """() => document.documentElement.scrollWidth <= 360 ? [] : [...document.querySelectorAll("body *")]
  .filter((e) => e.getBoundingClientRect().right > 361).map((e) => e.outerHTML.slice(0, 120)).slice(0, 5)"""
