"""Risk of bias in the browser: forms that ask as the tool does, two blind assessors, consensus, and who may do what."""

from __future__ import annotations

import re

import pytest
from django.db import transaction

from balm.actions.team import risk_of_bias as actions
from balm.actions.team.risk_of_bias_discussion import propose
from balm.review.risk_of_bias.instrument import instrument
from balm.review.risk_of_bias.on_record import groups
from balm.review.risk_of_bias.settled import steps
from balm.review.risk_of_bias.targets import Target, target_at, targets_of
from balm.review.risk_of_bias.words import OVERALL
from balm.store.archived import ARCHIVED, lines_of, restore_lines
from balm.store.events.chain import broken_links
from balm.store.events.models import Event
from balm.store.reviews.models import Member, Review
from balm.store.reviews.package_rows import package_of
from balm.store.risk_of_bias.models import Agreed, Assessment, Finished
from balm.vocabulary.problems import InputError
from tests.web.conftest import Someone, Team

TARGET = Target("rob2-assignment", "noppers2011", "responder", "immediate", "ketamine-placebo")
LOW = {
    "D1": {"1.1": "Y", "1.2": "Y", "1.3": "N"},
    "D2": {"2.1": "N", "2.2": "PN", "2.6": "Y"},
    "D3": {"3.1": "Y"},
    "D4": {"4.1": "N", "4.2": "N", "4.3": "N"},
    "D5": {"5.1": "Y", "5.2": "N", "5.3": "N"},
    OVERALL: {},
}
#: Some concerns in D1 and D5.
WORSE = LOW | {"D1": {"1.1": "Y", "1.2": "NI", "1.3": "N"}, "D5": {"5.1": "NI", "5.2": "N", "5.3": "N"}}


def address(team: Team, rest: str = "", target: Target = TARGET) -> str:
    return f"/reviews/{team.review.slug}/risk-of-bias/{target.instrument}/{target.study}/{target.place}/{rest}"


def assess(who: Someone, given: dict[str, dict[str, str]] = LOW, *, end: bool = True, only: str | None = None) -> None:
    """Judge every domain, and finish."""
    for domain in (only,) if only else steps(instrument(TARGET.instrument)):
        turn = Assessment.objects.filter(member=who.member, domain=domain).count() + 1
        support = f"{who.member.code} read it"
        actions.assess(
            who.acting, TARGET, domain, submission=f"{domain}-{turn}", answers=given[domain], support=support
        )
    if end:
        actions.finish(who.acting, TARGET, submission="end")


def form(given: dict[str, str], **fields: str) -> dict[str, str]:
    return {"submission": "s1", "support": "Sealed envelopes, p. 3"} | {f"q{q}": a for q, a in given.items()} | fields


