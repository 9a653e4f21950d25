"""Multimodel inference: every subset of moderators weighed by its support, coefficients averaged over all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType
from typing import Any

import numpy as np

from balm.stats.diagnostics.printed import studies, text_table
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.multilevel.multilevel import read_design
from balm.stats.regression.between_study_variance import estimate
from balm.stats.regression.design import Design, check
from balm.stats.regression.meta_regression import MetaRegression, coefficient_columns, meta_regression
from balm.stats.regression.projection import log_likelihood, projection
from balm.stats.tails import OneTail, t_critical
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_level, check_option

CRITERIA = ("AICc", "AIC", "BIC")
INFERENCES = ("wald", "t", "hartung-knapp", "hartung-knapp-guarded")
AVERAGES = ("full", "conditional")
#: Unconditional standard errors and their equation in Burnham & Anderson (2002).
ERRORS: dict[str, str] = {
    "revised": "the root of the weighted mean of variance + squared deviation (equation 6.12; Anderson 2008)",
    "original": "the weighted mean of the roots of variance + squared deviation (equation 4.9)",
}
#: More subsets than this are a fishing trip, and take minutes.
MOST_MODELS = 20_000
SOURCE = "Burnham & Anderson (2002), Model Selection and Multimodel Inference"


@dataclass(frozen=True, slots=True)
class RankedModel:
    """One model: its terms, criterion, distance from the best, Akaike weight, residual tau² and parameters counted."""

    terms: tuple[str, ...]
    criterion: float
    delta: float
    weight: float
    log_likelihood: float
    tau2: float
    parameters: int


@dataclass(frozen=True, slots=True)
class AveragedCoefficient:
    """A coefficient averaged over models, with its unconditional standard error.

    importance : the summed weights of the models that hold it.  models : how many do.
    """

    name: str
    estimate: float
    se: float
    statistic: float
    p: float
    interval: Interval
    importance: float
    models: int


@dataclass(frozen=True, slots=True)
class AveragedPrediction:
    """The mean effect at one set of moderator values, averaged over all models."""

    estimate: float
    se: float
    interval: Interval


@dataclass(frozen=True, eq=False, repr=False)
class Multimodel:
    """All subsets of moderators, the best supported first, and what they say together.

    models     : ranked by ``criterion``.  importance : term -> summed weights of the models that hold it.
    beta       : (models, p) coefficients, 0 where a model lacks one; ``covariances`` (models, p, p) theirs, ``present``
                 (models, p) which it holds; ``df`` (models,) degrees of freedom of each.
    """

    design: Design
    effects: EffectSizes
    models: tuple[RankedModel, ...]
    importance: Mapping[str, float]
    beta: Floats
    covariances: Floats
    present: Floats
    df: Floats
    criterion: str
    inference: str
    average: str
    errors: str
    model: str
    level: float
    advice: tuple[str, ...]

    @property
    def k(self) -> int:
        """Studies in every model."""
        return len(self.effects)

    @property
    def weights(self) -> Floats:
        """(models,) Akaike weights; they add up to 1."""
        return np.array([m.weight for m in self.models])

    @property
    def coefficients(self) -> tuple[AveragedCoefficient, ...]:
        """One row a coefficient under ``average``; see :meth:`averaged`."""
        return self.averaged()

    def averaged(self, *, average: str | None = None, errors: str | None = None) -> tuple[AveragedCoefficient, ...]:
        """Averaged coefficients.

        average : "full" counts a coefficient as 0 in models without it, which shrinks what is poorly supported;
                  "conditional" averages over the models that hold it (Burnham & Anderson 2002).
        errors  : "revised" or "original", a row of :data:`ERRORS`. Under a t reference each model's variance counts
                  ``(t / z)²`` times, with the quantiles of its own degrees of freedom.
        """
        average = check_option("average", average or self.average, AVERAGES)
        variances = np.einsum("mii->mi", self.covariances)
        found = []
        for j, name in enumerate(self.design.names):
            w = self.weights * self.present[:, j] if average == "conditional" else self.weights
            importance = float(np.sum(self.weights * self.present[:, j]))
            value, se = self._mean(self.beta[:, j], variances[:, j], w / np.sum(w), errors)
            z, c = value / se, t_critical(self.level, math.inf)
            found.append(
                AveragedCoefficient(
                    name,
                    value,
                    se,
                    z,
                    OneTail.two_sided(z, math.inf),
                    Interval(value - c * se, value + c * se, self.level),
                    importance,
                    int(np.sum(self.present[:, j])),
                )
            )
        return tuple(found)

    def _mean(self, values: Floats, variances: Floats, weights: Floats, errors: str | None) -> tuple[float, float]:
        kind = check_option("errors", errors or self.errors, list(ERRORS))
        z = t_critical(self.level, math.inf)
        wider = np.array([(t_critical(self.level, df) / z) ** 2 for df in self.df.tolist()])
        value = float(weights @ values)
        spread = variances * wider + (values - value) ** 2
        se = math.sqrt(float(weights @ spread)) if kind == "revised" else float(weights @ np.sqrt(spread))
        return value, se

    def __getitem__(self, name: str) -> AveragedCoefficient:
        for row in self.coefficients:
            if row.name == name:
                return row
        raise InputError(f"no coefficient {name!r}; the models have {list(self.design.names)}")

    def predict(self, new: Any = None, *, level: float | None = None) -> tuple[AveragedPrediction, ...]:
        """The averaged mean effect at ``new`` moderator values (default: the studies' own), all moderators given."""
        rows = self.design.matrix if new is None else self.design.rebuild(new)
        level = self.level if level is None else level
        check_level(level)
        c, found = t_critical(level, math.inf), []
        for row in rows:
            variances = np.einsum("i,mij,j->m", row, self.covariances, row)
            value, se = self._mean(self.beta @ row, variances, self.weights, None)
            found.append(AveragedPrediction(value, se, Interval(value - c * se, value + c * se, level)))
        return tuple(found)

    def confidence_set(self, share: float = 0.95) -> tuple[RankedModel, ...]:
        """The best models whose weights add up to ``share`` (Burnham & Anderson 2002)."""
        if not 0.0 < share <= 1.0:
            raise InputError(f"share must lie above 0 and at most at 1; got {share!r}")
        last = int(np.searchsorted(np.cumsum(self.weights), share - 1e-12))
        return self.models[: last + 1]

    def fit(self, rank: int = 1) -> MetaRegression:
        """The model of that rank as a meta-regression, by the same likelihood."""
        if not 1 <= rank <= len(self.models):
            raise InputError(f"rank must lie between 1 and {len(self.models)}; got {rank}")
        columns = [j for t in self.models[rank - 1].terms for j in self.design.terms[t]]
        return meta_regression(
            self.effects,
            {self.design.names[j]: self.design.matrix[:, j] for j in columns},
            model=self.model,
            tau2=None if self.model == "common" else "ML",
            inference=self.inference,
            level=self.level,
        )

    def to_frame(self) -> Any:
        """One row an averaged coefficient, as a pandas DataFrame (a dict of columns without pandas)."""
        return frame(self._table())

    def models_frame(self) -> Any:
        """One row a model, the best supported first."""
        return frame(
            {
                "model": [_name(m) for m in self.models],
                self.criterion: [m.criterion for m in self.models],
                "delta": [m.delta for m in self.models],
                "weight": [m.weight for m in self.models],
                "log_likelihood": [m.log_likelihood for m in self.models],
                "tau2": [m.tau2 for m in self.models],
                "parameters": [m.parameters for m in self.models],
            }
        )

    def _table(self) -> dict[str, Any]:
        rows = self.coefficients
        first = {"coefficient": [c.name for c in rows], "importance": [c.importance for c in rows]}
        return first | coefficient_columns(rows) | {"models": [c.models for c in rows]}

    def to_dict(self) -> dict[str, Any]:
        """Every number under its name."""
        return {
            "k": self.k,
            "criterion": self.criterion,
            "average": self.average,
            "errors": self.errors,
            "inference": self.inference,
            "coefficients": self._table(),
            "importance": dict(self.importance),
            "models": [
                {"terms": list(m.terms), "criterion": m.criterion, "weight": m.weight, "tau2": m.tau2}
                for m in self.models
            ],
            "advice": list(self.advice),
            "source": SOURCE,
        }

    def __repr__(self) -> str:
        best = self.models[0]
        near = [m for m in self.models if m.delta <= 2.0]
        return text_table(
            f"{len(self.models)} models of {studies(self.k)} by {self.criterion}, {self.average} average",
            self._table(),
            [
                f"Best: {_name(best)} ({self.criterion} {best.criterion:.2f}, weight {best.weight:.3f}); "
                f"{len(near)} within 2 units, {len(self.confidence_set())} in the 95% confidence set",
                *(f"- {said}" for said in self.advice),
                SOURCE,
            ],
        )

    def _repr_html_(self) -> str:
        return f"<pre>{self!r}</pre>"


def _name(model: RankedModel) -> str:
    return " + ".join(model.terms) or "intercept only"


def multimodel(
    es: EffectSizes,
    moderators: Any,
    *,
    data: Any = None,
    always: Sequence[str] = (),
    criterion: str = "AICc",
    tau2: str | None = None,
    model: str = "random",
    inference: str = "wald",
    average: str = "full",
    errors: str = "revised",
    level: float = 0.95,
) -> Multimodel:
    """Fit every subset of ``moderators``, weigh each model by its support, and average their coefficients.

    A model's Akaike weight is ``exp(-delta/2)``, delta being its distance from the best criterion, over the sum of
    these. All models keep the intercept and are fitted by maximum likelihood to the same studies; restricted
    likelihoods of different moderators cannot be compared, so ``tau2="REML"`` is refused.

    moderators : a formula with ``data``, or a mapping of name to (k,) numbers. A factor is one term; an interaction
                 enters only with its main effects.
    always     : terms that every model holds.
    criterion  : "AICc" (default; k studies, coefficients + 1 parameters), "AIC" or "BIC".
    model      : "random" (tau² anew in each model) or "common" (tau² = 0).
    inference  : of each model's standard errors before they are averaged, as in :func:`balm.meta_regression`.
    average    : "full" (default) or "conditional"; errors: a row of ``ERRORS``.

    Importances rank terms; they are no tests. A moderator that is missing in some studies would change the studies
    from model to model: rows must be complete. Source: Burnham & Anderson (2002).

    >>> es = EffectSizes(effect=[0.1, 0.3, 0.5, 0.8, 0.9, 1.2], variance=[0.01, 0.02, 0.02, 0.03, 0.02, 0.04])
    >>> found = multimodel(es, {"dose": [1, 2, 3, 4, 5, 6], "year": [3, 1, 2, 2, 3, 1]}, criterion="AIC")
    >>> [" + ".join(m.terms) for m in found.models]
    ['dose', 'dose + year', '', 'year']
    >>> round(found.importance["dose"], 3)
    0.999
    """
    check_option("criterion", criterion, CRITERIA)
    check_option("model", model, ("random", "common"))
    check_option("inference", inference, INFERENCES)
    check_option("average", average, AVERAGES)
    check_option("errors", errors, list(ERRORS))
    check_level(level)
    if tau2 is not None and tau2 != "ML":
        raise InputError(
            "models with different moderators are compared by maximum likelihood: restricted likelihoods are those of "
            f'different contrasts of the data, moments have none; leave tau2= out (or "ML"); got {tau2!r}'
        )
    if model == "common" and tau2 is not None:
        raise InputError('tau2= has no effect with model="common"; leave it out')
    if not isinstance(es, EffectSizes):
        raise InputError(f"multimodel takes effect sizes, got {type(es).__name__}: make them with balm.effect_sizes")
    y, v = np.asarray(es.effect, dtype=np.float64), np.asarray(es.variance, dtype=np.float64)
    usable = np.isfinite(y) & np.isfinite(v) & (v > 0.0)
    if not usable.all():
        i = int(np.argmin(usable))
        raise InputError(f"study {es.study[i]} has no usable effect and variance; drop it and its moderators")
    design = check(read_design(moderators, data, None, True, len(y)))
    if not design.intercept:
        raise InputError("multimodel compares models that share the intercept; leave '0 +' out of the formula")
    if not design.terms:
        raise InputError("multimodel needs at least one moderator")
    subsets = _subsets(design, always)
    rows = [_fitted(y, v, design, s, model, criterion, inference) for s in subsets]
    order = sorted(range(len(rows)), key=lambda i: (rows[i].criterion, len(subsets[i])))
    best = rows[order[0]].criterion
    support = np.array([math.exp(-0.5 * (rows[i].criterion - best)) for i in order])
    support /= float(np.sum(support))
    models = tuple(
        RankedModel(
            subsets[i], rows[i].criterion, rows[i].criterion - best, w, rows[i].log_likelihood, rows[i].tau2,
            rows[i].parameters,
        )
        for i, w in zip(order, support.tolist(), strict=True)
    )  # fmt: skip
    importance = {t: float(sum(m.weight for m in models if t in m.terms)) for t in design.terms}
    said = []
    if len(y) < 10 * len(design.terms):
        said.append(
            f"{studies(len(y))} for {len(design.terms)} moderators: fewer than ten a moderator, so weights and "
            "importances are unstable."
        )
    return Multimodel(
        design=design,
        effects=es,
        models=models,
        importance=MappingProxyType(importance),
        beta=np.array([rows[i].beta for i in order]),
        covariances=np.array([rows[i].covariance for i in order]),
        present=np.array([rows[i].present for i in order]),
        df=np.array([rows[i].df for i in order]),
        criterion=criterion,
        inference=inference,
        average=average,
        errors=errors,
        model=model,
        level=level,
        advice=tuple(said),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """One subset: (p,) coefficients and (p, p) covariance with zeros where the model has none."""

    beta: Floats
    covariance: Floats
    present: Floats
    df: float
    criterion: float
    log_likelihood: float
    tau2: float
    parameters: int


def _fitted(
    y: Floats, v: Floats, design: Design, terms: tuple[str, ...], model: str, criterion: str, inference: str
) -> _Fit:
    k, p = design.matrix.shape
    columns = [0, *sorted(j for t in terms for j in design.terms[t])]
    x = design.matrix[:, columns]
    t2 = 0.0 if model == "common" else estimate(y, v, x, "ML").tau2
    at = projection(y, v, x, t2)
    height = log_likelihood(at, v, x, t2, restricted=False)
    m = len(columns) + (0 if model == "common" else 1)
    n = max(k, m + 2)
    penalty = {"AIC": 2.0 * m, "BIC": m * math.log(k), "AICc": 2.0 * m * n / (n - m - 1)}[criterion]
    covariance = at.covariance
    if inference.startswith("hartung-knapp"):
        factor = at.rss / (k - len(columns))
        covariance = covariance * (max(factor, 1.0) if inference == "hartung-knapp-guarded" else factor)
    beta, whole, present = np.zeros(p), np.zeros((p, p)), np.zeros(p)
    beta[columns], present[columns] = at.beta, 1.0
    whole[np.ix_(columns, columns)] = covariance
    df = math.inf if inference == "wald" else float(k - len(columns))
    return _Fit(beta, whole, present, df, penalty - 2.0 * height, height, t2, m)


def _subsets(design: Design, always: Sequence[str]) -> list[tuple[str, ...]]:
    """Every subset of the terms that holds ``always``, with the main effects of each interaction."""
    names = list(design.terms)
    always = [always] if isinstance(always, str) else list(always)
    for name in always:
        check_option("always", name, names)
    free = [n for n in names if n not in always]
    if 2 ** len(free) > MOST_MODELS:
        raise InputError(
            f"{len(free)} moderators make {2 ** len(free):,} models, more than {MOST_MODELS:,}: choose the moderators "
            "by reasons first, or hold some with always="
        )
    below = {n: [m for m in names if m != n and set(m.split(":")) < set(n.split(":"))] for n in names}
    found = []
    for size in range(len(free) + 1):
        for chosen in combinations(free, size):
            kept = {*always, *chosen}
            if all(m in kept for n in kept for m in below[n]):
                found.append(tuple(n for n in names if n in kept))
    return found
