"""What changed: the trial that moved a result, crossings of no effect, corrected numbers, judgements gone stale."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from balm.actions.review import Review
from balm.report.version_words import changes_plain, changes_text, grown_text
from balm.review.living.changed import Changes, changes_between
from balm.review.living.grown import analyses_alone, grown
from balm.review.living.history import as_of, version_called
from balm.review.package import Package
from balm.review.synthesis import synthesise
from balm.stats.effect_sizes import effect_sizes
from balm.stats.pooling.pool import pool

KETAMINE = Review.load(Path(__file__).parents[4] / "reviews" / "ketamine-chronic-pain").package
TODAY = synthesise(KETAMINE)


def since(version: str) -> Changes:
    before = analyses_alone(as_of(KETAMINE, version_called(KETAMINE, version)))
    return changes_between(before, TODAY, since=version, frozen=False)


def corrected(package: Package, result: str, **cells: object) -> Package:
    rows = tuple(replace(r, **cells) if r.result == result else r for r in package.results)  # type: ignore[arg-type]
    return replace(package, results=rows)


def test_the_trial_that_moved_a_result_is_found_by_leaving_it_out() -> None:
    (change,) = [a for a in since("orhurhu-2019").analyses if a.id == "pain-two-trials"]
    assert change.new == ("pickering2020",) and change.before is not None and change.after is not None
    (move,) = change.moves
    assert change.after.estimate is not None and change.before.estimate is not None
    assert move.by == pytest.approx(change.after.estimate - change.before.estimate, rel=1e-12), (
        "one new trial: all of it"
    )
    assert change.crossed == "the interval now includes no effect"


def test_several_new_trials_each_show_their_own_pull() -> None:
    from balm.review.living.moved import moves

    result = TODAY.analysis("responders-immediate")
    found = moves(result, {"noppers2011", "lemming2005"})
    assert {m.study for m in found} == {"noppers2011", "lemming2005"}
    assert abs(found[0].by) >= abs(found[1].by)
    rows = [r for r in result.rows if r.study != "lemming2005"]
    values = {name: [r.values[name] for r in rows] for name in ("events_1", "n_1", "events_2", "n_2")}
    without = pool(effect_sizes("RR", **values))  # type: ignore[arg-type]
    assert result.fit is not None
    by = next(m.by for m in found if m.study == "lemming2005")
    assert by == pytest.approx(result.fit.estimate - without.estimate, rel=1e-9)


def test_nothing_has_changed_where_nothing_has() -> None:
    changes = changes_between(TODAY, TODAY, since="1", frozen=True)
    assert changes.same and not changes.stale
    assert changes_text(changes, KETAMINE) == "Nothing has changed since 1 (compared with the release)."


def test_a_corrected_number_marks_what_rests_on_it_stale_and_drops_nothing() -> None:
    row = next(r for r in KETAMINE.results if r.study == "noppers2011" and r.events == 8)
    now = synthesise(corrected(KETAMINE, row.result, events=9))
    changes = changes_between(TODAY, now, since="1", frozen=True)
    (table,) = [t for t in changes.tables.values() if not t.same]
    assert table.file == "results.csv" and table.changed[0].cells == (("events", 8, 9),)
    moved = [a.id for a in changes.analyses if not a.same]
    assert moved == ["responders-immediate", "responders-immediate-rd"]
    assert all(a.corrected == ("noppers2011",) for a in changes.analyses if not a.same)
    stale = {s.of for s in changes.stale if s.what == "certainty"}
    titles = {a.title for a in TODAY.analyses if a.id in moved}
    assert stale == titles, "those decisions, and no others"
    assert len(now.package.certainty) == len(KETAMINE.certainty), "marked, not dropped"
    said = changes_text(changes, now.package)
    assert "events 8 → 9" in said and "To judge again (stale)" in said and "numbers corrected: Noppers 2011" in said


def test_risk_of_bias_judged_before_a_number_changed_is_to_be_judged_again() -> None:
    judged = KETAMINE.risk_of_bias[0]
    row = next(r for r in KETAMINE.results if r.study == judged.study)
    now = corrected(KETAMINE, row.result, notes="read again")
    (stale,) = [s for s in changes_between(TODAY, synthesise(now), since="1", frozen=True).stale if "bias" in s.what]
    assert row.result in stale.why and stale.who == judged.assessor
    anew = replace(now, risk_of_bias=tuple(replace(j, reason="judged again") for j in now.risk_of_bias))
    assert not changes_between(TODAY, synthesise(anew), since="1", frozen=True).stale
    gone = replace(KETAMINE, results=tuple(r for r in KETAMINE.results if r.result != row.result))
    assert changes_between(TODAY, synthesise(gone), since="1", frozen=True).stale, "also where the number is gone"


def test_a_changed_plan_is_a_change_of_method() -> None:
    analyses = tuple(replace(a, tau2="DL") if a.id == "crps-series" else a for a in KETAMINE.meta.analyses)
    question = replace(KETAMINE.meta.question, population="Adults")
    now = replace(KETAMINE, meta=replace(KETAMINE.meta, analyses=analyses, question=question))
    changes = changes_between(TODAY, synthesise(now), since="1", frozen=True)
    assert changes.method == ("question",)
    assert [a.plan for a in changes.analyses if not a.same] == [(("tau2", "REML", "DL"),)]


def test_values_for_machines_hold_no_nan() -> None:
    import json

    json.dumps(changes_plain(since("orhurhu-2019")), allow_nan=False)


def test_a_result_grows_by_the_studies_of_each_version() -> None:
    steps = grown(KETAMINE, "crps-series")
    assert [s.standing.k for s in steps] == sorted(s.standing.k for s in steps)
    assert sum(len(s.new) for s in steps) == steps[-1].standing.k == 4
    assert "new: Mangnus 2021" in grown_text(steps, KETAMINE)
