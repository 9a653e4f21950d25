"""A day of a clinic in the browser: a nurse records an infusion on a phone, a patient answers, the report changes.

The demonstration clinic on a real server with its own database. Every page on the way is looked at by axe and at the
width of a phone; one infusion is recorded with scripts switched off.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.person import PHONE, Person, chromium_of
from tests.web.migrated import empty_home, own_environment

KETAMINE = Path(__file__).parents[2] / "reviews" / "ketamine-chronic-pain"
CLINIC = "/clinics/simulated-clinic-north/"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """``balm serve`` with the bundled review, in processes of its own: its address, and the passwords it shows."""
    empty_home(tmp_path / "home")
    log = (tmp_path / "log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "-m", "balm", "serve", str(KETAMINE), "--port", "0"],
        env=own_environment(BALM_HOME=str(tmp_path / "home"), BALM_RANKING="off"),
        stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        yield _said(Path(log.name), process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()


def _said(log: Path, process: subprocess.Popen[bytes]) -> tuple[str, dict[str, str]]:
    for _ in range(1200):
        text = log.read_text()
        if found := re.search(r"Serving on (\S+?)/? ", text):
            return found[1], dict(re.findall(r"(\w+)@demonstration\.example\s+(\S+)", text))
        assert process.poll() is None, text
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")


def sign_in(person: Person, name: str, password: str) -> Person:
    """By the page, as everybody does."""
    return person.go("/account/login/").fill(login=f"{name}@demonstration.example", password=password).press("Sign in")


def opened(person: Person, summary: str) -> Person:
    """Unfold a part of the page that is folded."""
    part = person.page.locator("details", has=person.page.locator("summary", has_text=summary)).first
    if part.get_attribute("open") is None:
        part.locator("> summary").click()
    return person


def figures(person: Person) -> list[str]:
    """The main numbers of the reports page."""
    person.go(f"{CLINIC}reports/")
    return [str(t) for t in person.page.locator(".figures strong").all_inner_texts()]


def one_more(before: str, after: str) -> bool:
    """The count grew by one; one that is held back, because too few stand behind it, cannot be compared."""
    return "held back" in (before, after) or int(after) == int(before) + 1


def test_a_day_of_a_clinic(server: tuple[str, dict[str, str]]) -> None:
    from playwright.sync_api import sync_playwright

    home, passwords = server
    with sync_playwright() as playwright:
        chromium = chromium_of(playwright)
        nurse = sign_in(Person(chromium, home, "nurse"), "nadia", passwords["nadia"])
        assert "Simulated clinic North" in nurse.says
        before = figures(nurse)
        nurse.well("clinic-reports")
        record_an_infusion(nurse)
        treated = figures(nurse)
        assert one_more(before[0], treated[0]), "one course more is treated"
        answer_as_patient(chromium, nurse)
        after = figures(nurse)
        # The patient's pain fell from 8 to 3: one more was followed up, and one more responded.
        assert one_more(before[2], after[2]), (before, after)
        (responders, assessed), (then, of_then) = after[4].split(" of "), before[4].split(" of ")
        assert int(responders) == int(then) + 1
        assert one_more(of_then, assessed)
        nurse.press("Audit report")
        assert "SIMULATED" in nurse.page.inner_text("body")
        look_at_the_rest(sign_in(Person(chromium, home, "lead"), "clara", passwords["clara"]))
        without_script(chromium, home, passwords["nadia"])
        chromium.close()


def record_an_infusion(nurse: Person) -> None:
    """On a phone: begin, rate, another rate, vitals, an event, stop, sign."""
    nurse.go(CLINIC).well("clinic-today")
    nurse.page.set_viewport_size(PHONE)
    nurse.press("SIM-TODAY-1").well("clinic-session-planned")
    nurse.page.set_viewport_size(PHONE)
    nurse.fill(weight_kg="700").press("Begin now")
    assert "between 10 and 350 kg" in nurse.says
    nurse.fill(weight_kg="78").press("Begin now")
    nurse.fill(rate="60").press("Start", exact=True)
    assert "60 mg/h" in nurse.says
    small = nurse.page.evaluate(
        "() => [...document.querySelectorAll('.bedside button, .bedside summary, .bedside input')]"
        ".filter((e) => e.offsetParent && e.type != 'radio' && e.getBoundingClientRect().height < 44)"
        ".map((e) => e.outerHTML.slice(0, 90))"
    )
    assert small == [], f"too small for a finger: {small}"
    time.sleep(1.1)  # a segment lasts a second at least
    nurse.fill(rate="90").press("Set this rate")
    assert "90 mg/h" in nurse.says
    opened(nurse, "Vitals and scores").fill(systolic="131", saturation="97", pain="11").press("Save")
    assert "pain must lie between 0 and 10" in nurse.says
    nurse.fill(systolic="131", saturation="97", pain="5").press("Save")
    assert "Oxygen saturation: 97 %" in nurse.says
    nurse.well("clinic-session-running")
    nurse.page.set_viewport_size(PHONE)
    opened(nurse, "Adverse event").fill(term="dizziness")
    nurse.page.select_option("#e-severity", "mild")
    nurse.page.locator("form[action$='/act/event/'] button").click()
    nurse.until_it_says("dizziness: mild")
    time.sleep(1.1)
    nurse.press("Stop the infusion")
    opened(nurse, "Sign off and lock").press("Sign and lock")
    assert "Signed and locked by nadia" in nurse.says
    nurse.well("clinic-session-signed")
    nurse.press("How the doses were worked out")
    nurse.well("clinic-session-calculations")


def answer_as_patient(chromium: object, nurse: Person) -> None:
    """The link from the due list, on the patient's phone; used once."""
    nurse.go(f"{CLINIC}due/").well("clinic-due")
    card = nurse.page.locator("li", has_text="SIM-TODAY-3: 1 month")
    with nurse.page.expect_navigation():
        card.get_by_role("button", name="Link for the patient").click()
    address = nurse.page.inner_text(".secret")
    nurse.well("clinic-link")
    patient = Person(chromium, nurse.home, "patient")
    patient.page.set_viewport_size(PHONE)
    patient.go(address).well("patient-form")
    assert "SIM-TODAY-3" not in patient.page.content()
    patient.page.set_viewport_size(PHONE)
    for name, value in (("answer:nrs:average", "3"), ("answer:pgic:change", "2"), ("unwanted", "no")):
        patient.page.locator(f'input[name="{name}"][value="{value}"]').check()
    patient.press("Send my answers")
    assert "Thank you" in patient.says
    patient.well("patient-thanks").go(address)
    assert "does not work" in patient.says


