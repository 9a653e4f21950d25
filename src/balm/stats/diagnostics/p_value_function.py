"""The p value of every possible effect: confidence intervals at all levels at once.

Fraser DAS (2019) Am Stat 73(sup1):135; Rücker G, Schwarzer G (2021). Beyond the forest plot: the drapery plot. Res
Synth Methods 12:13-19.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.diagnostics.printed import studies
from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.stats.groups import OneGroup, centred
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.pooled import Pooled
from balm.stats.tails import OneTail
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError


@dataclass(frozen=True, eq=False)
class PValueFunction:
    """Two-sided p values of each ``effect`` (n,) on the analysis scale, as a hypothesis.

    pooled     : (n,) for the mean, by the interval in force.
    prediction : (n,) for the effect in a new setting; ``nan`` where there is no prediction interval.
    studies    : (k, n) for each study's own effect (normal).
    """

    effect: Floats
    pooled: Floats
    prediction: Floats
    studies: Floats
    study: tuple[str, ...]
    fit: Pooled

    def __len__(self) -> int:
        return len(self.effect)

    def to_frame(self) -> Any:
        """A row an effect: pooled, prediction and each study."""
        table = {"effect": self.effect, "pooled": self.pooled, "prediction": self.prediction}
        return frame(table | dict(zip(self.study, self.studies, strict=True)))

    def plot(self, path: Any = None, **options: Any) -> Any:
        """The drapery plot."""
        return presenter("drapery")(self.fit, path, **options)

    def __repr__(self) -> str:
        low, high = float(self.effect[0]), float(self.effect[-1])
        return (
            f"P-value function of {studies(len(self.study))} at {len(self)} effects from {low:.3g} to {high:.3g}: "
            f"highest at {self.fit.estimate:.3g}"
        )


def p_value_function(fit: Pooled, effect: Any = None, *, points: int = 401) -> PValueFunction:
    """For each possible effect, the p value of the hypothesis that it is the true one.

    fit    : a result of :func:`balm.pool`, :func:`balm.mantel_haenszel` or :func:`balm.peto`.
    effect : values on the analysis scale; by default about ``points`` of them that span the studies.

    The values with p above 0.05 form the 95 % interval, those above 0.01 the 99 % one. The prediction curve crosses
    ``1 - level`` at the ends of the prediction interval.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> fit = pool(EffectSizes(effect=[0.1, 0.3], variance=[0.02, 0.02]), model="common")
    >>> p_value_function(fit, [0.2, fit.interval.high]).pooled.round(6).tolist()
    [1.0, 0.05]
    """
    if not isinstance(fit, Pooled):
        raise InputError(f"p_value_function takes a pooled result; got {type(fit).__name__}")
    y, v = fit.effects.effect, fit.effects.variance
    usable = np.isfinite(y) & np.isfinite(v) & (v > 0.0)
    at = _grid(fit, points) if effect is None else np.atleast_1d(np.asarray(effect, dtype=np.float64))
    if at.ndim != 1 or not np.isfinite(at).all():
        raise InputError("effect must be a row of finite numbers on the analysis scale")
    studies = np.full((len(y), len(at)), math.nan)
    for i in np.flatnonzero(usable).tolist():
        error = math.sqrt(v[i])
        studies[i] = [OneTail.two_sided((x - y[i]) / error, math.inf) for x in at.tolist()]
    total = math.sqrt(fit.tau2 + fit.prediction_se**2)
    return PValueFunction(
        at, _pooled(fit, at), _curve(at, fit.estimate, total, fit.prediction_df), studies, fit.effects.study, fit
    )


def _curve(at: Floats, centre: float, error: float, df: float) -> Floats:
    if not error > 0.0 or math.isnan(df):
        return np.full(len(at), math.nan)
    return np.array([OneTail.two_sided((x - centre) / error, df) for x in at.tolist()])


def _pooled(fit: Pooled, at: Floats) -> Floats:
    row = INFERENCES.get(str(fit.conventions.get("inference")))
    if row is None or row.ends is None or fit.k < 2:
        return _curve(at, fit.estimate, fit.se, fit.df)
    g, origin = centred(OneGroup(fit.effects.effect, fit.effects.variance))
    ends = row.ends
    return np.array([ends(g, fit.estimate - origin, fit.se, fit.tau2, fit.level, x - origin)[3] for x in at.tolist()])


def _grid(fit: Pooled, points: int) -> Floats:
    """Two standard errors beyond the lowest and the highest effect; every peak is among the points."""
    if isinstance(points, bool) or not isinstance(points, int) or points < 3:
        raise InputError(f"points must be a whole number of at least 3; got {points!r}")
    y, v = fit.effects.effect, fit.effects.variance
    usable = np.isfinite(y) & np.isfinite(v)
    se = np.sqrt(v[usable])
    ends = [*(y[usable] - 2.0 * se).tolist(), *(y[usable] + 2.0 * se).tolist(), fit.prediction_interval.low]
    ends += [fit.prediction_interval.high, fit.estimate - 3.0 * fit.se, fit.estimate + 3.0 * fit.se]
    known = [x for x in ends if math.isfinite(x)]
    if not known:
        raise InputError("no study has an effect and a variance: there is no p-value function")
    return np.union1d(np.linspace(min(known), max(known), points - 1), [fit.estimate, *y[usable].tolist()])
