"""Small-study effects: edges, refusals, invariances and slow twins; the numbers are in tests/reference."""

from __future__ import annotations

import itertools
import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import balm
from balm.stats.distributions import norm_sf
from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.pool import pool
from balm.stats.small_study.excess_significance import excess_significance, sum_of_trials
from balm.stats.small_study.fail_safe_n import METHODS as FAIL_SAFE
from balm.stats.small_study.fail_safe_n import fail_safe_n
from balm.stats.small_study.general_fail_safe import Diluted, Refitted
from balm.stats.small_study.kendall import exact_p, kendall, orderings
from balm.stats.small_study.pet_peese import pet_peese
from balm.stats.small_study.rank_test import rank_test
from balm.stats.small_study.small_study_test import METHODS, small_study_test
from balm.stats.small_study.trim_and_fill import ESTIMATORS, trim_and_fill
from balm.vocabulary.problems import InputError

RNG = np.random.default_rng(20261122)
K = 14
TRIALS = {
    "events_1": [3, 12, 7, 20, 5, 0, 9, 14, 2, 30, 6, 11, 8, 17],
    "n_1": [20, 60, 33, 120, 25, 18, 48, 90, 15, 210, 40, 66, 52, 101],
    "events_2": [8, 18, 12, 25, 9, 3, 15, 20, 7, 41, 13, 14, 10, 19],
    "n_2": [21, 58, 35, 118, 26, 17, 50, 88, 16, 205, 39, 70, 50, 99],
}
ODDS = effect_sizes("OR", **TRIALS)
#: BCG vaccine against tuberculosis, thirteen trials (Colditz et al. 1994, JAMA 271:698, table 1).
BCG = effect_sizes(
    "RR",
    events_1=[4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],
    n_1=[123, 306, 231, 13598, 5069, 1541, 2545, 88391, 7499, 1716, 50634, 2498, 16913],
    events_2=[11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
    n_2=[139, 303, 220, 12867, 5808, 1451, 629, 88391, 7277, 1665, 27338, 2341, 17854],
)
MEANS = EffectSizes(effect=RNG.normal(0.3, 0.3, K), variance=RNG.uniform(0.01, 0.2, K))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_runs_and_speaks(method):
    found = small_study_test(pool(ODDS), method)
    assert 0.0 < found.p <= 1.0 and found.k == K
    assert found.summary.endswith(".") and f"{K} studies" in found.summary
    assert found.to_dict()["method"] == method and found.source in repr(found)
    assert list(found.to_frame()["p"]) == [found.p]
    assert math.isnan(found.slope) == (found.line is None)


@pytest.mark.parametrize("method", METHODS)
def test_nine_studies_are_refused_unless_forced(method):
    nine = ODDS[:9]
    with pytest.raises(InputError, match=r"needs at least 10 studies and there are 9.*13\.3\.5\.3.*force=True"):
        small_study_test(nine, method)
    assert "Only 9 studies" in small_study_test(nine, method, force=True).advice[0]
    for k, verb in ((1, "is 1"), (2, "are 2")):
        with pytest.raises(InputError, match=f"needs at least 3 studies; there {verb}"):
            small_study_test(ODDS[:k], method, force=True)


def test_egger_is_the_published_regression_of_the_standard_normal_deviate_on_precision():
    precision, deviate = 1.0 / MEANS.se, MEANS.effect / MEANS.se
    design = np.column_stack([np.ones(K), precision])
    beta, rss = np.linalg.lstsq(design, deviate, rcond=None)[:2]
    covariance = np.linalg.inv(design.T @ design) * rss[0] / (K - 2)
    found = small_study_test(MEANS)
    assert (found.slope, found.intercept) == pytest.approx(tuple(beta), rel=1e-10)
    assert (found.slope_se, found.intercept_se) == pytest.approx(tuple(np.sqrt(np.diag(covariance))), rel=1e-10)


@pytest.mark.parametrize("unit", [1e-8, 1e-3, 1e8])
def test_tests_do_not_depend_on_the_unit_or_the_order(unit):
    other = EffectSizes(effect=MEANS.effect * unit, variance=MEANS.variance * unit**2)[::-1]
    for method in ("egger", "random-effects", "thompson-sharp", "begg"):
        here, there = small_study_test(MEANS, method), small_study_test(other, method)
        assert (there.statistic, there.p) == pytest.approx((here.statistic, here.p), rel=1e-7)
    here, there = (trim_and_fill(pool(es)) for es in (MEANS, other))
    assert (there.k0, there.side) == (here.k0, here.side)
    assert there.estimate == pytest.approx(here.estimate * unit, rel=1e-7)
    assert pet_peese(other).estimate == pytest.approx(pet_peese(MEANS).estimate * unit, rel=1e-9)


def test_equal_variances_leave_nothing_to_regress_on():
    same = EffectSizes(effect=MEANS.effect, variance=np.full(K, 0.04))
    for method in ("egger", "random-effects", "thompson-sharp"):
        with pytest.raises(InputError, match=r"standard error is 0\.2 in every study"):
            small_study_test(same, method)
    with pytest.raises(InputError, match="variance is"):
        pet_peese(same)
    with pytest.raises(InputError, match="side='left' or side='right'"):
        trim_and_fill(pool(same))
    assert trim_and_fill(pool(same), side="left").side == "left"
    found = rank_test(same)
    assert math.isnan(found.p) and "All variances are equal" in found.advice[0] and "not estimable" in found.summary


def test_equal_effects_are_said_to_leave_no_error():
    same = EffectSizes(effect=np.full(K, 0.3), variance=MEANS.variance)
    found = small_study_test(same)
    assert math.isnan(found.p) and abs(found.slope) < 1e-12 and "exactly on a line" in found.advice[0]
    assert math.isnan(rank_test(same).p)
    assert trim_and_fill(pool(same), side="left").k0 >= 0
    assert pet_peese(same).chosen == "PET"
    assert small_study_test(same, "random-effects").p == pytest.approx(1.0)
    assert fail_safe_n(same).n > 0
    zero = EffectSizes(effect=np.zeros(K), variance=MEANS.variance)
    assert fail_safe_n(zero).n == fail_safe_n(zero, "rosenberg").n == fail_safe_n(pool(zero), "general").n == 0
    assert excess_significance(zero).observed == 0


def test_double_zero_trials_are_left_out_of_tests_for_odds_ratios():
    more = {name: [*column, 0 if name.startswith("events") else 30] for name, column in TRIALS.items()}
    for method in ("harbord", "peters", "schwarzer", "egger"):
        assert small_study_test(effect_sizes("OR", **more), method).p == small_study_test(ODDS, method).p


def test_tests_on_counts_say_what_they_miss():
    with pytest.raises(InputError, match="Harbord's test is for odds ratios; these effects are GEN"):
        small_study_test(MEANS, "harbord")
    with pytest.raises(InputError, match="needs the raw columns events_1, n_1, events_2, n_2"):
        small_study_test(EffectSizes(effect=MEANS.effect, variance=MEANS.variance, measure="OR"), "peters")
    with pytest.raises(InputError, match="needs the raw columns n_1, n_2"):
        small_study_test(MEANS, "pustejovsky")
    with pytest.raises(InputError, match="give sample_size="):
        small_study_test(MEANS, "macaskill")
    assert small_study_test(MEANS, "macaskill", sample_size=1.0 / MEANS.variance).k == K
    with pytest.raises(InputError, match="sample size 0 is not a positive number"):
        small_study_test(MEANS, "macaskill", sample_size=np.zeros(K))
    with pytest.raises(InputError, match="one number a study"):
        small_study_test(MEANS, predictor="sample-size", sample_size=[1, 2])
    same_size = {name: [30] * K if name.startswith("n") else column for name, column in TRIALS.items()}
    with pytest.raises(InputError, match=r"sample size is .* in every study"):
        small_study_test(effect_sizes("OR", **{**same_size, "n_1": [60] * K, "n_2": [60] * K}), "peters")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "eggers"}, "method must be one of .*did you mean 'egger'"),
        ({"predictor": "sei"}, "predictor must be one of"),
        ({"method": "harbord", "predictor": "se"}, "predictor= does not apply to method='harbord'"),
        ({"method": "egger", "tau2": "DL"}, "tau2= does not apply to method='egger'"),
        ({"method": "egger", "inference": "wald"}, "inference= does not apply"),
        ({"method": "egger", "sample_size": [1] * K}, "sample_size= does not apply to predictor='se'"),
        ({"method": "random-effects", "tau2": "XX"}, "tau2 must be one of"),
        ({"level": 95}, "level must lie between 0 and 1"),
    ],
)
def test_options_that_do_not_apply_are_errors(options, message):
    with pytest.raises(InputError, match=message):
        small_study_test(MEANS, **options)


