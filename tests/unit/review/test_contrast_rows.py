"""Analyses of effects reported between two arms, and of subgroups given by their rows."""

from __future__ import annotations

from math import exp, log, sqrt

import pytest

from balm.report.html_report.rows_view import rows_table
from balm.report.summary_of_findings import Baseline, summary_of_findings
from balm.report.walk_back import walk
from balm.review.certainty.of_analysis import body_of, participants, participants_of
from tests.unit.review.test_package import PLAN, RESULTS, count, csv, problems
from tests.unit.review.test_synthesis import done

Z = 1.959963984540054


def contrast(name: str, study: str, **more: object) -> dict[str, object]:
    row = {"contrast": name, "study": study, "outcome": "responder", "arm_1": "drug", "arm_2": "pbo", "measure": "HR"}
    return row | {"time": 1, "time_unit": "d", "usable": "yes", "verified": "yes"} | more


ONE = contrast("c1", "s1", estimate=0.5, se=0.25)
#: The same as a standard error of 0.2 of the logarithm.
TWO = contrast("c2", "s2", estimate=0.8, ci_low=0.8 * exp(-Z * 0.2), ci_high=0.8 * exp(Z * 0.2))
HAZARD = PLAN.replace('measure = "RR"', 'measure = "HR"\nmodel = "common"\ncontrasts = ["c1", "c2"]')


def hazard(*rows: dict[str, object], plan: str = HAZARD):
    return done(plan, contrasts_csv=csv("contrasts.csv", *rows)).analysis("a1")


def test_ratios_are_pooled_by_inverse_variance_of_their_logarithms():
    result = hazard(ONE, TWO)
    w = [1 / 0.25**2, 1 / 0.2**2]
    want = (w[0] * log(0.5) + w[1] * log(0.8)) / sum(w)
    assert result.fit.estimate == pytest.approx(want, rel=1e-12)
    assert result.fit.se == pytest.approx(1 / sqrt(sum(w)), rel=1e-12)
    assert [(r.results, r.rows) for r in result.rows] == [(("c1",), (1,)), (("c2",), (2,))]
    assert [len(r.steps) for r in result.rows] == [0, 1]
    assert result.fit.displayed.estimate == pytest.approx(exp(want))


def test_observed_minus_expected_is_summed_over_the_variance():
    """O-E of -1 with V 4 and of -3 with V 5 are ratios exp(O-E/V) with variance 1/V: exp(-4/9) together."""
    rows = [contrast("c1", "s1", estimate=exp(-1 / 4), se=0.5), contrast("c2", "s2", estimate=exp(-3 / 5), se=5**-0.5)]
    assert hazard(*rows).fit.displayed.estimate == pytest.approx(exp(-4 / 9), rel=1e-14)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"verified": "no"}, "not verified"),
        ({"usable": "no", "why_not": "wrong unit"}, "wrong unit"),
        ({"estimate": -1}, "a ratio must be above 0"),
        ({"estimate": ""}, "no estimate"),
        ({"se": ""}, "no standard error or interval"),
        ({"time": 60}, "other times"),
        ({"arm_1": "pbo", "arm_2": "drug"}, "other groups"),
    ],
)
def test_a_contrast_that_cannot_be_used_says_why(change, why):
    result = hazard(ONE | change, TWO)
    assert [r.study for r in result.rows] == ["s2"]
    assert why in dict(result.not_pooled)["s1"]
    assert result.single.estimate == pytest.approx(0.8)


def test_leaving_a_study_out_changes_the_rows():
    more = '[[analyses.sensitivity]]\nlabel = "L"\nvary = "without"\nvalues = ["s1"]\n'
    [left] = hazard(ONE, TWO, plan=HAZARD + more).sensitivity
    assert [r.study for r in left.rows] == ["s2"]


def test_subgroups_by_rows_have_totals_and_a_test_and_the_whole_none_where_not_asked():
    rows = [*RESULTS, count("s1", "drug", 6, 10, result="x1"), count("s1", "pbo", 5, 10, result="x2")]
    plan = PLAN + 'overall = false\nmodel = "common"\nprofile = "revman5"\nresults = ["s1-drug", "s1-pbo", "s2-drug", '
    plan += '"s2-pbo"]\n[[analyses.subgroups]]\nname = "A"\nresults = ["s1-drug", "s1-pbo"]\n'
    plan += '[[analyses.subgroups]]\nname = "B"\nresults = ["s2-drug", "s2-pbo"]\n'
    result = done(plan, results_csv=csv("results.csv", *rows)).analysis("a1")
    assert result.fit is None and result.whole.k == 2
    assert "no total" in result.why_not_pooled
    assert [s.fit.displayed.estimate for s in result.subgroups] == [pytest.approx(2.5), pytest.approx(8 / 3)]
    assert result.subgroup_test["df"] == 1.0


