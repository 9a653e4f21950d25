"""The result of a generalised linear mixed model without moderators: a pooled result that knows its likelihood."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from balm.stats.glmm.fitting import MixedFit
from balm.stats.glmm.quadrature import at_nodes
from balm.stats.heterogeneity.intervals import HeterogeneityInterval
from balm.stats.pooling.pooled import FitStatistics, Pooled, StudyEffects
from balm.stats.tails import t_critical
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_option
from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True, eq=False, repr=False)
class PooledCounts(Pooled):
    """A pooled effect from the likelihood of the counts; otherwise as :class:`balm.Pooled`.

    ``weights`` are shares of the information on the effect, per cent.  ``q`` is the likelihood-ratio statistic against
    a model with an effect for each study; ``tests`` holds it with Wald's, and the test that tau2 is 0.
    """

    mixed: MixedFit | None = None
    typical_variance: float = math.nan
    rho_estimates: tuple[tuple[float, float], ...] = ()  # beta-binomial: (intraclass correlation, standard error)

    @property
    def sigma2(self) -> float:
        """Variance of random study levels; ``nan`` where they are not random."""
        return math.nan if self.mixed is None else self.mixed.sigma2

    @property
    def rho(self) -> float:
        """Correlation of study levels and effects; ``nan`` where none was estimated."""
        return math.nan if self.mixed is None else self.mixed.rho

    @property
    def maxima(self) -> tuple[tuple[float, float], ...]:
        """(tau2, log-likelihood) of every maximum that was found; the highest is the one reported."""
        return () if self.mixed is None else self.mixed.maxima

    @property
    def integration_error(self) -> float:
        """What the last refinement of the quadrature changed in the log-likelihood; ``nan`` under ``points=``."""
        return math.nan if self.mixed is None else self.mixed.integration_error

    def fit_statistics(self) -> dict[str, FitStatistics]:
        """``{"ML": ...}``: of the likelihood of the counts, constants included; k studies are the observations."""
        fit = self.mixed
        if fit is None or math.isnan(self.log_likelihood):
            return {"ML": FitStatistics(*(math.nan,) * 5)}
        parameters = len(fit.optimum.common) + (0 if fit.optimum.local is None else self.k)
        if self.conventions.get("model") == "random" and fit.tau2 == 0.0:
            parameters += 1
        observed = self.k * len(fit.structure.arms)
        constant = sum(likelihood.constant() for likelihood, _, _ in fit.structure.arms)
        best = constant + sum(float(likelihood.peak().height.sum()) for likelihood, _, _ in fit.structure.arms)
        ll = self.log_likelihood
        room = max(observed, parameters + 2)
        return {
            "ML": FitStatistics(
                ll,
                -2.0 * (ll - best),
                -2.0 * ll + 2.0 * parameters,
                -2.0 * ll + 2.0 * parameters * room / (room - parameters - 1),
                -2.0 * ll + parameters * math.log(observed),
            )
        }

    @property
    def _statistics(self) -> FitStatistics:
        return self.fit_statistics()["ML"]

    def study_effects(self, level: float | None = None) -> StudyEffects:
        """Each study's effect given its counts and the estimates: mean and spread of its distribution.

        The standard error adds what the uncertainty of the mean effect contributes, as for normal effects.
        """
        coverage = self.level if level is None else level
        fit = self.mixed
        k = self.k
        if fit is None or fit.failed:
            nothing = np.full(k, np.nan)
            return StudyEffects(nothing, nothing, nothing, nothing, coverage)
        mean, spread = np.full(k, self.estimate), np.zeros(k)
        keep = np.zeros(k)
        if fit.tau2 > 0.0:
            s, top = fit.structure, fit.optimum
            found = at_nodes(s, top.values, fit.points, top.modes)
            v, (_, share) = found.v, found.shares()
            effect = np.zeros(v.shape[:2])
            for i, p in enumerate(s.parameters):
                if p.of_effect:
                    effect += top.values[:, i][:, None] * (1.0 if p.random is None else v[..., p.random])
            mean = np.sum(share * effect, axis=1)
            spread = np.sum(share * (effect - mean[:, None]) ** 2, axis=1)
            keep = np.clip(1.0 - spread / fit.tau2, 0.0, 1.0)
        se = np.sqrt(spread + ((1.0 - keep) * self.se) ** 2)
        half = t_critical(coverage, self.df) * se
        return StudyEffects(mean, se, mean - half, mean + half, coverage)

    def heterogeneity_interval(self, method: str = "profile-likelihood", level: float | None = None) -> Any:
        """Intervals of tau2, tau, I2 and H2 from the likelihood of the counts.

        method : "profile-likelihood" (Hardy & Thompson 1996), or "wald" (on tau2, cut at 0).
        """
        if not self.method.startswith("glmm"):
            raise InputError(f"a fit by {self.method} has no between-study variance")
        check_option("method", method, ("profile-likelihood", "wald"))
        coverage = self.level if level is None else level
        if not 0.0 < coverage < 1.0:
            raise InputError(f"level must be between 0 and 1 (0.95 means 95%); got {coverage!r}")
        if self.conventions.get("model") == "common":
            raise InputError("a common-effect fit has no between-study variance: use model='random' for its interval")
        fit = self.mixed
        nothing = Interval(math.nan, math.nan, coverage)
        if fit is None or math.isnan(self.tau2):
            return HeterogeneityInterval(nothing, nothing, nothing, nothing, method, self.reasons.get("tau2", ""))
        if method == "wald":
            if fit.tau2 == 0.0:
                return HeterogeneityInterval(
                    nothing, nothing, nothing, nothing, method, "not defined where tau2 is estimated as 0"
                )
            half = t_critical(coverage, math.inf) * self.tau2_se
            low, high = max(0.0, self.tau2 - half), self.tau2 + half
        else:
            from balm.stats.glmm.tau2_interval import tau2_ends

            low, high = tau2_ends(self, coverage)
        s2 = self.typical_variance
        return HeterogeneityInterval(
            Interval(low, high, coverage),
            Interval(math.sqrt(low), math.sqrt(high), coverage),
            Interval(_share(low, s2), _share(high, s2), coverage),
            Interval(1.0 + low / s2, 1.0 + high / s2, coverage),
            method,
        )


def _share(tau2: float, typical: float) -> float:
    return 100.0 if math.isinf(tau2) else 100.0 * tau2 / (tau2 + typical)
