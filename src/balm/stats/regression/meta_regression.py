"""Meta-regression: study effects on study characteristics, mixed-effects by default."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from balm.stats.diagnostics.printed import studies, text_table
from balm.stats.distributions import chi2_sf, f_sf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.groups import OneGroup, centred
from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.heterogeneity.weighted import typical_variance
from balm.stats.regression.between_study_variance import ESTIMATORS, Problem, estimate_in
from balm.stats.regression.design import Design, from_columns, from_formula
from balm.stats.regression.projection import Projection, log_likelihood, projection
from balm.stats.simulation.blocks import check_count, settled_seed
from balm.stats.tails import OneTail, t_critical
from balm.vocabulary.interval import Interval
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError, check_level, check_option

INFERENCES = ("wald", "t", "hartung-knapp", "hartung-knapp-guarded")
MODELS = ("random", "common")


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One coefficient on the analysis scale; ``df`` is ``inf`` under the normal reference."""

    name: str
    estimate: float
    se: float
    statistic: float
    df: float
    p: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class OmnibusTest:
    """That several coefficients (or contrasts) are all zero: chi-square (``df2`` inf, ``statistic`` Q_M) or F."""

    statistic: float
    df1: int
    df2: float
    p: float
    tested: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The statistic with its degrees of freedom and p, in words."""
        kind = f"chi-square({self.df1})" if math.isinf(self.df2) else f"F({self.df1}, {self.df2:g})"
        return f"{kind} = {self.statistic:.3f}, P = {self.p:.4g}"


@dataclass(frozen=True, slots=True)
class Contrast:
    """A weighted sum of coefficients."""

    weights: tuple[float, ...]
    estimate: float
    se: float
    statistic: float
    df: float
    p: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Prediction:
    """The mean effect at one set of moderator values, and where a new study's true effect would lie."""

    estimate: float
    se: float
    interval: Interval
    prediction_interval: Interval


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """Two nested fits compared; ``r2`` is the share of the smaller model's tau² that the larger one explains (%)."""

    statistic: float
    df: int
    p: float
    r2: float


