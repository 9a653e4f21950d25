"""Which studies make the heterogeneity, and which move the result: Baujat's two coordinates.

Baujat B, Mahé C, Pignon JP, Hill C (2002). A graphical method for exploring heterogeneity in meta-analyses. Stat Med
21:2641-2652.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.diagnostics.accepted import model_of
from balm.stats.diagnostics.deletion import without_each
from balm.stats.diagnostics.printed import studies, text_table
from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.stats.pooling.leave_one_out import leave_one_out
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.presenters import presenter


@dataclass(frozen=True, eq=False)
class Baujat:
    """(k,) each: ``heterogeneity`` the study's squared Pearson residual, ``influence`` on the overall result.

    ``reasons`` (study -> why) covers what is ``nan``.
    """

    study: tuple[str, ...]
    heterogeneity: Floats
    influence: Floats
    reasons: dict[str, str]

    def __len__(self) -> int:
        return len(self.study)

    def to_frame(self) -> Any:
        """A row a study."""
        return frame({"study": list(self.study), "heterogeneity": self.heterogeneity, "influence": self.influence})

    def plot(self, path: Any = None, **options: Any) -> Any:
        """The Baujat plot."""
        return presenter("baujat")(self, path, **options)

    def __repr__(self) -> str:
        table = {"study": self.study, "heterogeneity": self.heterogeneity, "influence": self.influence}
        return text_table(
            f"Baujat coordinates of {studies(len(self))}", table, [f"{s}: {why}" for s, why in self.reasons.items()]
        )


def baujat(fit: Any) -> Baujat:
    """Each study's contribution to heterogeneity and its influence on the result.

    fit : a result of :func:`balm.pool`, :func:`balm.mantel_haenszel`, :func:`balm.peto` or
          :func:`balm.meta_regression`.

    heterogeneity : ``(y - fitted)^2 / (v + tau2)``; under a common effect the study's share of Cochran's Q, as in the
                    paper.
    influence     : the squared change of the study's fitted value when it is left out, over the variance of the value
                    without it.

    With fewer than three studies influence is not estimable under random effects (one is left, without a tau2).

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> es = EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.04, 0.04, 0.04], study=["A", "B", "C"])
    >>> found = baujat(pool(es, model="common"))
    >>> found.heterogeneity.round(4).tolist(), found.influence.round(4).tolist()
    ([2.25, 0.25, 4.0], [1.125, 0.125, 2.0])
    """
    if isinstance(fit, Pooled) and fit.method != "inverse-variance":
        return _of_sums(fit)
    model = model_of(fit, "baujat")
    deleted = without_each(model)
    x = model.design
    residual = model.projection.residual
    moved = np.einsum("ij,ij->i", x, model.projection.beta - deleted.beta)
    error = np.einsum("ij,ijk,ik->i", x, deleted.covariance, x)
    reasons = {model.study[i]: why for i, why in deleted.reasons.items()}
    return Baujat(model.study, residual * residual / model.spread, moved * moved / error, reasons)


def _of_sums(fit: Pooled) -> Baujat:
    """Mantel-Haenszel and Peto: the estimate without each study from its own sums."""
    y, v = fit.effects.effect, fit.effects.variance
    tau2 = 0.0 if math.isnan(fit.tau2) else fit.tau2
    left = leave_one_out(fit)
    moved = fit.estimate - left.estimate
    reasons = {}
    for study, other, value in zip(left.study, left.fits, moved.tolist(), strict=True):
        if math.isnan(value):
            reasons[study] = other.reasons.get("estimate", "not estimable: nothing is left without this study")
    gap = y - fit.estimate
    own = np.full(len(y), math.nan)
    known = np.isfinite(gap) & np.isfinite(v)
    own[known] = gap[known] ** 2 / (v[known] + tau2)
    return Baujat(tuple(left.study), own, moved * moved / (left.se * left.se), reasons)