def text(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_targets_are_results_for_rob_2_and_studies_for_a_list(team: Team) -> None:
    package = package_of(team.review)
    found = targets_of(package)
    assert TARGET in found
    assert Target("jbi-case-series", "cohen2006") in found
    assert target_at(package, "rob2-assignment", "noppers2011", TARGET.place) == TARGET
    assert target_at(package, "rob2-assignment", "noppers2011", "sleep~~ketamine-placebo") is None
    assert len(set(found)) == len(found)


def test_questions_appear_as_they_are_triggered_and_the_proposal_is_live(team: Team) -> None:
    client = team.teammate.client
    page = client.get(address(team, "domains/D3/")).content.decode()
    assert "q3.1" in page and "q3.2" not in page
    live = client.post(address(team, "domains/D3/proposal/"), {"q3.1": "PN"}).content.decode()
    assert 'name="q3.2"' in live and 'name="q3.3"' not in live
    live = client.post(address(team, "domains/D3/proposal/"), {"q3.1": "PN", "q3.2": "N", "q3.3": "N"})
    assert "missingness cannot depend on the true value (3.3)" in text(live)
    assert Assessment.objects.count() == 0


def test_a_domain_is_saved_and_the_next_one_follows(team: Team) -> None:
    client = team.teammate.client
    response = client.post(address(team, "domains/D1/"), form(WORSE["D1"], direction="towards null"))
    assert response.status_code == 302
    assert response.headers["Location"].endswith("/domains/D2/")
    [row] = Assessment.objects.all()
    assert (row.judgement, row.proposed, row.direction) == ("some concerns", "some concerns", "towards null")
    assert row.answers == WORSE["D1"]
    assert "Sealed envelopes, p. 3" in client.get(address(team, "domains/D1/")).content.decode()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (form({"1.1": "Y", "1.2": "Y"}), "It is asked here and has no answer"),
        (form({"1.1": "maybe", "1.2": "Y", "1.3": "N"}), "got &#x27;maybe&#x27;"),
        (form(LOW["D1"], support=" "), "Say what in the report supports the judgement"),
        (form(LOW["D1"], judgement="high"), "Say why the judgement is"),
        (form(LOW["D1"], judgement="dreadful"), "got &#x27;dreadful&#x27;"),
        (form(LOW["D1"], direction="up"), "got &#x27;up&#x27;"),
        (form(LOW["D1"], submission=""), "load the page again"),
        (form(LOW["D1"], submission="x" * 65), "load the page again"),
        (form(LOW["D1"], support="x" * 20_001), "at most 20,000 characters"),
        (form(LOW["D1"], support="a\x00b"), "plain text"),
        (form(LOW["D1"], submission="a\x00b"), "load the page again"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(team: Team, sent: dict[str, str], said: str) -> None:
    response = team.teammate.client.post(address(team, "domains/D1/"), sent)
    assert response.status_code == 422
    assert said.lower() in response.content.decode().lower()
    assert Assessment.objects.count() == 0


def test_a_double_click_counts_once_and_a_second_window_is_told(team: Team) -> None:
    client = team.teammate.client
    for _ in range(2):
        assert client.post(address(team, "domains/D1/"), form(LOW["D1"])).status_code == 302
    assert Assessment.objects.count() == 1
    response = client.post(address(team, "domains/D1/"), form(WORSE["D1"]))
    assert response.status_code == 422
    assert "in another window" in text(response)
    assert client.post(address(team, "domains/D1/"), form(WORSE["D1"], submission="s2")).status_code == 302
    assert list(Assessment.objects.values_list("turn", "judgement")) == [(1, "low"), (2, "some concerns")]


def test_an_assessment_is_finished_when_every_domain_and_the_overall_judgement_stand(team: Team) -> None:
    response = team.teammate.client.post(address(team, "finish/"), {"submission": "f"})
    assert response.status_code == 422
    assert "not judged yet: D1, D2, D3, D4, D5, Overall" in text(response)
    page = text(team.teammate.client.get(address(team)))
    assert "Begin with randomisation process" in page and "D1 Randomisation process" in page
    assess(team.teammate, WORSE, end=False)
    assess(team.teammate, LOW, end=False, only="D1")
    with pytest.raises(InputError, match="a domain was changed after the overall judgement"):
        actions.finish(team.teammate.acting, TARGET, submission="f")
    assess(team.teammate, LOW, end=False, only=OVERALL)
    assert team.teammate.client.post(address(team, "finish/"), {"submission": "f"}).status_code == 302
    assert Finished.objects.count() == 1
    with pytest.raises(InputError, match="you have finished this assessment"):
        assess(team.teammate, WORSE, end=False, only="D1")


def test_the_pdf_of_the_study_is_at_hand_where_it_is_assessed(team: Team) -> None:
    report = f"full-texts/{TARGET.study}.pdf"
    assert "PDF:" not in text(team.teammate.client.get(address(team, "domains/D1/")))
    team.review.files.create(path=report, content=b"%PDF-1.4 x", sha256="0" * 64)
    page = team.teammate.client.get(address(team, "domains/D1/")).content.decode()
    led = re.search(r'PDF: <a href="([^"]+)"', page)
    assert led and team.teammate.client.get(led[1]).content == b"%PDF-1.4 x"


def test_a_third_person_is_told_that_two_assess_it(team: Team) -> None:
    assess(team.teammate, end=False, only="D1")
    assess(team.second, end=False, only="D1")
    with pytest.raises(InputError, match="two people assess this already"):
        assess(team.owner, end=False, only="D1")


def test_somebody_who_left_without_finishing_gives_the_place_up(team: Team) -> None:
    assess(team.teammate, end=False, only="D1")
    assess(team.second, end=False, only="D1")
    team.second.member.active = False
    team.second.member.save()
    assess(team.owner, end=False, only="D1")
    assert Assessment.objects.count() == 3


def test_consensus_begins_when_both_have_finished(team: Team) -> None:
    assess(team.teammate)
    assess(team.second, WORSE, end=False)
    assert "begins when two people have finished" in text(team.arbiter.client.get(address(team, "consensus/")))
    with pytest.raises(InputError, match="begins when two people have finished"):
        actions.accept_what_agrees(team.arbiter.acting, TARGET, submission="a")
    actions.finish(team.second.acting, TARGET, submission="end")
    page = text(team.arbiter.client.get(address(team, "consensus/")))
    assert "tariq read it" in page and "sofia read it" in page
    assert page.count("differ ") == 3


def test_what_is_agreed_is_written_to_the_review_with_its_answers(team: Team) -> None:
    assess(team.teammate)
    assess(team.second, WORSE)
    client = team.arbiter.client
    before = len(package_of(team.review).risk_of_bias)
    client.post(address(team, "consensus/accept/"), {"submission": "a"})
    client.post(address(team, "consensus/accept/"), {"submission": "a"})
    assert sorted(Agreed.objects.values_list("domain", flat=True)) == ["D2", "D3", "D4"]
    refused = client.post(address(team, "consensus/D1/"), form(LOW["D1"], seen="0"))
    assert refused.status_code == 422
    assert "Say why: the two assessors do not both say this" in text(refused)
    for domain, given in (("D1", WORSE["D1"]), ("D5", LOW["D5"])):
        sent = form(given, submission=domain, seen="0", reason="The protocol says so")
        assert client.post(address(team, f"consensus/{domain}/"), sent).status_code == 302
    assert len(package_of(team.review).risk_of_bias) == before, "not before the overall judgement"
    sent = form({}, submission="o", seen="0", support="", reason="One domain with some concerns")
    assert client.post(address(team, "consensus/Overall/"), sent).status_code == 302
    package = package_of(team.review)
    rows = {j.domain: j for j in package.risk_of_bias if j.study == "noppers2011"}
    assert len(rows) == 6
    d1 = rows["Randomisation process"]
    assert (d1.judgement, d1.proposed, d1.answers) == ("some concerns", "some concerns", "1.1=Y; 1.2=NI; 1.3=N")
    assert (d1.outcome, d1.window, d1.comparison) == ("responder", "immediate", "ketamine-placebo")
    assert (d1.instrument, d1.version) == ("rob2-assignment", "22 August 2019")
    assert d1.assessor == "consensus of tariq and sofia"
    assert rows["Overall"].judgement == "some concerns"
    assert "tariq: tariq read it" in rows["Missing outcome data"].reason
    assert not list(broken_links(team.review.key))
    shown = text(team.reader.client.get(f"/reviews/{team.review.slug}/risk-of-bias/"))
    assert "agreed" in shown


def settled(team: Team) -> None:
    assess(team.teammate)
    assess(team.second)
    actions.accept_what_agrees(team.arbiter.acting, TARGET, submission="a")


def test_a_change_of_the_consensus_needs_a_reason_and_a_new_look_at_the_overall_judgement(team: Team) -> None:
    settled(team)
    act = {"answers": WORSE["D1"], "support": "On second thoughts", "seen": 1}
    with pytest.raises(InputError, match="say why: what was agreed is changed"):
        actions.agree(team.owner.acting, TARGET, "D1", submission="c", **act)
    with pytest.raises(InputError, match="somebody else has settled this domain"):
        actions.agree(team.owner.acting, TARGET, "D1", submission="c", **act | {"seen": 0}, reason="x")
    actions.agree(team.owner.acting, TARGET, "D1", submission="c", **act, reason="Authors answered")
    of = {j.domain: j.judgement for j in package_of(team.review).risk_of_bias if j.study == "noppers2011"}
    assert of["Randomisation process"] == of["Overall"] == "low", "until the overall judgement is settled again"
    assert "settle the overall judgement again" in text(team.owner.client.get(address(team, "consensus/")))
    actions.agree(team.owner.acting, TARGET, OVERALL, submission="d", answers={}, seen=1, reason="Follows")
    of = {j.domain: j.judgement for j in package_of(team.review).risk_of_bias if j.study == "noppers2011"}
    assert of["Randomisation process"] == of["Overall"] == "some concerns"
    changed = Event.objects.filter(chain=team.review.key, action="change row", entity="risk_of_bias.csv")
    assert changed.count() and all(e.reason and e.before for e in changed)


def test_a_number_of_another_judgement_is_not_taken_for_this_one(team: Team) -> None:
    assess(team.teammate, end=False, only="D1")
    later = Target(TARGET.instrument, TARGET.study, TARGET.outcome, "week-1", TARGET.comparison)
    with pytest.raises(InputError, match="belongs to another judgement"):
        actions.assess(team.teammate.acting, later, "D1", submission="D1-1", answers=LOW["D1"], support="tariq read it")


def test_no_overall_judgement_where_the_instrument_defines_none(team: Team) -> None:
    with pytest.raises(InputError, match="defines no overall judgement"):
        actions.assess(
            team.teammate.acting, Target("jbi-cohort", "cohen2006"), OVERALL, submission="o", answers={}, judgement="no"
        )


def test_a_reason_that_cannot_be_kept_is_refused(team: Team) -> None:
    settled(team)
    act = {"answers": WORSE["D1"], "support": "x", "seen": 1, "submission": "c"}
    for reason in ("a\x00b", "\ud800", "x" * 20_001):
        with pytest.raises(InputError, match="reason: must be plain text"):
            actions.agree(team.owner.acting, TARGET, "D1", **act, reason=reason)


def test_assessments_leave_with_the_archive_and_come_back_the_same(team: Team) -> None:
    settled(team)
    propose(
        team.teammate.acting, TARGET, "D1", submission="p", answers=LOW["D1"], support="As before", seen=1, reason="x"
    )
    copy = Review.objects.create(slug="copy", title="Copy")
    people = Member.objects.filter(review=team.review)
    members = {m.code: Member.objects.create(review=copy, code=m.code, name=m.name, role=m.role) for m in people}
    names = [name for name in ARCHIVED if name.startswith("risk_of_bias.")]
    assert len(names) == 4
    for name in names:
        lines = list(lines_of(team.review, name))
        assert lines and restore_lines(copy, name, iter(lines), members) == len(lines)
        assert list(lines_of(copy, name)) == lines


def test_figures_come_as_files_in_both_palettes(team: Team) -> None:
    settled(team)
    number = len(groups(package_of(team.review).risk_of_bias))
    base = f"/reviews/{team.review.slug}/risk-of-bias/figures/{number}"
    for ending, begins in (("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        response = team.reader.client.get(f"{base}/traffic-light.{ending}?palette=colour-blind&download")
        assert response.content.startswith(begins)
        assert "attachment" in response.headers["Content-Disposition"]
    assert "Noppers 2011" in team.reader.client.get(f"{base}/traffic-light.svg").content.decode()
    weighted = team.reader.client.get(f"{base}/summary.svg?weights=meta-analysis").content.decode()
    assert "Weighted by the meta-analysis" in weighted
    assert team.reader.client.get(f"{base}/summary.svg?palette=pink").status_code == 422
    for wrong in (f"{base}/pie.svg", f"{base}/summary.gif", f"{base[:-1]}999/summary.svg"):
        assert team.reader.client.get(wrong).status_code == 404


PAGES = ("", "domains/D1/", "consensus/", "consensus/D1/")


def test_strangers_see_nothing_readers_change_nothing_and_anonymous_people_sign_in(team: Team) -> None:
    for rest in PAGES:
        assert team.stranger.client.get(address(team, rest)).status_code == 404
        assert team.anonymous.get(address(team, rest)).status_code == 302
        assert team.reader.client.get(address(team, rest)).status_code == 403
    for rest in ("domains/D1/", "domains/D1/proposal/", "finish/", "consensus/accept/", "consensus/D1/"):
        assert team.reader.client.post(address(team, rest), form(LOW["D1"])).status_code == 403
        assert team.stranger.client.post(address(team, rest), form(LOW["D1"])).status_code == 404
    assert team.teammate.client.post(address(team, "consensus/accept/"), form(LOW["D1"])).status_code == 403
    early = team.teammate.client.post(address(team, "consensus/D1/"), form(LOW["D1"]))
    assert "when two people have finished" in text(early)
    assert Assessment.objects.count() == Agreed.objects.count() == 0


def test_what_is_not_there_is_not_found(team: Team) -> None:
    base = f"/reviews/{team.review.slug}/risk-of-bias"
    for rest in ("rob3/noppers2011/study/", "jbi-cohort/nobody/study/", "rob2-assignment/noppers2011/a~b~c/"):
        assert team.owner.client.get(f"{base}/{rest}").status_code == 404
    assert team.owner.client.get(address(team, "domains/D9/")).status_code == 404
    assert team.owner.client.get(f"{base}/?instrument=rob3&outcome=none").status_code == 200


@pytest.mark.parametrize("name", ["jbi-case-series", "robins-i-2016", "quadas-2", "rob2-adherence"])
def test_every_instrument_has_its_form(team: Team, name: str) -> None:
    one = instrument(name)
    place = TARGET.place if one.per == "result" else "study"
    target = Target(name, "noppers2011", *(TARGET.outcome, TARGET.window, TARGET.comparison) * (one.per == "result"))
    for step in steps(one):
        page = team.teammate.client.get(address(team, f"domains/{step}/", target))
        assert page.status_code == 200, place
        if step != OVERALL:
            assert one.domain(step).name in page.content.decode()


def pages_of(someone: Someone, team: Team) -> dict[str, bytes]:
    """Every page of risk of bias as this person gets it, without the tokens against forged requests."""
    base = f"/reviews/{team.review.slug}/risk-of-bias/"
    paths = [base, f"{base}?instrument=rob2-assignment", f"{base}figures/1/summary.svg"]
    paths += [address(team, rest) for rest in ("", "consensus/", "consensus/D1/", "consensus/Overall/")]
    paths += [address(team, f"domains/{step}/") for step in steps(instrument(TARGET.instrument))]
    responses = {path: someone.client.get(path) for path in paths}
    responses["live"] = someone.client.post(address(team, "domains/Overall/proposal/"), {"of": "consensus"})
    token = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"|"X-CSRFToken": "[^"]+"')
    return {path: str(r.status_code).encode() + token.sub(b"", r.content) for path, r in responses.items()}


@pytest.mark.parametrize("reader", ["teammate", "owner", "arbiter", "statistician", "reader"])
@pytest.mark.parametrize("finished", [False, True])
def test_no_page_before_the_reveal_changes_with_the_other_assessment(team: Team, reader: str, finished: bool) -> None:
    """Not with what the other judged, nor (for whoever assesses or looks on) with whether they have begun at all.

    The one thing a third reviewer is told is that both places are taken: that is how the work is shared out.
    """
    assess(team.teammate, LOW, end=not finished)
    worlds = []
    for judged in (LOW, WORSE) if reader == "owner" else (None, LOW, WORSE):
        with transaction.atomic():
            if judged:
                assess(team.second, judged, end=finished)
            worlds.append(pages_of(getattr(team, reader), team))
            transaction.set_rollback(True)
    for other in worlds[1:]:
        assert other == worlds[0]
