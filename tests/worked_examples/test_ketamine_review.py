"""The bundled review of intravenous ketamine: the figures that can be recomputed from published rows, to the digit.

Trials: Noppers 2011, Lemming 2005, Kvarnström 2003 and 2004 (responders), Sigtermans 2009 and Pickering 2020 (pain),
Lumanauw 2019 and Mercadante 2000 (sensitivity), Hardy 2012 (a published risk difference), four CRPS series. Each figure
was obtained with metafor from the same rows, and is given with the decimals it was printed with.

Analysis: The bundled review of intravenous ketamine
Where: twelve trials; the rows of `reviews/ketamine-chronic-pain`
Compared: pooled figures that can be computed again from published rows
Figures: metafor from the same rows; published pooled figures are held against their own intervals
Page: worked-examples/ketamine-review.md
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from balm.actions.review import Review
from balm.stats.pooling.pool import pool

FOLDER = Path(__file__).parents[2] / "reviews" / "ketamine-chronic-pain"


@cache
def synthesis():
    return Review.load(FOLDER).synthesise()


def fit_of(analysis, label=None, changed=None):
    result = synthesis().analysis(analysis)
    if label is None:
        return result.fit
    found = [s for s in result.sensitivity if s.label.startswith(label) and changed in (None, s.changed)]
    assert len(found) == 1, [(s.label, s.changed) for s in result.sensitivity]
    return found[0].fit


def said(fit, digits=2):
    shown = fit.displayed
    return tuple(round(x, digits) for x in (shown.estimate, shown.interval.low, shown.interval.high))


def test_the_package_has_no_problems():
    assert Review.load(FOLDER).problems() == ()


def test_immediate_responders():
    result = synthesis().analysis("responders-immediate")
    totals = {k: sum(row.values[k] for row in result.rows) for k in ("events_1", "n_1", "events_2", "n_2")}
    assert totals == {"events_1": 34, "n_1": 64, "events_2": 7, "n_2": 64}
    dl = pool(result.effects, tau2="DL", inference="wald")
    assert said(dl) == (3.97, 1.99, 7.94)
    assert dl.i2 == 0
    hk = fit_of("responders-immediate", "Interval for the mean", "hartung-knapp")
    assert said(hk) == (3.97, 1.69, 9.34)
    assert round(hk.p, 3) == 0.014
    assert said(fit_of("responders-immediate", "Pooling method")) == (4.86, 2.35, 10.05)
    # ours guards against an interval narrower than the Wald interval's quantile allows
    assert said(result.fit) == (3.97, 1.29, 12.23)


def test_immediate_responders_with_lumanauw():
    result = synthesis().analysis("responders-immediate")
    wald = next(s for s in result.sensitivity if s.changed == "with Lumanauw 2019, DL, wald")
    totals = {k: sum(row.values[k] for row in wald.rows) for k in ("events_1", "n_1", "events_2", "n_2")}
    assert totals == {"events_1": 87, "n_1": 129, "events_2": 20, "n_2": 96}
    assert said(wald.fit) == (2.60, 1.68, 4.04)
    assert round(wald.fit.i2) == 9
    hk = next(s for s in result.sensitivity if s.changed == "with Lumanauw 2019, hartung-knapp")
    assert said(hk.fit)[1:] == (1.44, 5.45)
    lumanauw = next(row for row in wald.rows if row.study == "lumanauw2019")
    assert [s.what for s in lumanauw.steps] == ["combine events"]
    assert lumanauw.values["events_1"] == 53 and lumanauw.values["n_1"] == 65


def test_responders_later_rest_on_one_trial():
    week_1, week_8 = (synthesis().analysis(a) for a in ("responders-week-1", "responders-over-4-weeks"))
    assert week_1.fit is None and week_8.fit is None
    assert "nothing is pooled" in week_1.single.why_not_pooled
    assert (round(week_1.single.estimate, 2), round(week_1.single.interval.low, 2)) == (5.00, 0.27)
    assert round(week_1.single.interval.high, 1) == 94.3
    shown = week_8.single
    assert [round(x, 2) for x in (shown.estimate, *shown.interval)] == [1.00, 0.17, 5.98]


def test_pain_of_the_two_trials():
    wald = fit_of("pain-two-trials", "Interval for the mean", "wald")
    assert said(wald) == (-1.46, -4.12, 1.20)
    assert round(wald.i2) == 83
    sigtermans, pickering = synthesis().analysis("pain-two-trials").rows
    assert round(pickering.values["mean_1"], 2) == 5.29 and round(pickering.values["sd_1"], 2) == 2.86
    assert round(pickering.values["mean_2"], 2) == 5.34 and round(pickering.values["sd_2"], 2) == 2.57
    assert [s.what for s in sigtermans.steps] == ["sd from se", "sd from se"]
    assert round(sigtermans.values["sd_1"], 2) == 2.79


def test_the_unlabelled_spread():
    read = {s.changed: s.fit for s in synthesis().analysis("pain-week-1").sensitivity}
    assert said(read["read as standard error"]) == (-2.77, -4.14, -1.40)
    assert said(read["read as standard deviation"]) == (-2.77, -3.02, -2.52)
    weight = (read["read as standard error"].se / read["read as standard deviation"].se) ** 2
    assert 29 < weight < 31


def test_harms():
    single = synthesis().analysis("psychotomimetic").single
    assert [round(x, 2) for x in (single.estimate, *single.interval)] == [4.25, 1.87, 9.65]
    by = {s.changed: s.fit for s in synthesis().analysis("psychotomimetic").sensitivity}
    assert said(by["assumed counts added, wald"]) == (4.51, 2.05, 9.91)
    hk = by["assumed counts added, hartung-knapp"]
    assert said(hk)[1] == 0.34 and round(hk.displayed.interval.high, 1) == 59.2
    any_event = synthesis().analysis("any-adverse-event").single
    assert [round(x, 2) for x in (any_event.estimate, *any_event.interval)] == [2.00, 0.41, 9.71]


def test_published_risk_difference_of_hardy():
    single = synthesis().analysis("hardy-check").single
    assert [round(x, 3) for x in (single.estimate, *single.interval)] == [0.040, -0.091, 0.171]
    assert round(single.p, 2) == 0.55


def test_crps_series():
    fit = fit_of("crps-series", "DerSimonian-Laird")
    assert said(fit) == (0.52, 0.42, 0.63)
    assert round(fit.i2) == 13
    assert fit.k == 4


@pytest.mark.parametrize(
    "row, p",
    [
        ("orhurhu2019-2", 0.0287),
        ("michelet2018-1", 0.0045),
        ("michelet2018-2", 0.0123),
        ("michelet2018-3", 0.0696),
        ("michelet2018-4", 0.000554),
        ("michelet2018-5", 0.0069),
        ("guimaraes2022-3", 0.0262),
        ("brief_a-1", 0.0020),
        ("brief_a-3", 0.1887),
        ("brief_a-4", 0.7548),
        ("brief_a-5", 0.9481),
        ("brunamejias2024-2", 0.2181),
        ("cochrane2025-1", 0.0576),
        ("cochrane2025-2", 0.0406),
        ("hardy2012-1", 0.5755),
        ("pickering2020-1", 0.3837),
    ],
)
def test_recomputed_p_values(row, p):
    checked = next(c for c in synthesis().published if c.published.published == row)
    digits = 6 if p < 0.001 else 4
    assert round(checked.p_recomputed, digits) == p


def test_p_values_that_do_not_fit_their_interval():
    wrong = {c.published.published for c in synthesis().published if c.agrees is False}
    assert wrong == {f"michelet2018-{i}" for i in range(1, 6)}


def test_every_claim_of_the_briefs_is_arithmetically_consistent():
    checked = {c.claim.claim: c for c in synthesis().claims}
    assert len(checked) == 33
    assert {k for k, c in checked.items() if c.agrees} == {"A-1", "A-2", "A-3", "A-4", "A-5", "B-1", "C-7", "C-8"}
    assert not any(c.agrees is False for c in checked.values())
    consistent = {k for k, c in checked.items() if c.claim.severity is None}
    assert consistent == {"A-2", "B-1", "C-7", "C-8", "C-10", "C-13", "D-1", "D-2"}


def test_cochrane_is_drawn_on_the_scale_of_this_review():
    checked = next(c for c in synthesis().published if c.published.published == "cochrane2025-1")
    assert [round(x, 2) for x in checked.on_scale] == [-1.58, -3.21, 0.05]
    assert checked.rescaled == "moved from 0-100 to 0-10"


def test_nothing_unverified_is_pooled():
    package = synthesis().package
    verified = {r.result for r in package.results if r.verified and r.usable}
    used = {r for a in synthesis().analyses for row in a.rows for r in row.results}
    assert used and used <= verified
    assert {n.id for n in synthesis().not_verified} >= {"salas2012", "C-14", "cohen-2018-22"}


def test_what_is_missing_stays_missing():
    package = synthesis().package
    empty = {c.field for c in package.cohorts if c.value is None}
    assert {"infusion_duration", "premedication", "number_of_infusions", "pain_scale"} <= empty
    valle = package.arm("valle2024", "ket")
    assert valle.duration is None and valle.rate is None and valle.total is None
    assert [g.priority for g in synthesis().gaps] == [1, 2, 3, 4, 5, 6, 7]
    why = dict(synthesis().analysis("pain-weeks-1-4").not_pooled)
    assert why["amr2010"] == "p value only (3 wk post: P = 0.54; 4 wk post: P = 0.25)"


def test_cross_over_correlation_stops_where_the_counts_do():
    result = synthesis().analysis("responders-immediate")
    by = {s.changed: s for s in result.sensitivity if s.changed.startswith("r = ")}
    assert by["r = 0"].fit.se == pytest.approx(result.fit.se, rel=1e-12)
    assert by["r = 0.2"].note == ""
    assert "Lemming 2005: at most 0.29 with these counts" in by["r = 0.5"].note
    assert by["r = 0.5"].fit.se < by["r = 0.2"].fit.se < by["r = 0"].fit.se
    # Lemming 2005: 14/30 v 2/30; both respond in at most 2 of 30
    p, q = 14 / 30, 2 / 30
    limit = (q - p * q) / (p * (1 - p) * q * (1 - q)) ** 0.5
    assert f"{limit:.2f}" == "0.29"


def test_without_amr_nothing_changes_and_it_says_so():
    only = next(s for s in synthesis().analysis("pain-two-trials").sensitivity if s.label == "Without Amr 2010")
    assert "contributes nothing" in only.note
    assert only.fit.estimate == fit_of("pain-two-trials").estimate


def test_absolute_effects():
    absolute = synthesis().analysis("responders-immediate").absolute
    assert absolute.baseline_source.endswith("7 of 64")
    assert (round(absolute.control), round(absolute.intervention)) == (109, 434)
    assert absolute.intervention_interval.high == 1000
    assert synthesis().analysis("responders-week-1").absolute is None  # no event on placebo


def test_the_flow_does_not_invent_counts():
    flow = Review.load(FOLDER).flow()
    assert flow.records_screened is None and flow.database_results is None
    assert flow.problems() == ()
    assert flow.total_studies_ma == 10
