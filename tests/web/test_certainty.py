"""Certainty on the server: one rater or two blind ones, agreement, staleness, and what is written to the review."""

from __future__ import annotations

import pytest
from django.db import transaction

from balm.actions.team import certainty as actions
from balm.actions.team.acting import Refused
from balm.actions.team.certainty import one_to_rate
from balm.actions.team.rows import put_row
from balm.review.certainty.deciding import ONE_BY_ONE
from balm.review.certainty.rating import certainty_of
from balm.review.certainty.words import OVERALL
from balm.store.archived import ARCHIVED, lines_of, restore_lines
from balm.store.certainty.models import Agreed, Rating, Suggestion
from balm.store.events.chain import broken_links
from balm.store.reviews.models import Member, Review, Row, StoredFile
from balm.store.reviews.package_rows import package_of
from balm.store.synthesis.current import forget
from balm.vocabulary.problems import InputError
from tests.web.conftest import Someone, Team

ANALYSIS = "responders-immediate"


def two_raters(team: Team) -> None:
    """The plan asks for two."""
    file = StoredFile.objects.get(review=team.review, path="review.toml")
    file.content = bytes(file.content) + b"\n[certainty]\nraters = 2\n"
    file.sha256 = "2" * 64
    file.save()
    forget()  # the plan was changed without an event


def given(team: Team, *, submission: str = "s1", analysis: str = ANALYSIS, **changes: str) -> dict[str, object]:
    """A form filled as proposed; ``changes``: a domain's rating, ``why_<domain>``, or a field."""
    now = one_to_rate(team.review, analysis).certainty
    ratings = {p.domain: p.rating for p in now.proposed.domains}
    reasons: dict[str, str] = {}
    fields = {}
    for name, text in changes.items():
        domain = name.removeprefix("why_").replace("_", " ").replace("dose response", "dose-response")
        if name.startswith("why_") and domain in ONE_BY_ONE:
            reasons[domain] = text
        elif domain in ONE_BY_ONE:
            ratings[domain] = text
        else:
            fields[name] = text
    return {"submission": submission, "basis": now.basis, "ratings": ratings, "reasons": reasons} | fields


def rate(team: Team, who: Someone, **changes: str) -> Rating:
    return actions.rate(who.acting, ANALYSIS, **given(team, **changes))  # type: ignore[arg-type]


def standing(team: Team) -> dict[str, object]:
    return {c.domain: c for c in package_of(team.review).certainty if c.analysis == ANALYSIS}


def test_one_rater_decides_and_earlier_decisions_stay_on_record(team: Team) -> None:
    before = [c for c in package_of(team.review).certainty if c.analysis == ANALYSIS]
    rate(team, team.teammate, indirectness="serious", why_indirectness="Hours, not weeks", place="3")
    rows = [c for c in package_of(team.review).certainty if c.analysis == ANALYSIS]
    assert rows[: len(before)] == before and len(rows) == len(before) + len(ONE_BY_ONE) + 1
    now = standing(team)
    assert (now["indirectness"].rating, now["indirectness"].proposed) == ("serious", "not serious")
    assert (now["indirectness"].reason, now["indirectness"].assessor) == ("Hours, not weeks", "tariq")
    assert now[OVERALL].rating == "very low" and now[OVERALL].place == 3
    assert now["risk of bias"].rule.startswith("half or more of the weight")
    assert not one_to_rate(team.review, ANALYSIS).certainty.stale
    assert not list(broken_links(team.review.key))


