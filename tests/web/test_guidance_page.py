"""Guidance on the server: asked by a form without script, for members, and for anybody where the report is public."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

import balm
from balm.actions.guidance import ask, load
from balm.actions.guidance_answer import plain_answer
from balm.actions.review import package_bytes
from balm.actions.team.guidance import current_guidance
from balm.actions.team.packages import start_review
from balm.actions.team.publishing import publish_report
from balm.guidance.traces import traces_of
from balm.report.guidance.page import style
from balm.store.guidance.models import CalculationTrace
from balm.store.reviews.models import StoredFile
from tests.web.conftest import KETAMINE, Team

STATIC = Path(__file__).parents[2] / "src" / "balm" / "web" / "static" / "balm"
QUESTION = {"weight": "70", "condition": "crps", "concentration": "2 mg/mL", "comorbidity": ["liver", "pregnancy"]}
PLAN = {"weight": "70", "plan": "0.35 mg/kg over 5 min; 0.5 mg/kg/h for 4 h", "comorbidity": "none"}


def address(team: Team, rest: str = "") -> str:
    return f"/reviews/{team.review.slug}/guidance/{rest}"


def text(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined,no-any-return]


def another() -> dict[str, bytes]:
    """The bundled package under another id."""
    files = package_bytes(KETAMINE)
    plan = files["review.toml"].replace(b'id = "ketamine-chronic-pain"', b'id = "another"')
    return files | {"review.toml": plan}


def test_a_question_is_answered_with_the_basis_of_each_line(team: Team) -> None:
    response = team.reader.client.get(address(team), QUESTION)
    page = text(response)
    assert response.status_code == 200
    for part in (
        "Contraindication met or possible", "Pregnancy", "possibly met", "35–140 mg/h", "17.5–70 mL/h",
        "Monitoring checklist", "(1 − 0.35) / 1 mg/kg/h = 0.65 h", "not verified against a source",
        "review overdue",
        "10.1097/AAP.0000000000000808",
        "Intended use", "Basis and arithmetic",
    ):  # fmt: skip
        assert part in page, part
    assert '<option value="crps" selected>' in page and 'value="70"' in page
    assert not re.search(r"<script(?![^>]* src=)|style=|onclick", page)  # nothing inline: it works without script


def test_the_page_says_what_the_command_says(team: Team) -> None:
    found = json.loads(text(team.reader.client.get(address(team, "answer.json"), PLAN)))
    guided = ask(*load(str(KETAMINE)), weight="70", plan=PLAN["plan"], comorbidities=["none"])
    wanted = json.loads(json.dumps(plain_answer(guided)))
    for name in ("rules", "contraindications", "contradictions", "evidence", "plan"):
        assert found[name] == wanted[name], name
    assert found["concentration"]["models"][0]["id"] == "domino1984"


def test_a_plan_is_held_against_limits_and_drawn(team: Team) -> None:
    page = text(team.reader.client.get(address(team), PLAN))
    assert "held against every limit" in page and "reached after 1.383 h" in page
    assert "<svg" in page and "Norketamine" in page and "At the end of the infusion, ng/mL" in page


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"weight": "0"}, "weight must be above 0"),
        ({"weight": "700"}, "weight 700 kg is not plausible"),
        ({"weight": "<b>"}, "weight must be a number"),
        ({"weight": "70", "concentration": "2"}, "no unit is guessed"),
        ({"condition": "gout"}, "condition must be one of"),
        ({"comorbidity": ["none", "pregnancy"]}, "cannot stand beside others"),
        ({"weight": "70", "plan": "50 mg/kg/h for 1 h"}, "is not plausible"),
        ({"plan": "25 mg/h for 4 h"}, "plan needs a weight"),
    ],
)
@pytest.mark.parametrize("rest", ["", "print/", "answer.json"])
def test_what_cannot_be_asked_says_why_and_shows_no_answer(
    team: Team, question: dict[str, str], said: str, rest: str
) -> None:
    response = team.reader.client.get(address(team, rest), question)
    page = text(response)
    assert response.status_code == 422 and said in page.replace("&quot;", '"').replace("&#x27;", "'")
    assert "Monitoring checklist" not in page and "<b>" not in page


def test_others_are_not_told_that_it_exists(team: Team) -> None:
    for rest in ("", "print/", "answer.json"):
        there = team.stranger.client.get(address(team, rest))
        nowhere = team.stranger.client.get(f"/reviews/none/guidance/{rest}")
        assert there.status_code == nowhere.status_code == 404 and there.content == nowhere.content
        for path in (address(team, rest), f"/reviews/none/guidance/{rest}"):
            response = team.anonymous.get(path)
            assert response.status_code == 302 and response.headers["Location"].startswith("/account/login/")


def test_it_is_public_where_the_report_is(team: Team) -> None:
    publish_report(team.owner.acting, True)
    for browser in (team.anonymous, team.stranger.client):
        response = browser.get(address(team), QUESTION)
        assert response.status_code == 200 and "35–140 mg/h" in text(response)
        assert "Audit trail" not in text(response)  # no stages of the team
        assert browser.get(address(team, "print/"), QUESTION).status_code == 200
    publish_report(team.owner.acting, False)
    assert team.anonymous.get(address(team), QUESTION).status_code == 302


def test_the_printable_page_brings_all_with_it(team: Team) -> None:
    response = team.reader.client.get(address(team, "print/"), PLAN)
    page = text(response)
    assert "script-src 'none'" in response.headers["Content-Security-Policy"]
    assert "<details>" not in page and page.count("<details open>") > 20 and "<style>" in page


def test_it_follows_the_package(team: Team) -> None:
    before = current_guidance(team.review)
    assert before is current_guidance(team.review)  # read once for one state of the data
    file = StoredFile.objects.get(review=team.review, path="guidance/therapy.toml")
    assert b"Intravenous ketamine" in bytes(file.content)


def test_what_is_wrong_is_the_teams_to_read(team: Team) -> None:
    files = another()
    broken = files["guidance/therapy.toml"].replace(b'unit = "mg/mL"', b'unit = "furlong"')
    review = start_review(files | {"guidance/therapy.toml": broken}, user=team.owner.user, code="olga", name="Olga")
    mine = team.owner.client.get(f"/reviews/{review.slug}/guidance/")
    assert mine.status_code == 422 and "plausible.concentration" in text(mine)
    review.public = True
    review.save(update_fields=["public"])
    other = team.anonymous.get(f"/reviews/{review.slug}/guidance/")
    assert other.status_code == 503 and "furlong" not in text(other)


def test_a_review_without_guidance_says_so(team: Team) -> None:
    files = {k: v for k, v in another().items() if not k.startswith("guidance/")}
    review = start_review(files, user=team.owner.user, code="olga", name="Olga")
    page = team.owner.client.get(f"/reviews/{review.slug}/guidance/")
    assert page.status_code == 200 and "holds no guidance yet" in text(page)
    assert team.owner.client.get(f"/reviews/{review.slug}/guidance/print/").status_code == 404


def test_a_form_sent_empty_is_no_wrong_question(team: Team) -> None:
    empty = {
        "weight": "",
        "setting": "chronic",
        "condition": "",
        "form": "",
        "concentration": " ",
        "plan": "",
        "sessions": "",
    }
    response = team.reader.client.get(address(team), empty)
    assert response.status_code == 200 and "Comorbidities were not asked" in text(response)


def test_only_reading(team: Team) -> None:
    assert Client().post(address(team)).status_code == 405
    assert (STATIC / "guidance.css").read_text("utf-8") == style()  # one style on both pages


def test_every_computed_dose_and_limit_is_kept_as_it_was_shown(team: Team) -> None:
    page = text(team.reader.client.get(address(team), PLAN))
    rows = list(CalculationTrace.objects.filter(member=team.reader.member).order_by("number"))
    answer = ask(*load(str(KETAMINE)), weight="70", plan=PLAN["plan"], comorbidities=["none"]).answer
    assert [(r.rule, r.what) for r in rows] == [(t.rule, t.what) for t in traces_of(answer)]
    assert {r.what.split(":")[0] for r in rows} == {"dose", "limit"} and len(answer.limits) > 3
    for check, row in zip(answer.limits, rows[-len(answer.limits) :], strict=True):
        assert row.formula == [check.arithmetic] and row.result["verdict"] == check.verdict
        assert row.result["given"]["text"] == str(check.given) and row.inputs["weight"]["text"] == "70 kg"
    assert {r.software_version for r in rows} == {balm.__version__}
    assert rows[0].asked["plan"] and rows[0].question[:12] in page
    shown = text(team.reader.client.get(address(team, f"calculations/{rows[0].question}/")))
    assert all(escape(step) in shown for r in rows for step in r.formula)
    assert rows[0].question[:12] in text(team.reader.client.get(address(team, "calculations/")))
    assert rows[0].question[:12] in text(team.reader.client.get(address(team, "print/"), PLAN))


def test_the_same_question_is_kept_once_and_another_beside_it(team: Team) -> None:
    for _ in range(2):
        team.reader.client.get(address(team), QUESTION)
    kept = CalculationTrace.objects.count()
    assert kept and CalculationTrace.objects.values("question").distinct().count() == 1
    team.reader.client.get(address(team), QUESTION | {"weight": "71"})
    assert CalculationTrace.objects.values("question").distinct().count() == 2
    team.reader.client.get(address(team))  # asks nothing: nothing is computed
    assert CalculationTrace.objects.values("question").distinct().count() == 2


def test_a_calculation_is_ones_own_and_the_leads_to_read_and_nobodys_to_change(team: Team) -> None:
    team.reader.client.get(address(team), QUESTION)
    row = CalculationTrace.objects.first()
    assert row is not None
    one = address(team, f"calculations/{row.question}/")
    assert team.owner.client.get(one).status_code == 200
    assert team.teammate.client.get(one).status_code == team.stranger.client.get(one).status_code == 404
    assert row.question[:12] not in text(team.teammate.client.get(address(team, "calculations/")))
    for change in (lambda: CalculationTrace.objects.update(rule="other"), lambda: row.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_a_reader_of_a_public_report_leaves_nothing(team: Team) -> None:
    publish_report(team.owner.acting, True)
    page = text(team.anonymous.get(address(team), QUESTION))
    assert "35–140 mg/h" in page and "Calculation <a" not in page
    assert not CalculationTrace.objects.exists()
