"""A fitted multilevel or multivariate model, and what can be asked of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.multilevel.coefficients import Coefficients
from balm.stats.multilevel.grouping import Integers
from balm.stats.multilevel.likelihood import Problem, Solution
from balm.stats.multilevel.own_weights import OwnWeights, refuse_own_weights
from balm.stats.multilevel.random_terms import RandomTerm
from balm.stats.regression.design import Design
from balm.stats.regression.meta_regression import LikelihoodRatio, Prediction
from balm.stats.tails import t_critical
from balm.vocabulary.interval import Interval
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """One random term: its name, kind, number of outer levels, variances and correlations.

    ``covariance`` is the matrix over ``levels`` of a structured term (2-d), else (1, 1).
    """

    name: str
    kind: str
    count: int
    levels: tuple[Any, ...]
    variances: Floats
    correlations: Floats
    covariance: Floats

    @property
    def inner_correlated(self) -> bool:
        """Whether the structure has correlations to report."""
        return self.kind not in ("intercept", "ID", "DIAG")


@dataclass(frozen=True, slots=True, eq=False)
class RandomEffects:
    """Predicted random effects (BLUPs) of one term with their prediction errors, one a level."""

    labels: tuple[Any, ...]
    estimate: Floats
    se: Floats

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class I2:
    """Per cent of the total variance of a typical effect that lies between, over all random effects and for each."""

    total: float
    by_term: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """(k,) observed minus fitted means, their standard errors and ratios."""

    residual: Floats
    se: Floats
    standardised: Floats


@dataclass(frozen=True, slots=True, eq=False)
class WithoutClusters:
    """What each of g clusters changes, the variances held; nan where the rest cannot estimate all coefficients.

    cooks_distance : (g,) ``d'(cov beta)⁻¹d`` with d the change of all coefficients.
    dfbetas        : (g, p) d in standard errors of the whole fit.
    q, df, p       : (g,) chi-square of a cluster's effects around what the others predict, and its tail.
    residuals      : (k,) deleted residuals of the effects, each predicted by the other clusters.
    """

    labels: tuple[Any, ...]
    cooks_distance: Floats
    dfbetas: Floats
    q: Floats
    df: Integers
    p: Floats
    residuals: Residuals

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The profile log-likelihood of one variance or correlation."""

    component: str
    values: Floats
    log_likelihood: Floats


