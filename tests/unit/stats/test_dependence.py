"""Dependent effects against the matrix algebra they stand for."""

from __future__ import annotations

import doctest
import math
from typing import Any

import numpy as np
import pytest

from balm.stats.dependence import aggregate, correlations, covariance_of_correlations, regress_correlations
from balm.stats.dependence import aggregate as aggregate_function
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


def test_examples_run() -> None:
    import sys

    for module in (correlations, sys.modules[aggregate_function.__module__]):
        found = doctest.testmod(module)
        assert found.attempted and not found.failed
