"""What a synthesis does with windows, several time points, arms, scales and designs, on a package of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from balm.review.claims import agrees, p_from_interval
from balm.review.contrasts import days
from balm.review.flow_counts import screening_outcomes
from balm.review.reading import read_package
from balm.review.synthesis import synthesise
from balm.stats.effect_sizes import effect_sizes
from balm.stats.pooling.pool import pool
from balm.stats.pooling.subgroups import subgroups
from balm.vocabulary.evidence import Reported, Vote
from tests.unit.review.test_package import ARMS, PLAN, RESULTS, STUDIES, count, csv, files


def done(plan=PLAN, **changes):
    package, found = read_package(files(review_toml=plan.encode(), **changes), Path("x"))
    assert not found, [str(p) for p in found]
    return synthesise(package)


def test_two_studies_are_pooled_as_the_engine_pools_them():
    result = done().analysis("a1")
    es = effect_sizes("RR", events_1=[5, 8], n_1=[10, 20], events_2=[2, 3], n_2=[10, 20])
    want = pool(es, tau2="REML", inference="hartung-knapp-guarded")
    assert result.fit.estimate == pytest.approx(want.estimate, rel=1e-12)
    assert result.fit.interval.low == pytest.approx(want.interval.low, rel=1e-12)
    assert [r.rows for r in result.rows] == [(1, 2), (3, 4)]
    assert result.effects.study == ("S1", "S2")


def test_one_study_is_shown_and_not_pooled():
    result = done(results_csv=csv("results.csv", *RESULTS[:2])).analysis("a1")
    assert result.fit is None
    assert result.single.estimate == pytest.approx(2.5)
    assert result.not_pooled == (("s2", "no number for this outcome in what was read"),)


def test_no_study_says_so():
    result = done(results_csv=csv("results.csv")).analysis("a1")
    assert result.fit is None and result.single is None and result.effects is None
    assert "nothing is pooled" in result.why_not_pooled


def test_no_events_anywhere_is_not_estimable():
    rows = [r | {"events": 0} for r in RESULTS]
    result = done(results_csv=csv("results.csv", *rows)).analysis("a1")
    assert result.fit is None and result.single is None
    assert "no events in either group" in result.why_not_pooled
    rows = [r | {"events": r["n"]} for r in RESULTS]
    assert (
        "(events in everyone in both groups)"
        in done(results_csv=csv("results.csv", *rows)).analysis("a1").why_not_pooled
    )


@pytest.mark.parametrize(
    "cell, why", [({"verified": "no"}, "not verified"), ({"usable": "no", "why_not": "odd"}, "odd")]
)
def test_only_verified_and_usable_rows_are_pooled(cell, why):
    result = done(results_csv=csv("results.csv", RESULTS[0] | cell, *RESULTS[1:])).analysis("a1")
    assert [r.study for r in result.rows] == ["s2"]
    assert why in dict(result.not_pooled)["s1"]


@pytest.mark.parametrize("several, events", [("first", 5), ("last", 1)])
def test_several_time_points_in_a_window(several, events):
    later = [
        count("s1", "drug", 1, 10, result="late-1", time=6),
        count("s1", "pbo", 1, 10, result="late-2", time=6),
        count("s1", "drug", 9, 10, result="out-1", time=2, time_unit="wk"),
    ]
    plan = PLAN + f'several = "{several}"\n'
    result = done(plan, results_csv=csv("results.csv", *RESULTS, *later)).analysis("a1")
    assert result.rows[0].values["events_1"] == events


def test_arms_of_one_side_are_combined():
    arms = [*ARMS, ARMS[0] | {"arm": "high", "label": "high"}]
    rows = [*RESULTS, count("s1", "high", 4, 12)]
    row = done(arms_csv=csv("arms.csv", *arms), results_csv=csv("results.csv", *rows)).analysis("a1").rows[0]
    assert (row.values["events_1"], row.values["n_1"]) == (9, 22)
    assert [s.what for s in row.steps] == ["combine events"]
    assert row.rows == (1, 5, 2)


PAIN = PLAN.replace('outcome = "responder"', 'outcome = "pain"').replace('measure = "RR"', 'measure = "MD"')
PAIN = PAIN.replace(
    "[[windows]]",
    '[[scales]]\nid = "good"\nname = "relief"\nlow = 0\nhigh = 100\nunit = "mm"\nreversed = true\n[[windows]]',
)


def mean(study, arm, value, n=16, **more):
    row = count(study, arm, "", n) | {"outcome": "pain", "scale": "nrs", "mean": value}
    return row | more


def test_spreads_and_scales_on_the_way_to_a_mean_difference():
    rows = [
        mean("s1", "drug", 3, se=0.5),
        mean("s1", "pbo", 5, sd=2),
        mean("s2", "drug", 60, sd=20, scale="good"),
        mean("s2", "pbo", 40, ci_low=30, ci_high=50, scale="good"),
    ]
    one, two = done(PAIN, results_csv=csv("results.csv", *rows)).analysis("a1").rows
    assert one.values["sd_1"] == pytest.approx(0.5 * 16**0.5)
    assert two.values["mean_1"] == pytest.approx(4) and two.values["mean_2"] == pytest.approx(6)
    assert two.values["sd_1"] == pytest.approx(2)
    # t quantile with 15 degrees of freedom: 2.1314
    assert two.values["sd_2"] == pytest.approx(20 * 16**0.5 / (2 * 2.131449545559323) / 10, rel=1e-9)
    assert [s.what for s in two.steps] == ["rescale", "sd from ci", "rescale"]
    assert all(s.formula and s.source and s.inputs and s.result for s in (*one.steps, *two.steps))


def test_cross_over_correlation_of_means():
    studies = [STUDIES[0] | {"design": "cross-over"}, STUDIES[1]]
    rows = [
        mean(s, a, m, sd=2) for s, a, m in (("s1", "drug", 3), ("s1", "pbo", 5), ("s2", "drug", 4), ("s2", "pbo", 5))
    ]
    plan = PAIN + '[[analyses.sensitivity]]\nlabel = "r"\nvary = "correlation"\nvalues = [0, 0.5]\n'
    result = done(plan, studies_csv=csv("studies.csv", *studies), results_csv=csv("results.csv", *rows)).analysis("a1")
    zero, half = (s.fit.effects.variance for s in result.sensitivity)
    assert zero.tolist() == pytest.approx(result.effects.variance.tolist())
    assert half[0] == pytest.approx(zero[0] / 2) and half[1] == zero[1]
    assert any("as if parallel" in n for n in result.rows[0].notes)


@pytest.mark.parametrize("measure", ["RR", "OR", "RD"])
def test_cross_over_correlation_of_counts_is_the_variance_of_the_paired_table(measure):
    """With the joint counts at hand, the marginal form with their phi gives the paired large-sample variance."""
    both, only_1, only_2, neither = 12, 18, 4, 26
    n = both + only_1 + only_2 + neither
    x, y = both + only_1, both + only_2
    p, q = x / n, y / n
    phi = (both / n - p * q) / (p * (1 - p) * q * (1 - q)) ** 0.5
    studies = [STUDIES[0] | {"design": "cross-over"}, STUDIES[1]]
    rows = [count("s1", "drug", x, n), count("s1", "pbo", y, n), *RESULTS[2:]]
    plan = PLAN.replace('"RR"', f'"{measure}"')
    plan += f'[[analyses.sensitivity]]\nlabel = "r"\nvary = "correlation"\nvalues = [{phi!r}]\n'
    result = done(plan, studies_csv=csv("studies.csv", *studies), results_csv=csv("results.csv", *rows)).analysis("a1")
    cov = both / n - p * q
    slope = {"RR": (1 / p, 1 / q), "OR": (1 / (p * (1 - p)), 1 / (q * (1 - q))), "RD": (1, 1)}[measure]
    want = (slope[0] ** 2 * p * (1 - p) + slope[1] ** 2 * q * (1 - q) - 2 * slope[0] * slope[1] * cov) / n
    assert result.sensitivity[0].fit.effects.variance[0] == pytest.approx(want, rel=1e-12)


def test_subgroups_are_those_of_the_engine():
    studies = [*STUDIES, STUDIES[0] | {"study": "s3", "label": "S3"}]
    studies = [s | {"condition": c} for s, c in zip(studies, ("a", "b", "a"), strict=True)]
    arms = [*ARMS, *[a | {"study": "s3"} for a in ARMS[:2]]]
    rows = [*RESULTS, count("s3", "drug", 7, 15), count("s3", "pbo", 6, 15)]
    changes = {"studies_csv": csv("studies.csv", *studies), "arms_csv": csv("arms.csv", *arms)}
    result = done(PLAN + 'by = "condition"\n', results_csv=csv("results.csv", *rows), **changes).analysis("a1")
    want = subgroups(result.effects, by=["a", "b", "a"], tau2="REML", inference="hartung-knapp-guarded")
    assert [g.level for g in result.subgroups] == ["a", "b"]
    assert [g.fit.estimate for g in result.subgroups] == pytest.approx([f.estimate for f in want.groups.values()])
    assert result.subgroup_test["q"] == pytest.approx(want.q_between)
    assert result.subgroup_test["p"] == pytest.approx(want.q_between_p)


def test_a_sensitivity_analysis_that_cannot_be_done_says_why():
    plan = PLAN + '[[analyses.sensitivity]]\nlabel = "r"\nvary = "correlation"\nvalues = [0.5]\n'
    only = done(plan).analysis("a1").sensitivity
    assert only[0].fit is None and "no cross-over trial" in only[0].note


def test_time_points_in_days():
    assert days(180, "min") == pytest.approx(0.125)
    assert days(3, "mo") == pytest.approx(91.3125)
    assert days(None, None) is None


@pytest.mark.parametrize(
    "measure, figures, p, fits",
    [
        ("MD", (-1.12, -2.33, 0.09), "<.001", False),
        ("MD", (-1.12, -2.33, 0.09), "0.07", True),
        ("RR", (2.43, 1.10, 5.40), ".029", True),
        ("RR", (2.43, 1.10, 5.40), ".04", False),
        ("RD", (0.04, -0.10, 0.18), ".55", True),
        ("MD", (0.0, -0.12, 0.12), "1.00", True),
    ],
)
def test_a_printed_p_fits_its_interval_or_not(measure, figures, p, fits):
    assert agrees(Reported.parse(p), p_from_interval(measure, *figures)) is fits


def test_intervals_from_which_no_p_follows():
    assert p_from_interval("RR", 1, 0, 2) is None
    assert p_from_interval("MD", 1, 1, 1) is None
    assert p_from_interval("proportion", 69, 53, 84) is None


def test_screening_outcomes():
    def vote(record, reviewer, decision, kind="vote"):
        return Vote(record, "title-abstract", reviewer, decision, kind, None, None)

    votes = [vote("1", "a", "exclude"), vote("1", "b", "exclude"), vote("2", "a", "maybe"), vote("2", "b", "exclude")]
    votes += [vote("3", "a", "exclude"), vote("3", "b", "include"), vote("3", "c", "include", "adjudication")]
    assert screening_outcomes(votes) == {"1": "exclude", "2": "conflict", "3": "include"}


def test_the_note_of_an_absolute_effect_is_whole_sentences():
    result = done(PLAN.replace('measure = "RR"', 'measure = "RR"\nabsolute = true')).analysis("a1")
    assert result.absolute.note == (
        "The high end gives a risk above 1; it was set to 1. "
        "The interval holds no effect: the NNT runs from 6.05 (one event fewer) through infinity to 1.2 (one event "
        "more)."
    )
