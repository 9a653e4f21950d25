"""The multiverse: each specification is a single fit, none is lost, what does not apply is listed with its reason."""

from __future__ import annotations

import math

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.multiverse.multiverse import multiverse
from balm.stats.pooling.pool import pool
from balm.vocabulary.problems import InputError

TABLE = {"events_1": [0, 3, 7, 10], "n_1": [50, 60, 45, 100], "events_2": [5, 4, 9, 2], "n_2": [52, 60, 40, 90]}
MEANS = {
    "mean_1": [55, 27, 64, 66],
    "sd_1": [47, 7, 17, 20],
    "n_1": [155, 31, 75, 18],
    "mean_2": [75, 29, 119, 137],
    "sd_2": [64, 4, 29, 48],
    "n_2": [156, 32, 71, 18],
}
GENERIC = EffectSizes(effect=[0.10, 0.40, -0.20, 0.90], variance=[0.02, 0.05, 0.03, 0.09], study=list("abcd"))


def refit(one, es, columns):
    """The same specification by itself."""
    keep = np.array([s != one.exclude for s in es.study])
    if columns:
        options = {"to": one.zero_cells} if one.measure in ("OR", "RR", "RD") else {}
        es = effect_sizes(one.measure, **columns, **options)
    options = {"model": "common"} if one.tau2_estimator == "common" else {"tau2": one.tau2_estimator}
    return pool(es[keep], inference=one.inference, **options)


@pytest.mark.parametrize(
    ("es", "columns", "options"),
    [
        (effect_sizes("OR", **TABLE), TABLE, {"measures": ["OR", "RR", "RD", "AS"]}),
        (effect_sizes("MD", **MEANS), MEANS, {"measures": ["MD", "SMD", "ROM"]}),
        (GENERIC, None, {"tau2": ["PM", 0.05, "HE", "common"], "inference": ["wald", "kenward-roger"]}),
    ],
    ids=["counts", "means", "generic"],
)
def test_every_specification_is_the_fit_that_it_says(es, columns, options):
    many = multiverse(es, **options)
    assert len(many) >= 35
    assert len({tuple(c[i] for c in many.settings.values()) for i in range(len(many))}) == len(many)
    for one in many:
        fit = refit(one, es, columns)
        got = (one.estimate, one.se, one.low, one.high, one.p, one.tau2, one.i2)
        want = (fit.estimate, fit.se, *(fit.interval.low, fit.interval.high), fit.p, fit.tau2, fit.i2)
        if one.tau2_estimator == "common":
            got, want = got[:5], want[:5]
        assert got == pytest.approx(want, rel=1e-9, abs=1e-12), one
        assert one.k == fit.k
        assert one.excludes_null == (fit.interval.low > 0 or fit.interval.high < 0)


#: Variances 20 to 24 orders of magnitude apart, with and without heterogeneity among the imprecise ones.
FAR_APART = [
    ([0.1, 0.5, 0.9, 0.3], [1e-12, 1e12, 1.0, 0.5]),
    ([0.1, 0.5, 0.9, 0.3], [1e-24, 1.0, 0.4, 0.5]),
    ([1e-12, 0.5, 1e6, 0.3], [1e-24, 1.0, 1.0, 0.5]),
    ([0.0, 0.0, 0.0], [1e-24, 1.0, 0.4]),
]


@pytest.mark.parametrize(("effect", "variance"), FAR_APART)
def test_variances_24_orders_of_magnitude_apart_give_the_fits_without_a_warning(effect, variance):
    es = EffectSizes(effect=effect, variance=variance)
    estimators = list(TAU2_ESTIMATORS)
    many = multiverse(es, tau2=[*estimators, "common"], inference=["wald", "hartung-knapp"])
    assert {s.tau2_estimator for s in many} == {*estimators, "common"}
    for one in many:
        fit = refit(one, es, None)
        assert (one.estimate, one.se, one.tau2) == pytest.approx((fit.estimate, fit.se, fit.tau2), rel=1e-9), one


