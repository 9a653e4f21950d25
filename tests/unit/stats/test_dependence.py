"""Dependent effects against the matrix algebra they stand for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from balm.stats.dependence import aggregate, covariance_of_correlations, regress_correlations
from balm.stats.dependence import aggregate as aggregate_function
from balm.stats.dependence.covariance import sampling_covariance
from balm.stats.effect_sizes import EffectSizes
from balm.vocabulary.problems import InputError

Y, V, STUDY = [0.1, 0.4, 0.3, -0.2], [0.04, 0.09, 0.01, 0.02], ["b", "a", "b", "b"]


@pytest.mark.parametrize("rho", [-0.3, 0.0, 0.5, 0.9])
@pytest.mark.parametrize("weighted", [True, False])
def test_against_the_matrices(rho: float, weighted: bool) -> None:
    found = aggregate(effect=Y, variance=V, study=STUDY, correlation=rho, weighted=weighted)
    assert found.study == ("b", "a") and found.count.tolist() == [3, 1]
    for i, label in enumerate(found.study):
        rows = [j for j, s in enumerate(STUDY) if s == label]
        y, se = np.array(Y)[rows], np.sqrt(np.array(V)[rows])
        cov = np.outer(se, se) * np.where(np.eye(len(rows)) == 1, 1, rho)
        w = np.linalg.solve(cov, np.ones(len(rows))) if weighted else np.ones(len(rows))
        w = w / w.sum()
        assert found.effect[i] == pytest.approx(w @ y, rel=1e-10)
        assert found.variance[i] == pytest.approx(w @ cov @ w, rel=1e-10)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"correlation": 1.0}, r"correlation must lie between -0\.5 and 1, both excluded, with 3 effects"),
        ({"correlation": -0.6}, r"correlation must lie between -0\.5 and 1"),
        ({"variance": [0.04, 0, 0.1, 0.1]}, r"variance\[1\] must be above 0; got 0\.0"),
        ({"effect": [0.1, math.nan, 0.1, 0.1]}, r"effect\[1\] must be a finite number; got nan"),
        ({"effect": ["x", 1, 2, 3]}, r"effect must be numbers"),
        ({"effect": []}, r"effect must be a list of at least one number"),
        ({"study": ["a"]}, r"must be of one length; got 4, 4 and 1"),
    ],
)
def test_refused(changed: dict[str, Any], message: str) -> None:
    given = {"effect": Y, "variance": V, "study": STUDY, "correlation": 0.5}
    with pytest.raises(InputError, match=message):
        aggregate_function(**{**given, **changed})


def test_covariance_of_correlations_by_simulation() -> None:
    r = np.array([[1, 0.6, 0.3], [0.6, 1, -0.2], [0.3, -0.2, 1]])
    rng, n = np.random.default_rng(3), 200
    x = rng.multivariate_normal(np.zeros(3), r, size=(4000, n))
    seen = np.array([np.corrcoef(sample, rowvar=False)[[1, 2, 2], [0, 0, 1]] for sample in x])
    np.testing.assert_allclose(np.cov(seen, rowvar=False), covariance_of_correlations(r, n), atol=3e-4)


def test_regression_from_correlations_is_least_squares() -> None:
    x = np.random.default_rng(4).normal(size=(50, 3))
    x[:, 0] += x[:, 1]
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    beta, rest, *_ = np.linalg.lstsq(z[:, 1:], z[:, 0], rcond=None)
    se = np.sqrt(rest[0] / 47 * np.diag(np.linalg.inv(z[:, 1:].T @ z[:, 1:])))
    r = np.corrcoef(x, rowvar=False)
    np.fill_diagonal(r, 1.0)
    found = regress_correlations((r + r.T) / 2, 50)
    np.testing.assert_allclose(found.coefficient, beta, rtol=1e-10)
    np.testing.assert_allclose(found.se, se, rtol=1e-10)


AVERAGED = {
    True: ([0.164697611456888, 0.4], [0.00861370155410486, 0.09]),
    False: ([0.0666666666666667, 0.4], [0.0113237356396032, 0.09]),
}
CHANGES: dict[str, Any] = {
    "group_1": ["t0", "t1", "t2", "t0"],
    "group_2": ["t0", "c", "t2", "c"],
    "n_1": [9, 12, 20, 9],
    "n_2": [9, 10, 20, 10],
    "time": [4.1, 5.3, 6.2, 7.1],
    "time_2": [1.2, 3.0, 2.9, 2.1],
    "autocorrelation": 0.8,
}


def test_each_mean_has_its_own_time() -> None:
    """Changes within a group beside differences between groups, measured at different times."""
    es = EffectSizes(effect=[0.0] * 4, variance=[0.092, 0.065, 0.076, 0.059])
    found = sampling_covariance(es, [1, 1, 1, 1], **CHANGES)
    # vcalc(v, cluster, grp1, grp2, w1, w2, time1, time2, phi = 0.8), metafor 3.8-1
    want = [[0.092, 0, 0, 0.0133568857226765], [0, 0.065, 0, 0.0257506033529463], [0, 0, 0.076, 0]]
    np.testing.assert_allclose(found[:3], want, rtol=0, atol=1e-14)
    one_time = sampling_covariance(es, [1, 1, 2, 2], **{**CHANGES, "group_2": ["c"] * 4, "time_2": CHANGES["time"]})
    same = {k: v for k, v in CHANGES.items() if k != "time_2"} | {"group_2": ["c"] * 4}
    np.testing.assert_allclose(one_time, sampling_covariance(es, [1, 1, 2, 2], **same), rtol=1e-13)
    with pytest.raises(InputError, match="row 1 compares a group with itself at one time: 't0'"):
        sampling_covariance(es, [1, 1, 1, 1], **{**CHANGES, "time_2": [4.1, 3.0, 2.9, 2.1]})
    with pytest.raises(InputError, match="time_2 is the time of group 2"):
        sampling_covariance(es, [1, 1, 1, 1], time=[1, 2, 3, 4], time_2=[0] * 4, autocorrelation=0.5)
    with pytest.raises(InputError, match="time_2 needs time="):
        sampling_covariance(es, [1, 1, 1, 1], time_2=[0] * 4, correlation=0.5)


@pytest.mark.parametrize("weighted", [True, False])
def test_effects_are_averaged_by_any_covariance(weighted: bool) -> None:
    es = EffectSizes(effect=Y, variance=V)
    plain = aggregate(effect=Y, variance=V, study=STUDY, correlation=0.4, weighted=weighted)
    matrix = sampling_covariance(es, STUDY, correlation=0.4)
    found = aggregate(effect=Y, variance=V, study=STUDY, V=matrix, weighted=weighted)
    np.testing.assert_allclose(found.effect, plain.effect, rtol=1e-12)
    np.testing.assert_allclose(found.variance, plain.variance, rtol=1e-12)
    times = sampling_covariance(es, STUDY, time=[1, 2, 3, 5], autocorrelation=0.6)
    found = aggregate(effect=Y, variance=V, study=STUDY, V=times, weighted=weighted)
    # aggregate(escalc, cluster, time, struct = "CAR", phi = 0.6, weighted = TRUE / FALSE), metafor 3.8-1
    want = AVERAGED[weighted]
    np.testing.assert_allclose(found.effect, want[0], rtol=1e-10)
    np.testing.assert_allclose(found.variance, want[1], rtol=1e-10)


def test_averages_that_cannot_be() -> None:
    for more, message in (
        ({}, "give correlation=, the same"),
        ({"correlation": 0.5, "V": np.diag(V)}, "give correlation=, the same"),
        ({"V": np.eye(3)}, "symmetric matrix of 4 rows"),
        ({"V": np.eye(4)}, "diagonal in row 3"),
        ({"V": np.sqrt(np.outer(V, V))}, "study 'b': V is not positive definite"),
    ):
        with pytest.raises(InputError, match=message):
            aggregate(effect=Y, variance=V, study=STUDY, **more)


def test_matrices_that_are_none() -> None:
    for bad, message in (
        ([[1, 0.5]], "square matrix"),
        ([[1, 0.5], [0.4, 1]], "symmetric"),
        ([[1, 2.0], [2.0, 1]], "between -1 and 1"),
        ([[1, math.nan], [math.nan, 1]], "finite"),
    ):
        with pytest.raises(InputError, match=message):
            covariance_of_correlations(bad, 50)
    with pytest.raises(InputError, match="linearly dependent"):
        regress_correlations([[1, 0.5, 0.5], [0.5, 1, 1], [0.5, 1, 1]], 50)
    with pytest.raises(InputError, match="n must exceed"):
        regress_correlations([[1, 0.5], [0.5, 1]], 2)
    with pytest.raises(InputError, match="n must be at least 2"):
        covariance_of_correlations([[1, 0.5], [0.5, 1]], 1)