def test_a_profile_sets_what_is_not_said_and_what_is_said_wins():
    one = done(PLAN + 'profile = "revman5"\nlevel = 0.9\n').analysis("a1").spec
    two = done(PLAN + 'profile = "revman5"\ntau2 = "PM"\n').analysis("a1")
    assert (one.tau2, one.inference, one.level) == ("DL", "wald", 0.9)
    assert (two.spec.tau2, two.fit.conventions["tau2"]) == ("PM", "PM")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ('profile = "revman6"', "profile must be one of"),
        ("level = 95", "must be between 0 and 1"),
        ('contrasts = ["c9"]', "c9"),
        ('contrasts = ["c1"]\nmethod = "peto"', "by inverse variance"),
        ('contrasts = ["c1"]\nabsolute = true', "counts of control groups"),
        ('contrasts = ["c1"]\nresults = ["s1-drug"]', "not both"),
        ('by = "design"\n[[analyses.subgroups]]\nname = "A"\nresults = ["s1-drug"]', "not from both"),
        ('[[analyses.subgroups]]\nname = "A"\nresults = ["nothing"]', "nothing"),
        ('[[analyses.subgroups]]\nname = "A"\ncontrasts = ["c1"]', "must name its results"),
        ('contrasts = ["c1"]\n[[analyses.sensitivity]]\nlabel = "L"\nvary = "spread"\nvalues = ["sd"]', "can vary"),
    ],
)
def test_options_that_do_not_go_together_are_named(more, reason):
    found = problems(review_toml=(PLAN + more + "\n").encode(), contrasts_csv=csv("contrasts.csv", ONE))
    assert any(reason in p for p in found), found


def test_a_contrast_is_walked_back_to_its_row_page_quote_and_people():
    read = {"page": "Table 2", "quote": "HR 0.5", "extracted_by": "A. Silva", "extracted": "2026-03-01"}
    synthesis = done(HAZARD, contrasts_csv=csv("contrasts.csv", ONE | read | {"n_1": 30, "n_2": 31}, TWO))
    result = synthesis.analysis("a1")
    first, second = walk(result, synthesis).studies
    assert [(v.kind, v.id, v.row, v.page, v.quote, v.extracted) for v in first.reported] == [
        ("contrast", "c1", 1, "Table 2", "HR 0.5", "A. Silva, 2026-03-01")
    ]
    assert [v.id for v in second.reported] == ["c2"] and not first.sources
    table = rows_table(result, synthesis, {})
    where = [c.title for c in table.columns].index("Rows of contrasts.csv")
    assert [row.cells[where].links[0].href for row in table.rows] == ["#contrast-c1", "#contrast-c2"]
    assert participants_of(result.rows[0]) == 61 and participants(result.rows) is None
    finding = summary_of_findings(synthesis, analyses=["a1"]).findings[0]
    assert finding.people_and_studies == "not known (2 studies)"


def test_a_hazard_ratio_has_absolute_effects_at_a_baseline_risk_and_none_without():
    synthesis = done(HAZARD, contrasts_csv=csv("contrasts.csv", ONE, TWO))
    ratio = synthesis.analysis("a1").fit.displayed.estimate
    (at,) = summary_of_findings(synthesis, baselines={"a1": [Baseline(0.3, "register")]}).findings[0].risks
    risk = 1000 * (1 - 0.7**ratio)
    assert at.intervention.startswith(f"{risk:.0f} per 1000 (") and at.difference.startswith(f"{300 - risk:.0f} fewer")
    (none,) = summary_of_findings(synthesis).findings[0].risks
    assert "without a baseline risk" in none.intervention and none.nnt == ""
    body = body_of(synthesis.package, synthesis.analysis("a1"), 0.3)
    assert (body.unit, body.estimate) == ("per 1000", pytest.approx(risk - 300))


def test_an_important_difference_in_people_is_not_held_against_a_logarithm():
    """100 per 1000 is no logarithm: without a baseline risk every hazard ratio would be "little to no difference"."""
    difference = """[outcomes.important_difference]
value = 100
unit = "per 1000"
between_groups = true
source = "panel"
verified = true

[[comparisons]]"""
    plan = HAZARD.replace("[[comparisons]]", difference, 1)
    synthesis = done(plan, contrasts_csv=csv("contrasts.csv", ONE, TWO))
    result = synthesis.analysis("a1")
    assert result.outcome.important_difference is not None
    assert body_of(synthesis.package, result).important is None
    assert body_of(synthesis.package, result, 0.3).important == 100
