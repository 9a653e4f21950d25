"""Summary ROC curves: logit sensitivity as a straight line in the logit of the false positive rate, and its area."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.vocabulary.problems import InputError


def logit(p: Floats) -> Floats:
    """log(p / (1 - p)); infinite at 0 and 1."""
    p = np.asarray(p, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(p) - np.log1p(-p))


def expit(x: Floats) -> Floats:
    """The proportion with this logit, without overflow."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0.0, 1.0, small) / (1.0 + small))


@dataclass(frozen=True, slots=True)
class Line:
    """logit(sensitivity) = intercept + slope * logit(false positive rate)."""

    intercept: float
    slope: float

    def __call__(self, fpr: Floats) -> Floats:
        """Sensitivity at false positive rates between 0 and 1.

        >>> round(float(Line(2.0, 1.0)(np.array(0.5))), 4)
        0.8808
        """
        x = np.asarray(fpr, dtype=np.float64)
        if not (np.all(x >= 0.0) and np.all(x <= 1.0)):
            raise InputError(f"a false positive rate lies between 0 and 1; got {fpr!r}")
        if self.slope == 0.0:
            return np.asarray(np.full(x.shape, float(expit(np.array(self.intercept)))))
        return expit(self.intercept + self.slope * logit(x))

    def area(self, low: float = 0.0, high: float = 1.0) -> float:
        """The mean sensitivity over false positive rates from ``low`` to ``high``: over all of them the area below.

        By quadrature to about 1e-12. nan where the line is not known.

        >>> round(Line(0.0, 1.0).area(), 12)
        0.5
        """
        from scipy.integrate import quad

        if not 0.0 <= low < high <= 1.0:
            raise InputError(f"low and high must satisfy 0 <= low < high <= 1; got {low!r} and {high!r}")
        if not (math.isfinite(self.intercept) and math.isfinite(self.slope)):
            return math.nan

        def weighed(x: float) -> float:
            p = 1.0 / (1.0 + math.exp(-x))
            return float(expit(np.array(self.intercept + self.slope * x))) * p * (1.0 - p)

        ends = [max(min(float(logit(np.array(p))), 40.0), -40.0) for p in (low, high)]
        # The sensitivity turns where its logit is 0: quadrature looks there.
        turn = -self.intercept / self.slope if self.slope != 0.0 else 0.0
        cuts = [ends[0], *sorted(x for x in {0.0, turn} if ends[0] < x < ends[1]), ends[1]]
        whole = sum(float(quad(weighed, a, b, epsabs=1e-13, epsrel=1e-12, limit=200)[0]) for a, b in pairwise(cuts))
        return whole / (high - low)


@dataclass(frozen=True, slots=True)
class Hsroc:
    """The hierarchical summary ROC model of Rutter & Gatsonis (2001) that is the same model in other parameters.

    theta, lambda_ : mean threshold and accuracy. beta : asymmetry of the curve (0: symmetric).
    sigma2_theta, sigma2_alpha : variance between studies of threshold and accuracy.
    All are nan where sensitivity or specificity does not vary between studies (``reason``).
    """

    theta: float
    lambda_: float
    beta: float
    sigma2_theta: float
    sigma2_alpha: float
    reason: str = ""

    @property
    def curve(self) -> Line:
        """The summary curve over all thresholds."""
        return Line(self.lambda_ * math.exp(-0.5 * self.beta), math.exp(-self.beta))


def hsroc(mean: Floats, between: Floats) -> Hsroc:
    """From the bivariate model, without covariates an exact translation.

    mean, between : of logit sensitivity and logit false positive rate, (2,) and (2, 2).
    Harbord et al. (2007) Biostatistics 8:239-51, section 3.
    """
    s_a, s_b = math.sqrt(between[0, 0]), math.sqrt(between[1, 1])
    # A variance this small is 0 to the solver.
    if min(s_a, s_b) < 1e-6:
        which = "sensitivity" if s_a < 1e-6 else "specificity"
        nan = math.nan
        return Hsroc(nan, nan, nan, nan, nan, f"{which} does not vary between studies, so no curve is determined")
    a, b = float(mean[0]), float(-mean[1])
    covariance = -float(between[0, 1])
    ratio = math.sqrt(s_b / s_a)
    return Hsroc(
        theta=0.5 * (ratio * a - b / ratio),
        lambda_=ratio * a + b / ratio,
        beta=math.log(s_b / s_a),
        sigma2_theta=0.5 * (s_a * s_b - covariance),
        sigma2_alpha=2.0 * (s_a * s_b + covariance),
    )
