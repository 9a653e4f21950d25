"""Multilevel and multivariate models for dependent effects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.multilevel.fitted import Multilevel
from balm.stats.multilevel.held import hold
from balm.stats.multilevel.likelihood import Problem, solve
from balm.stats.multilevel.moments import moments, variance_components
from balm.stats.multilevel.own_weights import read_weights, under_weights
from balm.stats.multilevel.random_terms import RandomTerm, random_terms
from balm.stats.multilevel.sampling import sampling_errors
from balm.stats.regression.design import Design, from_columns, from_formula
from balm.vocabulary.problems import InputError, check_level, check_option

METHODS = ("REML", "ML", "MM", "VC")
#: Estimators of one unstructured term that maximise no likelihood.
MOMENTS = {"MM": moments, "VC": variance_components}
INFERENCES = ("wald", "t", "t-containment")


def multilevel(
    es: EffectSizes,
    moderators: Any = "~ 1",
    *,
    random: str | Sequence[str] | None = "study/effect",
    data: Any = None,
    structure: str | Sequence[str] | None = None,
    V: Any = None,
    correlation: Mapping[str, Any] | None = None,
    correlation_scale: str = "as-given",
    distance: Mapping[str, Any] | None = None,
    fixed: Mapping[str, Any] | None = None,
    weights: Any = None,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    method: str = "REML",
    inference: str = "t",
    level: float = 0.95,
) -> Multilevel:
    """Pool or regress effects that depend on each other: ``y = X beta + Z u + e`` with ``Var(e) = V``.

    es         : (k,) effects and variances on the analysis scale.
    moderators : a formula with ``data``, a mapping of name to (k,) numbers, or a (k, m) array; as in
                 :func:`balm.meta_regression`.
    random     : the random effects, as names of columns of ``data`` (``"study"`` are the labels of ``es`` and
                 ``"effect"`` gives each effect a level of its own where ``data`` has no such column):

                 - ``"district"``: an intercept for each district;
                 - ``"district/school"``: one for each district, and one for each school within its district (the
                   three-level model; the same as ``["district", "district/school"]``);
                 - ``"district:school"``: only the second;
                 - ``["study", "scale"]``: crossed intercepts;
                 - ``"outcome | trial"``: for each trial a vector with one entry for each outcome, whose covariance has
                   the ``structure`` given; outer ``all`` puts every effect together, ``"x + y | all"`` names
                   coordinates;
                 - None: no random effects (the common-effect model).
    structure  : of the terms ``inner | outer``, in their order: a row of
                 :data:`balm.stats.multilevel.structures.STRUCTURES` (CS, HCS, UN, DIAG, ID, AR, HAR, CAR, SPEXP ...).
                 AR and HAR take numeric levels in increasing order, labels in the order they first appear.
    V          : the covariance of the sampling errors, known: (k, k), a list of blocks in row order, or None for
                 independent errors. :func:`balm.sampling_covariance` builds it.
    correlation: known correlations of the levels of an intercept, ``{"species": (labels, matrix)}`` (a phylogeny).
    correlation_scale : "as-given" (ones on the diagonal), "correlation" (a covariance matrix, divided by its standard
                 deviations), "from-zero" (then moved so that the least correlation is 0), "covariance" (as it is) or
                 "covariance-from-zero": what the estimated variance multiplies.
    distance   : of a spatial term, under its name: "euclidean" (the default), "manhattan", "maximum", "great-circle"
                 (of longitude + latitude in degrees, in kilometres), or the distances themselves between the levels of
                 one column, as a labelled table or ``(labels, matrix)``: ``{"site | all": (labels, matrix)}``.
    fixed      : variances and correlations that are given and not estimated, under the names of ``.parameter_names``:
                 ``{"study": 0.1, "outcome | trial: rho": 0.5}``; of a UN term the whole, ``{"outcome | trial":
                 matrix}``, or variances and correlations that close no circle of levels (1-2 and 3-4, or 1-2 and 2-3,
                 not 1-2, 2-3 and 1-3), ``{"outcome | trial: tau[1]": 0.1, "outcome | trial: rho[1,2]": 0.5}``. They
                 do not count as parameters of the fit.
    weights    : of your own for the coefficients: "equal", one positive number an effect, or a symmetric (k, k) matrix.
                 Variances and correlations are those of the model; standard errors allow for them under any weights,
                 ``A M A'`` with ``A = (X'WX)⁻¹X'W`` and M the covariance of the effects.
    method     : "REML" or "ML"; for one UN term alone also "MM" (multivariate moments) or "VC" (variance components).
    inference  : "wald" (normal), "t" (k - p degrees of freedom), "t-containment" (levels
                 of the coarsest random effect within which the moderator is constant, less p).

    Nested intercepts with independent errors take time linear in k (a million effects in seconds); crossed ones by the
    cube of the number of levels where that is less; anything else is solved block by block. The solver uses exact
    slopes and ends at a Newton step of 1e-8 standard errors; ``.residual`` reports what remained.

    Sources: van Houwelingen, Arends & Stijnen (2002); Berkey et al. (1998); Konstantopoulos (2011); Ishak et al. (2007)
    for longitudinal structures; Nakagawa & Santos (2012) for phylogenies.

    >>> es = EffectSizes(effect=[0.1, 0.4, 0.3, 0.9, 0.6, 0.2], variance=[0.02] * 6, study=list("aabbcc"))
    >>> fit = multilevel(es, random="study/effect")
    >>> round(fit.estimate, 4), fit.sigma2.round(4).tolist()
    (0.4167, [0.0, 0.0657])

    Small-study effects are a moderator (:func:`balm.small_study_test` takes this fit; Rodgers & Pustejovsky 2021), and
    the prediction interval covers the effect of a new study:

    >>> small = EffectSizes(es.effect, [0.01, 0.02, 0.015, 0.06, 0.03, 0.012], study=es.study)
    >>> egger = multilevel(small, {"se": small.se}, random="study/effect")
    >>> round(egger["se"].estimate, 3), round(egger["se"].p, 4)
    (5.805, 0.0203)
    >>> [round(x, 2) for x in (fit.prediction_interval.low, fit.prediction_interval.high)]
    [-0.31, 1.14]
    """
    check_option("method", method, METHODS)
    check_option("inference", inference, INFERENCES)
    check_level(level)
    _refuse_unusable(es)
    design = read_design(moderators, data, names, intercept, len(es))
    sampling = sampling_errors(V, es)
    terms = random_terms(random, structure, correlation, es, data, distance, tuple(fixed or ()), correlation_scale)
    held: dict[int, float] = {}
    if fixed:
        if method in MOMENTS:
            raise InputError(f"fixed has no effect on method={method!r}, which estimates by moments; leave it out")
        terms, held = hold(terms, fixed)
    own = read_weights(weights, es)
    return _fitted(es, design, sampling, terms, held, tuple(fixed or ()), method, inference, level, own)


def with_moderators(fit: Multilevel, moderators: Any) -> Multilevel:
    """The model of ``fit`` anew with ``moderators`` (a mapping of name to (k,) numbers) beside the intercept."""
    design = from_columns(moderators, None, True, fit.k)
    said = fit.conventions
    method, inference = str(said["method"]), str(said["inference"])
    p, given = fit.problem, tuple(said.get("fixed", ()))
    own = None if fit.own is None else fit.own.given
    return _fitted(fit.effects, design, p.sampling, list(fit.terms), p.held, given, method, inference, fit.level, own)


def _fitted(
    es: EffectSizes,
    design: Design,
    sampling: Floats | None,
    terms: list[RandomTerm],
    held: Mapping[int, float],
    given: tuple[str, ...],
    method: str,
    inference: str,
    level: float,
    weights: Floats | None,
) -> Multilevel:
    problem = Problem(es.effect, es.variance, sampling, design.matrix, terms, method != "ML", held)
    _refuse_too_many(terms, held, design)
    _refuse_absorbed(terms, held, design)
    df = _degrees(inference, terms, design)
    solution = solve(problem, MOMENTS[method](problem) if method in MOMENTS else None)
    own = None if weights is None else under_weights(problem, solution, weights)
    return Multilevel(
        design=design,
        effects=es,
        beta=solution.beta if own is None else own.beta,
        covariance=solution.covariance if own is None else own.covariance,
        df=df,
        level=level,
        method=method if terms else "common",
        inference=inference,
        terms=tuple(terms),
        parameters=solution.parameters,
        residual=solution.residual,
        steps=solution.steps,
        at_bound=solution.at_bound,
        qe=solution.qe,
        problem=problem,
        solution=solution,
        own=own,
        conventions=MappingProxyType(
            {
                "method": method,
                "inference": inference,
                "level": level,
                "random": [t.name for t in terms],
                "structure": [t.kind for t in terms if t.kind != "intercept"],
            }
            | ({"fixed": list(given)} if given else {})
            | ({"weights": "own"} if own is not None else {})
        ),
    )


def read_design(moderators: Any, data: Any, names: Sequence[str] | None, intercept: bool, k: int) -> Design:
    """The design matrix; ``data`` may be there for the random effects alone."""
    if isinstance(moderators, str):
        if names is not None or not intercept:
            raise InputError('names= and intercept= belong to plain columns; say it in the formula ("~ 0 + x")')
        if moderators.strip().lstrip("~").strip() == "1":
            return from_columns(np.empty((k, 0)), (), True, k)
        return from_formula(moderators, data, k)
    return from_columns(moderators, names, intercept, k)


def _refuse_unusable(es: EffectSizes) -> None:
    if not isinstance(es, EffectSizes):
        raise InputError(f"multilevel takes effect sizes, got {type(es).__name__}: make them with balm.effect_sizes")
    usable = np.isfinite(es.effect) & np.isfinite(es.variance) & (es.variance > 0.0) & es.estimable
    if not usable.all():
        i = int(np.argmin(usable))
        raise InputError(f"{es.study[i]} (row {i + 1}) has no usable effect and variance; drop the row everywhere")


def _refuse_too_many(terms: Sequence[RandomTerm], held: Mapping[int, float], design: Design) -> None:
    count = sum(len(t.structure.names) for t in terms) - len(held)
    k, p = design.matrix.shape
    if count > k - p:
        raise InputError(
            f"{count} variances and correlations and {p} coefficients cannot be estimated from {k} effects; simplify "
            "the random effects"
        )


def _refuse_absorbed(terms: Sequence[RandomTerm], held: Mapping[int, float], design: Design) -> None:
    """A random effect whose levels the moderators tell apart leaves nothing to estimate its variance from."""
    p, at = design.matrix.shape[1], 0
    for term in terms:
        given, at = at in held, at + len(term.structure.names)
        if term.groups.count > p or term.kind != "intercept" or given:
            continue
        levels = (term.groups.codes[:, None] == np.arange(term.groups.count)[None, :]).astype(np.float64)
        scaled = design.matrix / np.linalg.norm(design.matrix, axis=0)
        left = levels - scaled @ np.linalg.lstsq(scaled, levels, rcond=None)[0]
        if float(np.abs(left).max()) < 1e-9:
            raise InputError(
                f"random {term.name!r}: the moderators fix the mean of every level, so its variance cannot be "
                "estimated; leave out one or the other"
            )


def _degrees(inference: str, terms: Sequence[RandomTerm], design: Design) -> Floats:
    k, p = design.matrix.shape
    if inference == "wald":
        return np.full(p, math.inf)
    if inference == "t":
        return np.full(p, float(k - p))
    out = np.full(p, float(k - p))
    for term in terms:
        for codes in (term.groups.codes, term.level):  # of "inner | outer" also the levels within
            _, first, own = np.unique(codes, return_index=True, return_inverse=True)
            constant = np.all(design.matrix == design.matrix[first][own], axis=0)
            out = np.where(constant, np.minimum(out, float(len(first) - p)), out)
    if np.any(out <= 0.0):
        fewest = min(terms, key=lambda t: t.groups.count)
        raise InputError(
            f"inference='t-containment' leaves no degrees of freedom: {fewest.groups.count} levels of "
            f"{fewest.groups.name} for {p} coefficients; use inference='t'"
        )
    return out