def test_the_regression_follows_the_fit_and_says_where_it_cannot():
    wald = small_study_test(pool(MEANS, tau2="DL", inference="wald"), "random-effects")
    assert math.isinf(wald.df) and wald.model == "random"
    assert small_study_test(MEANS, "random-effects", tau2="DL", inference="wald").p == wald.p
    common = small_study_test(pool(MEANS, model="common"), "random-effects")
    assert common.model == "common" and common.tau2 == 0.0
    rogers = small_study_test(pool(MEANS, inference="kenward-roger"), "random-effects")
    assert any("kenward-roger" in said for said in rogers.advice) and rogers.df == K - 2


def test_the_exact_distribution_of_kendalls_score_counts_every_ordering():
    k = 6
    y = np.arange(k, dtype=float)
    scores = [kendall(np.array(order, dtype=float), y, exact=False).score for order in itertools.permutations(range(k))]
    assert sum(orderings(k)) == math.factorial(k)
    for score in {abs(s) for s in scores}:
        wanted = min(1.0, 2.0 * sum(s >= score for s in scores) / len(scores))
        assert exact_p(score, k) == pytest.approx(wanted, rel=1e-14)


def test_rank_test_with_ties_is_normal_and_exact_is_refused():
    tied = EffectSizes(effect=MEANS.effect, variance=np.repeat(np.linspace(0.01, 0.2, K // 2), 2))
    found = rank_test(tied)
    assert found.kendall.ties and not found.kendall.exact
    assert found.p == pytest.approx(2.0 * norm_sf(abs(found.statistic)), rel=1e-14)
    with pytest.raises(InputError, match="without ties"):
        rank_test(tied, exact=True)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_symmetric_funnel_lacks_nothing(estimator):
    half = np.linspace(0.1, 1.0, 7)
    es = EffectSizes(effect=np.concatenate((half, -half)), variance=np.tile(half**2, 2))
    found = trim_and_fill(pool(es, model="common"), estimator, side="left")
    assert (found.k0, found.estimate) == (0, pytest.approx(0.0, abs=1e-12))
    assert found.refit is found.original and "unchanged" in found.summary


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_studies_cut_from_one_side_are_put_back_mirrored(estimator):
    half = np.linspace(0.1, 1.0, 10)
    keep = np.concatenate((half, -half[:6]))
    es = EffectSizes(effect=keep, variance=np.full(16, 0.01) + np.abs(keep) ** 2)
    left, right = (trim_and_fill(pool(e, tau2="DL"), estimator) for e in (es, negative(es)))
    assert left.side == "left" and right.side == "right" and left.k0 == right.k0 >= 2
    assert left.estimate == pytest.approx(-right.estimate, abs=1e-12)
    assert left.estimate < left.original.estimate
    assert np.sum(left.filled) == left.k0 and len(left.effects) == 16 + left.k0
    frame = left.to_frame()
    assert list(frame["filled"]) == left.filled.tolist()
    assert math.isnan(left.p) != (estimator == "R0")
    assert "adds" in repr(left) and left.to_dict()["k0"] == left.k0


def negative(es):
    return EffectSizes(effect=-es.effect, variance=es.variance)


def test_filled_effects_keep_within_limits():
    es = EffectSizes(effect=[0.2, 0.5, 0.6, 0.9, 0.95, 0.2], variance=[0.01, 0.04, 0.05, 0.2, 0.2, 0.02])
    found = trim_and_fill(pool(es, model="common"), side="left", limits=(-0.1, 1.0))
    assert found.k0 and found.effects.effect.min() >= -0.1
    with pytest.raises(InputError, match="low below high"):
        trim_and_fill(pool(es), limits=(1, -1))


def test_trim_and_fill_says_what_it_cannot_repeat():
    with pytest.raises(InputError, match="cannot repeat mantel-haenszel"):
        trim_and_fill(mantel_haenszel(ODDS))
    with pytest.raises(InputError, match="cannot repeat weights of your own"):
        trim_and_fill(pool(ODDS, weights="equal"))
    with pytest.raises(InputError, match="pool first"):
        trim_and_fill(ODDS)
    with pytest.raises(InputError, match="at least 3 studies"):
        trim_and_fill(pool(ODDS[:2]))
    with pytest.raises(InputError, match="estimator must be one of"):
        trim_and_fill(pool(ODDS), "L1")


def test_the_funnel_shows_filled_studies_hollow():
    half = np.linspace(0.1, 1.0, 10)
    keep = np.concatenate((half, -half[:6]))
    found = trim_and_fill(pool(EffectSizes(effect=keep, variance=0.01 + keep**2), tau2="DL"))
    figure = found.funnel()
    circles = list(ET.fromstring(figure.svg).iter("{http://www.w3.org/2000/svg}circle"))
    assert [c.get("fill") == "#ffffff" for c in circles] == found.filled.tolist()
    assert "study filled in, not observed" in figure.svg and "hollow" in figure.description
    with pytest.raises(InputError, match="one True or False a study"):
        found.refit.funnel(hollow=[True])
    plain = found.original.funnel()
    assert "hollow" not in plain.description and "filled in" not in plain.svg


@pytest.mark.parametrize("method", FAIL_SAFE)
def test_one_null_study_fewer_does_not_overturn(method):
    es = EffectSizes(effect=MEANS.effect + 0.3, variance=MEANS.variance)
    fit = pool(es, model="common")
    options = {"target": 0.1} if method == "orwin" else {}
    n = fail_safe_n(fit, method, **options).n
    assert n > 0
    harmonic = K / float(np.sum(1.0 / es.variance))

    def overturned(count):
        y, v = np.concatenate((es.effect, np.zeros(count))), np.concatenate((es.variance, np.full(count, harmonic)))
        if method == "rosenthal":
            return norm_sf(float(np.sum(es.effect / es.se)) / math.sqrt(K + count)) >= 0.05
        if method == "orwin":
            return K * fit.estimate / (K + count) <= 0.1
        return pool(EffectSizes(effect=y, variance=v), model="common").p >= 0.05

    closest = method == "general"  # one more than the nearest number, not the smallest
    assert overturned(n) and not overturned(n - 1 - closest)


def test_fail_safe_n_repeats_the_model_of_the_fit_in_the_general_method():
    es = EffectSizes(effect=MEANS.effect + 0.3, variance=MEANS.variance)
    common, random = (fail_safe_n(pool(es, model=m, inference="wald"), "general") for m in ("common", "random"))
    assert 0 <= common.n - fail_safe_n(es, "rosenberg").n <= 1
    assert random.n < common.n
    assert fail_safe_n(pool(es), "general", target=0.1).target == 0.1
    assert "null studies" in repr(random) and random.to_frame()["n"][0] == random.n and random.tolerance == 5 * K + 10


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("orwin", {}, "needs target="),
        ("orwin", {"target": 0.0}, "other than 0"),
        ("orwin", {"target": -0.1}, "same side of 0"),
        ("rosenthal", {"target": 0.1}, "target= does not apply"),
        ("rosenberg", {"weighted": False}, "weighted= does not apply"),
        ("general", {}, "pool first"),
        ("rosenthal", {"exact": True}, "exact=True does not apply"),
        ("rosenthal", {"alpha": 5}, "alpha must lie between 0 and 1"),
        ("Orwin", {"target": 0.1}, "did you mean 'orwin'"),
    ],
)
def test_fail_safe_n_says_what_is_wrong(method, options, message):
    with pytest.raises(InputError, match=message):
        fail_safe_n(MEANS, method, **options)


def test_general_fail_safe_n_by_total_variance_and_by_refitting():
    """Equal variances: a moment estimator with the null studies in it differs by the share of one sampling variance."""
    rng = np.random.default_rng(4)
    es = EffectSizes(effect=rng.normal(0.4, 0.3, 12), variance=np.full(12, 0.04))
    fit = pool(es, tau2="HE", inference="wald")
    quick, refitted = Diluted(fit), Refitted(fit)
    for n in (2, 7, 30):
        total = 12 + n
        everyone = np.concatenate(([fit.estimate] * 12, [0.0] * n))
        assert quick.spread(n) == pytest.approx(
            fit.tau2 * (total - 2) / (total - 1) + np.var(everyone, ddof=1), rel=1e-12
        )
        assert quick.after(n)[0] == pytest.approx(refitted.after(n)[0], rel=1e-12)
        assert quick.spread(n) == pytest.approx(refitted.fitted(n).tau2 + 0.04 / (total - 1), rel=1e-12)


@pytest.mark.parametrize(
    ("alpha", "n", "refitted"), [(0.0002, 2, 2), (0.001, 4, 4), (0.01, 10, 11), (0.02, 15, None), (0.05, 26, 27)]
)
def test_general_fail_safe_n_counts_one_more_than_the_nearest(alpha, n, refitted):
    """BCG trials; metafor 5.1 (``fsn(rma(yi, vi), alpha=)`` and ``exact=TRUE``), its REML run to the root."""
    fit = pool(BCG, inference="wald")
    assert fail_safe_n(fit, "general", alpha=alpha).n == n
    with_null = Diluted(fit)
    tried = range(1, 40)
    assert n == 1 + min(tried, key=lambda count: abs(with_null.after(count)[1] - alpha))
    assert with_null.after(n)[1] > alpha >= with_null.after(n - 2)[1]
    if refitted is not None:
        assert fail_safe_n(fit, "general", alpha=alpha, exact=True).n == refitted


def test_general_fail_safe_n_refits_where_the_interval_follows_the_scatter():
    for inference in ("hartung-knapp", "hartung-knapp-guarded"):
        fit = pool(BCG, inference=inference)
        assert fail_safe_n(fit, "general").n == fail_safe_n(fit, "general", exact=True).n
    by_t = pool(BCG, inference="t")
    assert fail_safe_n(by_t, "general").n < fail_safe_n(pool(BCG, inference="wald"), "general").n


def test_the_sum_of_unequal_trials_against_all_outcomes():
    chances = np.array([0.1, 0.5, 0.8, 0.25, 0.99])
    slow = np.zeros(6)
    for outcome in itertools.product((0, 1), repeat=5):
        slow[sum(outcome)] += math.prod(c if o else 1.0 - c for c, o in zip(chances, outcome, strict=True))
    assert sum_of_trials(chances) == pytest.approx(slow, rel=1e-13)


def test_excess_significance_variants():
    fit = pool(MEANS, tau2="DL")
    exact = excess_significance(MEANS)
    assert exact.p == pytest.approx(1.0 - excess_significance(MEANS, tail="less").p + chance_of(exact), rel=1e-9)
    equal = EffectSizes(effect=MEANS.effect, variance=np.full(K, 0.05))
    assert excess_significance(equal).p == pytest.approx(excess_significance(equal, test="binomial").p, rel=1e-10)
    both = [excess_significance(MEANS, alternative=side, theta=0.2).power for side in ("greater", "less")]
    assert np.all(both[0] > both[1])
    spread = excess_significance(fit, theta="fit")
    assert (spread.theta, spread.tau2) == (fit.estimate, fit.tau2)
    chi = excess_significance(MEANS, test="chi-squared")
    assert chi.statistic > 0.0 and chi.ratio == chi.observed / chi.expected
    assert "significant at 0.05" in repr(chi) and chi.to_frame()["k"][0] == K
    with pytest.raises(InputError, match="theta='fit' needs"):
        excess_significance(MEANS, theta="fit")
    with pytest.raises(InputError, match="test must be one of"):
        excess_significance(MEANS, test="chi2")
    with pytest.raises(InputError, match="tau2 must be a number"):
        excess_significance(MEANS, tau2=-1.0)


def chance_of(found):
    return float(sum_of_trials(found.power)[found.observed])


def test_pet_peese_takes_peese_only_when_pet_finds_an_effect():
    strong = EffectSizes(effect=MEANS.effect + 3.0, variance=MEANS.variance)
    found = pet_peese(strong)
    assert found.chosen == "PEESE" and found.estimate == found.peese.intercept.estimate
    null = EffectSizes(effect=MEANS.se * (1.9 + np.cos(7.0 * np.arange(K))), variance=MEANS.variance)
    weak = pet_peese(null)
    assert weak.chosen == "PET" and weak.pet.intercept.p >= 0.10
    assert weak.pet.slope.p == pytest.approx(small_study_test(null).p, rel=1e-12)
    assert list(found.to_frame()["line"]) == ["PET", "PEESE"] and "PET-PEESE" in repr(found)
    assert found.to_dict()["peese_intercept_estimate"] == found.estimate
    random = pet_peese(pool(strong, tau2="DL", inference="wald"), model="random")
    assert random.pet.regression.tau2_estimator == "DL"
    assert pet_peese(strong, model="common", inference="wald").pet.tau2 == 0.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "fixed"}, "model must be one of"),
        ({"tau2": "DL"}, "tau2= does not apply"),
        ({"inference": "wald"}, "inference= does not apply"),
        ({"cluster": [1] * K}, "several effects a study"),
        ({"level": 0}, "level must lie"),
    ],
)
def test_pet_peese_says_what_is_wrong(options, message):
    with pytest.raises(InputError, match=message):
        pet_peese(MEANS, **options)