def test_every_cell_of_the_grid_is_analysed_or_listed():
    measures, rules = ["OR", "AS", "MD"], ["only-zero", "all"]
    tau2, inference = ["REML", "common"], ["wald", "hartung-knapp"]
    many = multiverse(
        effect_sizes("OR", **TABLE), measures=measures, tau2=tau2, inference=inference, zero_cells=rules, exclude=None
    )
    done = {(s.measure, s.zero_cells, s.tau2_estimator, s.inference) for s in many}
    for measure in measures:
        for rule in rules:
            for estimator in tau2:
                for interval in inference:
                    asked = {"measure": measure, "zero_cells": rule, "tau2": estimator, "inference": interval}
                    listed = any(
                        all(getattr(n, name) in (None, value) for name, value in asked.items())
                        for n in many.not_applicable
                    )
                    assert ((measure, rule, estimator, interval) in done) != listed, asked
    said = " ".join(str(n) for n in many.not_applicable)
    assert "the data have no mean_1" in said
    assert "needs no correction of zero cells" in said
    assert "needs model 'random'" in said


def test_rules_that_change_nothing_count_once():
    no_zero = {name: values[1:] for name, values in TABLE.items()}
    many = multiverse(effect_sizes("OR", **no_zero), zero_cells=["only-zero", "if-any-zero", "all"], exclude=None)
    assert set(many.settings["zero_cells"]) == {"only-zero", "all"}
    assert [str(n) for n in many.not_applicable if n.zero_cells] == [
        "measure='OR', zero_cells='if-any-zero': gives the same effects as 'only-zero'"
    ]


def test_a_study_that_says_nothing_is_not_left_out_twice():
    table = {name: [*values, extra] for (name, values), extra in zip(TABLE.items(), (0, 30, 0, 30), strict=True)}
    many = multiverse(effect_sizes("OR", **table), tau2=["DL"], inference=["wald"], zero_cells=["only-zero"])
    assert "Study 5" not in set(many.settings["exclude"])
    assert any(n.exclude == "Study 5" and "same studies" in n.reason for n in many.not_applicable)
    kept = multiverse(
        effect_sizes("OR", **table), tau2=["DL"], inference=["wald"], zero_cells=["only-zero"], double_zero="keep"
    )
    assert "Study 5" in set(kept.settings["exclude"]) and kept.k.max() == 5


def test_named_sets_may_be_left_out():
    many = multiverse(GENERIC, exclude=[("a", "b"), "c"], tau2=["DL"], inference=["wald"])
    assert many.settings["exclude"].tolist() == ["none", "a + b", "c"]
    assert many.k.tolist() == [4, 2, 3]
    named = multiverse(GENERIC, exclude={"high risk of bias": ["a"]}, tau2=["DL"], inference=["wald"])
    assert named.settings["exclude"].tolist() == ["none", "high risk of bias"]


def test_too_few_studies_are_listed():
    many = multiverse(GENERIC[0:2], tau2=["DL"], inference=["wald"])
    assert len(many) == 1
    assert [n.reason for n in many.not_applicable] == ["1 study is left that can be pooled"] * 2


def test_correlations_of_paired_measures_are_imputed():
    paired = {"mean_1": [3.0, 4.0], "sd_1": [1.0, 2.0], "mean_2": [2.0, 3.5], "sd_2": [1.2, 2.0], "n": [20, 30]}
    es = effect_sizes("MC", r=[0.5, 0.5], **paired)
    many = multiverse(es, correlations=[0.2, 0.8], tau2=["common"], inference=["wald"], exclude=None)
    for one in many:
        fit = pool(effect_sizes("MC", r=[one.correlation] * 2, **paired), model="common")
        assert (one.estimate, one.se) == pytest.approx((fit.estimate, fit.se), rel=1e-12)
    assert many.se[0] > many.se[1], "a higher correlation makes a change more precise"


def test_crossover_trials_join_parallel_ones_under_each_correlation():
    trial = {"mean_1": 29.0, "sd_1": 7.0, "mean_2": 31.0, "sd_2": 6.0, "n": 25}
    es = effect_sizes("MD", **MEANS)
    many = multiverse(
        es,
        measures=["MD", "ROM"],
        correlations=[0.3, 0.7],
        paired={"Study 2": trial},
        tau2=["REML"],
        inference=["wald"],
        exclude=None,
    )
    assert set(many.settings["measure"]) == {"MD"}
    assert {n.correlation for n in many.not_applicable if n.measure == "ROM"} == {0.3, 0.7}
    for one in many:
        effect, variance = es.effect.copy(), es.variance.copy()
        effect[1], variance[1] = -2.0, (49 + 36 - 2 * one.correlation * 42) / 25
        fit = pool(EffectSizes(effect=effect, variance=variance), inference="wald")
        assert (one.estimate, one.se) == pytest.approx((fit.estimate, fit.se), rel=1e-10)


