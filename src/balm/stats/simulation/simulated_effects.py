"""Effects drawn from a fitted model: what the same studies might have found, were the model true."""

from __future__ import annotations

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.fitted import Multilevel
from balm.stats.multilevel.random_terms import RandomTerm
from balm.stats.pooling.pooled import Pooled
from balm.stats.regression.meta_regression import MetaRegression
from balm.stats.simulation.blocks import check_count, settled_seed
from balm.vocabulary.problems import InputError


def simulate_effects(fit: Pooled | MetaRegression | Multilevel, n: int = 1, *, seed: int | None = None) -> Floats:
    """``n`` data sets (n, k) of effects drawn from the fitted model, in the order of its studies.

    Each is the fitted mean, plus the random effects of the model (one variance, or those of every term of a multilevel
    fit with their correlations), plus sampling errors with the known variances (and covariances ``V``). The estimates
    are taken as true: their own uncertainty is not drawn. ``seed`` makes the draws repeatable.

    Use it to see whether the data look like something the model makes (funnels, extremes), or for a parametric
    bootstrap of any statistic; that of tau2 is :func:`balm.bootstrap_tau2`.

    >>> from balm.stats.pooling.pool import pool
    >>> from balm.stats.effect_sizes import EffectSizes
    >>> fit = pool(EffectSizes(effect=[0.1, 0.5, 0.9], variance=[0.1, 0.2, 0.1]), tau2=0.2)
    >>> drawn = simulate_effects(fit, 20000, seed=1)
    >>> drawn.shape, drawn.mean(axis=0).round(1).tolist(), drawn.var(axis=0).round(1).tolist()
    ((20000, 3), [0.5, 0.5, 0.5], [0.3, 0.4, 0.3])
    """
    if not isinstance(fit, (Pooled, MetaRegression, Multilevel)):
        raise InputError(
            "simulate_effects takes a fit of balm.pool, balm.meta_regression or balm.multilevel; "
            f"got {type(fit).__name__}"
        )
    check_count("n", n)
    generator = np.random.default_rng(settled_seed(seed))
    if isinstance(fit, Multilevel):
        return fit.fitted + _sampling_errors(fit, n, generator) + _random_effects(fit, n, generator)
    es = fit.effects
    known = np.isfinite(es.variance)
    mean = np.full(len(es), fit.estimate) if isinstance(fit, Pooled) else fit.fitted
    sd = np.sqrt(np.where(known, es.variance, np.nan) + fit.tau2)
    return np.asarray(mean + sd * generator.standard_normal((n, len(es))), dtype=np.float64)


def _sampling_errors(fit: Multilevel, n: int, generator: np.random.Generator) -> Floats:
    problem = fit.problem
    drawn = generator.standard_normal((n, fit.k))
    if problem.sampling is None:
        return np.asarray(np.sqrt(problem.variance) * drawn, dtype=np.float64)
    return np.asarray(drawn @ np.linalg.cholesky(problem.sampling).T, dtype=np.float64)


def _random_effects(fit: Multilevel, n: int, generator: np.random.Generator) -> Floats:
    out = np.zeros((n, fit.k))
    start = 0
    for term in fit.terms:
        end = start + len(term.structure.names)
        values = term.structure.values(fit.parameters[start:end])
        start = end
        if term.kind == "intercept" and not term.correlated:
            drawn = generator.standard_normal((n, term.groups.count))
            out += np.sqrt(values[1]) * drawn[:, term.groups.codes]
        else:
            _add_structured(out, term, np.asarray(values, dtype=np.float64), generator)
    return out


def _add_structured(out: Floats, term: RandomTerm, values: Floats, generator: np.random.Generator) -> None:
    """Adds correlated effects, one group of connected effects after the other, to ``out`` (n, k)."""
    k = out.shape[1]
    codes = np.zeros(k, dtype=np.int64) if term.correlated else term.groups.codes
    order = np.argsort(codes, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        covariance = values[term.term.slots(rows[None, :])[0]]
        roots, basis = np.linalg.eigh(covariance)
        root = basis * np.sqrt(np.maximum(roots, 0.0))
        out[:, rows] += generator.standard_normal((out.shape[0], len(rows))) @ root.T