@pytest.mark.parametrize("ask", [small_study_test, rank_test, fail_safe_n, excess_significance, pet_peese])
def test_something_else_than_studies_is_refused(ask):
    with pytest.raises(InputError, match=r"takes a result of balm\.pool or effect sizes; got list"):
        ask([0.1, 0.2])
    empty = balm.effect_sizes("OR", events_1=[0], n_1=[10], events_2=[0], n_2=[12])
    with pytest.raises(InputError, match="no study with an effect"):
        ask(empty)


def test_random_data_sets_raise_nothing_unexpected():
    rng = np.random.default_rng(7)
    for _ in range(150):
        k = int(rng.integers(3, 30))
        scale = 10.0 ** rng.uniform(-8, 8)
        y = rng.normal(0.2, rng.choice([0.0, 0.5, 3.0]), k) + rng.normal(0, 0.1, k)
        es = EffectSizes(effect=y * scale, variance=rng.uniform(0.001, 2.0, k) * scale**2)
        fit = pool(es, tau2="DL", inference="wald")
        for method in ("egger", "random-effects", "thompson-sharp", "begg"):
            assert 0.0 <= small_study_test(fit, method, force=True).p <= 1.0
        for estimator in ESTIMATORS:
            assert 0 <= trim_and_fill(fit, estimator).k0 < k
        assert 0.0 <= excess_significance(fit).p <= 1.0
        assert pet_peese(fit).chosen in ("PET", "PEESE")
        assert all(fail_safe_n(fit, method).n >= 0 for method in ("rosenthal", "rosenberg", "general"))