@dataclass(frozen=True, eq=False)
class MetaRegression:
    """A fitted meta-regression.

    beta, se      : (p,) in the order of ``design.names``; ``covariance`` (p, p) is that of the inference in force.
    tau2, tau2_se : residual between-study variance; i2, h2 from it (i2 in per cent).
    r2            : share of tau² explained against the model without moderators, in per cent; nan without an intercept.
    qe, qe_df, qe_p : test for residual heterogeneity.
    """

    design: Design
    effects: EffectSizes
    beta: Floats
    covariance: Floats
    se: Floats
    statistic: Floats
    df: float
    p: Floats
    tau2: float
    tau2_se: float
    residual: float
    i2: float
    h2: float
    r2: float
    qe: float
    qe_df: int
    qe_p: float
    model: str
    tau2_estimator: str | None
    inference: str
    level: float
    scale_factor: float
    weights_used: Floats
    advice: tuple[str, ...] = ()
    conventions: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def k(self) -> int:
        """Studies in the model."""
        return len(self.effects)

    @property
    def critical(self) -> float:
        """The quantile of the reference distribution for ``level``."""
        return t_critical(self.level, self.df)

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """One row a coefficient."""
        c = self.critical
        return tuple(
            Coefficient(
                n,
                float(b),
                float(s),
                float(z),
                self.df,
                float(p),
                Interval(float(b - c * s), float(b + c * s), self.level),
            )
            for n, b, s, z, p in zip(self.design.names, self.beta, self.se, self.statistic, self.p, strict=True)
        )

    def __getitem__(self, name: str) -> Coefficient:
        for c in self.coefficients:
            if c.name == name:
                return c
        raise InputError(f"no coefficient {name!r}; the model has {list(self.design.names)}")

    @property
    def fitted(self) -> Floats:
        """(k,) fitted means."""
        out: Floats = self.design.matrix @ self.beta
        return out

    @property
    def omnibus(self) -> OmnibusTest:
        """That no moderator matters: every coefficient but the intercept (or all of them without one)."""
        chosen = range(1 if self.design.intercept and len(self.beta) > 1 else 0, len(self.beta))
        return self.test(*(self.design.names[i] for i in chosen))

    def test(self, *names: str) -> OmnibusTest:
        """That the named coefficients, or all coefficients of the named terms, are zero together (Wald-type)."""
        chosen: list[int] = []
        for name in names:
            if name in self.design.names:
                chosen.append(self.design.names.index(name))
            elif name in self.design.terms:
                chosen.extend(self.design.terms[name])
            else:
                allowed = [*self.design.names, *(t for t in self.design.terms if t not in self.design.names)]
                raise InputError(f"no coefficient or term {name!r}; the model has {allowed}")
        if not chosen:
            raise InputError("name at least one coefficient or term to test")
        pick = np.eye(len(self.beta))[sorted(set(chosen))]
        return self.joint(pick, tuple(self.design.names[i] for i in sorted(set(chosen))))

    def joint(self, contrasts: Any, tested: tuple[str, ...] = ()) -> OmnibusTest:
        """That every row of ``contrasts`` (m, p) times the coefficients is zero."""
        rows = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
        value = rows @ self.beta
        q = float(value @ np.linalg.solve(rows @ self.covariance @ rows.T, value))
        m = len(rows)
        if math.isinf(self.df):
            return OmnibusTest(q, m, math.inf, chi2_sf(q, m), tested)
        return OmnibusTest(q / m, m, self.df, f_sf(q / m, m, self.df), tested)

    def contrast(self, weights: Sequence[float]) -> Contrast:
        """``weights @ beta`` with its standard error, test and interval."""
        row = np.asarray(weights, dtype=np.float64)
        if row.shape != self.beta.shape:
            raise InputError(f"weights must hold {len(self.beta)} numbers, one a coefficient; got {row.shape}")
        value = float(row @ self.beta)
        se = math.sqrt(float(row @ self.covariance @ row))
        z = value / se
        c = self.critical
        return Contrast(
            tuple(row.tolist()),
            value,
            se,
            z,
            self.df,
            OneTail.two_sided(z, self.df),
            Interval(value - c * se, value + c * se, self.level),
        )

    def predict(self, new: Any = None, *, level: float | None = None) -> tuple[Prediction, ...]:
        """The mean effect and the prediction interval at ``new`` moderator values (default: the studies' own).

        new : a mapping or frame for formulas, or an (m, moderators) array for plain columns. The prediction interval is
        ``estimate +/- crit * sqrt(se² + tau²)`` with the quantile of the inference in force.
        """
        rows = self.design.matrix if new is None else self.design.rebuild(new)
        level = self.level if level is None else level
        c = t_critical(level, self.df)
        means = rows @ self.beta
        errors = np.sqrt(np.einsum("ij,jk,ik->i", rows, self.covariance, rows))
        out = []
        for mean, se in zip(means.tolist(), errors.tolist(), strict=True):
            wide = math.sqrt(se * se + self.tau2)
            out.append(
                Prediction(
                    mean,
                    se,
                    Interval(mean - c * se, mean + c * se, level),
                    Interval(mean - c * wide, mean + c * wide, level),
                )
            )
        return tuple(out)

    def vif(self) -> dict[str, float]:
        """Variance inflation of each coefficient but the intercept: what the others cost it (Fox & Monette 1992)."""
        root = np.sqrt(self.effects.variance + self.tau2)[:, None]
        inflation = _inflation(self.design.matrix / root, self.design.intercept)
        return dict(zip(self._inflated, inflation.tolist(), strict=True))

    @property
    def _inflated(self) -> tuple[str, ...]:
        """The coefficients that have a variance inflation."""
        return self.design.names[1 if self.design.intercept else 0 :]

    def vif_by_chance(self, permutations: int = 1000, *, seed: int | None = None) -> dict[str, float]:
        """Share of rearrangements of the moderators in which a coefficient's inflation is smaller than it is.

        With few studies moderators that have nothing to do with each other inflate their errors too. Each term's rows
        are reshuffled on their own (the columns of a factor together), so that nothing but chance relates the terms;
        a share near 1 says that the inflation is more than that. ``seed`` makes it repeatable.
        """
        check_count("permutations", permutations)
        generator = np.random.default_rng(settled_seed(seed))
        found = np.array(list(self.vif().values()))
        root = np.sqrt(self.effects.variance + self.tau2)[:, None]
        own = [list(columns) for columns in self.design.terms.values()]
        below = np.zeros(len(found))
        for _ in range(permutations):
            x = self.design.matrix.copy()
            for columns in own:
                x[:, columns] = x[generator.permutation(self.k)][:, columns]
            below += found > _inflation(x / root, self.design.intercept)
        return dict(zip(self._inflated, (below / permutations).tolist(), strict=True))

    def heterogeneity_interval(self, method: str = "q-profile", *, level: float = 0.95) -> Any:
        """Interval of the residual tau², with I² and H² from it.

        method : "q-profile", "profile-likelihood" (of a fit by REML or ML), "generalised-q" (weights 1/sqrt(v)) or
                 "biggerstaff-jackson" (weights 1/v; Jackson, Turner, Rhodes & Viechtbauer 2014).
        """
        from balm.stats.regression.heterogeneity_interval import heterogeneity_interval

        return heterogeneity_interval(self, method, level=level)

    @property
    def fit_statistics(self) -> dict[str, dict[str, float]]:
        """``{"ML": {...}, "REML": {...}}`` with log-likelihood, deviance, AIC, BIC, AICc, at this tau²."""
        y, v, x = self.effects.effect, self.effects.variance, self.design.matrix
        p = projection(y, v, x, self.tau2)
        k, columns = x.shape
        parameters = columns + (0 if self.model == "common" else 1)
        out = {}
        for name, restricted in (("ML", False), ("REML", True)):
            ll = log_likelihood(p, v, x, self.tau2, restricted=restricted)
            n = k - columns if restricted else k
            m = max(n, parameters + 2)
            saturated = log_likelihood_saturated(v) if not restricted else 0.0
            out[name] = {
                "log_likelihood": ll,
                "deviance": -2.0 * (ll - saturated),
                "aic": -2.0 * ll + 2 * parameters,
                "bic": -2.0 * ll + parameters * math.log(n) if n > 0 else math.nan,
                "aicc": -2.0 * ll + 2 * parameters * m / (m - parameters - 1),
            }
        return out

    def compare(self, smaller: MetaRegression) -> LikelihoodRatio:
        """Likelihood-ratio test against a nested model on the same studies, both fitted by ML."""
        if self.tau2_estimator == "REML" or smaller.tau2_estimator == "REML":
            raise InputError(
                'models with different moderators are compared by maximum likelihood: fit both with tau2="ML"'
            )
        if not np.array_equal(self.effects.effect, smaller.effects.effect):
            raise InputError("the two models were not fitted to the same studies")
        df = len(self.beta) - len(smaller.beta)
        if df <= 0:
            raise InputError("the model to compare with must have fewer coefficients")
        a = self.fit_statistics["ML"]["log_likelihood"]
        b = smaller.fit_statistics["ML"]["log_likelihood"]
        statistic = 2.0 * (a - b)
        explained = 100.0 * max(0.0, (smaller.tau2 - self.tau2) / smaller.tau2) if smaller.tau2 > 0.0 else 0.0
        return LikelihoodRatio(statistic, df, chi2_sf(max(statistic, 0.0), df), explained)

    def bubble(self, path: Any = None, **options: Any) -> Any:
        """Bubble plot with the fitted line and its interval band."""
        return presenter("bubble")(self, path, **options)

    def to_frame(self) -> Any:
        """One row a coefficient, as a pandas DataFrame (a dict of columns without pandas)."""
        return frame(self._table())

    def _table(self) -> dict[str, Any]:
        return coefficient_columns(self.coefficients)

    def __repr__(self) -> str:
        left = (
            "common effect"
            if self.model == "common"
            else f"residual tau2 {self.tau2:.4g} ({self.tau2_estimator or 'given'}), I2 {self.i2:.1f}%"
        )
        explained = "" if math.isnan(self.r2) else f", R2 {self.r2:.1f}%"
        return text_table(
            f"Meta-regression of {studies(self.k)}, {self.inference}: {left}{explained}",
            self._table(),
            [
                f"Moderators: {self.omnibus.sentence}",
                f"Residual heterogeneity: Q = {self.qe:.3f}, df = {self.qe_df}, P = {self.qe_p:.4g}",
                *self.advice,
            ],
        )