def test_a_double_click_counts_once_and_a_second_window_is_told(team: Team) -> None:
    first = rate(team, team.teammate, place="3")
    assert rate(team, team.teammate, place="3").pk == first.pk
    with pytest.raises(InputError, match="in another window"):
        rate(team, team.teammate, imprecision="serious", why_imprecision="x", place="3")
    rate(team, team.teammate, imprecision="serious", why_imprecision="x", submission="s2", place="3")
    assert list(Rating.objects.values_list("turn", flat=True)) == [1, 2]
    assert Agreed.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"imprecision": ""}, "decide: the rule only proposes"),
        ({"imprecision": "awful"}, "got 'awful'"),
        ({"imprecision": "not serious"}, "say why"),
        ({"inconsistency": "extremely serious", "why_inconsistency": "x"}, "got 'extremely serious'"),
        ({"certainty": "high"}, "say why it is 'high'"),
        ({"certainty": "excellent"}, "got 'excellent'"),
        ({"target": "an important effect"}, "needs a minimal important difference"),
        ({"target": "a miracle"}, "got 'a miracle'"),
        ({"baseline": "100"}, "say where the baseline risk comes from"),
        ({"baseline": "1000", "baseline_source": "x"}, "between 0 and 1000"),
        ({"baseline": "nan", "baseline_source": "x"}, "between 0 and 1000"),
        ({"baseline_source": "x"}, "belongs to a baseline risk"),
        ({"place": "8"}, "from 1 to 7"),
        ({"place": "1"}, "is taken by"),
        ({"why_imprecision": "x" * 5001}, "at most 5,000 characters"),
        ({"why_imprecision": "a\x00b"}, "must be plain text"),
        ({"submission": ""}, "load the page again"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(team: Team, changes: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        rate(team, team.teammate, **changes)
    assert Rating.objects.count() == 0 and Agreed.objects.count() == 0


def test_nothing_is_rated_where_there_are_no_data(team: Team) -> None:
    empty = given(team, analysis="pain-immediate")
    actions.rate(team.teammate.acting, "pain-immediate", **empty)  # type: ignore[arg-type]
    [row] = Agreed.objects.all()
    assert row.decision["certainty"] == "not rated" and "not very low" in row.decision["reason"]
    again = given(team, analysis="pain-immediate", certainty="very low", submission="s2")
    with pytest.raises(InputError, match="nothing to rate"):
        actions.rate(team.teammate.acting, "pain-immediate", **again)  # type: ignore[arg-type]


def test_two_raters_who_say_the_same_agree_and_both_reasons_are_kept(team: Team) -> None:
    two_raters(team)
    before = len(package_of(team.review).certainty)
    for who, why in ((team.teammate, "Four trials"), (team.second, "Six events")):
        assert len(package_of(team.review).certainty) == before, "nothing is written before both have rated"
        rate(team, who, why_imprecision=why)
    [row] = Agreed.objects.all()
    assert row.assessors == ["tariq", "sofia"]
    assert standing(team)["imprecision"].reason == "tariq: Four trials; sofia: Six events"
    assert standing(team)[OVERALL].assessor == "consensus of tariq and sofia"
    with pytest.raises(InputError, match="both have rated"):
        rate(team, team.owner, submission="x")


def differ(team: Team) -> None:
    two_raters(team)
    rate(team, team.teammate)
    rate(team, team.second, imprecision="serious", why_imprecision="Clear enough")


def test_where_two_differ_a_third_person_settles_it_with_a_reason(team: Team) -> None:
    differ(team)
    assert Agreed.objects.count() == 0
    with pytest.raises(Refused):
        actions.settle(team.reader.acting, ANALYSIS, **given(team))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="say why it is settled so"):
        actions.settle(team.arbiter.acting, ANALYSIS, **given(team))  # type: ignore[arg-type]
    actions.settle(team.arbiter.acting, ANALYSIS, why="The interval is very wide", **given(team))  # type: ignore[arg-type]
    assert standing(team)["imprecision"].rating == "very serious"
    with pytest.raises(InputError, match="somebody else has settled this"):
        actions.settle(team.arbiter.acting, ANALYSIS, why="x", **given(team, submission="s9"))  # type: ignore[arg-type]
    assert [r.reason for r in Agreed.objects.all()] == ["The interval is very wide"]


def test_two_raters_agree_in_discussion_when_both_propose_the_same(team: Team) -> None:
    differ(team)
    actions.settle(team.teammate.acting, ANALYSIS, why="Look at the width", **given(team, submission="p"))  # type: ignore[arg-type]
    assert Agreed.objects.count() == 0 and Suggestion.objects.count() == 1
    actions.settle(team.second.acting, ANALYSIS, why="Yes", **given(team, submission="p"))  # type: ignore[arg-type]
    [row] = Agreed.objects.all()
    assert row.reason == "agreed in discussion by tariq and sofia: tariq: Look at the width; sofia: Yes"
    assert standing(team)["imprecision"].rating == "very serious"


def test_no_consensus_before_both_have_rated(team: Team) -> None:
    two_raters(team)
    rate(team, team.teammate)
    with pytest.raises(InputError, match="begins when two people have rated"):
        actions.settle(team.arbiter.acting, ANALYSIS, why="x", **given(team))  # type: ignore[arg-type]


def test_a_decision_is_stale_once_its_data_change_and_counts_no_more(team: Team) -> None:
    two_raters(team)
    rate(team, team.teammate)
    old = given(team, submission="late")
    package = package_of(team.review)
    result = next(a for a in actions.current_synthesis(team.review).analyses if a.id == ANALYSIS)
    row = next(r for r in package.results if r.study == result.rows[0].study and r.events is not None)
    kept = Row.objects.get(review=team.review, table="results.csv", key=row.result)
    put_row(team.owner.acting, "results.csv", kept.cells | {"events": str(int(row.events) + 1)}, reason="a typo")
    assert one_to_rate(team.review, ANALYSIS).certainty.stale
    with pytest.raises(InputError, match="the data have changed since you opened this page"):
        actions.rate(team.second.acting, ANALYSIS, **old)  # type: ignore[arg-type]
    rate(team, team.second, submission="new")
    assert Agreed.objects.count() == 0, "the two rated different data"
    rate(team, team.teammate, submission="again")
    assert Agreed.objects.count() == 1
    assert not certainty_of(package_of(team.review), actions.one_to_rate(team.review, ANALYSIS).result).stale


def test_who_may_rate(team: Team) -> None:
    for who in (team.reader, team.statistician, team.arbiter):
        with pytest.raises(Refused, match="may not rate certainty"):
            rate(team, who)


def test_ratings_leave_with_the_archive_and_come_back(team: Team) -> None:
    differ(team)
    other = Review.objects.create(key="k2", slug="again", title="Again")
    members = {
        m.code: Member.objects.create(review=other, user=m.user, code=m.code, name=m.name, role=m.role)
        for m in Member.objects.filter(review=team.review)
    }
    names = [name for name in ARCHIVED if name.startswith("certainty.")]
    assert names == ["certainty.Rating", "certainty.Suggestion", "certainty.Agreed"]
    lines = list(lines_of(team.review, "certainty.Rating"))
    assert restore_lines(other, "certainty.Rating", iter(lines), members) == 2
    assert list(lines_of(other, "certainty.Rating")) == lines


@pytest.mark.parametrize("model", [Rating, Suggestion, Agreed])
def test_nothing_kept_is_changed_or_deleted(team: Team, model: type) -> None:
    differ(team)
    actions.settle(team.teammate.acting, ANALYSIS, why="x", **given(team, submission="p"))  # type: ignore[arg-type]
    actions.settle(team.arbiter.acting, ANALYSIS, why="x", **given(team, submission="p"))  # type: ignore[arg-type]
    for act in (lambda q: q.update(basis="x"), lambda q: q.delete()):
        with pytest.raises(Exception, match="append-only"), transaction.atomic():
            act(model.objects.filter(review=team.review))
