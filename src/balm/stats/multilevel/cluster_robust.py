"""Cluster-robust inference: standard errors that hold whatever the dependence within clusters.

The coefficients stay; their covariance comes from the residuals of whole clusters,
``V = B (sum_c X_c'W_c A_c e_c e_c' A_c' W_c X_c) B`` with ``B = (X'WX)⁻¹`` and adjustments A_c. Under the working model
``Var(e) = Phi``, degrees of freedom follow Satterthwaite. Both need only sums over clusters:
with ``g_c = A_c'W_cX_cBc`` and W = Phi⁻¹, ``p_c'Phi p_d = [c = d] g_c'Phi_c g_c - (X_c'g_c)' B (X_d'g_d)``.

Hedges, Tipton & Johnson (2010); Tipton (2015); Tipton & Pustejovsky (2015) for joint tests; Pustejovsky & Tipton (2018)
for CR2 with any working covariance, (2022) for working models of correlated and hierarchical effects.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from balm.stats.distributions import chi2_sf, f_sf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.multilevel.coefficients import Coefficients
from balm.stats.multilevel.fitted import Multilevel
from balm.stats.multilevel.grouping import Grouping, Integers, cluster_of
from balm.stats.multilevel.nested import inverse
from balm.stats.multilevel.own_weights import refuse_own_weights
from balm.stats.multilevel.predicted import dense_fit, whole_blocks
from balm.stats.pooling.pooled import Pooled
from balm.stats.regression.design import Design, from_columns
from balm.stats.regression.meta_regression import MetaRegression, OmnibusTest
from balm.vocabulary.problems import InputError, check_level, check_option

#: Adjustments of the residuals of a cluster, and what each removes.
KINDS: dict[str, str] = {
    "CR0": "none",
    "CR1": "m / (m - 1), m clusters",
    "CR1p": "m / (m - p), p coefficients",
    "CR1S": "m (k - 1) / ((m - 1)(k - p)), k effects",
    "CR2": "unbiased under the working model (Bell & McCaffrey 2002)",
    "CR3": "jackknife of clusters",
}
DEGREES = ("satterthwaite", "clusters")
TESTS = ("HTZ", "naive-f", "chi-square")
#: Eigenvalues of the adjustment below this are zero: directions that the coefficients absorb whole.
ABSORBED = 1e-10
#: Below about four the t approximation is outside its tested range (Tipton 2015).
FEWEST_DF = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Clusters of one size: rows (n, m), X (n, m, p), residuals (n, m), Phi (n, m, m) and W = Phi⁻¹ (n, m, m)."""

    rows: Integers
    x: Floats
    e: Floats
    phi: Floats
    w: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Working:
    """The working model: coefficients, ``bread`` = (X'WX)⁻¹ and the clusters."""

    design: Design
    effects: EffectSizes
    beta: Floats
    bread: Floats
    batches: tuple[Batch, ...]
    clusters: int