def _inflation(x: Floats, intercept: bool) -> Floats:
    """Of each column of the weighted design but the intercept: infinite where the others say all that it says."""
    skip = 1 if intercept else 0
    if skip:
        one = x[:, 0] / np.linalg.norm(x[:, 0])
        for _ in range(2):  # the second time for what rounding left
            x = x - np.outer(one, one @ x)
    body = x[:, skip:]
    root = np.linalg.qr(body / np.linalg.norm(body, axis=0), mode="r")
    try:
        return np.asarray(np.sum(np.linalg.inv(root) ** 2, axis=1), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.full(body.shape[1], math.inf)


def coefficient_columns(rows: Sequence[Any], *, df: bool = False) -> dict[str, list[Any]]:
    """The columns that every table of coefficients shares; ``df`` where each row has its own."""
    names = ("estimate", "se", "statistic", *(["df"] if df else []), "p")
    return {
        "coefficient": [c.name for c in rows],
        **{name: [getattr(c, name) for c in rows] for name in names},
        "low": [c.interval.low for c in rows],
        "high": [c.interval.high for c in rows],
    }


def log_likelihood_saturated(variance: Floats) -> float:
    """Each study its own mean."""
    return -0.5 * (len(variance) * math.log(2.0 * math.pi) + float(np.sum(np.log(variance))))


def meta_regression(
    es: EffectSizes,
    moderators: Any = "~ 1",
    *,
    data: Any = None,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    model: str = "random",
    tau2: str | float | None = None,
    inference: str = "hartung-knapp-guarded",
    level: float = 0.95,
) -> MetaRegression:
    """Regress study effects on study characteristics.

    Estimates the coefficients of ``effect = X beta + u + e`` with ``Var(u) = tau2`` (``model="random"``;
    ``"common"`` sets it to 0) by weighted least squares with weights ``1/(variance + tau2)``.

    moderators : a formula such as ``"~ latitude + factor(alloc)"`` with ``data`` (needs formulaic), a mapping of name
                 to (k,) numbers, or a (k, m) array with ``names``; ``intercept=False`` drops the constant of plain
                 columns (write ``"~ 0 + x"`` in a formula).
    tau2       : an estimator of :data:`ESTIMATORS`, default "REML", or a number.
    inference  : "wald" (normal), "t" (same errors, t with k - p), "hartung-knapp" (Knapp & Hartung 2003) or
                 "hartung-knapp-guarded" (its factor never below 1; the default).

    At least p + 1 studies are needed. Rows that are not estimable are refused: drop them first, with their moderators.
    Sources: Thompson & Sharp (1999); Knapp & Hartung (2003); Viechtbauer (2005); Cochrane Handbook, section 10.11.4.

    >>> es = EffectSizes(effect=[0.1, 0.3, 0.5, 0.8], variance=[0.01, 0.02, 0.02, 0.03])
    >>> fit = meta_regression(es, {"dose": [1, 2, 3, 4]}, tau2="DL", inference="wald")
    >>> round(fit["dose"].estimate, 6)
    0.222785
    """
    check_option("model", model, MODELS)
    check_option("inference", inference, INFERENCES)
    check_level(level)
    y, v = np.asarray(es.effect, dtype=np.float64), np.asarray(es.variance, dtype=np.float64)
    usable = np.isfinite(y) & np.isfinite(v) & (v > 0.0)
    if not usable.all():
        i = int(np.argmin(usable))
        raise InputError(
            f"study {es.study[i] if es.study else i + 1} has no usable effect and variance; drop it and its moderators"
        )
    if isinstance(moderators, str):
        if names is not None or not intercept:
            raise InputError('names= and intercept= belong to plain columns; say it in the formula ("~ 0 + x")')
        if moderators.strip().lstrip("~").strip() == "1":
            design = from_columns(np.empty((len(y), 0)), (), True, len(y))
        else:
            design = from_formula(moderators, data, len(y))
    else:
        if data is not None:
            raise InputError("data= goes with a formula; the moderators were given as columns")
        design = from_columns(moderators, names, intercept, len(y))
    x = design.matrix
    k, columns = x.shape
    estimator, t2, se, residual = None, 0.0, math.nan, 0.0
    problem = Problem(y, v, x)
    if model == "common":
        if tau2 is not None:
            raise InputError('tau2= has no effect with model="common"; leave it out')
    elif tau2 is None or isinstance(tau2, str):
        estimator = tau2 or "REML"
        left = estimate_in(problem, check_option("tau2", estimator, ESTIMATORS))
        t2, se, residual = left.tau2, left.se, left.residual
    else:
        t2 = float(tau2)
        if not (t2 >= 0.0 and math.isfinite(t2)):
            raise InputError(f"tau2 must be an estimator's name or a number of at least 0; got {tau2!r}")
    fit, common = problem.at(t2), problem.common
    df: float = math.inf if inference == "wald" else float(k - columns)
    factor, advice = 1.0, []
    if inference.startswith("hartung-knapp"):
        factor = fit.rss / (k - columns)
        if factor < 1.0:
            if inference == "hartung-knapp-guarded":
                factor = 1.0
                advice.append("Hartung-Knapp would have narrowed the intervals; the guard kept its factor at 1")
            else:
                advice.append(
                    'Hartung-Knapp narrows the intervals here (factor below 1); see inference="hartung-knapp-guarded"'
                )
    covariance = fit.covariance * factor
    errors = np.sqrt(np.diag(covariance))
    if not errors.all():
        raise InputError(
            f"the moderators explain the effects exactly, so the standard errors of inference={inference!r} are 0: "
            "use 'hartung-knapp-guarded' or 'wald'"
        )
    statistic = fit.beta / errors
    qe_df = k - columns
    if model == "common":
        h2 = common.rss / qe_df
        i2 = 100.0 * max(0.0, 1.0 - 1.0 / h2) if h2 > 0.0 else 0.0
    else:
        i2, h2 = 100.0 * t2 / (t2 + problem.typical), t2 / problem.typical + 1.0
    return MetaRegression(
        design=design,
        effects=es,
        beta=fit.beta,
        covariance=covariance,
        se=errors,
        statistic=statistic,
        df=df,
        p=np.array([OneTail.two_sided(float(s), df) for s in statistic]),
        tau2=t2,
        tau2_se=se,
        residual=residual,
        i2=i2,
        h2=h2,
        r2=_explained(y, v, design, model, estimator, t2, common),
        qe=common.rss,
        qe_df=qe_df,
        qe_p=chi2_sf(common.rss, qe_df),
        model=model,
        tau2_estimator=estimator,
        inference=inference,
        level=level,
        scale_factor=factor,
        weights_used=fit.weights,
        advice=tuple(advice),
        conventions=MappingProxyType({"model": model, "tau2": estimator or t2, "inference": inference, "level": level}),
    )


def _explained(
    y: Floats, v: Floats, design: Design, model: str, estimator: str | None, tau2: float, common: Projection
) -> float:
    """R² against the model without moderators (Raudenbush 2009): of tau², or of H² under the common-effect model."""
    k, columns = design.matrix.shape
    if columns == 1 and design.intercept:
        return math.nan
    if model == "common":
        plain = projection(y, v, np.ones((k, 1)), 0.0)
        before, after = plain.rss / (k - 1), common.rss / (k - columns)
    elif estimator is None:
        return math.nan
    else:
        alone, _ = centred(OneGroup(y, v))
        before, after = TAU2_ESTIMATORS[estimator].estimate(alone, typical_variance(alone, 1.0 / v), None), tau2
    if before <= 0.0:
        return 0.0  # nothing to explain
    return float(100.0 * max(0.0, (before - after) / before))
