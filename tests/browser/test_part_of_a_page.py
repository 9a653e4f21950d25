"""A part of a page that is refused, does not come, or comes as the sign-in: what is said, and what stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.person import chromium_of

STATIC = Path(__file__).parents[2] / "src/balm/web/static/balm"
HOME = "http://balm.test"
FORM = (
    '<div id="part"><form method="post" action="/send/" hx-post="/send/" hx-target="#part" hx-swap="outerHTML"{more}>'
    "<button>Send</button></form>{said}</div>"
)
PAGE = '<!doctype html><script src="/htmx.min.js" defer></script><script src="/page.js" defer></script><main>{}</main>'
SELECTS = ' hx-select="#part"'
NOT_ALLOWED = PAGE.format("<h1>Not allowed</h1><p>Only the lead may.</p><p><a href='/'>To your reviews</a></p>")
PROBLEMS = PAGE.format("<h1>Nothing was saved</h1><ul class='problems'><li>it was answered before</li></ul>")
NO_ANSWER = "The server did not answer, so nothing was changed. Try again in a moment."


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield chromium_of(started)


@pytest.mark.parametrize(
    ("more", "status", "body", "alert", "there"),
    [
        ("", 422, FORM.format(more="", said="<p>too high</p>"), None, "too high"),
        (SELECTS, 422, PAGE.format(FORM.format(more="", said="<p>too high</p>")), None, "too high"),
        (SELECTS, 422, PROBLEMS, "it was answered before", ""),
        ("", 422, PROBLEMS, "it was answered before", ""),
        (SELECTS, 403, NOT_ALLOWED, "Only the lead may.", ""),
        ("", 404, PAGE.format("<h1>There is no such page</h1>"), "This cannot be done any more. Reload the page", ""),
        ("", 500, "", NO_ANSWER, ""),
        ("", 0, "", NO_ANSWER, ""),
    ],
)
def test_what_is_refused_is_said_and_the_page_stands(
    chromium: Any, more: str, status: int, body: str, alert: str | None, there: str
) -> None:
    page = chromium.new_page()
    answers = [(status, body), (200, FORM.format(more=more, said="<p>done</p>"))]

    def answer(route: Any) -> None:
        path = route.request.url.removeprefix(HOME)
        if path.endswith(".js"):
            route.fulfill(path=STATIC / path.removeprefix("/"), content_type="text/javascript")
        elif path == "/send/":
            status, body = answers.pop(0)
            route.fulfill(status=status, body=body, content_type="text/html") if status else route.abort()
        else:
            route.fulfill(body=PAGE.format(FORM.format(more=more, said="")), content_type="text/html")

    page.route("**/*", answer)
    page.goto(f"{HOME}/")
    page.get_by_role("button").click()
    page.wait_for_function("document.querySelector('[role=alert], #part p')")
    said = page.locator("[role=alert]").all_inner_texts()
    assert said == [] if alert is None else (len(said) == 1 and said[0].startswith(alert)), said
    assert page.get_by_role("button").count() == 1, "the form stands"
    assert page.locator("#part").inner_text().removeprefix("Send").strip() == there

    page.get_by_role("button").click()
    page.wait_for_function("document.querySelector('#part').innerText.includes('done')")
    assert page.locator("[role=alert]").count() == 0, "what was said goes with the next answer"
    page.close()


def test_who_was_signed_out_comes_to_the_sign_in_and_not_into_the_part(chromium: Any) -> None:
    page, signed_in = chromium.new_page(), True

    def answer(route: Any) -> None:
        path = route.request.url.removeprefix(HOME)
        if path.endswith(".js"):
            route.fulfill(path=STATIC / path.removeprefix("/"), content_type="text/javascript")
        elif path == "/" and signed_in:
            route.fulfill(body=PAGE.format(FORM.format(more="", said="")), content_type="text/html")
        elif path.startswith("/account/login/"):
            route.fulfill(body=PAGE.format("<h1>Sign in</h1>"), content_type="text/html")
        else:
            script = "location.replace('/account/login/?next=' + encodeURIComponent(location.pathname))"
            route.fulfill(body=f"<!doctype html><script>{script}</script>", content_type="text/html")

    page.route("**/*", answer)
    page.goto(f"{HOME}/")
    signed_in = False
    # A route cannot answer with a redirect that is followed, so the page is told where its answer came from.
    page.evaluate(
        "document.addEventListener('htmx:beforeSwap', (e) => Object.defineProperty(e.detail.xhr, 'responseURL',"
        " {value: location.origin + '/account/login/?next=/send/'}), {capture: true})"
    )
    with page.expect_navigation(url="**/account/login/?next=%2F"):
        page.get_by_role("button").click()
    assert page.locator("h1").inner_text() == "Sign in"
    page.close()


@pytest.mark.parametrize(
    ("inside", "focus"),
    [
        ('<ul class="problems" role="alert"><li>two people of one name</li></ul><input id="name">', "problems"),
        ('<div class="field"><input id="name"><div class="error" role="alert">Give one</div></div>', "name"),
        ('<ul class="problems" role="alert"></ul><input id="name">', ""),
    ],
)
def test_what_was_refused_has_the_focus_of_the_page_that_says_so(chromium: Any, inside: str, focus: str) -> None:
    page = chromium.new_page()
    scripts = {f"/{name}": (STATIC / name).read_text() for name in ("htmx.min.js", "page.js")}

    def answer(route: Any) -> None:
        script = scripts.get(route.request.url.removeprefix(HOME))
        route.fulfill(body=script or PAGE.format(inside), content_type="text/javascript" if script else "text/html")

    page.route("**/*", answer)
    page.goto(f"{HOME}/", wait_until="load")
    here = page.evaluate("[document.activeElement.id, document.activeElement.className].join('')")
    assert here == focus
    page.close()


def test_the_focus_stays_where_it_was_though_the_part_around_it_came_anew(chromium: Any) -> None:
    page = chromium.new_page()
    part = (
        '<div id="part"><form hx-get="/?again" hx-target="#part" hx-swap="outerHTML" hx-trigger="change">'
        '<input name="r" value=""></form><a href="/svg">SVG</a> <a href="/png">PNG</a>{}</div>'
    )

    def answer(route: Any) -> None:
        path = route.request.url.removeprefix(HOME)
        if path.endswith(".js"):
            route.fulfill(path=STATIC / path.removeprefix("/"), content_type="text/javascript")
        elif "again" in path:
            route.fulfill(body=part.format("<p>drawn</p>"), content_type="text/html")
        else:
            route.fulfill(body=PAGE.format(part.format("")), content_type="text/html")

    page.route("**/*", answer)
    page.goto(f"{HOME}/")
    page.locator("[name=r]").fill("0.5")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.wait_for_function("document.querySelector('#part p')")
    assert page.evaluate("document.activeElement.textContent") == "PNG"
    page.close()
