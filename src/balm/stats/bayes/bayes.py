"""``balm.bayes``: random-effects meta-analysis and meta-regression with prior distributions, without simulation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Any

import numpy as np

from balm.stats.bayes.mixture import Mixture, Summary
from balm.stats.bayes.tau_posterior import Model, TauPosterior, highest
from balm.stats.bayes.tau_prior import TauPrior, tau_prior
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.frame import frame
from balm.vocabulary.interval import Interval
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError, check_level, check_option
from balm.vocabulary.quick_dataclass import dataclass, field

INTERVALS = ("shortest", "central")

#: Measures on a logarithmic scale of ratios, for which a half-normal prior with scale 0.5 is a usual choice.
RATIOS = ("OR", "RR", "HR", "IRR", "PETO")


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a prior of the mean: probability, mean and standard deviation; sd inf is flat."""

    weight: float
    mean: float
    sd: float


@dataclass(frozen=True, eq=False)
class Shrinkage:
    """Posterior distributions of the studies' own effects, (k,) each."""

    mean: Floats
    sd: Floats
    median: Floats
    low: Floats
    high: Floats
    level: float


@dataclass(frozen=True, eq=False)
class Bayes:
    """Posterior distributions, on the analysis scale.

    mu, tau, prediction : mean effect, between-study SD, and the effect in a new setting, each in five numbers.
    coefficients        : the same for each coefficient of a meta-regression (``names``); empty without moderators.
    log_marginal        : logarithm of the marginal likelihood; nan with an improper prior (``reasons`` says so).
    bayes_factor_tau0   : evidence for tau = 0 against the prior of tau.
    bayes_factor_mu0    : evidence for no mean effect against the prior of the mean.
    best_likelihood, best_posterior : (mean, tau) of the highest likelihood and of the highest joint posterior density.
    residual            : by how much the last refinement of the quadrature changed the normalising constant, relative.
    """

    effects: EffectSizes
    mu: Summary
    tau: Summary
    prediction: Summary
    shrinkage: Shrinkage
    names: tuple[str, ...]
    coefficients: tuple[Summary, ...]
    prior: TauPrior
    mu_prior: tuple[Part, ...]
    level: float
    interval_kind: str
    log_marginal: float
    bayes_factor_tau0: float
    bayes_factor_mu0: float
    best_likelihood: tuple[float, float]
    best_posterior: tuple[float, float]
    reasons: Mapping[str, str]
    residual: float
    mu_posterior: Mixture = field()
    tau_posterior: TauPosterior = field()
    prediction_posterior: Mixture = field()
    coefficient_posteriors: tuple[Mixture, ...] = ()

    @property
    def k(self) -> int:
        """The number of studies."""
        return len(self.effects)

    @property
    def measure(self) -> str:
        """The measure's code."""
        return self.effects.measure

    @property
    def estimate(self) -> float:
        """The posterior median of the mean effect."""
        return self.mu.median

    @property
    def interval(self) -> Interval:
        """The credible interval of the mean effect."""
        return self.mu.interval

    @property
    def prediction_interval(self) -> Interval:
        """Where the effect in a new setting lies."""
        return self.prediction.interval

    @property
    def marginal_likelihood(self) -> float:
        """Probability density of the data under the priors."""
        return math.exp(self.log_marginal)

    def probability_beyond(self, threshold: float, direction: str = "above", *, of: str = "mean") -> float:
        """Posterior probability that the mean effect (or, ``of="new setting"``, that of a new setting) lies beyond.

        ``threshold`` is on the analysis scale.
        """
        check_option("direction", direction, ("above", "below"))
        posterior = self.mu_posterior if check_option("of", of, ("mean", "new setting")) == "mean" else None
        posterior = posterior or self.prediction_posterior
        return float(posterior.sf(threshold) if direction == "above" else posterior.cdf(threshold))

    def to_dict(self) -> dict[str, Any]:
        """Every number, nested as in the fields."""
        found: dict[str, Any] = {"k": self.k, "measure": self.measure, "level": self.level}
        parts = {"mu": self.mu, "tau": self.tau, "prediction": self.prediction}
        parts |= dict(zip(self.names, self.coefficients, strict=False))
        for name, s in parts.items():
            found[name] = {"mean": s.mean, "sd": s.sd, "median": s.median, "mode": s.mode,
                           "low": s.interval.low, "high": s.interval.high}  # fmt: skip
        found |= {"prior": self.prior.words, "log_marginal": self.log_marginal,
                  "bayes_factor_tau0": self.bayes_factor_tau0, "bayes_factor_mu0": self.bayes_factor_mu0,
                  "residual": self.residual, "reasons": dict(self.reasons)}  # fmt: skip
        return found

    def to_frame(self) -> Any:
        """One row a study: what was observed and its own effect after shrinkage."""
        s, es = self.shrinkage, self.effects
        return frame({"study": list(es.study), "effect": es.effect, "se": es.se, "mean": s.mean, "sd": s.sd,
                      "median": s.median, "low": s.low, "high": s.high})  # fmt: skip

    def sentence(self, **options: Any) -> str:
        """The result in words."""
        return str(presenter("bayes_sentence")(self, **options))

    def methods(self) -> str:
        """The methods paragraph."""
        return str(presenter("bayes_methods")(self))

    def forest(self, path: Any = None, **options: Any) -> Any:
        """A forest plot of the studies as observed and after shrinkage, the mean and the prediction."""
        return presenter("forest")(self, path, **options)

    def posterior_plot(self, path: Any = None, **options: Any) -> Any:
        """The posterior densities of the mean effect, of the effect in a new setting, and of tau with its prior."""
        return presenter("posterior")(self, path, **options)

    def __repr__(self) -> str:
        return str(presenter("bayes_text")(self))

    def _repr_html_(self) -> str:
        return str(presenter("bayes_html")(self))


