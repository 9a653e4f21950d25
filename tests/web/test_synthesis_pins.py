"""Pinned analyses: append-only, counted once, stale as soon as a cell they rest on changes, and who changed it."""

from __future__ import annotations

import json
from html import unescape

import pytest
from django.db import DatabaseError, transaction

from balm.actions.team.acting import Acting, Refused
from balm.actions.team.archive import archive, bring_archive
from balm.actions.team.rows import append_rows, put_row
from balm.actions.team.synthesis import pin_again, pin_analysis, pinned_analyses
from balm.review.analysis_choices import choose
from balm.review.package import AnalysisSpec
from balm.store.events.chain import broken_links
from balm.store.events.models import Event
from balm.store.reviews.models import Member, Row
from balm.store.synthesis.current import current_package
from balm.store.synthesis.models import PinnedAnalysis
from balm.vocabulary.problems import InputError
from tests.web.conftest import Team, person
from tests.web.test_archive import _forget_chain, moved

KEY = "noppers2011-responder-15-min-after-infusion-ket"


def spec(team: Team, **given: str) -> AnalysisSpec:
    chosen = {"analysis": ["responders-immediate"]} | {name: [value] for name, value in given.items()}
    return choose(current_package(team.review), chosen).spec


def change(team: Team, **cells: str) -> None:
    row = Row.objects.get(review=team.review, table="results.csv", key=KEY)
    put_row(team.second.acting, "results.csv", row.cells | cells, reason="table 2, not table 3")


def test_it_keeps_every_number_and_an_event(team: Team) -> None:
    pin = pin_analysis(team.statistician.acting, spec(team), "Main  result", submission="s1", note="for the paper")
    assert (pin.name, pin.turn, len(pin.data_hash)) == ("Main result", 1, 64)
    kept = json.loads(pin.result)
    assert kept["fit"]["k"] == 4 and len(kept["data"]["rows"]) == 4
    event = Event.objects.filter(chain=team.review.key).order_by("seq").last()
    assert event is not None
    assert (event.action, event.actor, event.entity_id, event.reason) == (
        "pin analysis", "stella", "Main result", "for the paper"
    )  # fmt: skip
    assert event.after["data_hash"] == pin.data_hash
    assert not list(broken_links(team.review.key))


def test_a_double_click_counts_once(team: Team) -> None:
    first = pin_analysis(team.owner.acting, spec(team), "Main", submission="same")
    second = pin_analysis(team.owner.acting, spec(team), "Main", submission="same")
    assert first.pk == second.pk and PinnedAnalysis.objects.count() == 1


def test_a_changed_cell_makes_it_stale_and_says_who(team: Team) -> None:
    pin_analysis(team.owner.acting, spec(team), "Main", submission="s1")
    assert not pinned_analyses(team.review)[0].stale
    put_row(team.owner.acting, "gaps.csv", {"gap": "g-new", "priority": "1", "missing": "more"})
    assert not pinned_analyses(team.review)[0].stale, "a cell it does not rest on"
    change(team, events="9")
    found = pinned_analyses(team.review)[0]
    assert found.stale
    assert [(c.file, c.row, c.column, c.before, c.after, c.by, c.reason) for c in found.changes] == [
        ("results.csv", KEY, "events", "8", "9", "sofia", "table 2, not table 3")
    ]
    page = unescape(team.reader.client.get(f"/reviews/{team.review.slug}/synthesis/").content.decode())
    assert "Stale" in page and "<del>8</del> to <ins>9</ins>, by sofia" in page
    change(team, events="8")
    assert not pinned_analyses(team.review)[0].stale, "the data are those it was computed from again"


def test_a_new_row_makes_it_stale(team: Team) -> None:
    pin_analysis(team.owner.acting, spec(team), "Main", submission="s1")
    arms = [("ket", "7"), ("pbo", "3")]
    study = {"study": "new2026", "label": "New 2026", "design": "parallel", "scope": "included", "verified": "yes"}
    roles = {"ket": "intervention", "pbo": "placebo"}
    append_rows(team.teammate.acting, "studies.csv", [study])
    append_rows(team.teammate.acting, "arms.csv", [
        {"study": "new2026", "arm": arm, "label": arm, "role": roles[arm], "verified": "yes"} for arm, _ in arms
    ])  # fmt: skip
    append_rows(team.teammate.acting, "results.csv", [
        {"result": f"new-{arm}", "study": "new2026", "outcome": "responder", "window": "immediate", "arm": arm,
         "n": "20", "events": events, "how_read": "reported", "usable": "yes", "verified": "yes",
         "reported_as": "responders"}
        for arm, events in arms
    ])  # fmt: skip
    found = pinned_analyses(team.review)[0]
    assert found.stale
    assert ("results.csv", "new row", "tariq") in [(c.file, c.column, c.by) for c in found.changes]


