"""The summary ROC curve of Moses, Shapiro & Littenberg: the log odds ratio regressed on a proxy of the threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from balm.stats.accuracy.curves import Line
from balm.stats.accuracy.tables import Tables
from balm.vocabulary.problems import InputError, check_option


@dataclass(frozen=True, slots=True)
class MosesLittenberg:
    """D = intercept + slope * S by least squares: D is the log diagnostic odds ratio, S the sum of both logits."""

    intercept: float
    slope: float
    se_intercept: float
    se_slope: float
    k: int

    @property
    def curve(self) -> Line:
        """Sensitivity along the false positive rate; nan where the slope is 1, which has no curve."""
        if self.slope == 1.0:
            return Line(math.nan, math.nan)
        return Line(self.intercept / (1.0 - self.slope), (1.0 + self.slope) / (1.0 - self.slope))


def moses_littenberg(t: Tables, *, add: float = 0.5, to: str = "all", weights: str = "none") -> MosesLittenberg:
    """The older method, for comparison with published analyses: it ignores sampling error in S and between-study
    variance, so its standard errors are no basis for inference (Cochrane Handbook for DTA Reviews, chapter 10).

    weights : "none", or "inverse-variance" of the log odds ratios.
    add, to : the correction; half a person in every cell of every study by default, as its authors do.
    Moses, Shapiro & Littenberg (1993) Stat Med 12:1293-316.
    """
    check_option("weights", weights, ("none", "inverse-variance"))
    if t.k < 3:
        raise InputError(f"a regression line with its standard errors needs 3 studies or more; got {t.k}")
    c = t.corrected(add, to)
    c.without_zeros("the regression")
    true, false = np.log(c.tp / c.fn), np.log(c.fp / c.tn)
    d, s = true - false, true + false
    if np.ptp(s) <= 1e-12 * max(1.0, float(np.abs(s).max())):
        raise InputError("all studies have the same threshold S = logit(sensitivity) + logit(false positive rate)")
    w = np.ones(c.k) if weights == "none" else 1.0 / (1.0 / c.tp + 1.0 / c.fn + 1.0 / c.fp + 1.0 / c.tn)
    middle, height = float(w @ s / w.sum()), float(w @ d / w.sum())
    spread = float(w @ (s - middle) ** 2)
    slope = float(w @ ((s - middle) * (d - height))) / spread
    scale = float(w @ (d - height - slope * (s - middle)) ** 2) / (c.k - 2)
    at_zero = math.sqrt(scale * (1.0 / float(w.sum()) + middle**2 / spread))
    return MosesLittenberg(height - slope * middle, slope, at_zero, math.sqrt(scale / spread), c.k)