def bayes(
    effects: EffectSizes,
    *,
    tau: str | TauPrior | None = None,
    mu: Any = None,
    moderators: Any = None,
    data: Any = None,
    at: Any = None,
    interval: str = "shortest",
    level: float = 0.95,
    **parameters: Any,
) -> Bayes:
    """Bayesian random-effects meta-analysis of the normal-normal model.

    effects    : :func:`balm.effect_sizes`; y_i ~ N(theta_i, v_i) and theta_i ~ N(mu, tau2).
    tau        : prior of tau: a :func:`balm.tau_prior`, or its name with the parameters (``tau="half-normal",
                 scale=0.5``). Ratios (OR, RR, HR, IRR) take half-normal with scale 0.5 without a word; other measures
                 have a unit, so their prior must be named.
    mu         : prior of the mean: None (flat), (mean, sd), or a robust mixture [(weight, mean, sd), ...]. With
                 moderators: None or a mapping of coefficient name to (mean, sd); those not named are flat.
    moderators : a formula ("year + allocation") with ``data``, or columns; as in :func:`balm.meta_regression`.
    at         : values of the moderators at which ``mu`` and ``prediction`` are given (default: their means).
    interval   : "shortest" or "central" credible intervals, of probability ``level``.

    The coefficients are integrated out in closed form, tau on panels that are halved until nothing changes
    (``residual``): the result has no simulation error. Röver (2020) J Stat Softw 93(6), sections 2.2-2.4 (model,
    priors, posteriors, shrinkage); Schmidli et al. (2014) Biometrics 70:1023 (mixture priors).

    Raises :class:`balm.InputError` where the posterior would not be proper (too few studies for an improper prior).

    >>> es = EffectSizes(effect=[0.2, 0.5, -0.1], variance=[0.04, 0.05, 0.09])
    >>> fit = bayes(es, tau="half-normal", scale=0.5)
    >>> print(f"{fit.mu.mean:.4f} ({fit.mu.interval.low:.3f} to {fit.mu.interval.high:.3f})")
    0.2289 (-0.283 to 0.723)
    """
    if not isinstance(effects, EffectSizes):
        raise InputError(f"effects must be EffectSizes; got {type(effects).__name__}")
    check_option("interval", interval, INTERVALS)
    check_level(level)
    if len(effects) == 0:
        raise InputError("effects are empty: there is nothing to pool")
    y, v = np.asarray(effects.effect, dtype=np.float64), np.asarray(effects.variance, dtype=np.float64)
    prior = _prior_of_tau(tau, parameters, effects.measure)
    design, names, point = _design(moderators, data, at, len(y))
    parts, models = _models(y, v, design, names, mu, moderators is not None)
    flat = int((models[0].prior_precision == 0).sum())
    steep = prior.tail + len(y) - flat  # the posterior of tau falls as tau ** -steep
    if len(y) < flat or steep <= 1.0:
        need = max(math.floor(flat + 1.0 - prior.tail) + 1 if math.isfinite(prior.tail) else 0, flat)
        raise InputError(
            f"{len(y)} studies give no proper posterior under the prior {prior.words!r}: it takes {need} or more; "
            'a proper prior such as tau="half-normal" with scale= needs fewer'
        )

    def log_likelihood(at_tau: Floats) -> Floats:
        logs = [math.log(p.weight) + m.given(at_tau).log_likelihood for p, m in zip(parts, models, strict=True)]
        return logs[0] if len(logs) == 1 else np.logaddexp.reduce(logs)

    posterior = TauPosterior(log_likelihood, prior, v)
    nodes = posterior.tau
    given = [m.given(nodes) for m in models]
    log_parts = np.array([math.log(p.weight) + g.log_likelihood for p, g in zip(parts, given, strict=True)])
    shares = posterior.panels.share * np.exp(log_parts - log_likelihood(nodes))  # (parts, M)
    mean = np.stack([g.mean for g in given])  # (parts, M, p)
    covariance = np.stack([g.covariance for g in given])

    def linear(x: Floats, extra: Floats | float = 0.0) -> Mixture:
        variance = np.einsum("i,cmij,j->cm", x, covariance, x) + extra
        return Mixture(shares.ravel(), (mean @ x).ravel(), np.sqrt(variance).ravel()).kept()

    def told(mixture: Mixture) -> Summary:
        return _without_moments(mixture.summary(level, interval), steep)

    mixture, new = linear(point), linear(point, nodes**2)
    regression = moderators is not None
    each = tuple(linear(column) for column in np.eye(design.shape[1])) if regression else ()
    reasons, log_marginal, factor_tau, factor_mu = _evidence(posterior, prior, parts, models, flat, regression)
    return Bayes(
        effects=effects,
        mu=told(mixture),
        tau=_without_moments(posterior.summary(level, interval), steep, of_tau=True),
        prediction=told(new),
        shrinkage=_shrinkage(y, v, design, nodes, shares, mean, covariance, level, interval),
        names=names if regression else (),
        coefficients=tuple(told(one) for one in each),
        prior=prior,
        mu_prior=parts,
        level=level,
        interval_kind=interval,
        log_marginal=log_marginal,
        bayes_factor_tau0=factor_tau,
        bayes_factor_mu0=factor_mu,
        best_likelihood=_best(posterior, models[0].flat(), None, point),
        best_posterior=_best(posterior, models[0], prior, point) if len(models) == 1 else (math.nan, math.nan),
        reasons=MappingProxyType(reasons),
        residual=posterior.panels.residual,
        mu_posterior=mixture,
        tau_posterior=posterior,
        prediction_posterior=new,
        coefficient_posteriors=each,
    )