def test_correlations_without_paired_numbers_are_listed():
    many = multiverse(GENERIC, correlations=[0.3, 0.5], tau2=["DL"], inference=["wald"], exclude=None)
    assert len(many) == 1
    assert [n.reason for n in many.not_applicable] == ["no correlation enters this measure"] * 2


def test_the_summary_counts_intervals_that_exclude_no_effect():
    many = multiverse(effect_sizes("OR", **TABLE), measures=["OR", "RD"])
    odds, differences, together = many.summary
    chosen = many.where(measure="OR")
    assert odds.specifications == len(chosen)
    assert odds.excludes_null == np.mean((chosen.low > 0) | (chosen.high < 0))
    assert (odds.low, odds.high) == (chosen.estimate.min(), chosen.estimate.max())
    assert 0.5 <= odds.same_side <= 1.0
    assert together.specifications == odds.specifications + differences.specifications
    assert math.isnan(together.median), "estimates of different measures have no common median"


def test_measures_without_a_value_of_no_effect_have_no_share():
    es = effect_sizes("PLO", events=[3, 5, 9], n=[20, 30, 40])
    many = multiverse(es, measures=["PLO", "PR"], tau2=["DL"], inference=["wald"], exclude=None)
    assert np.isnan(many.excludes_null).all()
    assert many[0].excludes_null is None
    assert math.isnan(many.summary[0].excludes_null)


def test_the_result_reads_tabulates_and_narrows():
    many = multiverse(GENERIC, tau2=["DL", 0.1], inference=["wald", "hartung-knapp"])
    assert repr(many).startswith("Multiverse: 20 specifications of 4 studies")
    assert len(many.to_frame()["estimate"]) == 20
    assert len(many.where(tau2=0.1, inference="wald")) == 5
    assert many[-1] == list(many)[-1]
    with pytest.raises(IndexError):
        many[20]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"measures": ["OD"]}, "measures must be one of"),
        ({"measures": ["OR"]}, "the data have no events_1"),
        ({"tau2": ["reml"]}, "did you mean 'REML'"),
        ({"tau2": []}, "tau2 is empty"),
        ({"tau2": ["DL", "DL"]}, "names a value twice"),
        ({"tau2": [-1.0]}, "tau2 must be 0 or larger"),
        ({"inference": ["hksj"]}, "did you mean 'hartung-knapp'"),
        ({"zero_cells": ["only0"]}, "did you mean 'only-zero'"),
        ({"exclude": "all"}, "exclude must be one of"),
        ({"exclude": [["z"]]}, "exclude must be one of"),
        ({"correlations": [1.2]}, "between -1 and 1"),
        ({"paired": {"a": {}}}, "name the values in correlations"),
        ({"paired": {"z": {}}, "correlations": [0.5]}, "not among"),
        ({"paired": {"a": {"mean_1": 1}}, "correlations": [0.5]}, "paired, a: sd_1"),
        (
            {"paired": {"a": dict.fromkeys(("mean_1", "sd_1", "mean_2", "sd_2", "n"), 0.0)}, "correlations": [0.5]},
            "paired, a: sd_1 0.0",
        ),
        ({"double_zero": "drop"}, "double_zero must be one of"),
        ({"level": 2.0}, "level must lie"),
        ({"tau2": ["common"], "inference": ["hartung-knapp"]}, "no specification can be analysed"),
    ],
)
def test_bad_input_is_named(options, said):
    with pytest.raises(InputError, match=said):
        multiverse(GENERIC, **options)


def test_only_effect_sizes_are_taken():
    with pytest.raises(InputError, match="takes effect sizes, got list"):
        multiverse([0.1, 0.2])
    many = multiverse(GENERIC)
    with pytest.raises(InputError, match="setting must be one of"):
        many.where(estimator="DL")
    with pytest.raises(InputError, match="no specification has tau2='EB'"):
        many.where(tau2="EB")
