"""What is half typed in one form while another of the page is sent: it stays, through a fragment and a new page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.person import need_chromium

STATIC = Path(__file__).parents[2] / "src/balm/web/static/balm"
HOME = "http://balm.test"
SCRIPTS = ("htmx.min.js", "page.js", "typed.js")
OF_STAGES = sorted(path.name for path in STATIC.glob("*.js") if path.name not in SCRIPTS)


def card(number: int, why: str = "") -> str:
    """One of several forms that go to one address."""
    return (
        f'<form method="post" action="/settle/" hx-post="/settle/" hx-target="#all" hx-swap="outerHTML">'
        f'<input type="hidden" name="key" value="{number}">'
        f'<input type="hidden" name="submission" value="{why}{number}">'
        f'<input type="radio" name="value" value="a"><input type="radio" name="value" value="b">'
        f'<input name="reason" value="{why}"><button>Settle {number}</button></form>'
    )


def page(inside: str, *more: str) -> str:
    scripts = "".join(f'<script src="/{name}" defer></script>' for name in (*SCRIPTS, *more))
    whole = '<form method="post" action="/note/"><input name="note"><input type="password" name="secret"></form>'
    last = '<form method="post" action="/whole/"><button>Whole</button></form>'
    return f'<!doctype html>{scripts}<div id="all">{inside}</div>{whole}{last}'


@pytest.fixture
def opened() -> Iterator[Any]:
    """A page of three cards, a note and a form of its own; no server is asked."""
    from playwright.sync_api import sync_playwright

    def answer(route: Any) -> None:
        path = route.request.url.removeprefix(HOME)
        if path == "/settle/":
            route.fulfill(body=f'<div id="all">{card(2, "new")}{card(3)}</div>', content_type="text/html")
        elif path.endswith(".js") and "?" not in path:
            route.fulfill(path=STATIC / path.removeprefix("/"), content_type="text/javascript")
        else:
            more = path.partition("?with=")[2]
            inside = card(1) + card(2) + card(3)
            route.fulfill(body=page(inside, *filter(None, [more])), content_type="text/html")

    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=need_chromium(), args=["--no-sandbox"])
        chromium_page = chromium.new_page()
        chromium_page.route("**/*", answer)
        chromium_page.goto(f"{HOME}/")
        yield chromium_page
        chromium.close()


def test_what_is_half_typed_stays_where_another_form_is_sent(opened: Any) -> None:
    second, third = (lambda name, n=n: opened.locator(f"form:has([value='{n}'][name=key]) {name}") for n in (2, 3))
    second("[name=reason]").fill("half a reason")
    second("[value=b]").check()
    opened.locator("[name=note]").fill("a note")
    opened.locator("[name=secret]").fill("secret")
    third("[name=reason]").fill("not")
    with opened.expect_response("**/settle/"):
        opened.get_by_role("button", name="Settle 1").click()
    opened.wait_for_function("document.querySelectorAll('#all form').length === 2")
    assert second("[name=reason]").input_value() == "half a reason"
    assert second("[value=b]").is_checked()
    assert third("[name=reason]").input_value() == "not"

    with opened.expect_navigation():
        opened.get_by_role("button", name="Whole").click()
    assert second("[name=reason]").input_value() == "half a reason"
    assert second("[value=b]").is_checked()
    assert opened.locator("[name=note]").input_value() == "a note"
    assert opened.locator("[name=secret]").input_value() == ""
    opened.reload()
    assert opened.locator("[name=note]").input_value() == "", "kept for the next page alone"


def test_no_script_of_a_page_uses_a_name_of_the_others(opened: Any) -> None:
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    assert "extraction.js" in OF_STAGES
    for name in OF_STAGES:
        opened.goto(f"{HOME}/?with={name}")
    assert [fault for fault in faults if "declared" in fault] == []
