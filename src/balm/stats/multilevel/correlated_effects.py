"""Robust variance estimation with weights for correlated or hierarchical effects (Hedges, Tipton & Johnson 2010)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.multilevel.cluster_robust import Robust, from_working, weighted
from balm.stats.multilevel.grouping import Grouping, cluster_of
from balm.stats.multilevel.multilevel import read_design
from balm.vocabulary.problems import InputError, check_option

WEIGHTS = ("correlated", "hierarchical")


@dataclass(frozen=True, slots=True, eq=False)
class CorrelatedEffects:
    """``fit``: coefficients with robust inference. ``tau2`` between clusters, ``weights`` (k,).

    ``omega2`` within clusters for hierarchical weights, ``i2`` in per cent for correlated ones; else nan.
    """

    fit: Robust
    tau2: float
    omega2: float
    i2: float
    weights: Floats


def correlated_effects(
    es: EffectSizes,
    moderators: Any = "~ 1",
    *,
    cluster: Any = "study",
    data: Any = None,
    weights: str = "correlated",
    correlation: float = 0.8,
    small_sample: bool = True,
    names: Any = None,
    intercept: bool = True,
    level: float = 0.95,
) -> CorrelatedEffects:
    """Meta-regression of dependent effects with approximately efficient weights and robust inference.

    weights      : "correlated" (several measures of the same people): ``1 / (k_j (mean v_j + tau2))`` for each of the
                   k_j effects of cluster j, tau2 by moments given the ``correlation`` of their errors; "hierarchical"
                   (several samples of one laboratory): ``1 / (v + tau2 + omega2)``.
    small_sample : CR2 with Satterthwaite degrees (Tipton 2015); False: CR1p with clusters - p.

    Hedges, Tipton & Johnson (2010), sections 3 and 4. The coefficients stay valid whatever the weights.

    >>> es = EffectSizes(effect=[0.1, 0.4, 0.3, 0.9, 0.6, 0.2], variance=[0.02] * 6, study=list("aabbcc"))
    >>> round(correlated_effects(es).fit.estimate, 4)
    0.4167
    """
    check_option("weights", weights, WEIGHTS)
    if not 0.0 <= correlation <= 1.0:
        raise InputError(f"correlation must lie between 0 and 1; got {correlation!r}")
    design = read_design(moderators, data, names, intercept, len(es))
    g = cluster_of(es, cluster, data)
    x, y, v = design.matrix, es.effect, es.variance
    omega2 = i2 = math.nan
    if weights == "correlated":
        size = np.bincount(g.codes)
        mean = np.bincount(g.codes, weights=v) / size
        tau2, i2 = _correlated(y, x, g, size, mean, correlation)
        w = (1.0 / (size * (mean + tau2)))[g.codes]
    else:
        tau2, omega2 = _hierarchical(y, v, x, g)
        w = 1.0 / (v + tau2 + omega2)
    wx = w[:, None] * x
    beta = np.asarray(np.linalg.solve(x.T @ wx, wx.T @ y), dtype=np.float64)
    kind, degrees = ("CR2", "satterthwaite") if small_sample else ("CR1p", "clusters")
    found = from_working(weighted(es, design, beta, w, g), kind, degrees, level)
    return CorrelatedEffects(found, tau2, omega2, i2, w)


def _sums(x: Floats, g: Grouping) -> Floats:
    out = np.zeros((g.count, *x.shape[1:]))
    np.add.at(out, g.codes, x)
    return out


def _correlated(y: Floats, x: Floats, g: Grouping, size: Any, mean: Floats, rho: float) -> tuple[float, float]:
    """Method of moments from ``Q_E`` at weights 1 / (k_j mean v_j)."""
    w = 1.0 / (size * mean)
    rows = w[g.codes]
    bread = np.linalg.inv(x.T @ (rows[:, None] * x))
    beta = bread @ (x.T @ (rows * y))
    q = float(np.sum(rows * (y - x @ beta) ** 2))
    total = _sums(x, g)
    within = x.T @ ((w / size)[g.codes][:, None] * x)
    between = total.T @ ((w / size)[:, None] * total)
    taken = float(np.sum(bread * within)) + rho * float(np.sum(bread * (between - within)))
    lost = float(np.sum(bread * (total.T @ ((w * w)[:, None] * total))))
    expected = g.count - taken
    i2 = 100.0 * max(0.0, (q - expected) / q) if q > 0.0 else 0.0
    return max(0.0, (q - expected) / (float(np.sum(size * w)) - lost)), i2


def _hierarchical(y: Floats, v: Floats, x: Floats, g: Grouping) -> tuple[float, float]:
    """Two moment equations: weighted residuals, and squared sums of residuals of each cluster."""
    w = 1.0 / v
    wx = w[:, None] * x
    bread = np.linalg.inv(x.T @ wx)
    e = y - x @ (bread @ (wx.T @ y))
    k, p = x.shape
    q_e = float(np.sum(w * e * e))
    q_1 = float(np.sum(_sums(e, g) ** 2))
    xs, ws, wxs = _sums(x, g), _sums(w, g), _sums(wx, g)
    size = np.bincount(g.codes).astype(np.float64)
    # E Q_E = (k - p) + tau2 a_e + omega2 b_e, with P = W - WXBX'W
    a_e = float(np.sum(ws) - np.sum(bread * (wxs.T @ wxs)))
    b_e = float(np.sum(w) - np.sum(bread * (wx.T @ wx)))
    # E Q_1 = tr(J R S R'), R = I - XBX'W, S = V + tau2 J + omega2 I
    jx = xs.T @ xs  # X'JX
    mixed = wxs.T @ (size[:, None] * xs)  # X'WJJX
    inner = wxs.T @ wxs  # X'WJWX
    squares = wx.T @ wx
    c_1 = float(np.sum(v) - np.sum(bread * jx))
    a_1 = float(np.sum(size**2) - 2.0 * np.trace(bread @ mixed) + np.trace(bread @ inner @ bread @ jx))
    b_1 = float(k - 2.0 * np.trace(bread @ (wxs.T @ xs)) + np.trace(bread @ squares @ bread @ jx))
    omega2 = ((q_1 - c_1) * a_e - (q_e - (k - p)) * a_1) / (b_1 * a_e - b_e * a_1)
    omega2 = max(0.0, omega2)
    tau2 = max(0.0, (q_e - (k - p)) / a_e - omega2 * b_e / a_e)
    return tau2, omega2
