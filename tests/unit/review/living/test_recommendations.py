"""Recommendations that rest on this review: strength against certainty, and what makes one stale."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from balm.actions.guidance import guidance_of
from balm.actions.guidance_evidence import STALE, evidence_for
from balm.actions.review import package_bytes
from balm.report.html_report.guidance_view import statements
from balm.review.living.recommendations import footing, recommendation_problems, remarks, stale_ratings
from balm.review.living.stale import stale_judgements
from balm.review.reading import read_package
from balm.review.synthesis import synthesise

FOLDER = Path(__file__).resolve().parents[4] / "reviews" / "ketamine-chronic-pain"
OURS = """
[guideline]
name = "Our panel"

[[statement]]
id = "ours-1"
setting = "chronic"
kind = "recommendation"
topic = "use"
statement = "Offer an infusion."
verified = true
"""


@pytest.fixture(scope="module")
def files():
    return package_bytes(FOLDER)


def package_with(files, more: str):
    package, problems = read_package(files | {"guidance/ours.toml": (OURS + more).encode()}, FOLDER)
    assert package is not None, problems
    return package


def ours(package):
    return next(s for s in package.guidance if s.id == "ours-1")


def test_a_strong_recommendation_takes_the_lowest_certainty_and_asks_for_the_exception(files):
    resting = 'strength = "strong"\nanalyses = ["any-adverse-event", "pain-week-1"]\n'
    package = package_with(files, resting)
    assert footing(package, ours(package)).certainty == "very low"
    (problem,) = recommendation_problems(package)
    assert (problem.file, problem.row, problem.column) == ("guidance/ours.toml", 1, "strength")
    assert "strong recommendation on very low certainty needs a named exception" in problem.reason
    package = package_with(files, resting + 'exception = "life-threatening"\n')
    assert recommendation_problems(package) == ()
    assert remarks(package, ours(package))[0].startswith("strong recommendation on very low certainty; exception: low")
    package = package_with(files, resting.replace("strong", "conditional"))
    assert recommendation_problems(package) == ()
    cells = [row.cells[1] for t in statements(package, {}) for row in t.rows if row.id.endswith("ours-1")]
    assert [line.text for line in cells[0].lines] == ["Conditional recommendation on very low certainty."]


@pytest.mark.parametrize(("more", "said"), [
    ('exception = "life-threatening"\n', "no strength"),
    ('strength = "conditional"\nanalyses = ["pain-week-1"]\nexception = "life-threatening"\n', "leave it out"),
    ('strength = "strong"\nanalyses = ["pain-immediate"]\n', "pain-immediate is not decided; rate it first"),
])  # fmt: skip
def test_what_does_not_go_together_is_said(files, more, said):
    (problem,) = recommendation_problems(package_with(files, more))
    assert said in problem.reason


def test_words_of_others_stand_as_published(files):
    package = package_with(files, 'strength = "strong"\ncertainty = "low"\n')
    assert recommendation_problems(package) == ()
    assert any("needs a named exception" in said for said in remarks(package, ours(package)))


@pytest.mark.parametrize(("more", "said"), [
    ('analyses = ["no-such"]\n', "[[analyses]]"),
    ('version = "9"\n', "a version of this review in versions.csv"),
    ('version = "orhurhu-2019"\n', "a version of this review in versions.csv"),
    ('strength = "firm"\n', "strong"),
])  # fmt: skip
def test_a_name_that_is_not_there_is_refused(files, more, said):
    package, problems = read_package(files | {"guidance/ours.toml": (OURS + more).encode()}, FOLDER)
    assert package is None
    assert len(problems) == 1 and problems[0].file == "guidance/ours.toml" and said in problems[0].reason


def test_a_recommendation_of_an_earlier_version_is_stale(files):
    package = package_with(files, 'version = "0.1"\n')
    assert footing(package, ours(package)).stale == ""
    later = dataclasses.replace(package.versions[-1], version="0.2", label="0.2")
    package = dataclasses.replace(package, versions=(*package.versions, later))
    (stale,) = [s for s in stale_judgements(package, (), {}) if s.what == "statement"]
    assert stale.of == "Our panel: use" and "rests on version 0.1" in stale.why and "version 0.2" in stale.why
    assert remarks(package, ours(package)) == (f"stale: {stale.why}",)


def test_one_analysis_that_nobody_rated_is_not_passed_over(files):
    package = package_with(files, 'strength = "conditional"\nanalyses = ["pain-week-1", "hardy-check"]\n')
    (problem,) = recommendation_problems(package)
    assert "the certainty of hardy-check is not decided; rate it first" in problem.reason


def test_a_recommendation_on_a_stale_rating_is_stale(files):
    package = package_with(files, 'strength = "conditional"\nanalyses = ["responders-over-4-weeks"]\n')
    assert stale_ratings(package) == frozenset()
    rows = tuple(
        dataclasses.replace(r, events=r.events + 1) if r.study == "noppers2011" and r.events == 2 else r
        for r in package.results
    )
    package = dataclasses.replace(package, results=rows)
    assert stale_ratings(package) == {"responders-over-4-weeks"}
    said = remarks(package, ours(package), stale_ratings(package))[-1]
    assert said.startswith("stale: data or judgements behind the certainty of responders-over-4-weeks have changed")
    cells = [row.cells[1] for t in statements(package, {}) for row in t.rows if row.id.endswith("ours-1")]
    assert cells[0].lines[-1].text.startswith("Stale: data or judgements behind the certainty")
    synthesis = synthesise(package)
    evidence = {e.analysis: e for e in evidence_for(synthesis, guidance_of(package, files).therapy, None)}
    assert evidence["responders-over-4-weeks"].certainty == f"very low ({STALE})"
    assert evidence["pain-week-1"].certainty == "very low"
    assert evidence["pain-week-1"].certainty_note == "decided by The balm project on 2026-11-22"


def test_certainty_beside_one_condition_says_that_it_is_of_all(files):
    package = package_with(files, "")
    therapy = guidance_of(package, files).therapy
    crps = next(c for c in therapy.conditions if c.name == "Complex regional pain syndrome")
    found = {e.analysis: e for e in evidence_for(synthesise(package), therapy, crps)}
    assert found["pain-week-1"].certainty_note.startswith("for all conditions together, decided by")