@dataclass(frozen=True, eq=False, repr=False)
class Robust(Coefficients):
    """Coefficients with a cluster-robust covariance; tests and intervals as in the model it came from.

    df     : (p,) degrees of freedom of each coefficient. ``few`` names coefficients with fewer than four, for which p
             values and intervals cannot be trusted.
    nan    : a coefficient that rests on a single cluster has no robust standard error: clusters cannot be compared.
    clusters : how many.  kind : the adjustment.
    """

    design: Design
    effects: EffectSizes
    beta: Floats
    covariance: Floats
    df: Floats
    level: float
    kind: str
    degrees: str
    clusters: int
    working: Working
    scores: Scores
    conventions: Mapping[str, Any]

    @property
    def k(self) -> int:
        """Effects in the model."""
        return len(self.effects)

    @property
    def few(self) -> tuple[str, ...]:
        """Coefficients whose degrees of freedom lie below four (Tipton 2015)."""
        return tuple(n for n, df in zip(self.design.names, self.df.tolist(), strict=True) if not df >= FEWEST_DF)

    def joint(self, contrasts: object, tested: tuple[str, ...] = (), *, test: str | None = None) -> OmnibusTest:
        """That every row of ``contrasts`` (m, p) times the coefficients is zero.

        test : "HTZ" (Hotelling's T² with estimated degrees of freedom: Tipton & Pustejovsky 2015, the default with
        Satterthwaite degrees), "naive-f" (F with clusters - 1), or "chi-square".
        """
        rows = self._rows(contrasts)
        q = len(rows)
        if test is None and self.degrees == "clusters":
            return super().joint(rows, tested)
        chosen = check_option("test", test or "HTZ", list(TESTS))
        value = rows @ self.beta
        wald = float(value @ np.linalg.solve(rows @ self.scores.covariance @ rows.T, value))
        if chosen == "chi-square":
            return OmnibusTest(wald, q, math.inf, chi2_sf(wald, q), tested)
        if chosen == "naive-f":
            df = float(self.clusters - 1)
            return OmnibusTest(wald / q, q, df, f_sf(wald / q, q, df), tested)
        eta = self.scores.hotelling(rows)
        df = eta - q + 1.0
        if not df > 0.0:
            return OmnibusTest(math.nan, q, df, math.nan, tested)
        f = df / (eta * q) * wald
        return OmnibusTest(f, q, df, f_sf(f, q, df), tested)

    def test(self, *names: str, test: str | None = None) -> OmnibusTest:
        """That the named coefficients are zero together; ``test`` as in :meth:`joint`."""
        chosen = self.chosen(names)
        return self.joint(np.eye(len(self.beta))[chosen], tuple(self.design.names[i] for i in chosen), test=test)

    def _contrast_df(self, row: Floats) -> float:
        return self.scores.satterthwaite(row) if self.degrees == "satterthwaite" else float(np.min(self.df))


class Scores:
    """What each cluster adds to each coefficient, and the moments of that under the working model.

    v : (p, p) robust covariance.  own : (m, p, p) ``g_c'Phi_c g_c`` of coefficient pairs.
    through : (m, p, p) ``X_c'g_c``, one column a coefficient.
    """

    def __init__(self, working: Working, kind: str) -> None:
        m, p, k = working.clusters, len(working.beta), len(working.effects)
        self.bread = working.bread
        scale = {"CR1": m / (m - 1), "CR1p": m / (m - p) if m > p else math.nan}.get(kind, 1.0)
        if kind == "CR1S":
            scale = m * (k - 1) / ((m - 1) * (k - p))
        if math.isnan(scale):
            raise InputError(f"kind='CR1p' needs more clusters ({m}) than coefficients ({p}); use kind='CR2'")
        root = math.sqrt(scale)
        meat, own, through = np.zeros((p, p)), [], []
        for b in working.batches:
            wx = b.w @ b.x
            adjusted = root * adjusted_scores(b, wx, working.bread, kind)  # A'WX
            g = adjusted @ working.bread
            score = np.einsum("nmp,nm->np", g, b.e)
            meat += score.T @ score
            own.append(np.einsum("nap,nab,nbq->npq", g, b.phi, g, optimize=True))
            through.append(np.einsum("nap,naq->npq", b.x, g))
        self.covariance = meat
        self.own = np.concatenate(own)
        self.through = np.concatenate(through)

    def satterthwaite(self, contrast: Floats) -> float:
        """``(sum p'Phi p)² / sum (p_c'Phi p_d)²`` for one contrast."""
        a = np.einsum("npq,p,q->n", self.own, contrast, contrast)
        u = self.through @ contrast
        ub = u @ self.bread
        inside = np.einsum("np,np->n", ub, u)
        mean = float(np.sum(a) - np.sum(inside))
        if not mean > ABSORBED * float(contrast @ self.bread @ contrast):
            return math.nan
        both = self.bread @ (u.T @ u)
        square = float(np.sum(a * a) - 2.0 * np.sum(a * inside) + np.sum(both * both.T))
        return mean * mean / square

    def hotelling(self, contrasts: Floats) -> float:
        """Degrees of freedom eta of ``C V C'`` as a Wishart matrix: q (q + 1) / sum var (Tipton & Pustejovsky 2015)."""
        q = len(contrasts)
        u = np.einsum("npr,sr->nps", self.through, contrasts)
        own = np.einsum("sp,npq,tq->nst", contrasts, self.own, contrasts)
        inside = np.einsum("nps,pr,nrt->nst", u, self.bread, u, optimize=True)
        mean = np.sum(own - inside, axis=0)
        roots, basis = np.linalg.eigh(mean)
        if roots[0] <= ABSORBED * roots[-1]:
            raise InputError("the contrasts repeat each other, or the clusters cannot estimate them: test fewer")
        white = basis / np.sqrt(roots)
        u = u @ white
        own, inside = (np.einsum("as,nab,bt->nst", white, x, white, optimize=True) for x in (own, inside))
        # sum_cd P_st P_kl with P_st[c, d] = [c = d] own_st - u_s' B u_t
        pairs = np.einsum("nps,nrt->prst", u, u)
        first = np.einsum("nst,nkl->stkl", own, own)
        middle = np.einsum("nst,nkl->stkl", own, inside)
        through = np.einsum("pr,rqtl,qo,opks->stkl", self.bread, pairs, self.bread, pairs, optimize=True)
        product = first - middle - np.transpose(middle, (2, 3, 0, 1)) + through
        total = 0.0
        for s in range(q):
            for t in range(q):
                total += float(product[s, s, t, t] + product[s, t, t, s])
        return q * (q + 1) / total