def test_pinned_again_is_a_new_row(team: Team) -> None:
    first = pin_analysis(team.owner.acting, spec(team, tau2="DL"), "Main", submission="s1")
    change(team, events="9")
    second = pin_again(team.statistician.acting, "Main", submission="s2")
    assert (second.turn, second.spec) == (2, first.spec) and second.data_hash != first.data_hash
    (found,) = pinned_analyses(team.review)
    assert found.pin.pk == second.pk and not found.stale
    assert PinnedAnalysis.objects.get(pk=first.pk).result == first.result


def test_a_plan_that_lost_its_outcome_makes_it_stale(team: Team) -> None:
    pin = pin_analysis(team.owner.acting, spec(team), "Main", submission="s1")
    from dataclasses import asdict, replace

    from balm.review.analysis_data import canonical

    gone = replace(spec(team), outcome="gone")
    PinnedAnalysis.objects.create(
        review=team.review, member=team.owner.member, name="Gone", spec=canonical(asdict(gone)),
        data_hash=pin.data_hash, reads=pin.reads, software_version="0", result=pin.result, last_event=pin.last_event,
        submission="s2",
    )  # fmt: skip
    by_name = {p.pin.name: p for p in pinned_analyses(team.review)}
    assert by_name["Gone"].stale and "cannot be carried out any more" in by_name["Gone"].why
    assert by_name["Gone"].other_engine and not by_name["Main"].other_engine


def test_the_database_refuses_to_change_it(team: Team) -> None:
    pin = pin_analysis(team.owner.acting, spec(team), "Main", submission="s1")
    for act in (lambda: PinnedAnalysis.objects.filter(pk=pin.pk).update(name="x"), pin.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


@pytest.mark.parametrize("who", ["teammate", "arbiter", "reader"])
def test_others_may_not_pin(team: Team, who: str) -> None:
    someone = getattr(team, who)
    base = f"/reviews/{team.review.slug}/synthesis/"
    form = {"analysis": "responders-immediate", "name": "Main", "submission": "s1"}
    assert someone.client.post(base + "pin/", form).status_code == 403
    assert someone.client.post(base + "pin-again/", form).status_code == 403
    with pytest.raises(Refused):
        pin_analysis(someone.acting, spec(team), "Main", submission="s1")
    assert not PinnedAnalysis.objects.exists()


@pytest.mark.parametrize(
    ("name", "submission", "said"),
    [(" ", "s1", "needs a name"), ("x" * 201, "s1", "at most 200"), ("Main", "", "identify this request")],
)
def test_bad_input_saves_nothing(team: Team, name: str, submission: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        pin_analysis(team.owner.acting, spec(team), name, submission=submission)
    with pytest.raises(InputError, match="no analysis is pinned"):
        pin_again(team.owner.acting, "Never", submission="s1")
    assert not PinnedAnalysis.objects.exists()


def test_the_page_pins_and_gives_every_digit(team: Team) -> None:
    base = f"/reviews/{team.review.slug}/synthesis/"
    form = {"analysis": "responders-immediate", "measure": "OR", "name": "As odds ratio", "submission": "s1"}
    response = team.statistician.client.post(base + "pin/", form, follow=True)
    assert "Pinned as As odds ratio" in response.content.decode()
    pin = PinnedAnalysis.objects.get()
    assert json.loads(pin.spec)["measure"] == "OR"
    kept = json.loads(team.reader.client.get(f"{base}pinned/{pin.pk}.json").content)
    assert kept["result"] == json.loads(pin.result) and kept["by"] == "stella"
    assert team.statistician.client.post(base + "pin/", form | {"submission": "", "name": ""}).status_code == 422


def test_a_pin_goes_home_and_comes_back_byte_for_byte(team: Team) -> None:
    pin = pin_analysis(team.statistician.acting, spec(team), "Main", submission="s1", note="für den Bericht")
    first = archive(team.owner.acting)
    key = team.review.key
    moved(team.review)
    _forget_chain(key)
    review = bring_archive(first, user=person("new@example.org", "New").user, claim="olga")
    back = PinnedAnalysis.objects.get(review=review)
    assert (back.result, back.spec, back.data_hash) == (pin.result, pin.spec, pin.data_hash)
    assert back.member.code == "stella"
    assert not pinned_analyses(review)[0].stale
    assert archive(Acting(review, Member.objects.get(review=review, code="olga"))) == first
