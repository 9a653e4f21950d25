"""Mantel-Haenszel and Peto: options, edges, and the laws that any such estimate obeys."""

from __future__ import annotations

import math

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.leave_one_out import leave_one_out
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.peto import peto
from balm.stats.pooling.pool import pool
from balm.vocabulary.problems import InputError

#: BCG vaccine against tuberculosis, Colditz et al. (1994), table 1: thirteen trials.
BCG = {
    "events_1": [4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],
    "n_1": [123, 306, 231, 13598, 5069, 1541, 2545, 88391, 7499, 1716, 50634, 2498, 16913],
    "events_2": [11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
    "n_2": [139, 303, 220, 12867, 5808, 1451, 629, 88391, 7277, 1665, 27338, 2341, 17854],
}
RATES = {"events_1": [9, 8, 3], "time_1": [41.0, 59.6, 20.1], "events_2": [20, 11, 14], "time_2": [42.0, 54.2, 22.5]}


@pytest.mark.parametrize(
    ("measure", "estimate", "se"),
    [
        ("RR", -0.45370960, 0.03933737),
        ("OR", -0.47341099, 0.04100778),
        ("RD", -0.00328818, 0.00028666),
    ],
)
def test_bcg(measure, estimate, se):
    fit = mantel_haenszel(measure, **BCG)
    assert fit.estimate == pytest.approx(estimate, abs=5e-9)
    assert fit.se == pytest.approx(se, abs=5e-9)
    assert fit.method == "mantel-haenszel" and fit.k == 13


def test_bcg_risk_difference_of_greenland_and_robins():
    assert mantel_haenszel("RD", variance="greenland-robins", **BCG).se == pytest.approx(0.00028452, abs=5e-9)
    assert mantel_haenszel("RD", profile="revman5", **BCG).se == pytest.approx(0.00028452, abs=5e-9)


def test_bcg_heterogeneity_and_tests():
    assert mantel_haenszel("RR", **BCG).q == pytest.approx(152.567554, abs=5e-7)
    tests = mantel_haenszel("OR", **BCG).tests
    assert tests["cochran-mantel-haenszel"].statistic == pytest.approx(135.6889, abs=5e-5)
    assert tests["tarone"].statistic == pytest.approx(171.7567, abs=5e-5)
    assert tests["breslow-day"].statistic == pytest.approx(171.7654, abs=5e-5)
    plain = mantel_haenszel("OR", correct=False, **BCG).tests["cochran-mantel-haenszel"]
    assert plain.statistic == pytest.approx(136.1630, abs=5e-5)


def test_bcg_random_effects_of_revman():
    fit = mantel_haenszel("RR", model="random", profile="revman5", **BCG)
    assert fit.estimate == pytest.approx(-0.71418612, abs=5e-9)
    assert fit.se == pytest.approx(0.17891338, abs=5e-9)
    assert fit.tau2 == pytest.approx(0.30949685, abs=5e-9)
    assert fit.method == "mantel-haenszel" and fit.conventions["mh_random_q"] == "mantel-haenszel"


def test_bcg_peto():
    fit = peto(**BCG)
    assert fit.estimate == pytest.approx(-0.47444631, abs=5e-9)
    assert fit.se == pytest.approx(0.04065908, abs=5e-9)
    assert peto(model="random", **BCG).tau2 > 0.0


def test_one_table_gives_its_own_effect():
    """With a single study the Mantel-Haenszel odds ratio is its cross-product ratio, with Woolf's variance."""
    fit = mantel_haenszel("OR", events_1=[12], n_1=[40], events_2=[20], n_2=[38])
    assert fit.estimate == pytest.approx(math.log(12 * 18 / (28 * 20)))
    assert fit.se == pytest.approx(math.sqrt(1 / 12 + 1 / 28 + 1 / 20 + 1 / 18))
    assert math.isnan(fit.q) and fit.reasons["q"] == "not estimable: one study"
    assert fit.weights.tolist() == [100.0]


@pytest.mark.parametrize("measure", ["OR", "RR", "RD", "IRR", "IRD"])
def test_laws(measure):
    data = RATES if measure.startswith("IR") else BCG
    fit = mantel_haenszel(measure, **data)
    order = list(reversed(range(len(data["events_1"]))))
    permuted = mantel_haenszel(measure, **{name: [values[i] for i in order] for name, values in data.items()})
    assert permuted.estimate == pytest.approx(fit.estimate, rel=1e-12)
    assert permuted.weights[::-1].tolist() == pytest.approx(fit.weights.tolist(), rel=1e-12)
    other = {"events_1": "events_2", "n_1": "n_2", "time_1": "time_2"}
    pairs = {**other, **{b: a for a, b in other.items()}}
    swapped = mantel_haenszel(measure, **{pairs[name]: values for name, values in data.items()})
    assert swapped.estimate == pytest.approx(-fit.estimate, rel=1e-12)
    assert swapped.se == pytest.approx(fit.se, rel=1e-12)
    assert fit.weights.sum() == pytest.approx(100.0)
    wider = mantel_haenszel(measure, level=0.99, **data)
    assert wider.interval.low < fit.interval.low and wider.interval.high > fit.interval.high


def test_effect_sizes_with_counts_can_be_pooled_directly():
    es = effect_sizes("RR", **BCG)
    assert mantel_haenszel(es).estimate == mantel_haenszel("RR", **BCG).estimate
    assert peto(es).estimate == peto(**BCG).estimate


def test_logrank_statistics_give_a_hazard_ratio():
    fit = peto("HR", o_minus_e=[-3.1, -6.4, 1.2], v=[6.0, 11.5, 4.0], study=["A", "B", "C"])
    assert fit.estimate == pytest.approx((-3.1 - 6.4 + 1.2) / 21.5)
    assert fit.se == pytest.approx(21.5**-0.5)
    assert fit.measure == "HR"
    assert peto(o_minus_e=[-3.1, -6.4, 1.2], v=[6.0, 11.5, 4.0]).estimate == fit.estimate


ZEROS = {
    "no events anywhere": ({"events_1": [0, 0], "events_2": [0, 0]}, ("OR", "RR")),
    "events in everyone": ({"events_1": [20, 30], "events_2": [25, 30]}, ("OR",)),
    "no events in one arm": ({"events_1": [0, 0], "events_2": [2, 1]}, ("OR", "RR")),
}


@pytest.mark.parametrize("model", ["common", "random"])
@pytest.mark.parametrize("case", ZEROS)
def test_what_is_not_estimable_says_so_and_raises_nothing(case, model):
    events, measures = ZEROS[case]
    for measure in measures:
        fit = mantel_haenszel(measure, model=model, n_1=[20, 30], n_2=[25, 30], **events)
        assert math.isnan(fit.estimate) and math.isnan(fit.se) and math.isnan(fit.p)
        assert fit.reasons["estimate"].startswith("not estimable")
        assert math.isnan(fit.tau2) or model == "common"


def test_peto_without_events_is_not_estimable():
    fit = peto(events_1=[0, 0], n_1=[20, 30], events_2=[0, 0], n_2=[25, 30])
    assert math.isnan(fit.estimate) and "estimate" in fit.reasons
    assert [study for study, _ in fit.excluded] == ["Study 1", "Study 2"]


def test_a_risk_difference_without_events_is_zero_with_no_interval():
    fit = mantel_haenszel("RD", events_1=[0, 0], n_1=[20, 30], events_2=[0, 0], n_2=[25, 30])
    assert fit.estimate == 0.0 and "estimate" not in fit.reasons
    assert math.isnan(fit.se) and fit.reasons["se"].startswith("not estimable")


def test_one_zero_in_every_study_is_no_obstacle_to_the_exact_estimate():
    fit = mantel_haenszel("OR", events_1=[0, 3], n_1=[20, 20], events_2=[4, 0], n_2=[20, 20])
    assert math.isfinite(fit.estimate)


SPARSE_RATES = {
    "events_1": [9, 8, 0, 6, 7],
    "time_1": [413.0, 263.0, 487.0, 237.0, 489.0],
    "events_2": [19, 19, 13, 9, 0],
    "time_2": [398.0, 245.0, 435.0, 241.0, 483.0],
}


def test_cochran_weights_of_rate_ratios():
    """Every study its expected events; the variance of two Poisson counts; Q around the inverse-variance mean."""
    es = effect_sizes("IRR", **SPARSE_RATES)
    fit = mantel_haenszel(es, weights="cochran")
    weights = es.raw["events_2"] * es.raw["time_1"] / es.raw["time_2"]
    assert fit.estimate == pytest.approx(np.average(es.effect, weights=weights), rel=1e-13)
    assert fit.se == pytest.approx(math.sqrt(1 / 30 + 1 / 60), rel=1e-13)
    assert fit.weights == pytest.approx(100 * weights / weights.sum(), rel=1e-13)
    assert fit.q == pytest.approx(pool(es, model="common").q, rel=1e-12)
    random = mantel_haenszel(es, weights="cochran", model="random")
    assert random.estimate == pytest.approx(pool(es, tau2="DL", inference="wald").estimate, rel=1e-13)
    without = leave_one_out(fit)
    assert without.fits[0].estimate == pytest.approx(mantel_haenszel(es[1:], weights="cochran").estimate, rel=1e-13)
    assert "Cochran's weights" in fit.methods() and "Mantel" not in fit.methods()


def test_every_convention_is_printed():
    conventions = mantel_haenszel("RD", **BCG).conventions
    for name in ("profile", "model", "mh_zero_cells", "mh_rd_variance", "double_zero", "add", "to", "level", "correct"):
        assert name in conventions
    assert conventions["mh_zero_cells"] == "none" and conventions["mh_rd_variance"] == "sato"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: mantel_haenszel("or", **BCG), "did you mean 'OR'"),
        (lambda: mantel_haenszel("SMD", **BCG), "measure must be one of"),
        (lambda: mantel_haenszel("RR", model="fixed", **BCG), "did you mean 'common'"),
        (lambda: mantel_haenszel("RR", variance="sato", **BCG), "no effect on RR"),
        (lambda: mantel_haenszel("RD", variance="wald", **BCG), "variance must be one of"),
        (lambda: mantel_haenszel("RR", zero_cells="add-to-weights", **BCG), "no effect on RR"),
        (lambda: mantel_haenszel("RR", zero_cells="half", **BCG), "zero_cells must be one of"),
        (lambda: mantel_haenszel("RR", weights="cochran", **BCG), "no effect on RR"),
        (lambda: mantel_haenszel("IRD", weights="cochran", **RATES), "no effect on IRD"),
        (lambda: mantel_haenszel("IRR", weights="Cochran", **RATES), "did you mean 'cochran'"),
        (lambda: mantel_haenszel("RR", double_zero="drop", **BCG), "double_zero must be one of"),
        (lambda: mantel_haenszel("RR", inference="hartung-knapp", **BCG), "needs model='random'"),
        (lambda: mantel_haenszel("RR", prediction="t-k-1", **BCG), "needs model='random'"),
        (lambda: mantel_haenszel("RR", i2="from-tau2", **BCG), "needs model='random'"),
        (lambda: mantel_haenszel("RR", model="random", profile="metafor", **BCG), "not offered"),
        (lambda: mantel_haenszel("RR", profile="sas", **BCG), "profile must be one of"),
        (lambda: mantel_haenszel("RR", level=95, **BCG), "level"),
        (lambda: mantel_haenszel(effect_sizes("RR", **BCG), add=0.5), "give these to balm.effect_sizes"),
        (lambda: mantel_haenszel(EffectSizes([0.1], [0.2], measure="RR")), "needs the counts"),
        (lambda: mantel_haenszel(EffectSizes([0.1], [0.2])), "takes effects measured as"),
        (lambda: mantel_haenszel("RR", events_1=[5], n_1=[3], events_2=[1], n_2=[4]), "exceed"),
        (lambda: peto(EffectSizes([0.1], [0.2])), "takes effects measured as"),
        (lambda: peto("HR", o_minus_e=[1.0], v=[2.0], zero_cells="add"), "zero_cells must be one of"),
        (lambda: peto(EffectSizes([0.1], [0.2], measure="OR")), "takes effects measured as PETO, HR; got OR"),
    ],
)
def test_bad_options_are_errors_that_show_the_way_out(call, says):
    with pytest.raises(InputError, match=says):
        call()