def adjusted_scores(b: Batch, wx: Floats, bread: Floats, kind: str) -> Floats:
    """``A' W X`` of each cluster."""
    if kind not in ("CR2", "CR3"):
        return wx
    if kind == "CR3":  # A = (I - H_cc)⁻¹, H_cc = X_c B X_c' W_c
        eye = np.eye(b.x.shape[1])
        hat = b.x @ bread @ np.swapaxes(wx, 1, 2)
        if np.any(np.linalg.svd(eye - hat, compute_uv=False)[:, -1] < ABSORBED):
            raise InputError(
                "kind='CR3' leaves out one cluster at a time, and without one of them the coefficients cannot be "
                "estimated; use kind='CR2' or fewer moderators"
            )
        solved: Floats = np.swapaxes(np.linalg.solve(eye - hat, np.broadcast_to(eye, hat.shape)), 1, 2) @ wx
        return solved
    # A = D' (D (Phi - X B X') D')^(-1/2) D with Phi = D'D upper triangular; symmetric, so A' = A
    lower = np.linalg.cholesky(b.phi)
    upper = np.swapaxes(lower, 1, 2)
    middle = upper @ (b.phi - b.x @ bread @ np.swapaxes(b.x, 1, 2)) @ lower
    roots, basis = np.linalg.eigh(middle)
    keep = roots > ABSORBED * roots[:, -1:]
    inverse = np.where(keep, 1.0 / np.sqrt(np.where(keep, roots, 1.0)), 0.0)
    half = (basis * inverse[:, None, :]) @ np.swapaxes(basis, 1, 2)
    adjusted: Floats = lower @ (half @ (upper @ wx))
    return adjusted


def robust(
    fit: Multilevel | MetaRegression | Pooled,
    cluster: Any = "study",
    *,
    data: Any = None,
    kind: str = "CR2",
    degrees: str = "satterthwaite",
    level: float | None = None,
) -> Robust:
    """Standard errors, tests and intervals of a fitted model that allow for any dependence within clusters.

    fit     : a result of :func:`balm.multilevel` (its covariance is the working model), or of
              :func:`balm.meta_regression` or :func:`balm.pool` (their weights are).
    cluster : labels (k,), or the name of a column of ``data``; ``"study"`` are the labels of the effects. Random
              effects and V of the model must lie within clusters. At least two clusters.
    kind    : a row of ``KINDS``: "CR2" (default), "CR0", "CR1", "CR1p", "CR1S", "CR3".
    degrees : "satterthwaite" (default), or "clusters" (clusters - p for every coefficient).

    With fewer than four degrees of freedom p values and intervals are unreliable (Tipton 2015): see ``.few``.
    Sources: Pustejovsky & Tipton (2018, 2022); Hedges, Tipton & Johnson (2010).

    >>> from balm.stats.multilevel.multilevel import multilevel
    >>> es = EffectSizes(effect=[0.1, 0.4, 0.3, 0.9, 0.6, 0.2], variance=[0.02] * 6, study=list("aabbcc"))
    >>> found = robust(multilevel(es, random="study"))
    >>> round(float(found.se[0]), 4), round(float(found.df[0]), 4)
    (0.1014, 2.0)
    """
    check_option("kind", kind, list(KINDS))
    check_option("degrees", degrees, list(DEGREES))
    if not isinstance(fit, (Multilevel, MetaRegression, Pooled)):
        raise InputError(f"robust takes a result of multilevel, meta_regression or pool; got {type(fit).__name__}")
    level = (fit.interval.level if isinstance(fit, Pooled) else fit.level) if level is None else level
    check_level(level)
    g = cluster_of(fit.effects, cluster, data)
    working = _working(fit, g)
    return from_working(working, kind, degrees, level)