@dataclass(frozen=True, eq=False, repr=False)
class Multilevel(Coefficients):
    """Coefficients, random effects and heterogeneity of dependent effects, all on the analysis scale.

    beta, covariance, se, statistic, df, p: (p,) or (p, p); ``.coefficients`` and ``fit["name"]`` give rows.
    sigma2     : variances of the random intercepts, in the order of ``random``.
    tau2, rho  : variances and correlations of the structured terms, in their order; ``.components`` has each apart.
    qe, qe_df, qe_p : Cochran's Q around the fitted means without random effects.
    log_likelihood, aic, bic, aicc : under ``method``; ``fit_statistics`` has both. own: the caller's weights, if any;
    the likelihood is then that at the coefficients they give.
    residual   : the Newton step that remained, in standard errors. at_bound: which parameters lie on a bound.
    """

    design: Design
    effects: EffectSizes
    beta: Floats
    covariance: Floats
    df: Floats
    level: float
    method: str
    inference: str
    terms: tuple[RandomTerm, ...]
    parameters: Floats
    residual: float
    steps: int
    at_bound: tuple[bool, ...]
    qe: float
    problem: Problem
    solution: Solution
    own: OwnWeights | None
    conventions: Mapping[str, Any]

    @property
    def k(self) -> int:
        """Effects in the model."""
        return len(self.effects)

    @property
    def _parts(self) -> list[slice]:
        ends = np.cumsum([0, *(len(t.structure.names) for t in self.terms)]).tolist()
        return [slice(a, b) for a, b in pairwise(ends)]

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """Each random term with its estimates."""
        out = []
        for term, part in zip(self.terms, self._parts, strict=True):
            values = self.parameters[part]
            tau2, rho = term.structure.reported(values)
            levels = term.inner.labels if term.inner is not None else ()
            out.append(
                Component(term.name, term.kind, term.groups.count, levels, tau2, rho, _matrix(term, values, tau2))
            )
        return tuple(out)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was asked for and the data cannot tell, a sentence each."""
        return tuple(t.note for t in self.terms if t.note)

    @property
    def sigma2(self) -> Floats:
        """Variances of the random intercepts."""
        return np.array([float(c.variances[0]) for c in self.components if c.kind == "intercept"])

    @property
    def tau2(self) -> Floats:
        """Variances of the structured terms."""
        found = [c.variances for c in self.components if c.kind != "intercept"]
        return np.concatenate(found) if found else np.empty(0)

    @property
    def rho(self) -> Floats:
        """Correlations of the structured terms."""
        found = [c.correlations for c in self.components if c.kind != "intercept"]
        return np.concatenate(found) if found else np.empty(0)

    @property
    def qe_df(self) -> int:
        """Effects less coefficients."""
        return self.k - len(self.beta)

    @property
    def qe_p(self) -> float:
        """Against chi-square."""
        return chi2_sf(self.qe, self.qe_df)

    @cached_property
    def fit_statistics(self) -> dict[str, dict[str, float]]:
        """``{"ML": {...}, "REML": {...}}`` with log-likelihood, deviance, AIC, BIC and AICc at these estimates."""
        k, p = self.design.matrix.shape
        parameters = p + sum(len(t.structure.names) for t in self.terms) - len(self.problem.held)
        out = {}
        for name, restricted in (("ML", False), ("REML", True)):
            if restricted == self.solution.fit.restricted:
                height = self.solution.fit.log_likelihood
            else:
                height = self.problem.fit(self.solution.model, self.parameters, restricted).log_likelihood
            if self.own is not None:
                height -= self.own.loss
            n = k - p if restricted else k
            m = max(n, parameters + 2)
            out[name] = {
                "log_likelihood": height,
                "deviance": -2.0 * height,
                "aic": -2.0 * height + 2 * parameters,
                "bic": -2.0 * height + parameters * math.log(n),
                "aicc": -2.0 * height + 2 * parameters * m / (m - parameters - 1),
            }
        return out

    def _under(self, name: str) -> float:
        if self.method in ("MM", "VC"):
            return math.nan
        return self.fit_statistics["ML" if self.method == "ML" else "REML"][name]

    @property
    def log_likelihood(self) -> float:
        """At the optimum, under ``method``."""
        return self._under("log_likelihood")

    @property
    def aic(self) -> float:
        """Akaike's criterion under ``method``."""
        return self._under("aic")

    @property
    def bic(self) -> float:
        """Schwarz's criterion under ``method``."""
        return self._under("bic")

    @property
    def aicc(self) -> float:
        """Akaike's criterion corrected for small samples."""
        return self._under("aicc")

    @property
    def fitted(self) -> Floats:
        """(k,) fitted means."""
        out: Floats = self.design.matrix @ self.beta
        return out

    @property
    def i2(self) -> I2:
        """I² in total and by term: each variance over their sum plus the typical sampling variance (k - p) / tr P.

        P is the projection without random effects (Higgins & Thompson 2002; Nakagawa & Santos 2012). A term whose
        variance differs between levels counts with the mean over the effects.
        """
        typical = self.qe_df / self.solution.trace
        between = [float(np.mean(v)) for v in self._own_variances]
        whole = sum(between) + typical
        shares = {t.name: 100.0 * b / whole for t, b in zip(self.terms, between, strict=True)}
        return I2(100.0 * sum(between) / whole, shares)

    @cached_property
    def _own_variances(self) -> list[Floats]:
        """Per term, (k,) the variance of each effect's own random effect."""
        rows = np.arange(self.k)[:, None]
        out = []
        for term, part in zip(self.terms, self._parts, strict=True):
            entry = term.structure.values(self.parameters[part])
            out.append(np.asarray(entry[term.term.slots(rows)[:, 0, 0]], dtype=np.float64))
        return out

    def predict(self, new: Any = None, *, at: Any = None, level: float | None = None) -> tuple[Prediction, ...]:
        """The mean effect and the prediction interval of a new study at ``new`` moderator values (default: all rows).

        The prediction interval adds all between-study variances. Where they differ between the levels of a structured
        term, ``at`` names the level; without it the interval is nan (for ``new=None`` each row has its own level).
        Quantiles are those of the inference in force, with the least degrees of freedom of the coefficients involved.
        """
        rows = self.design.matrix if new is None else self.design.rebuild(new)
        level = self.level if level is None else level
        if new is None and at is None:
            between = np.sum(self._own_variances, axis=0) if self.terms else np.zeros(self.k)
        else:
            between = np.full(len(rows), self._between(at))
        out = []
        for row, more in zip(rows, np.atleast_1d(between).tolist(), strict=True):
            mean, variance = float(row @ self.beta), float(row @ self.covariance @ row)
            c = t_critical(level, self._contrast_df(row))
            near, far = c * math.sqrt(variance), c * math.sqrt(variance + more)
            out.append(
                Prediction(
                    mean,
                    math.sqrt(variance),
                    Interval(mean - near, mean + near, level),
                    Interval(mean - far, mean + far, level),
                )
            )
        return tuple(out)

    def _between(self, at: Any) -> float:
        total, used = 0.0, at is None
        for c in self.components:
            if len(c.variances) == 1:
                total += float(c.variances[0])
            elif at is None:
                return math.nan
            elif at in c.levels:
                total += float(c.variances[c.levels.index(at)])
                used = True
            else:
                raise InputError(f"at must be a level of {c.name!r}: one of {list(c.levels)}; got {at!r}")
        if not used:
            raise InputError(f"at={at!r} has no effect: all variances are the same for every level; leave it out")
        return total

    @property
    def prediction_interval(self) -> Interval:
        """Where the effect of a new study would lie, in a model without moderators."""
        self._only()
        return self.predict(np.empty((1, 0)))[0].prediction_interval

    def random_effects(self) -> dict[str, RandomEffects]:
        """Predicted random effects of each term (BLUPs; Robinson 1991), with prediction errors that allow for beta."""
        from balm.stats.multilevel.predicted import random_effects

        return random_effects(self)

    def residuals(self) -> Residuals:
        """Standardised marginal residuals: ``(y - X beta) / sqrt(diag((I - XA) M (I - XA)'))``, ``A y = beta``."""
        x = self.design.matrix
        total = np.sum(self._own_variances, axis=0) if self.terms else np.zeros(self.k)
        spread = self.effects.variance + total - np.einsum("ij,jk,ik->i", x, self.solution.covariance, x)
        if self.own is not None:
            cross = np.einsum("ij,ji->i", x, self.own.carried)
            spread = self.effects.variance + total - 2.0 * cross + np.einsum("ij,jk,ik->i", x, self.covariance, x)
        se = np.sqrt(np.maximum(spread, 0.0))
        e = self.effects.effect - self.fitted
        return Residuals(e, se, np.divide(e, se, out=np.full_like(e, math.nan), where=se > 0.0))

    def profile(self, component: str | int, values: Any) -> Profile:
        """The log-likelihood with one variance or correlation held at each of ``values``, maximised over the rest."""
        from balm.stats.multilevel.profiles import profile

        return profile(self, component, values)

    def component_interval(self, component: str | int, *, level: float | None = None) -> Interval:
        """Profile-likelihood interval of a variance or correlation (Hardy & Thompson 1996; Viechtbauer 2007).

        ``component``: a name from ``.parameter_names``, or its position. A lower end of 0 means that 0 is inside.
        """
        from balm.stats.multilevel.profiles import interval

        return interval(self, component, self.level if level is None else level)

    @cached_property
    def component_covariance(self) -> Floats:
        """Covariance of the estimated variances and correlations, in the order of ``.parameter_names``.

        The inverse of the observed information; its diagonal gives standard errors. nan for what was given, and for
        what rests on a parameter at its bound, where the estimate is not normal: ``.component_interval`` holds there
        and in small samples too.
        """
        from balm.stats.multilevel.profiles import component_covariance

        return component_covariance(self)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the variances and correlations that can be profiled."""
        from balm.stats.multilevel.profiles import names

        return names(self)

    def cooks_distance(self, cluster: Any, *, data: Any = None) -> dict[Any, float]:
        """How far all coefficients move without each cluster, with the variances held: ``d'(cov beta)⁻¹d``."""
        found = self.without_clusters(cluster, data=data)
        return dict(zip(found.labels, found.cooks_distance.tolist(), strict=True))

    def without_clusters(self, cluster: Any, *, data: Any = None) -> WithoutClusters:
        """Cook's distances, DFBETAS, deleted residuals and a test of each cluster's fit, with the variances held.

        ``cluster``: labels (k,) or a column of ``data``: the outermost level of the model, or coarser. Viechtbauer &
        Cheung (2010), Res Synth Methods 1:112.
        """
        from balm.stats.multilevel.predicted import without_clusters

        return without_clusters(self, cluster, data)

    def compare(self, smaller: Multilevel) -> LikelihoodRatio:
        """Likelihood-ratio test against a model that is a special case of this one, on the same effects.

        REML likelihoods compare models with the same moderators only. A variance tested at its bound of zero makes the
        chi-square p value too large (Self & Liang 1987).
        """
        for one in (self, smaller):
            refuse_own_weights(one, "the likelihood-ratio test")
        if {"MM", "VC"} & {self.method, smaller.method}:
            raise InputError("moments maximise no likelihood: fit both models by REML or ML")
        if self.method != smaller.method and "common" not in (self.method, smaller.method):
            raise InputError(f"one model was fitted by {self.method}, the other by {smaller.method}; fit both alike")
        if not np.array_equal(self.effects.effect, smaller.effects.effect):
            raise InputError("the two models were not fitted to the same effects")
        same = np.array_equal(self.design.matrix, smaller.design.matrix)
        name = "ML" if self.method == "ML" else "REML"
        if name == "REML" and not same:
            raise InputError('models with different moderators are compared by maximum likelihood: use method="ML"')
        more, less = (len(f.beta) + len(f.parameters) - len(f.problem.held) for f in (self, smaller))
        df = more - less
        if df <= 0:
            raise InputError("the model to compare with must have fewer parameters")
        pair = [f.fit_statistics[name]["log_likelihood"] for f in (self, smaller)]
        statistic = 2.0 * (pair[0] - pair[1])
        return LikelihoodRatio(statistic, df, chi2_sf(max(statistic, 0.0), df), math.nan)

    @cached_property
    def weights(self) -> Floats:
        """(k,) per cent: what each effect contributes to the mean, rows of ``W = M⁻¹`` summed; one mean only."""
        self._only()
        if self.own is not None:
            share: Floats = self.own.rows[0] * (100.0 / float(np.sum(self.own.rows[0])))
            return share
        from balm.stats.multilevel.predicted import dense_fit

        at = dense_fit(self)
        out = np.empty(self.k)
        for b, wx in zip(at.model.batches, at.wx, strict=True):
            out[b.rows] = wx[:, :, 0]
        out *= self.design.matrix[:, 0]
        return out * (100.0 / float(np.sum(out)))

    @property
    def clusters(self) -> tuple[tuple[Any, Integers], ...]:
        """The levels of the coarsest random effect with the rows of each, in first-seen order of the effects."""
        if not self.terms:
            return ()
        g = min((t.groups for t in self.terms), key=lambda one: one.count)
        labels = g.labels
        seen = list(dict.fromkeys(g.codes.tolist()))
        return tuple((labels[code], np.flatnonzero(g.codes == code)) for code in seen)

    def forest(self, path: Any = None, **options: Any) -> Any:
        """The forest plot, effects under a heading for each cluster; a model with one mean only."""
        self._only()
        return presenter("forest")(self, path, **options)

    def to_dict(self) -> dict[str, Any]:
        """Every number under its name."""
        return {
            "k": self.k,
            "method": self.method,
            "inference": self.inference,
            "coefficients": [
                {
                    "name": c.name,
                    "estimate": c.estimate,
                    "se": c.se,
                    "ci_low": c.interval.low,
                    "ci_high": c.interval.high,
                    "statistic": c.statistic,
                    "df": c.df,
                    "p": c.p,
                }
                for c in self.coefficients
            ],
            "components": [
                {
                    "name": c.name,
                    "kind": c.kind,
                    "levels": c.count,
                    "variances": c.variances.tolist(),
                    "correlations": c.correlations.tolist(),
                }
                for c in self.components
            ],
            "qe": self.qe,
            "qe_df": self.qe_df,
            "qe_p": self.qe_p,
            "i2": self.i2.total,
            "log_likelihood": self.log_likelihood,
            "aic": self.aic,
            "bic": self.bic,
            "aicc": self.aicc,
            "residual": self.residual,
        }


def _matrix(term: RandomTerm, parameters: Floats, variances: Floats) -> Floats:
    """The covariance between the inner levels."""
    if term.inner is None:
        return variances[:1].reshape(1, 1)
    n = term.inner.count
    entry = term.structure.values(parameters)
    i = np.arange(n)
    if term.kind == "CS":
        found = np.where(i[:, None] == i[None, :], entry[1], entry[2])
    elif term.kind == "ID":
        found = np.diag(np.full(n, entry[1]))
    elif term.kind == "DIAG":
        found = np.diag(entry[1:])
    elif term.kind == "AR":
        found = entry[1 + np.abs(i[:, None] - i[None, :])]
    else:
        found = entry[1:].reshape(n, n)
    return np.asarray(found, dtype=np.float64)