def look_at_the_rest(lead: Person) -> None:
    """Every other page of the clinic, as its lead."""
    for rest, name in (
        ("participants/", "participants"), ("participants/SIM-TODAY-3/", "participant"),
        ("courses/SIM-TODAY-3-c1/", "course"), ("courses/SIM-TODAY-3-c1/visits/mo2/", "visit"), ("import/", "import"),
        ("export/", "export"), ("people/", "people"), ("definition/", "definition"), ("trail/", "trail"),
        ("segments/SIM-TODAY-3-c1-s1-g1/", "correct"),
    ):  # fmt: skip
        lead.go(f"{CLINIC}{rest}").well(f"clinic-{name}")
        assert "SIMULATED" in lead.page.content()


def without_script(chromium: object, home: str, password: str) -> None:
    """The bedside works where scripts do not run."""
    page = chromium.new_context(java_script_enabled=False, viewport=PHONE).new_page()  # type: ignore[attr-defined]
    page.goto(f"{home}/account/login/")
    page.fill("[name=login]", "nadia@demonstration.example")
    page.fill("[name=password]", password)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{home}{CLINIC}sessions/SIM-TODAY-2-c1-s1/")
    page.fill("[name=weight_kg]", "64")
    page.get_by_role("button", name="Begin now").click()
    page.fill("#r-rate", "75")
    page.get_by_role("button", name="Start", exact=True).click()
    assert "75 mg/h" in page.inner_text("main")
    page.get_by_role("button", name="Stop the infusion").click()
