"""What the diagnostics take: a pooled result by inverse variance, or a meta-regression, seen the same way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.pooling.choices import Choices, choose
from balm.stats.pooling.pooled import Pooled
from balm.stats.regression.meta_regression import MetaRegression
from balm.stats.regression.projection import Projection
from balm.vocabulary.problems import InputError


@dataclass(frozen=True, eq=False)
class Model:
    """A fit as a linear model: effects (k,), variances (k,), design (k, p), weights (k,) of the mean, and tau2.

    ``covariance`` is ``(X'AX)^-1 X'A M A X (X'AX)^-1`` with ``M = diag(v + tau2)``, Wald's; with inverse-variance
    weights it is ``(X'AX)^-1``. ``factor`` is what Hartung-Knapp multiplies it by, where that interval is in force.
    """

    fit: Pooled | MetaRegression
    study: tuple[str, ...]
    names: tuple[str, ...]
    effect: Floats
    variance: Floats
    design: Floats
    weights: Floats
    tau2: float
    model: str
    estimator: str | float | None  # None: tau2 is 0 by the model
    own_weights: Floats | None

    @property
    def k(self) -> int:
        """Studies in the fit."""
        return len(self.effect)

    @property
    def p(self) -> int:
        """Coefficients."""
        return int(self.design.shape[1])

    @property
    def spread(self) -> Floats:
        """Marginal variances ``v + tau2`` (``tau2`` counts as 0 where it could not be estimated: one study)."""
        return self.variance + (0.0 if math.isnan(self.tau2) else self.tau2)

    @property
    def efficient(self) -> bool:
        """Whether the weights are the inverse marginal variances, so that ``(X'AX)^-1`` is the covariance."""
        return self.own_weights is None and self.model != "ivhet"

    @cached_property
    def projection(self) -> Projection:
        """The weighted least squares fit."""
        return Projection(self.effect, self.design, self.weights)

    @cached_property
    def covariance(self) -> Floats:
        """Wald's covariance matrix of the coefficients, (p, p)."""
        bread = self.projection.covariance
        if self.efficient:
            return bread
        ax = self.weights[:, None] * self.design
        sandwich: Floats = bread @ (ax.T * self.spread) @ ax @ bread
        return sandwich

    @cached_property
    def factor(self) -> float:
        """Hartung-Knapp's factor of the covariance, floored at 1 where the fit guards it; 1 for other intervals."""
        if not self.scaled:
            return 1.0
        if self.k == self.p:
            return float(self.in_force(math.nan))
        efficient = self.projection if self.efficient else Projection(self.effect, self.design, 1.0 / self.spread)
        return float(self.in_force(efficient.rss / (self.k - self.p)))

    @property
    def scaled(self) -> bool:
        """Whether the interval in force scales Wald's error by a factor: Hartung-Knapp, guarded or not."""
        return self.fit.conventions["inference"] in ("hartung-knapp", "hartung-knapp-guarded")

    def in_force(self, factor: Any) -> Any:
        """What the fit makes of Hartung-Knapp's ``factor`` (number or array; ``nan`` without degrees of freedom)."""
        if not self.scaled:
            return np.ones_like(factor)
        return np.fmax(factor, 1.0) if self.fit.conventions["inference"] == "hartung-knapp-guarded" else factor

    def residual_variance(self) -> Floats:
        """(k,) variances of ``y - X b``: the diagonal of ``(I - H) M (I - H)'``."""
        h = self.projection.hat
        if self.efficient:
            return self.spread * np.maximum(1.0 - h, 0.0)
        error = np.einsum("ij,jk,ik->i", self.design, self.covariance, self.design)
        return np.asarray(np.maximum(self.spread * (1.0 - 2.0 * h) + error, 0.0))


def model_of(fit: Any, caller: str) -> Model:
    """The linear model behind a fit; an error for what has none."""
    if isinstance(fit, MetaRegression):
        estimator: str | float | None = fit.tau2_estimator
        if estimator is None and fit.model != "common":
            estimator = fit.tau2
        return Model(
            fit,
            fit.effects.study,
            fit.design.names,
            np.asarray(fit.effects.effect, dtype=np.float64),
            np.asarray(fit.effects.variance, dtype=np.float64),
            fit.design.matrix,
            fit.weights_used,
            fit.tau2,
            fit.model,
            estimator,
            None,
        )
    if not isinstance(fit, Pooled):
        raise InputError(f"{caller} takes a result of balm.pool or balm.meta_regression; got {type(fit).__name__}")
    if fit.method != "inverse-variance":
        raise InputError(
            f"{caller} takes a result by inverse variance; this one is by {fit.method}: pool the same effect sizes "
            "with balm.pool, or see balm.leave_one_out and balm.baujat"
        )
    chosen = fit.conventions
    return Model(
        fit,
        fit.effects.study,
        ("mean",),
        fit.effects.effect,
        fit.effects.variance,
        np.ones((fit.k, 1)),
        mean_weights(fit),
        fit.tau2,
        str(chosen["model"]),
        None if chosen["model"] == "common" else chosen["tau2"],
        fit.own_weights,
    )


def mean_weights(fit: Pooled) -> Floats:
    """The weights of the mean, unscaled."""
    if fit.own_weights is not None:
        return fit.own_weights
    tau2 = 0.0 if fit.conventions["model"] != "random" or math.isnan(fit.tau2) else fit.tau2
    return np.asarray(1.0 / (fit.effects.variance + tau2))


def refitting(model: Model) -> Choices:
    """The choices that estimate again what the diagnostics need: mean, Wald's error, tau2, Q and I2."""
    chosen = model.fit.conventions
    common = model.model == "common"
    return choose(
        profile=None,
        model=model.model,
        tau2=None if common else model.estimator,
        inference="wald",
        prediction=None if common else "none",
        level=float(chosen["level"]),
        i2=None if common else chosen.get("i2"),
        tau2_interval=None,
        weighted=model.own_weights is not None,
    )
