"""Certainty in the reports: summary of findings, notes, statements, evidence profile, and declared deviations."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from balm.actions.review import Review
from balm.report.document.certainty import certainty_section
from balm.report.document.methods import methods_section
from balm.report.document.parts import Listing, Section, said
from balm.report.html_report.table import Table
from balm.report.review_report import build_report
from balm.review.package import Deviation
from balm.review.plan import read_plan
from balm.review.synthesis import Synthesis

FOLDER = Path(__file__).resolve().parents[3] / "reviews" / "ketamine-chronic-pain"


@pytest.fixture(scope="module")
def review() -> Review:
    return Review.load(FOLDER)


@pytest.fixture(scope="module")
def synthesis(review: Review) -> Synthesis:
    return review.synthesise()


def tables(section: Section) -> dict[str, Table]:
    return {block.id: block for block in section.blocks if isinstance(block, Table)}


def test_the_section_holds_the_table_its_notes_the_statements_the_profile_and_the_decisions(synthesis: Synthesis):
    section = certainty_section(synthesis)
    found = tables(section)
    assert list(found) == ["sof", "sof-notes", "evidence-profile", "certainty"]
    assert 0 < len(found["sof"].rows) <= 7 and len(found["evidence-profile"].rows) == len(found["sof"].rows)
    notes = {row.id for row in found["sof-notes"].rows}
    led = {link.href[1:] for row in found["sof"].rows for link in row.cells[5].links}
    assert led == notes, "every mark leads to a note, and every note is led to"
    [statements] = [block for block in section.blocks if isinstance(block, Listing)]
    assert len(statements.items) == len(found["sof"].rows)
    decided = found["certainty"]
    assert all(len(row.cells) == len(decided.columns) for row in decided.rows)
    text = " ".join(cell.plain for row in decided.rows for cell in row.cells)
    assert "Stale" not in text


def test_what_is_stale_is_said(synthesis: Synthesis):
    old = tuple(
        dataclasses.replace(c, basis="0" * 16) if c.domain == "overall" else c for c in synthesis.package.certainty
    )
    changed = dataclasses.replace(synthesis, package=dataclasses.replace(synthesis.package, certainty=old))
    decided = tables(certainty_section(changed))["certainty"]
    assert sum(row.cells[5].plain.startswith("Stale") for row in decided.rows) == sum(
        c.domain == "overall" for c in old
    )


def test_nothing_rated_is_said_and_shows_no_table(synthesis: Synthesis):
    none = dataclasses.replace(synthesis, package=dataclasses.replace(synthesis.package, certainty=()))
    section = certainty_section(none)
    assert not tables(section)
    assert "has not been rated" in section.blocks[0].runs[0].text


def test_the_page_holds_the_section_and_every_link_into_it_leads_somewhere(review: Review, synthesis: Synthesis):
    page = build_report(synthesis, review.flow())
    ids = set(re.findall(r' id="([^"]+)"', page))
    assert {"certainty-section", "sof", "sof-notes", "evidence-profile", "certainty"} <= ids
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids


def test_declared_deviations_are_listed_under_the_methods(synthesis: Synthesis):
    declared = (Deviation("Trials of 20 people were kept", "The plan's limit was an error", "2026-03-01"),)
    package = dataclasses.replace(
        synthesis.package, meta=dataclasses.replace(synthesis.package.meta, deviations=declared)
    )
    changed = dataclasses.replace(synthesis, package=package)
    section = next(s for s in methods_section(changed, said("x"), "Funnel.", "Rated.").walk() if s.id == "deviations")
    items = section.blocks[1].items
    assert "".join(run.text for run in items[0]) == (
        "Trials of 20 people were kept. The plan's limit was an error. Decided on 2026-03-01."
    )
    assert len(section.blocks) == 4, "what the package itself shows stands beside them"


def test_a_deviation_without_a_reason_and_three_raters_are_refused():
    text = (FOLDER / "review.toml").read_text("utf-8")
    for more, place in (
        ('\n[[deviations]]\nwhat = "x"\n', "deviations"),
        ("\n[certainty]\nraters = 3\n", "certainty.raters"),
        ("\n[certainty]\nrater = 2\n", "certainty.rater"),
    ):
        plan, problems = read_plan(text + more)
        assert plan is None
        assert len(problems) == 1 and place in (problems[0].column or ""), problems
