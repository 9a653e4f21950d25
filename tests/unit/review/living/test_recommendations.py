"""Recommendations that rest on this review: strength against certainty, and what makes one stale."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from balm.actions.review import package_bytes
from balm.report.html_report.guidance_view import statements
from balm.review.living.recommendations import footing, recommendation_problems, remarks
from balm.review.living.stale import stale_judgements
from balm.review.reading import read_package

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