def _prior_of_tau(tau: str | TauPrior | None, parameters: Mapping[str, Any], measure: str) -> TauPrior:
    if tau is None:
        if parameters:
            raise InputError(f"{sorted(parameters)[0]} is a parameter of a prior: name it with tau=")
        if measure not in RATIOS:
            raise InputError(
                f"name a prior of tau: effects measured as {measure} have a unit, and so has tau; "
                'for example tau="half-normal" with scale='
            )
        return tau_prior("half-normal", scale=0.5)
    if isinstance(tau, TauPrior):
        if parameters:
            raise InputError(f"{sorted(parameters)[0]} is settled by the prior given as tau=")
        return tau
    if not isinstance(tau, str):
        raise InputError(f"tau must be the name of a prior or a tau_prior; got {type(tau).__name__}")
    return tau_prior(tau, **parameters)


def _design(moderators: Any, data: Any, at: Any, k: int) -> tuple[Floats, tuple[str, ...], Floats]:
    """The design matrix, its names, and the row at which the mean effect is given."""
    if moderators is None:
        for name, value in (("data", data), ("at", at)):
            if value is not None:
                raise InputError(f"{name} applies to a meta-regression only: give moderators=")
        return np.ones((k, 1)), ("intercept",), np.ones(1)
    built = import_module("balm.stats.regression.design")
    if isinstance(moderators, str):
        design = built.check(built.from_formula(moderators, data, k))
    else:
        if data is not None:
            raise InputError("data goes with a formula; columns are taken as they are")
        design = built.check(built.from_columns(moderators, None, True, k))
    point = design.matrix.mean(axis=0) if at is None else np.asarray(design.rebuild(at), dtype=np.float64)
    if point.ndim == 2:
        if len(point) != 1:
            raise InputError(f"at must describe one setting; got {len(point)} rows")
        point = point[0]
    return design.matrix, design.names, point


def _models(
    y: Floats, v: Floats, design: Floats, names: tuple[str, ...], mu: Any, regression: bool
) -> tuple[tuple[Part, ...], tuple[Model, ...]]:
    """The components of the prior of the coefficients, and the normal model under each."""
    if regression:
        wanted = dict(mu or {}) if mu is None or isinstance(mu, Mapping) else None
        if wanted is None:
            raise InputError("with moderators, mu must map coefficient names to (mean, sd)")
        if unknown := sorted(set(wanted) - set(names)):
            raise InputError(f"mu names {unknown[0]!r}, which is no coefficient; they are {list(names)}")
        rows = [_part((1.0, *_pair(wanted[name]))) if name in wanted else Part(1.0, 0.0, math.inf) for name in names]
        means = np.array([row.mean for row in rows])
        precision = np.array([0.0 if math.isinf(row.sd) else row.sd**-2 for row in rows])
        return (Part(1.0, math.nan, math.nan),), (Model(y, v, design, means, precision),)
    if mu is None:
        parts: tuple[Part, ...] = (Part(1.0, 0.0, math.inf),)
    elif isinstance(mu, Sequence) and len(mu) > 0 and isinstance(mu[0], Sequence):
        parts = tuple(_part(row) for row in mu)
        total = sum(part.weight for part in parts)
        if abs(total - 1.0) > 1e-9:
            raise InputError(f"the weights of the mixture given as mu must add up to 1; they add up to {total:g}")
    else:
        parts = (_part((1.0, *_pair(mu))),)
    models = []
    for part in parts:
        precision = np.array([0.0 if math.isinf(part.sd) else part.sd**-2])
        models.append(Model(y, v, design, np.array([part.mean]), precision))
    return parts, tuple(models)


