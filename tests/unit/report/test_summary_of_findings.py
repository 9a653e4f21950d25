"""The summary of findings: rows, numbers and sentences, also with one study, no events and no data."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from balm.actions.review import Review
from balm.report.summary_of_findings import Baseline, summary_of_findings
from balm.report.summary_of_findings_files import profile_csv, summary_csv, summary_html
from balm.report.summary_of_findings_words import (
    counted_alike,
    needed_to_treat,
    plain_language,
)
from balm.review.certainty.body import Body, StudyResult
from balm.review.certainty.target import target_of
from balm.review.certainty.words import LEVELS
from balm.review.package import Outcome
from balm.review.synthesis import Synthesis, analyse, synthesise
from balm.vocabulary.problems import InputError

FOLDER = Path(__file__).parents[3] / "reviews" / "ketamine-chronic-pain"
PAIN = Outcome("pain", "Pain intensity", "pain", "continuous", "lower is better", unit="points")
HARM = Outcome("ae", "Any adverse event", "harm", "binary", "lower is better")


@pytest.fixture(scope="module")
def synthesis() -> Synthesis:
    return Review.load(FOLDER).synthesise()


def body(estimate: float, low: float, high: float, *, per: bool = False, important: float | None = 1.0) -> Body:
    scale = ("risk difference per 1000", "per 1000") if per else ("the difference", "points")
    one = StudyResult("A", 100, estimate, low, high, 100)
    return Body("a", (one,), estimate, low, high, *scale, important=important)


# ---- sentences


@pytest.mark.parametrize(
    ("certainty", "said"),
    [
        ("high", "Ketamine reduces pain intensity: 1.60 points lower (2.10 lower to 1.10 lower)."),
        ("moderate", "Ketamine probably reduces pain intensity: 1.60 points lower (2.10 lower to 1.10 lower)."),
        ("low", "Ketamine may reduce pain intensity: 1.60 points lower (2.10 lower to 1.10 lower)."),
        ("very low", "The evidence is very uncertain about the effect of ketamine on pain intensity."),
        ("not rated", "The certainty about the effect of ketamine on pain intensity has not been rated."),
    ],
)
def test_the_verb_follows_certainty(certainty: str, said: str) -> None:
    assert plain_language(PAIN, "ketamine", certainty, body(-1.6, -2.1, -1.1)) == said


@pytest.mark.parametrize(
    ("certainty", "said"),
    [("high", "results in"), ("moderate", "probably results in"), ("low", "may result in")],
)
def test_within_the_important_difference_is_little_to_no_difference(certainty: str, said: str) -> None:
    sentence = plain_language(PAIN, "ketamine", certainty, body(-0.2, -0.6, 0.2))
    assert sentence.startswith(f"Ketamine {said} little to no difference in pain intensity: ")


def test_counts_are_of_people() -> None:
    sentence = plain_language(HARM, "ketamine", "low", body(100, -59, 871, per=True, important=None))
    assert sentence == (
        "Ketamine may increase the number of people counted under “Any adverse event”: "
        "100 more per 1000 (59 fewer to 871 more)."
    )


def test_a_chosen_target_of_any_effect_is_what_the_sentence_says() -> None:
    small = body(-0.4, -0.6, -0.2)
    assert "little to no difference" in plain_language(PAIN, "ketamine", "high", small)
    said = plain_language(PAIN, "ketamine", "high", small, any_effect=True)
    assert said == "Ketamine reduces pain intensity: 0.40 points lower (0.60 lower to 0.20 lower)."


def test_a_standardised_difference_is_in_standard_deviations_and_a_ratio_over_time_is_of_hazards() -> None:
    smd = replace(body(-1.0, -1.5, -0.5, important=None), rated_on="the standardised difference",
                  unit="standard deviations")  # fmt: skip
    assert plain_language(PAIN, "ketamine", "low", smd).endswith(
        ": 1.00 standard deviations lower (1.50 lower to 0.50 lower)."
    )
    hazards = replace(body(-0.5, -0.9, -0.1, important=None), rated_on="logarithm of the HR", unit="",
                      ratio=(0.6, 0.004, 0.86), ratio_kind="HR")  # fmt: skip
    assert plain_language(HARM, "ketamine", "moderate", hazards) == (
        "Ketamine probably reduces the hazard of “Any adverse event”: HR 0.60 (0.0040 to 0.86)."
    )


def test_no_data_no_events_and_no_control_group() -> None:
    nobody = Body("a", ())
    assert plain_language(PAIN, "ketamine", "not rated", nobody) == (
        "No study gives a usable result for pain intensity, so the effect of ketamine is not known."
    )
    assert plain_language(HARM, "ketamine", "not rated", nobody, counted="nobody") == (
        "Nobody among the people studied had an event under “Any adverse event”, so the effect cannot be estimated."
    )
    two = replace(nobody, studies=tuple(StudyResult(s, 50, 0, 0, 0, n=20) for s in "AB"))
    assert plain_language(HARM, "ketamine", "not rated", two, counted="everybody") == (
        "All 40 people had an event under “Any adverse event”, so the effect cannot be estimated."
    )
    assert plain_language(PAIN, "ketamine", "not rated", two, counted="not estimable") == (
        "The studies found give no effect of ketamine on pain intensity that could be estimated."
    )
    alone = replace(body(520, 350, 680, per=True), controlled=False)
    assert "not an effect of ketamine" in plain_language(HARM, "ketamine", "very low", alone)


def test_an_effect_without_people_or_units_says_what_it_is_in() -> None:
    ratio = replace(body(0.2, 0.05, 0.4, important=None), rated_on="logarithm of the HR", unit="", ratio_kind="HR",
                    ratio=(1.22, 0.0004, 1.49))  # fmt: skip
    assert plain_language(HARM, "ketamine", "moderate", ratio).endswith(": HR 1.22 (0.00040 to 1.49).")
    standardised = replace(body(-0.46, -0.63, -0.28, important=None), unit="standard deviations")
    assert "0.46 standard deviations lower" in plain_language(PAIN, "ketamine", "low", standardised)


@pytest.mark.parametrize("certainty", [*LEVELS, "not rated"])
@pytest.mark.parametrize("estimate", [-2.0, 0.0, 2.0])
@pytest.mark.parametrize("outcome", [PAIN, HARM, replace(PAIN, name="NRS pain")])
def test_every_sentence_is_one_whole_sentence(certainty: str, estimate: float, outcome: Outcome) -> None:
    said = plain_language(outcome, "ketamine", certainty, body(estimate, estimate - 1, estimate + 1))
    assert said[0].isupper() and said.endswith(".") and "  " not in said and "nan" not in said and "None" not in said


# ---- numbers needed to treat


@pytest.mark.parametrize(
    ("low", "value", "high", "better", "said"),
    [
        (0.1, 0.25, 0.4, True, "NNTB 4 (3 to 10)"),
        (-0.4, -0.25, -0.1, False, "NNTB 4 (3 to 10)"),
        (0.1, 0.25, 0.4, False, "NNTH 4 (3 to 10)"),
        (-0.05, 0.1, 0.25, True, "NNTB 10 (NNTH 20 to ∞ to NNTB 4)"),
        (0.0, 0.1, 0.2, True, "NNTB 10 (5 to ∞)"),
        (0.0, 0.0, 0.0, True, "no difference"),
        (0.0, 0.0, 0.009, False, "no difference (NNTH 112 to ∞)"),
        (float("nan"), 0.1, 0.2, True, ""),
    ],
)
def test_numbers_needed_to_treat(low: float, value: float, high: float, better: bool, said: str) -> None:
    assert needed_to_treat(low, value, high, more_is_better=better) == said


# ---- the table of the bundled review


def test_at_most_seven_rows_with_harms_and_one_without_data(synthesis: Synthesis) -> None:
    table = summary_of_findings(synthesis)
    assert len(table.findings) == 7 and sum(f.harm for f in table.findings) == 2
    (empty,) = (f for f in table.findings if not f.studies)
    assert (empty.certainty, empty.risks, empty.marks) == ("not rated", (), ())
    one = next(f for f in table.findings if f.analysis == "responders-immediate")
    assert one.relative == "RR 3.97 (1.29 to 12.23)" and one.participants == 76
    assert one.risks[0].difference == "325 more per 1000 (32 more to 891 more)"
    assert one.risks[0].nnt == "NNTB 4 (2 to 32)"
    marks = {n.mark for n in table.footnotes}
    assert all(set(f.marks) <= marks for f in table.findings) and len(marks) == len(table.footnotes)


def test_baseline_risks_can_be_chosen_and_their_source_is_shown(synthesis: Synthesis) -> None:
    chosen = {"responders-immediate": (Baseline(0.05, "a registry"), Baseline(0.2, "another"))}
    (one,) = summary_of_findings(synthesis, analyses=["responders-immediate"], baselines=chosen).findings
    assert [r.control for r in one.risks] == ["50 per 1000", "200 per 1000"]
    assert [r.source for r in one.risks] == ["a registry", "another"]


def test_what_cannot_be_is_refused(synthesis: Synthesis) -> None:
    ids = [a.id for a in synthesis.analyses]
    for wrong in ({"analyses": ids[:8]}, {"analyses": ["nothing"]}, {"analyses": [ids[0], ids[0]]}):
        with pytest.raises(InputError):
            summary_of_findings(synthesis, **wrong)
    with pytest.raises(InputError):
        summary_of_findings(synthesis, baselines={"nothing": ()})


def test_without_places_outcomes_and_harms_are_chosen(synthesis: Synthesis) -> None:
    bare = synthesise(replace(synthesis.package, certainty=()))
    table = summary_of_findings(bare)
    assert 0 < len(table.findings) <= 7 and any(f.harm for f in table.findings)
    assert all(f.certainty == "not rated" for f in table.findings)


def test_no_events_in_any_group(synthesis: Synthesis) -> None:
    rows = tuple(
        replace(r, events=0) if r.study == "noppers2011" and r.events else r for r in synthesis.package.results
    )
    package = replace(synthesis.package, results=rows)
    changed = analyse(package, synthesis.analysis("responders-over-4-weeks").spec)
    both = replace(synthesis, package=package, analyses=(changed,))
    (one,) = summary_of_findings(both, analyses=["responders-over-4-weeks"]).findings
    assert one.comment.startswith("Nobody among 24 people had an event")
    assert (one.participants, one.studies, one.relative) == (24, 1, "not estimable")


# ---- files


def test_no_cell_runs_as_a_formula(synthesis: Synthesis) -> None:
    table = summary_of_findings(synthesis)
    first = replace(table.findings[0], outcome="=cmd|' /C calc'!A0")
    for text in (summary_csv(replace(table, findings=(first,))), profile_csv(replace(table, findings=(first,)))):
        assert next(csv.reader(io.StringIO(text.split("\n", 1)[1])))[0].startswith("'=cmd")


def test_csv_files_hold_every_row(synthesis: Synthesis) -> None:
    table = summary_of_findings(synthesis)
    for text in (summary_csv(table), profile_csv(table)):
        lines = list(csv.reader(io.StringIO(text)))
        assert len(lines) == 8 and {len(line) for line in lines} == {len(lines[0])}


def test_html_is_balanced_escaped_and_every_note_is_reached(synthesis: Synthesis) -> None:
    table = replace(summary_of_findings(synthesis), title="<script>1</script>")
    text = summary_html(table)
    assert "<script" not in text and "style=" not in text
    ids = set(re.findall(r'id="(sof-note-\w+)"', text))
    assert ids and ids == set(re.findall(r'href="#(sof-note-\w+)"', text))
    depth: list[str] = []

    class Balanced(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag != "br":
                depth.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert depth.pop() == tag

    Balanced().feed(text)
    assert not depth


# ---- single-arm studies


def single(*counts: tuple[float, float]) -> list[SimpleNamespace]:
    return [SimpleNamespace(values={"events": events, "n": n}) for events, n in counts]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (((0, 40), (0, 50)), "None of the 90 people studied was counted. "),
        (((40, 40), (50, 50)), "All of the 90 people studied were counted. "),
        (((0, 1),), "The one person studied was not counted. "),
        (((1, 40), (0, 50)), ""),
    ],
)
def test_a_proportion_of_nobody_or_everybody_is_said_beside_the_pooled_one(counts, said) -> None:
    assert counted_alike(single(*counts)) == said


def test_single_arm_studies_are_never_said_to_have_an_effect() -> None:
    none = plain_language(HARM, "ketamine", "not rated", Body("a", (), controlled=False))
    assert none.startswith("No study of people given ketamine gives") and "effect" not in none.partition("adverse")[0]
    target = target_of(Body("a", (), 260.0, 81.0, 584.0, controlled=False))
    assert (
        target is not None
        and target.words == "the proportion itself: without a control group there is no effect to rate"
    )
