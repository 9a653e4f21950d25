"""The result of a generalised linear mixed model with moderators."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import EffectSizes
from balm.stats.glmm.fitting import MixedFit
from balm.stats.glmm.heterogeneity_tests import ChiSquare, HeterogeneityTests
from balm.stats.regression.design import Design
from balm.stats.regression.meta_regression import LikelihoodRatio, MetaRegression
from balm.stats.tails import OneTail
from balm.vocabulary.problems import InputError


@dataclass(frozen=True, eq=False, repr=False)
class CountsRegression(MetaRegression):
    """A meta-regression by the likelihood of the counts; otherwise as the result of :func:`balm.meta_regression`.

    ``qe`` is the likelihood-ratio statistic against a model with an effect for each study; ``wald`` is Wald's.
    """

    mixed: MixedFit | None = None
    wald: ChiSquare | None = None

    @property
    def log_likelihood(self) -> float:
        """Of the counts, with all constants."""
        assert self.mixed is not None
        return self.mixed.log_likelihood

    @property
    def fit_statistics(self) -> dict[str, dict[str, float]]:
        """``{"ML": {...}}`` with log-likelihood, AIC, BIC and AICc of the likelihood of the counts."""
        fit = self.mixed
        assert fit is not None
        parameters = len(fit.optimum.common) + (0 if fit.optimum.local is None else self.k)
        parameters += int(self.model == "random" and fit.tau2 == 0.0)
        n = self.k * len(fit.structure.arms)
        ll, room = fit.log_likelihood, max(n, parameters + 2)
        return {
            "ML": {
                "log_likelihood": ll,
                "aic": -2.0 * ll + 2 * parameters,
                "bic": -2.0 * ll + parameters * math.log(n),
                "aicc": -2.0 * ll + 2 * parameters * room / (room - parameters - 1),
            }
        }

    def compare(self, smaller: MetaRegression) -> LikelihoodRatio:
        """Likelihood-ratio test against a nested model of the same counts."""
        if not isinstance(smaller, CountsRegression):
            other = getattr(smaller, "mixed", None)
            if other is None:
                raise InputError("the model to compare with must come from balm.glmm on the same counts")
            return self._against(other, other.tau2, 1)
        assert smaller.mixed is not None
        return self._against(smaller.mixed, smaller.tau2, len(smaller.beta))

    def _against(self, other: MixedFit, tau2: float, coefficients: int) -> LikelihoodRatio:
        assert self.mixed is not None
        if other.structure.k != self.mixed.structure.k:
            raise InputError("the two models were not fitted to the same studies")
        df = len(self.beta) - coefficients
        if df <= 0:
            raise InputError("the model to compare with must have fewer coefficients")
        statistic = 2.0 * (self.log_likelihood - other.log_likelihood)
        explained = 100.0 * max(0.0, (tau2 - self.tau2) / tau2) if tau2 > 0.0 else 0.0
        return LikelihoodRatio(statistic, df, chi2_sf(max(statistic, 0.0), df), explained)

    def vif(self) -> dict[str, float]:
        """Variance inflation of each coefficient but the intercept, from their covariance (Fox & Monette 1992)."""
        skip = 1 if self.design.intercept else 0
        v = self.covariance[skip:, skip:]
        s = np.sqrt(np.diag(v))
        inverse = np.linalg.inv(v / np.outer(s, s))
        return dict(zip(self.design.names[skip:], np.diag(inverse).tolist(), strict=True))

    def heterogeneity_interval(self, method: str = "q-profile", *, level: float = 0.95) -> Any:
        """Not offered: the Q-profile method belongs to normal effects."""
        raise InputError("an interval for tau2 is offered by glmm without moderators; here see tau2_se")


def regression(
    es: EffectSizes,
    design: Design,
    fit: MixedFit,
    tests: HeterogeneityTests | None,
    plain_tau2: float | None,
    model: str,
    inference: str,
    level: float,
    conventions: Mapping[str, Any],
    typical: float,
) -> CountsRegression:
    """The result from its parts; ``plain_tau2`` is that of the model without moderators."""
    k, p = design.matrix.shape
    se = np.sqrt(np.diag(fit.covariance))
    df = float(k - p) if inference == "t" else math.inf
    statistic = fit.beta / se
    r2 = math.nan
    if plain_tau2 is not None and model == "random":
        r2 = 100.0 * max(0.0, (plain_tau2 - fit.tau2) / plain_tau2) if plain_tau2 > 0.0 else 0.0
    lr = tests.likelihood_ratio if tests is not None else ChiSquare(math.nan, k - p, math.nan)
    i2, h2 = 100.0 * fit.tau2 / (fit.tau2 + typical), 1.0 + fit.tau2 / typical
    if model == "common":
        h2 = lr.statistic / lr.df
        i2 = 100.0 * max(0.0, 1.0 - 1.0 / h2) if h2 > 0.0 else 0.0
    return CountsRegression(
        design=design,
        effects=es,
        beta=fit.beta,
        covariance=fit.covariance,
        se=se,
        statistic=statistic,
        df=df,
        p=np.array([OneTail.two_sided(float(s), df) for s in statistic]),
        tau2=fit.tau2,
        tau2_se=fit.tau2_se,
        residual=fit.residual,
        i2=i2,
        h2=h2,
        r2=r2,
        qe=lr.statistic,
        qe_df=lr.df,
        qe_p=lr.p,
        model=model,
        tau2_estimator="ML" if model == "random" else None,
        inference=inference,
        level=level,
        scale_factor=1.0,
        weights_used=fit.information,
        conventions=conventions,
        mixed=fit,
        wald=None if tests is None else tests.wald,
    )
