"""A form that is refused stands open with what was typed, in every form in which people write."""

from __future__ import annotations

import html

import pytest
from django.http import HttpResponse

from balm.actions.team.screening import open_stage
from tests.web.conftest import Someone, Team
from tests.web.test_records_import import MEDLINE, bring
from tests.web.test_screening_actions import TA, records_of, vote, with_records
from tests.web.test_study_linking import included as included  # a fixture

WORDS = "Typed by hand: <b>not</b> lost"


def refused(who: Someone, team: Team, rest: str, **sent: object) -> str:
    answer: HttpResponse = who.client.post(f"/reviews/{team.review.slug}/{rest}", sent)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'class="problems" role="alert"' in page
    assert "<b>not" not in page
    return html.unescape(page)


@pytest.fixture
def conflict(team: Team) -> Team:
    """Tariq and Sofia differ on r1."""
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"])
    for who, decision in ((team.teammate, "include"), (team.second, "exclude")):
        records_of(who)
        vote(who, "r1", decision)
    return team


def test_a_conflict_keeps_the_note_and_the_remark(conflict: Team) -> None:
    at = f"screening/{TA}/records/r1/"
    page = refused(conflict.arbiter, conflict, f"{at}settle/", decision="perhaps", note=WORDS, submission="settle-01")
    assert page.count(WORDS) == 1 and f'name="note" rows="2" maxlength="5000">{WORDS}</textarea>' in page
    page = refused(conflict.teammate, conflict, f"{at}remark/", decision="perhaps", note=WORDS, submission="remark-01")
    assert f'name="note" rows="3" maxlength="5000">{WORDS}</textarea>' in page
    assert "What you wrote" in refused(
        conflict.arbiter, conflict, f"screening/{TA}/records/r99/settle/", decision="include", note=WORDS,
        submission="settle-02",
    )  # fmt: skip


def test_a_vote_without_a_script_keeps_its_note(conflict: Team) -> None:
    page = refused(
        conflict.teammate, conflict, f"screening/{TA}/votes/", record="r1", batch=1, decision="include", note=WORDS,
        submission="another-1",
    )  # fmt: skip
    assert f"{WORDS}</textarea>" in page


def test_opening_a_stage_keeps_its_form(conflict: Team) -> None:
    sent = {f"{TA}-screeners": ["tariq", "olga"], f"{TA}-size": "0", f"{TA}-reason": WORDS}
    page = refused(conflict.owner, conflict, f"screening/{TA}/open/", **sent)
    assert WORDS in page and 'value="olga" id="id_title-abstract-screeners_' in page
    checked = [line for line in page.split("<input") if f'name="{TA}-screeners"' in line and " checked" in line]
    assert sorted(line.split('value="')[1].split('"')[0] for line in checked) == ["olga", "tariq"]
    assert "<details open>" in page


def test_a_search_keeps_what_was_corrected(team: Team) -> None:
    bring(team.owner, ("medline.ris", MEDLINE))
    sent = {"kind": "register", "source": "CENTRAL", "strategy": WORDS, "version": "1", "reason": ""}
    page = refused(team.owner, team, "records/searches/medline/change/", **sent)
    assert f"{WORDS}</textarea>" in page and 'value="CENTRAL"' in page and "<option selected>register" in page
    assert "CENTRAL</dd>" not in page


def test_linking_keeps_the_label(included: Team) -> None:
    sent = {"report": "m1", "study": "", "kind": "no such kind", "label": WORDS, "primary": "yes", "submission": "l1"}
    page = refused(included.teammate, included, "full-texts/studies/link/", **sent)
    assert page.count(f'value="{WORDS}"') == 1 and 'value="yes" checked' in page


def test_a_pin_keeps_its_note(team: Team) -> None:
    sent = {"analysis": "responders-immediate", "measure": "OR", "name": "", "note": WORDS, "submission": "p1"}
    page = refused(team.statistician, team, "synthesis/pin/", **sent)
    assert f'value="{WORDS}"' in page and '<option value="OR" selected>' in page
