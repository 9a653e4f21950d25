"""Permutation tests against a loop that refits one rearrangement at a time, and what they promise."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.permutation.orders import alike, how_many, orderings, signs
from balm.stats.permutation.permutation_test import permutation_test
from balm.stats.permutation.refit import Arrangements, between_study_variance, statistics
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.pool import pool
from balm.stats.regression.between_study_variance import ESTIMATORS
from balm.stats.regression.meta_regression import INFERENCES, meta_regression
from balm.vocabulary.problems import InputError

#: Effects, variances and doses that leave some between-study variance, and some arrangements none.
Y = np.array([0.12, 0.55, -0.20, 0.91, 0.33, 0.40])
V = np.array([0.02, 0.05, 0.03, 0.09, 0.01, 0.20])
X = np.array([1990.0, 1995.0, 1991.0, 2004.0, 1999.0, 1999.0])
ES = EffectSizes(effect=Y, variance=V)


@pytest.fixture(params=["kernel", "numpy"])
def either_way(request, monkeypatch):
    """With the compiled kernel where it is built, and without it."""
    if request.param == "numpy":
        monkeypatch.setattr("balm.stats.simulation.fits.available", lambda: False)


def test_every_ordering_is_met_once_and_alike_rows_are_not_told_apart():
    kinds = np.array([0, 1, 0, 2])
    found = [tuple(column) for column in orderings(np.arange(how_many(kinds)), kinds).T.tolist()]
    assert found == sorted(set(itertools.permutations([0, 0, 1, 2])))


@pytest.mark.parametrize("k", [1, 3, 6, 8])
def test_orderings_of_different_rows_are_the_lexicographic_ones(k):
    numbers = np.arange(how_many(np.arange(k)))
    found = orderings(numbers, np.arange(k))
    wanted = np.array(list(itertools.permutations(range(k))))
    assert np.array_equal(found.T, wanted)
    some = numbers[::-37]
    assert (orderings(some, np.arange(k)) == found[:, some]).all()


def test_alike_rows_have_one_kind_whatever_the_sign_of_zero():
    assert alike(np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, 2.0]])).tolist() == [0, 0, 1]


def test_signs_are_all_different_and_begin_with_the_data():
    table = signs(np.arange(16), 4)
    assert len({tuple(c) for c in table.T.tolist()}) == 16
    assert (table[:, 0] == 1.0).all()


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize(
    ("tau2", "inference"),
    [
        (None, "wald"),
        *itertools.product(["REML", "DL", "PM", "SJ", 0.05], ["wald", "hartung-knapp", "hartung-knapp-guarded"]),
    ],
)
def test_sign_flips_agree_with_a_loop_of_fits(tau2, inference):
    options = {"model": "common"} if tau2 is None else {"tau2": tau2}
    fit = pool(ES, inference=inference, **options)
    found = permutation_test(fit, keep=True)
    slow = [
        pool(EffectSizes(effect=Y * np.array(s), variance=V), inference=inference, **options).statistic
        for s in itertools.product([1.0, -1.0], repeat=6)
    ]
    assert np.sort(found.distribution[0]) == pytest.approx(np.sort(slow), rel=1e-9, abs=1e-9)
    reached = sum(abs(t) >= abs(fit.statistic) * (1 - 1e-9) for t in slow)
    assert found.p == reached / 64
    assert found.exact and found.rearranged == 64 and found.seed is None


def test_kenward_roger_goes_the_long_way_and_agrees():
    fit = pool(ES, inference="kenward-roger")
    found = permutation_test(fit, keep=True)
    assert np.abs(found.distribution[0]).max() >= abs(fit.statistic) > 0.0
    assert any(abs(t - fit.statistic) < 1e-9 for t in found.distribution[0])


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_batched_tau2_is_that_of_one_regression_at_a_time(estimator):
    orders = np.array(list(itertools.permutations(range(6))))[::37].T
    columns = (None, (X - X.mean())[orders], (X**0.5)[orders[::-1]])
    a = Arrangements(Y[:, None], V[:, None], columns, orders.shape[1])
    fast = between_study_variance(a, estimator)
    for i in range(orders.shape[1]):
        table = np.column_stack([columns[1][:, i], columns[2][:, i]])
        slow = meta_regression(ES, table, tau2=estimator, inference="wald").tau2
        assert fast[i] == pytest.approx(slow, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("inference", INFERENCES)
@pytest.mark.parametrize("intercept", [True, False])
def test_batched_statistics_are_those_of_one_regression_at_a_time(inference, intercept):
    rng = np.random.default_rng(4)
    table = np.column_stack([X, rng.normal(size=6)])
    order = np.array([2, 0, 5, 4, 1, 3])[:, None]
    origin = table.mean(axis=0) if intercept else np.zeros(2)
    columns = [(table[:, j] - origin[j])[order] for j in range(2)]
    tested = 1 if intercept else 0
    if intercept:
        columns.insert(0, None)
        origin = np.concatenate(([0.0], origin))
    got = statistics(
        Arrangements(Y[:, None], V[:, None], tuple(columns), 1),
        "REML",
        inference,
        tested,
        origin if intercept else None,
    )
    want = meta_regression(ES, table[order[:, 0]], intercept=intercept, inference=inference)
    assert got.coefficients[:, 0] == pytest.approx(want.statistic, rel=1e-7)
    assert got.omnibus[0] == pytest.approx(want.omnibus.statistic, rel=1e-7)


def test_a_regression_by_all_orderings_agrees_with_a_loop_of_fits():
    fit = meta_regression(ES, {"year": X}, inference="hartung-knapp")
    found = permutation_test(fit)
    slow = [
        meta_regression(ES, {"year": X[list(o)]}, inference="hartung-knapp") for o in itertools.permutations(range(6))
    ]
    for i, name in enumerate(("intercept", "year")):
        share = np.mean([abs(s.statistic[i]) >= abs(fit.statistic[i]) - 1e-7 for s in slow])
        assert found[name].p == pytest.approx(share)
    assert found.rearranged == 360  # two studies share a year
    assert found.omnibus.p == pytest.approx(
        np.mean([s.omnibus.statistic >= fit.omnibus.statistic - 1e-7 for s in slow])
    )
    assert found.p == found.omnibus.p


def test_one_sided_p_values_are_the_two_tails():
    fit = pool(ES, tau2="DL", inference="wald")
    up, down = (permutation_test(fit, alternative=a).p for a in ("greater", "less"))
    both = permutation_test(fit).p
    assert up < 0.5 < down
    assert both == pytest.approx(2 * up)


def test_equal_effects_have_an_infinite_statistic_that_two_flips_reach():
    fit = pool(EffectSizes(effect=[0.5] * 4, variance=[0.1] * 4), inference="hartung-knapp")
    found = permutation_test(fit)
    assert np.isinf(found.tests[0].statistic) and found.p == 2 / 16


def test_the_null_can_be_another_value():
    fit = pool(ES, tau2="DL", inference="wald")
    assert permutation_test(fit, null=fit.estimate).tests[0].statistic == pytest.approx(0.0, abs=1e-12)
    assert permutation_test(fit, null=fit.estimate).p == 1.0


@pytest.mark.parametrize("fit", [pool(ES), meta_regression(ES, {"year": X})], ids=["mean", "regression"])
def test_random_draws_depend_on_the_seed_alone_and_come_near_the_exact_value(fit):
    exact = permutation_test(fit).p
    once, again = (permutation_test(fit, exact=False, iterations=6000, seed=3) for _ in range(2))
    assert once.p == again.p and once.seed == 3 and not once.exact
    assert once.p == pytest.approx(exact, abs=4 * once.monte_carlo_error + 1e-3)
    assert permutation_test(fit, exact=False, iterations=6000, seed=4).p != once.p
    assert permutation_test(fit, exact=False, iterations=99, seed=3).p >= 0.01


def test_many_studies_are_drawn_at_random_and_a_fresh_seed_is_kept():
    many = EffectSizes(effect=np.tile(Y, 11), variance=np.tile(V, 11))
    found = permutation_test(pool(many, tau2="DL"), iterations=300)
    assert not found.exact
    assert found.p == permutation_test(pool(many, tau2="DL"), iterations=300, seed=found.seed).p
    assert "seed" in repr(found) and "300" in repr(found)


def test_the_result_reads_and_tabulates():
    found = permutation_test(meta_regression(ES, {"year": X}))
    assert repr(found).startswith("Permutation test: all 360 orderings of the moderators, two-sided")
    assert list(found.to_frame()["name"]) == ["intercept", "year", "all moderators"]
    assert found.to_dict()["exact"] is True
    with pytest.raises(InputError, match="no test of 'dose'"):
        found["dose"]


TABLE = {"events_1": [4, 6], "n_1": [123, 306], "events_2": [11, 29], "n_2": [139, 303]}


@pytest.mark.parametrize(
    ("fit", "options", "said"),
    [
        (ES, {}, "takes a result of balm.pool or balm.meta_regression; got EffectSizes"),
        (mantel_haenszel("OR", **TABLE), {}, "mantel-haenszel: pool with balm.pool"),
        (pool(ES[0:1]), {}, "two studies or more"),
        (pool(ES, inference="profile-likelihood"), {}, "no statistic of the form"),
        (pool(ES), {"alternative": "smaller"}, "alternative must be one of"),
        (pool(ES), {"exact": "yes"}, "exact must be True, False or None"),
        (pool(ES), {"exact": False, "iterations": 0}, "iterations must be a whole number"),
        (pool(ES), {"exact": False, "seed": -1}, "seed must be a whole number"),
        (pool(ES), {"null": float("nan")}, "null must be a number"),
        (meta_regression(ES, {"x": X}), {"null": 1.0}, "null=1.0 has no effect"),
        (meta_regression(ES), {}, "without moderators"),
        (
            meta_regression(EffectSizes(effect=np.arange(13.0), variance=np.ones(13)), {"x": np.arange(13.0) ** 2}),
            {"exact": True},
            "6,227,020,800 orderings",
        ),
        (pool(EffectSizes(effect=np.ones(70), variance=np.ones(70)), tau2="DL"), {"exact": True}, "sign flips"),
        (pool(EffectSizes(effect=np.zeros(3), variance=np.ones(3)), inference="hartung-knapp"), {}, "nothing to test"),
    ],
)
def test_what_cannot_be_tested_is_refused_by_name(fit, options, said):
    with pytest.raises(InputError, match=said.replace("(", r"\(")):
        permutation_test(fit, **options)


def test_results_do_not_depend_on_the_unit_of_the_outcome():
    base = permutation_test(meta_regression(ES, {"year": X})).p
    for scale in (1e-6, 1e6):
        scaled = EffectSizes(effect=Y * scale, variance=V * scale**2)
        assert permutation_test(meta_regression(scaled, {"year": X})).p == base


def test_rearrangements_are_made_by_the_chunk_and_never_all_at_once():
    k = 9
    es = EffectSizes(effect=np.linspace(-1.0, 1.0, k) ** 3, variance=np.linspace(0.1, 0.3, k))
    fit = meta_regression(es, {"x": list(range(k))})
    permutation_test(fit, iterations=100, exact=False)  # what is loaded on first use is not counted
    tracemalloc.start()
    permutation_test(fit, exact=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6 < 362_880 * k * 8