def _pair(value: Any) -> tuple[float, float]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise InputError(f"a normal prior is given as (mean, sd); got {value!r}")
    return float(value[0]), float(value[1])


def _part(row: Any) -> Part:
    if not isinstance(row, Sequence) or len(row) != 3:
        raise InputError(f"a component of a mixture is (weight, mean, sd); got {row!r}")
    weight, mean, sd = (float(x) for x in row)
    if not (0.0 < weight <= 1.0 and math.isfinite(mean) and 0.0 < sd < math.inf):
        raise InputError(f"weight must lie in (0, 1], mean be finite and sd positive and finite; got {row!r}")
    return Part(weight, mean, sd)


def _without_moments(s: Summary, steep: float, *, of_tau: bool = False) -> Summary:
    """Means and SDs that do not exist, because the posterior of tau falls too slowly, are not reported as numbers."""
    mean = s.mean if steep > 2.0 else (math.inf if of_tau else math.nan)
    return Summary(mean, s.sd if steep > 3.0 else math.inf, s.median, s.mode, s.interval)


def _shrinkage(y: Floats, v: Floats, design: Floats, tau: Floats, shares: Floats, mean: Floats, covariance: Floats,
               level: float, interval: str) -> Shrinkage:  # fmt: skip
    """theta_i given tau is normal: precision-weighted between y_i and the fitted mean, whose uncertainty it carries."""
    rows = []
    for x, effect, variance in zip(design, y, v, strict=True):
        pull = variance / (variance + tau**2)  # share of the fitted mean
        centre = pull * (mean @ x) + (1.0 - pull) * effect
        spread = pull**2 * np.einsum("i,cmij,j->cm", x, covariance, x) + (1.0 - pull) * variance
        own = Mixture(shares.ravel(), centre.ravel(), np.sqrt(spread).ravel()).kept()
        ends = own.shortest(level) if interval == "shortest" else own.central(level)
        rows.append((own.expectation(), own.spread(), own.quantile(0.5), ends.low, ends.high))
    means, sds, medians, lows, highs = (np.array(column) for column in zip(*rows, strict=True))
    return Shrinkage(means, sds, medians, lows, highs, level)


def _evidence(posterior: TauPosterior, prior: TauPrior, parts: tuple[Part, ...], models: tuple[Model, ...], flat: int,
              regression: bool) -> tuple[dict[str, str], float, float, float]:  # fmt: skip
    """Marginal likelihood and Bayes factors, or why there are none."""
    if flat or not prior.proper:
        what = "mean effect" if flat else "between-study standard deviation"
        why = f"the prior of the {what} is improper: it has no density to compare with"
        names = ("log_marginal", "bayes_factor_tau0", "bayes_factor_mu0")
        return dict.fromkeys(names, why), math.nan, math.nan, math.nan
    total = posterior.panels.log_total
    at_zero = float(posterior.log_likelihood(np.zeros(1))[0])
    if regression:
        why = "with moderators, no effect is a statement about each coefficient"
        return {"bayes_factor_mu0": why}, total, math.exp(at_zero - total), math.nan
    model = models[0]

    def without_mean(tau: Floats) -> Floats:
        spread = model.variance + tau[:, None] ** 2
        found: Floats = -0.5 * (np.log(2.0 * math.pi * spread) + model.effect**2 / spread).sum(axis=1)
        return found

    nothing = TauPosterior(without_mean, prior, model.variance).panels.log_total
    return {}, total, math.exp(at_zero - total), math.exp(nothing - total)


def _best(posterior: TauPosterior, model: Model, prior: TauPrior | None, point: Floats) -> tuple[float, float]:
    """(mean effect, tau) of the highest likelihood, or of the highest joint density with the prior of tau."""

    def log_density(tau: Floats) -> Floats:
        found = model.highest(tau)[0]
        return found if prior is None else found + prior.log_density(tau, model.variance)

    tau = highest(log_density, posterior.panels)[0]
    return float(model.highest(np.array([tau]))[1][0] @ point), tau