def test_random_numbers_never_warn():
    draw = np.random.default_rng(3)
    for _ in range(200):
        k = int(draw.integers(1, 5))
        n_1, n_2 = draw.integers(1, 30, k), draw.integers(1, 30, k)
        data = {"events_1": draw.binomial(n_1, 0.1), "n_1": n_1, "events_2": draw.binomial(n_2, 0.1), "n_2": n_2}
        for measure in ("OR", "RR", "RD"):
            for profile in (None, "revman5", "meta", "metafor"):
                fit = mantel_haenszel(measure, profile=profile, **data)
                assert math.isfinite(fit.estimate) or fit.reasons["estimate"]
            fit = mantel_haenszel(measure, model="random", profile="revman5", **data)
            assert math.isfinite(fit.estimate) or fit.reasons["estimate"]
        fit = peto(**data)
        assert math.isfinite(fit.estimate) or fit.reasons["estimate"]
        rates = {"events_1": data["events_1"], "time_1": n_1, "events_2": data["events_2"], "time_2": n_2}
        for model in ("common", "random"):
            for double_zero in ("exclude", "keep"):
                fit = mantel_haenszel("IRR", model=model, weights="cochran", double_zero=double_zero, **rates)
                assert math.isfinite(fit.estimate) or fit.reasons["estimate"]
