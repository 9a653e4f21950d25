"""A whole review in the browser: from an empty server and a search export to a pinned forest plot and the way home.

A lead, two reviewers and an arbiter, each in a window of their own, on a real server with its own database. Every page
on the way is looked at by axe and at the width of a phone.
"""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from balm.actions.review import package_bytes
from balm.actions.team.demonstration_search import demonstration_export
from balm.review.reading import read_package
from tests.browser.person import Person, chromium_of
from tests.web.migrated import empty_home, own_environment
from tests.web.test_full_texts import pdf

KETAMINE = Path(__file__).parents[2] / "reviews" / "ketamine-chronic-pain"
PASSWORD = "every number walks back to a line"
TRIAL = "Ketamine infusion for chronic pain made for this walk: a randomised controlled trial"
LEFT_OUT = "Ketamine gargle after tonsillectomy, made for this walk"
#: What a second database holds: the trial once more, half of it missing, and a report the full text of which is not
#: eligible.
MORE = f"""TY  - JOUR
TI  - {TRIAL}
AU  - Walker, Ada
AU  - Stroll, Ben
PY  - 2026
JO  - Journal of Walks
VL  - 3
SP  - 14
EP  - 21
AB  - Forty adults with chronic pain were randomised to ketamine infusion or placebo. Twelve and four responded.
DO  - 10.5555/walk.1
ER  -

TY  - JOUR
TI  - {TRIAL.split(":")[0]}
AU  - Walker, Ada
PY  - 2026
JO  - Journal of Walks
VL  - 3
SP  - 900
EP  - 905
ER  -

TY  - JOUR
TI  - {LEFT_OUT}
AU  - Gargle, Cy
PY  - 2024
JO  - Throat
AB  - Children gargled.
DO  - 10.5555/walk.2
ER  -
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """``balm serve`` on an empty folder, in processes of its own: its address, and the link to its first account."""
    empty_home(tmp_path / "home")
    log = (tmp_path / "log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "-m", "balm", "serve", "--port", "0"],
        env=own_environment(BALM_HOME=str(tmp_path / "home"), BALM_RANKING="off"),
        stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        yield _said(Path(log.name), process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()


def _said(log: Path, process: subprocess.Popen[bytes]) -> tuple[str, str]:
    for _ in range(600):
        text = log.read_text()
        if found := re.search(r"Serving on (\S+?)/? ", text):
            link = re.search(r"(http\S+/set-up/\S+)", text)
            assert link, text
            return found[1], link[1]
        assert process.poll() is None, text
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")


def test_a_review_from_its_search_to_its_forest_plot(server: tuple[str, str]) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = chromium_of(playwright)
        team = begin_the_team(chromium, *server)
        bring_the_searches(team["lead"])
        screen_titles(team)
        get_and_read_full_texts(team)
        study = group_into_studies(team["ana"])
        extract(team, study)
        assess_risk_of_bias(team, study)
        analyse(team["lead"], study)
        take_home(team["lead"], study)
        for person in team.values():
            assert person.faults == []
        chromium.close()


SLUG = "/reviews/ketamine-chronic-pain"


def begin_the_team(chromium: object, home: str, link: str) -> dict[str, Person]:
    """The first account with a second factor, the review from its package, and three people by invitation."""
    lead = Person(chromium, home, "lead").go(link).well("first-account")
    lead.fill(email="lea@walk.example", name="Lea Lead", password=PASSWORD, again=PASSWORD).press("Make")
    lead.well("new-review")
    lead.go("/account/").well("account").press("Set it up").press("Set up an authenticator app")
    lead.well("confirm").fill(password=PASSWORD).press("Confirm").well("authenticator")
    secret = lead.page.input_value("#authenticator_secret")
    lead.give_code(secret, "Turn on")
    lead.press("Sign out", inside="header")
    lead.go("/account/login/").well("sign-in").fill(login="lea@walk.example", password=PASSWORD).press("Sign in")
    lead.well("second-step").give_code(secret, "Sign in")
    lead.go("/reviews/new/")
    lead.page.set_input_files(
        "input[type=file]", {"name": "review.zip", "mimeType": "application/zip", "buffer": _zip()}
    )
    lead.press("Bring it in")
    assert lead.page.url.endswith(f"{SLUG}/")
    lead.well("review").go(f"{SLUG}/set-up/outcomes/").well("outcomes").go(f"{SLUG}/members/").well("people")
    team = {"lead": lead}
    for name, role in (("ana", "reviewer"), ("ben", "reviewer"), ("arno", "arbiter")):
        lead.go(f"{SLUG}/members/").press("Invite somebody").fill(email=f"{name}@walk.example", name=name.title())
        lead.page.locator(f'main [name=role][value="{role}"]').check()
        lead.press("Send the invitation")
        joining = team[name] = Person(chromium, home, name).go(lead.page.input_value("#link"))
        if name == "ana":
            joining.well("invitation")
        joining.fill(password=PASSWORD, again=PASSWORD).press("Make the account and join")
        assert joining.page.url.endswith(f"{SLUG}/")
    lead.well("invited")
    return team


def _zip() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        for path, data in package_bytes(KETAMINE).items():
            out.writestr(path, data)
    return made.getvalue()


def bring_the_searches(lead: Person) -> None:
    """Two files come in with their receipts; a doubtful duplicate is answered, the others are merged by rule."""
    package, _ = read_package(package_bytes(KETAMINE), KETAMINE)
    lead.go(f"{SLUG}/records/").well("searches")
    lead.page.set_input_files(
        "#files",
        [
            {"name": name, "mimeType": "text/plain", "buffer": data}
            for name, data in (("reports.ris", demonstration_export(package)), ("second.ris", MORE.encode()))
        ],
    )
    lead.press("Import")
    lead.until("document.querySelectorAll('.upload.done').length === 2", 60)
    lead.until("!document.querySelector('#state progress')", 60)
    lead.press("Receipt of second").well("receipt").until_it_says("3")
    lead.go(f"{SLUG}/deduplication/").well("question")
    assert lead.page.inner_text("table.side").count(TRIAL.split(":")[0]) == 2
    lead.page.keyboard.press("d")
    lead.until_it_says("No question is left")
    lead.go(f"{SLUG}/deduplication/groups/").well("merged")


def screen_titles(team: dict[str, Person]) -> None:
    """Both read every title by keyboard; on one record they differ, and the arbiter settles it."""
    lead, arno = team["lead"], team["arno"]
    lead.go(f"{SLUG}/screening/").well("screening")
    _open_stage(lead, "title-abstract")
    wanted = {"ana": (TRIAL, LEFT_OUT, "Noppers 2011"), "ben": (TRIAL, "Noppers 2011")}
    for name, titles in wanted.items():
        person = team[name].go(f"{SLUG}/screening/title-abstract/")
        person.until("document.querySelector('kbd[data-key]').textContent !== ''")
        if name == "ana":
            person.well("titles")
        while title := person.page.evaluate(TITLE):
            person.page.keyboard.press("i" if title.startswith(titles) else "e")
        _sent(person)
    team["ana"].go(f"{SLUG}/screening/title-abstract/").well("nothing-left")
    arno.go(f"{SLUG}/screening/title-abstract/conflicts/").well("conflicts").press(LEFT_OUT)
    arno.well("conflict").fill(note="The abstract does not say who gargled.").press("Include")
    arno.until_it_says("is settled: include")
    arno.go(f"{SLUG}/screening/title-abstract/agreement/").well("agreement")


#: The title that is shown, or nothing.
TITLE = "document.querySelector('#reader').checkVisibility() && document.querySelector('#title').innerText"


def _open_stage(lead: Person, stage: str) -> None:
    form = lead.page.locator(f'form[action$="/screening/{stage}/open/"]')
    for name in ("ana", "ben"):
        form.locator(f'input[value="{name}"]').first.check()
    form.locator("input[type=number]").fill("200")
    with lead.page.expect_navigation(wait_until="load", timeout=60_000):
        form.get_by_role("button").click()


def _sent(person: Person) -> None:
    """Nothing is left that the server has not counted."""
    person.until("!Object.keys(localStorage).some((k) => k.startsWith('balm-vote:'))")


def get_and_read_full_texts(team: dict[str, Person]) -> None:
    """The papers come in; both read them beside their vote: two reports go on, one is out for a reason."""
    lead, ana, ben = team["lead"], team["ana"], team["ben"]
    lead.go(f"{SLUG}/screening/")
    _open_stage(lead, "full-text")
    for title in (TRIAL, LEFT_OUT):
        ana.go(f"{SLUG}/full-texts/")
        if title == TRIAL:
            ana.well("reports")
        ana.press(title)
        data = pdf(title, "Twelve of 20 and four of 20 responded 30 min after the infusion")
        ana.page.set_input_files("#paper", {"name": "paper.pdf", "mimeType": "application/pdf", "buffer": data})
        ana.press("Upload").until_it_says("Kept: paper.pdf, 2 pages")
    ana.fill(quote="twelve of 20").press("Find").until_it_says("1 place")
    ana.well("report")
    for person in (ana, ben):
        person.go(f"{SLUG}/screening/full-text/")
        while person.page.is_visible("#reader"):
            title = person.page.inner_text("#title")
            if title in (TRIAL, LEFT_OUT):
                shown = person.page.locator("#paper iframe")
                assert shown.get_attribute("src").split("#")[0].endswith("/paper/"), "the paper is read beside the vote"
                if person is ana and title == TRIAL:
                    person.well("paper")
            else:
                assert "no PDF" in person.page.inner_text("#paper")
            person.page.keyboard.press("1" if title == LEFT_OUT else "i")
        _sent(person)
    lead.go(f"{SLUG}/flow/").until_it_says("Every sum that can be checked holds").well("flow")


def group_into_studies(ana: Person) -> str:
    """The report of the trial begins a study of its own."""
    ana.go(f"{SLUG}/full-texts/studies/").well("studies")
    linking = ana.page.locator("article.linking").filter(has_text=TRIAL)
    linking.locator("[name=label]").fill("Walker 2026")
    with ana.page.expect_navigation(wait_until="load"):
        linking.get_by_role("button", name="Link").click()
    found = re.search(r"is linked to (\S+)\.", ana.says)
    assert found, ana.says
    return found[1]


ARMS = {"intervention": "Ketamine", "placebo": "Placebo"}


def extract(team: dict[str, Person], study: str) -> None:
    """Two people enter what the report prints; on one number they differ, and the arbiter settles it."""
    for name, responders in (("ana", ("12", "4")), ("ben", ("12", "5"))):
        person = team[name].go(f"{SLUG}/extraction/").press("Extract Walker 2026")
        person.page.locator("#study ~ section [name='v.design']").first.select_option("parallel")
        _saved(person)
        for role, label in ARMS.items():
            new = person.page.locator("form.new").filter(has=person.page.locator("[value='arms.csv']"))
            new.locator("[name=role]").select_option(role)
            new.locator("[name=label]").fill(label)
            _added(person, new)
        new = person.page.locator("form.new").filter(has=person.page.locator("[value='results.csv']"))
        new.locator("[name=outcome]").select_option("responder")
        new.locator("[name=time]").fill("30")
        new.locator("[name=time_unit]").select_option("min")
        new.locator("[name=form]").select_option("events")
        _added(person, new)
        if person is team["ana"]:
            _taken_out_and_back(person)
        rows = person.page.locator("section.row").filter(has=person.page.locator("input[value='results.csv']"))
        for row, events in zip((rows.nth(0), rows.nth(1)), responders, strict=True):
            for column, value in (("n", "20"), ("events", events), ("page", "p. 2")):
                row.locator(f"[name='v.{column}']").fill(value)
                row.locator(f"[name='v.{column}']").blur()
        _saved(person)
        if name == "ana":
            person.well("sheet")
        person.press("I have finished this study")
    arno = team["arno"].go(f"{SLUG}/extraction/{study}/compare/").well("differences")
    difference = arno.page.locator(".difference")
    assert difference.count() == 1, arno.says
    difference.locator("[type=radio][value='=4']").check()
    difference.locator("[name=reason]").fill("Table on p. 2 says four")
    difference.get_by_role("button", name="Settle").click()
    arno.until_it_says("Nothing is left to settle").well("settled")
    arno.press("Write the agreed values to the review").well("written")


def _added(person: Person, form: Any) -> None:
    """The row comes in place, with the focus in it; the paper beside it is not fetched again."""
    person.page.evaluate("document.querySelector('aside.paper iframe').dataset.still = 'yes'")
    with person.page.expect_response(lambda response: response.url.endswith("/add/")):
        form.get_by_role("button").click()
    person.until("Boolean(document.activeElement.closest('[data-added]'))")
    assert person.page.get_attribute("aside.paper iframe", "data-still") == "yes"


def _taken_out_and_back(person: Person) -> None:
    """A row goes at a key and comes back at the next; what was being typed is saved before."""
    row = person.page.locator("section.row[data-added]")
    row.locator("[name='v.page']").fill("p. 3")
    row.get_by_role("button", name="Take out").click()
    person.until("document.activeElement.textContent === 'Put it back'")
    person.page.keyboard.press("Enter")
    person.until("Boolean(document.activeElement.closest('[data-added]'))")
    assert row.locator("[name='v.page']").input_value() == "p. 3"


def _saved(person: Person) -> None:
    """Every field that was left is counted by the server."""
    person.until("!Object.keys(localStorage).some((k) => k.startsWith('balm-extraction:'))")


#: Answers by domain, as questions are triggered; what the second assessor answers otherwise stands after them.
ANSWERS = {
    "D1": {"1.1": "Y", "1.2": "Y", "1.3": "N"},
    "D2": {"2.1": "N", "2.2": "N", "2.6": "Y"},
    "D3": {"3.1": "Y"},
    "D4": {"4.1": "N", "4.2": "N", "4.3": "N"},
    "D5": {"5.1": "Y", "5.2": "N", "5.3": "N"},
}
OTHERWISE = {"D1": {"1.1": "Y", "1.2": "Y", "1.3": "PY"}}


def assess_risk_of_bias(team: dict[str, Person], study: str) -> None:
    """RoB 2 of the result by two people; where they differ they agree in discussion, the rest is taken over."""
    place = f"{SLUG}/risk-of-bias/rob2-assignment/{study}/responder~immediate~ketamine-placebo"
    team["ana"].go(f"{SLUG}/risk-of-bias/").well("risk-of-bias")
    for name in ("ana", "ben"):
        person = team[name].go(f"{place}/")
        for domain, answers in (ANSWERS | (OTHERWISE if name == "ben" else {})).items():
            person.go(f"{place}/domains/{domain}/")
            _answer(person, answers)
            person.fill(support=f"{domain}: the methods say so, p. 1").press("Save")
        person.go(f"{place}/domains/Overall/").press("Save")
        person.go(f"{place}/").press("Finish this assessment")
    team["ana"].well("finished")
    for name in ("ana", "ben"):
        person = team[name].go(f"{place}/consensus/")
        person.press(f"{'Propose' if name == 'ana' else 'Answer'} Randomisation process")
        _answer(person, ANSWERS["D1"])
        person.fill(support="D1: baseline tables are alike, p. 1", reason="Table 1 shows no imbalance")
        if name == "ben":
            person.well("discussion")
        person.press("Propose")
    arno = team["arno"].go(f"{place}/consensus/").until_it_says("in discussion")
    arno.press("Accept what both say").well("accepted").press("Settle Overall")
    arno.fill(reason="Every domain is at low risk").press("Agree on overall")
    arno.until_it_says("Agreed, and written to the review").well("agreed")


def _answer(person: Person, answers: dict[str, str]) -> None:
    """Answer the questions that are shown, then those that the answers trigger; each time the form comes anew."""
    left = {f"q{question}-{answer}" for question, answer in answers.items()}
    while left:
        person.until(f"{sorted(left)!r}.some((id) => document.getElementById(id))")
        with person.page.expect_response(lambda response: "/proposal/" in response.url):
            found = person.page.evaluate(CHOOSE, sorted(left))
        left -= set(found)
        person.until("!document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')")


CHOOSE = """(ids) => {
  const shown = ids.map((id) => document.getElementById(id)).filter(Boolean);
  for (const choice of shown) choice.checked = true;
  shown.at(-1).dispatchEvent(new Event("change", { bubbles: true }));
  return shown.map((choice) => choice.id);
}"""


def analyse(lead: Person, study: str) -> None:
    """The forest plot has the new study; another measure redraws it in place; it is pinned; the flow adds up."""
    lead.go(f"{SLUG}/synthesis/?analysis=responders-immediate").until_it_says("Walker 2026").well("analysis")
    before = lead.page.get_attribute("figure.plot img", "src")
    lead.page.select_option("#choose-measure", "OR")
    lead.until(f"document.querySelector('figure.plot img').getAttribute('src') !== {before!r}")
    lead.until("document.querySelector('figure.plot img').naturalWidth > 0")
    drawn = lead.page.request.get(lead.home + str(lead.page.get_attribute("figure.plot img", "src"))).text()
    assert "Walker 2026" in drawn
    assert "Odds ratio" in drawn
    lead.fill(name="Responders, odds ratio").press("Pin", exact=True).until_it_says("Pinned as").well("pinned")
    lead.go(f"{SLUG}/flow/").until_it_says("Every sum that can be checked holds")
    lead.go(f"{SLUG}/report/").until("document.body.innerText.includes('Walker 2026')")
    lead.go(f"{SLUG}/audit/").well("audit")


def take_home(lead: Person, study: str) -> None:
    """The package holds what was decided, and reads without a problem."""
    lead.go(f"{SLUG}/archive/").well("archive")
    with lead.page.expect_download() as waiting:
        lead.page.get_by_role("link", name="Download the package").click()
    with zipfile.ZipFile(waiting.value.path()) as held:
        files = {name: held.read(name) for name in held.namelist()}
    root = os.path.commonpath([name for name in files if name.endswith(".csv")])
    package, problems = read_package({n.removeprefix(f"{root}/"): data for n, data in files.items()}, Path(root))
    assert package is not None, problems
    assert package.study(study).label == "Walker 2026"
    assert [r.events for r in package.results_of(study)] == [12, 4]
    judged = {j.domain: j.judgement for j in package.risk_of_bias if j.study == study}
    assert judged["Overall"] == "low", judged
    assert len(package.screening) > 140
