"""What each cluster changes in a multilevel model, beside rma.mv's diagnostics and a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.multilevel.multilevel import multilevel
from balm.vocabulary.problems import InputError

# fmt: off
Y = [-0.65, -0.27, -0.14, 0.05, 0.77, 0.34, 0.55, 0.74, 0.8, 0.68, 0.43, -0.4, -0.1, 0.56, -0.1, -0.13, 0.68]
V = [0.084, 0.047, 0.059, 0.012, 0.078, 0.058, 0.04, 0.081, 0.037, 0.051, 0.022, 0.046, 0.028, 0.034, 0.078, 0.035,
     0.054]
X = [-0.1, 0.1, 0.04, -0.51, 0.59, 0.89, 0.32, -0.82, 0.73, -0.5, 0.88, -1.07, 0.91, -0.02, -1.25, -0.31, 0.05]
SITE = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 5]
# metafor 3.8-1: m <- rma.mv(yi, vi, mods = ~ x, random = ~ 1 | site/es, sigma2 = <our REML estimates>), then
# dfbetas, cooks.distance and rstudent of m with cluster = site, reestimate = FALSE
DFBETAS = [[-0.704671288942968, 0.031091881368452], [0.0790764566546724, 0.284451349138377],
           [0.668108692055658, -0.402872029923203], [-0.165557233164386, -0.000104704836682496],
           [-0.272290390509111, 0.0588341039889661], [0.393546469132636, 0.0115094226399837]]
COOK = [0.497327062936234, 0.0873864187267997, 0.606072425270986, 0.0274100247351242, 0.0774495810115665,
        0.155058993747616]
Q = [3.41245229040248, 1.66658064461582, 3.01449295507551, 6.23793928661821, 0.469186509104771, 1.09976950638377]
Z = [-1.81645172665439, -1.25706080092586, -0.9458784213039]
# fmt: on


def test_it_is_what_rma_mv_gives() -> None:
    fit = multilevel(EffectSizes(effect=Y, variance=V), {"x": X}, random="site/effect", data={"site": SITE})
    found = fit.without_clusters("site", data={"site": SITE})
    assert found.labels == (0, 1, 2, 3, 4, 5)
    assert len(found) == 6
    np.testing.assert_allclose(found.dfbetas, DFBETAS, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.cooks_distance, COOK, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.q, Q, rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.residuals.standardised[:3], Z, rtol=0, atol=1e-9)
    assert found.df.tolist() == [3, 3, 4, 5, 1, 1]
    # one effect in the cluster: its squared deleted residual
    assert found.q[5] == pytest.approx(found.residuals.standardised[16] ** 2, rel=1e-12)
    assert list(fit.cooks_distance(SITE).values()) == pytest.approx(found.cooks_distance.tolist())


@pytest.mark.parametrize("shared", [0.0, 0.6])
def test_it_is_the_loop_over_clusters(shared: float) -> None:
    """With correlated sampling errors too: fit the rest by generalised least squares, predict the cluster."""
    site = np.array(SITE)
    same = site[:, None] == site[None, :]
    sampling = np.sqrt(np.outer(V, V)) * np.where(same, shared, 0.0)
    np.fill_diagonal(sampling, V)
    fit = multilevel(EffectSizes(effect=Y, variance=V), {"x": X}, random="site", V=sampling, data={"site": SITE})
    found = fit.without_clusters(SITE)
    x, y = np.column_stack([np.ones(len(Y)), X]), np.array(Y)
    m = sampling + fit.sigma2[0] * same
    for c in range(6):
        rest, out = site != c, site == c
        w = np.linalg.inv(m[np.ix_(rest, rest)])
        v = np.linalg.inv(x[rest].T @ w @ x[rest])
        beta = v @ x[rest].T @ w @ y[rest]
        r = y[out] - x[out] @ beta
        s = m[np.ix_(out, out)] + x[out] @ v @ x[out].T
        np.testing.assert_allclose(found.dfbetas[c], (fit.beta - beta) / fit.se, rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.residuals.residual[out], r, rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.residuals.se[out], np.sqrt(np.diag(s)), rtol=0, atol=1e-9)
        assert found.q[c] == pytest.approx(r @ np.linalg.solve(s, r), rel=1e-8)


def test_a_cluster_that_a_coefficient_needs_has_no_diagnostics() -> None:
    only = [1.0 if s == 3 else 0.0 for s in SITE]
    fit = multilevel(EffectSizes(effect=Y, variance=V), {"there": only}, random="site", data={"site": SITE})
    found = fit.without_clusters(SITE)
    assert np.flatnonzero(np.isnan(found.cooks_distance)).tolist() == [3]
    assert np.isnan(found.p[3])
    assert np.isnan(found.dfbetas[3]).all()
    assert np.isnan(found.residuals.standardised[10:15]).all()


def test_clusters_must_hold_what_the_model_connects() -> None:
    fit = multilevel(EffectSizes(effect=Y, variance=V), {"x": X}, random="site", data={"site": SITE})
    with pytest.raises(InputError, match="splits effects that the model connects"):
        fit.without_clusters(list(range(len(Y))))
