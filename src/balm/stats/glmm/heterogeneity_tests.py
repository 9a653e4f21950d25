"""Whether the studies' effects differ: the model in which each study has its own, against the common effect.

Two statistics, both chi-square with k - p degrees of freedom: Wald's (the estimates of the large model against the
small) and the likelihood ratio.  Studies at the edge of what is possible (no events in a group) have an infinite
estimate of their own: they add nothing to Wald's statistic and their full share to the likelihood ratio.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import Floats
from balm.stats.glmm.models import Arm, structure
from balm.stats.glmm.optimum import climb

#: A log odds ratio that stands for an infinite one: what is lost in the log-likelihood is nothing.
FAR = 30.0


class ChiSquare(NamedTuple):
    """A chi-square test."""

    statistic: float
    df: int
    p: float


class HeterogeneityTests(NamedTuple):
    """Wald's and the likelihood-ratio test, and the log-likelihood (without constants) of the large model."""

    wald: ChiSquare
    likelihood_ratio: ChiSquare
    height: float


def heterogeneity_tests(
    which: tuple[Arm, ...],
    studies: str | None,
    design: Floats,
    common_height: float,
    points: int,
    *,
    exact: bool = True,
    level: Floats | None = None,
) -> HeterogeneityTests:
    """Both tests. ``common_height`` is the log-likelihood of the common-effect fit, without constants.

    level : (mean, standard deviation) of random study levels, where the search of the large model begins.  In it the
            level that varies is that of group 2 (``which`` is coded 1 and 0), as in metafor: with a free effect for
            each study, the model depends on whose level is random.
    """
    peaks = [(likelihood.peak(), offset, c) for likelihood, offset, c in which]
    if len(peaks) == 1:
        own, precision = peaks[0][0].eta - peaks[0][1], peaks[0][0].information
    else:
        (one, offset_1, _), (two, offset_2, _) = peaks
        own = (one.eta - offset_1) - (two.eta - offset_2)
        inside = (one.information > 0.0) & (two.information > 0.0)
        both = one.information * two.information
        precision = np.where(inside, both / np.where(inside, one.information + two.information, 1.0), 0.0)
        own = np.where(inside, own, 0.0)
    height = float(sum(peak.height.sum() for peak, _, _ in peaks))
    information = np.diag(precision)
    if studies == "random":
        assert level is not None
        s = structure(which, studies, None, heterogeneity=False)
        none = peaks[0][0].information == 0.0
        begin = np.where(none, np.where(which[0][0].x == 0.0, -FAR, FAR), own)
        top = climb(s, np.asarray(level, dtype=np.float64), begin, points, exact=exact, short=1e-6)
        height = top.height
        assert top.local is not None and top.own is not None and top.crossed is not None
        own = top.local
        # The arrow the other way round: the common level and its spread are eliminated from the studies' effects.
        corner = top.hessian + (top.crossed.T / top.own) @ top.crossed
        information = np.diag(-top.own) + top.crossed @ np.linalg.solve(corner, top.crossed.T)
    df = len(own) - design.shape[1]
    beta = np.linalg.lstsq(design.T @ information @ design, design.T @ (information @ own), rcond=None)[0]
    left = own - design @ beta
    wald = max(float(left @ information @ left), 0.0)
    ratio = max(2.0 * (height - common_height), 0.0)
    return HeterogeneityTests(_test(wald, df), _test(ratio, df), height)


def _test(statistic: float, df: int) -> ChiSquare:
    return ChiSquare(statistic, df, chi2_sf(statistic, df) if df > 0 else float("nan"))
