"""What power each study had to find a true effect, and what that says of the set: the numbers of a sunset plot."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.distributions import norm_cdf, norm_isf, norm_sf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.pooling.pooled import Pooled
from balm.stats.small_study.excess_significance import ExcessSignificance, excess_significance
from balm.stats.small_study.studies import p_in_words, studies_of
from balm.vocabulary.numbers import counted_studies
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError

SOURCE = "Kossmeier M, Tran US, Voracek M. Z Psychol 2020;228:43-9"
#: Powers at which the median study is placed: the true effect it would have taken is told (Kossmeier et al. 2020).
MEDIAN_POWERS = (0.33, 0.66)


@dataclass(frozen=True, eq=False, repr=False)
class StudyPower:
    """Power of every study against one true effect, and summaries of it.

    power         : (k,) of two-sided tests at ``alpha`` under ``theta``.
    median        : of the powers.
    effect_33, effect_66 : size of the true effect under which the median power would be 33 % and 66 %.
    excess        : the test of excess significance under ``theta``.
    r_index       : twice the median power less the share of significant studies (Schimmack's replicability index):
                    what is left when the median power is corrected for as many significant results as there are.
    """

    theta: float
    alpha: float
    power: Floats
    median: float
    effect_33: float
    effect_66: float
    excess: ExcessSignificance
    effects: EffectSizes

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.effects)

    @property
    def significant(self) -> float:
        """Share of significant studies."""
        return self.excess.observed / self.k

    @property
    def r_index(self) -> float:
        """Median power less what significance exceeds it by; 0 at least."""
        return max(0.0, 2.0 * self.median - self.significant)

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        excess = self.excess
        return (
            f"To find a true effect of {self.theta:.3f}, {counted_studies(self.k)} had a median power of "
            f"{100 * self.median:.0f}%; {excess.observed} {'is' if excess.observed == 1 else 'are'} significant where "
            f"{excess.expected:.1f} are expected "
            f"({p_in_words(excess.p)} of excess significance); R-index {100 * self.r_index:.0f}%. A median power of "
            f"33% would take a true effect of {self.effect_33:.3f}, one of 66% {self.effect_66:.3f}."
        )

    def plot(self, path: Any = None, **options: Any) -> Any:
        """The sunset plot: a funnel over bands of power."""
        return presenter("sunset")(self, path, **options)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values at full precision."""
        return {
            "k": self.k,
            "theta": self.theta,
            "alpha": self.alpha,
            "median_power": self.median,
            "effect_33": self.effect_33,
            "effect_66": self.effect_66,
            "observed": self.excess.observed,
            "expected": self.excess.expected,
            "excess_p": self.excess.p,
            "r_index": self.r_index,
            "power": self.power.tolist(),
            "source": SOURCE,
        }

    def to_frame(self) -> Any:
        """One row a study, as a pandas DataFrame (a dict of columns without pandas)."""
        es = self.effects
        return frame({"study": list(es.study), "effect": es.effect.copy(), "se": es.se, "power": self.power.copy()})

    def __repr__(self) -> str:
        return "\n".join([self.summary, SOURCE])


def power_at(se: float, theta: float, alpha: float) -> float:
    """Power of a two-sided normal test.

    >>> round(power_at(0.1, 0.28, 0.05), 3)
    0.8
    """
    cut, away = norm_isf(0.5 * alpha), abs(theta) / se
    return norm_sf(cut - away) + norm_cdf(-cut - away)


def study_power(
    fit: Pooled | EffectSizes, *, theta: float | str = "common", alpha: float = 0.05, test: str = "exact"
) -> StudyPower:
    """Power of each study to find ``theta``, the median, the R-index, and the test of excess significance.

    fit   : a result of :func:`balm.pool` or effect sizes.
    theta : the true effect on the analysis scale: "common" (inverse-variance mean, the default), "fit" (the estimate of
            ``fit``), or a number. Of a biased set the mean is too large, and so is every power under it.
    alpha : level of the studies' own two-sided tests, taken as normal.
    test  : of excess significance, as in :func:`balm.excess_significance`.

    Significant studies without power are less credible than others: they found what they could hardly find. The R-index
    takes from the median power by how much the share of significant studies exceeds it; it is a ranking, not a
    probability of replication.

    >>> es = EffectSizes(effect=[0.5, 0.6, 0.45, 0.1], variance=[0.04, 0.06, 0.04, 0.01])
    >>> found = study_power(es)
    >>> [round(one, 2) for one in found.power.tolist()], round(found.median, 2), found.r_index
    ([0.26, 0.19, 0.26, 0.75], 0.26, 0.0)
    """
    es = studies_of(fit, "study_power")
    excess = excess_significance(fit, theta=theta, tau2=0.0, alpha=alpha, test=test)
    effect = excess.theta
    if not math.isfinite(effect):
        raise InputError(f"theta must be a finite number on the analysis scale; got {effect!r}")
    errors = es.se.tolist()

    def median(at: float) -> float:
        return float(np.median([power_at(se, at, alpha) for se in errors]))

    return StudyPower(
        theta=effect,
        alpha=alpha,
        power=np.array([power_at(se, effect, alpha) for se in errors]),
        median=median(effect),
        effect_33=_effect_for(MEDIAN_POWERS[0], median, float(np.median(errors)), alpha),
        effect_66=_effect_for(MEDIAN_POWERS[1], median, float(np.median(errors)), alpha),
        excess=excess,
        effects=es,
    )


def _effect_for(power: float, median: Callable[[float], float], typical: float, alpha: float) -> float:
    """Size of the true effect under which the median power is this; 0 where every effect gives more."""
    from scipy.optimize import brentq

    if power <= alpha:
        return 0.0
    high = typical
    while median(high) < power:
        high *= 2.0
    return float(brentq(lambda at: median(at) - power, 0.0, high, xtol=1e-12 * high))