def from_working(working: Working, kind: str, degrees: str, level: float) -> Robust:
    """The robust inference of a working model."""
    scores = Scores(working, kind)
    p = len(working.beta)
    estimated = np.array([scores.satterthwaite(row) for row in np.eye(p)])
    lost = np.isnan(estimated)
    covariance = np.where(lost[:, None] | lost[None, :], math.nan, scores.covariance)
    if degrees == "satterthwaite":
        df = estimated
    elif working.clusters <= p:
        raise InputError(f"degrees='clusters' needs more clusters ({working.clusters}) than coefficients ({p})")
    else:
        df = np.full(p, float(working.clusters - p))
    return Robust(
        design=working.design,
        effects=working.effects,
        beta=working.beta,
        covariance=covariance,
        df=np.where(lost, math.nan, df),
        level=level,
        kind=kind,
        degrees=degrees,
        clusters=working.clusters,
        working=working,
        scores=scores,
        conventions=MappingProxyType({"kind": kind, "degrees": degrees, "level": level}),
    )


def _working(fit: Multilevel | MetaRegression | Pooled, g: Grouping) -> Working:
    if isinstance(fit, Multilevel):
        refuse_own_weights(fit, "a cluster-robust covariance")
        at = dense_fit(fit, whole_blocks(fit, g.codes, g.name))
        model = at.model
        residual = fit.effects.effect - fit.fitted
        batches = []
        for b, w in zip(model.batches, at.w, strict=True):
            phi = b.v
            for term, part, slot in zip(model.terms, model.parts, b.slots, strict=True):
                phi = phi + term.structure.values(fit.parameters[part])[slot]
            batches.append(Batch(b.rows, b.x, residual[b.rows], phi, w))
        return Working(fit.design, fit.effects, fit.beta, at.covariance, tuple(batches), g.count)
    if isinstance(fit, Pooled):
        if fit.own_weights is not None or fit.method != "inverse-variance":
            raise InputError("robust needs inverse-variance weights; fit with balm.multilevel(es, random='effect')")
        design = from_columns(np.empty((fit.k, 0)), (), True, fit.k)
        beta = np.array([fit.estimate])
        tau2 = 0.0 if math.isnan(fit.tau2) else fit.tau2
    else:
        design, beta, tau2 = fit.design, fit.beta, fit.tau2
    return weighted(fit.effects, design, beta, 1.0 / (fit.effects.variance + tau2), g)


def weighted(es: EffectSizes, design: Design, beta: Floats, weights: Floats, g: Grouping) -> Working:
    """A working model of independent effects with the given weights as inverse variances."""
    x = design.matrix
    bread = inverse(x.T @ (weights[:, None] * x))
    residual = es.effect - x @ beta
    order = np.argsort(g.codes, kind="stable")
    counts = np.bincount(g.codes)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    batches = []
    for m in np.unique(counts):
        rows = order[first[np.flatnonzero(counts == m)][:, None] + np.arange(m)]
        eye = np.eye(m)
        w = weights[rows]
        batches.append(Batch(rows, x[rows], residual[rows], eye / w[:, :, None], eye * w[:, :, None]))
    return Working(design, es, beta, bread, tuple(batches), g.count)
