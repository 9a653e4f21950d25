"""The profile-likelihood interval of the between-study variance under a generalised linear mixed model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from balm.stats.glmm.fitting import LADDER, MixedFit
from balm.stats.glmm.models import structure
from balm.stats.glmm.optimum import climb
from balm.stats.tails import chi2_quantile
from balm.vocabulary.problems import InputError

#: Odds that differ by such a standard deviation on the log scale are 0 or infinite: no end is looked for beyond.
MOST_TAU = 16.0

if TYPE_CHECKING:
    from balm.stats.glmm.pooled_counts import PooledCounts


def tau2_ends(pooled: PooledCounts, level: float) -> tuple[float, float]:
    """Both ends; 0 where no heterogeneity at all is not refused, infinite where no amount is."""
    from scipy.optimize import brentq

    fit = pooled.mixed
    assert fit is not None
    if pooled.conventions.get("correlated"):
        raise InputError("the profile likelihood of tau2 is not offered for correlated=True; use method='wald'")
    fall = _Fall(fit, str(pooled.conventions["studies"]) if pooled.conventions.get("studies") else None)
    limit = chi2_quantile(level, 1.0)
    centre = math.sqrt(fit.tau2)
    low = 0.0
    if centre > 0.0 and fall(0.0) > limit:
        low = float(brentq(lambda x: fall(x) - limit, 0.0, centre, xtol=1e-10, rtol=1e-12))
    inside, outside = centre, max(1.5 * centre, centre + 0.2)
    while outside < MOST_TAU:
        if fall(outside) > limit:
            high = float(brentq(lambda x: fall(x) - limit, inside, outside, xtol=1e-9, rtol=1e-10))
            return low * low, high * high
        inside, outside = outside, 2.0 * outside
    return low * low, math.inf


class _Fall:
    """Twice the fall of the log-likelihood with tau held at a value."""

    def __init__(self, fit: MixedFit, studies: str | None) -> None:
        s, top = fit.structure, fit.optimum
        design = s.parameters[0].design
        assert design is not None
        self.exact = math.isfinite(fit.integration_error)
        if fit.tau2 > 0.0:
            self.model, self.common, self.at = s, top.common, s.position("tau")
        else:
            self.model = structure(s.arms, studies, design, heterogeneity=True)
            self.common, self.at = np.append(top.common, 0.0), len(top.common)
        self.local, self.height = top.local, top.height
        self.points = (
            min(fit.points, 31 if self.model.dimensions == 1 else 15)
            if fit.tau2 > 0.0 or not self.exact
            else LADDER[self.model.dimensions][2]
        )

    def __call__(self, tau: float) -> float:
        common = np.array(self.common, dtype=np.float64)
        common[self.at] = tau
        found = climb(self.model, common, self.local, self.points, exact=self.exact, held=self.at, short=1e-6, most=25)
        return 2.0 * (self.height - found.height)
