"""Whether the studies scatter around the fit as a normal distribution would: quantiles of residuals, with an envelope.

Wang MC, Bushman BJ (1998) Psychol Methods 3:46; envelopes by simulation: Atkinson AC (1985), Plots, transformations,
and regression, ch. 4; Cook RD, Weisberg S (1982), Residuals and influence in regression, section 2.3.4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.diagnostics.accepted import Model, model_of
from balm.stats.diagnostics.deletion import without_each
from balm.stats.diagnostics.printed import text_table
from balm.stats.diagnostics.residuals import standardised, studentised
from balm.stats.distributions import norm_ppf
from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError, check_option

KINDS = ("standardised", "studentised")
SIMULATIONS = 1000
#: Simulated residuals held at once.
_CHUNK = 1 << 20


@dataclass(frozen=True, eq=False)
class NormalQuantiles:
    """Residuals in rising order beside the normal quantiles they should have, (n,) each.

    low, high : the pointwise envelope at ``level``; ``outside`` says where the residual leaves it.
    study     : whose residual it is. ``reasons`` covers residuals that are not estimable (left out).
    """

    study: tuple[str, ...]
    quantile: Floats
    residual: Floats
    low: Floats
    high: Floats
    level: float
    kind: str
    reasons: dict[str, str]

    def __len__(self) -> int:
        return len(self.study)

    @property
    def outside(self) -> NDArray[np.bool_]:
        """(n,) True where the residual lies outside the envelope."""
        return np.asarray((self.residual < self.low) | (self.residual > self.high))

    def _columns(self) -> dict[str, Any]:
        return {
            "study": list(self.study),
            "quantile": self.quantile,
            "residual": self.residual,
            "low": self.low,
            "high": self.high,
            "outside": self.outside,
        }

    def to_frame(self) -> Any:
        """A row a residual, in rising order."""
        return frame(self._columns())

    def plot(self, path: Any = None, **options: Any) -> Any:
        """The normal quantile plot with its envelope."""
        return presenter("normal_qq")(self, path, **options)

    def __repr__(self) -> str:
        notes = [f"{study}: {why}" for study, why in self.reasons.items()]
        return text_table(f"{self.kind.capitalize()} residuals against normal quantiles", self._columns(), notes)


def normal_qq(
    fit: Any, *, kind: str = "standardised", level: float = 0.95, simulations: int = SIMULATIONS, seed: int = 1
) -> NormalQuantiles:
    """Sorted residuals against normal quantiles, with the envelope that the fitted model itself would give.

    fit         : a result of :func:`balm.pool` (inverse variance) or :func:`balm.meta_regression`.
    kind        : "standardised" or "studentised" residuals.
    level       : share of simulated residuals inside the envelope, point by point (some of k points lie outside by
                  chance).
    simulations : draws of all effects from the fitted model, with its tau2.
    seed        : of the draws.

    The quantiles are those of Blom's plotting positions ``(i - 3/8) / (k + 1/4)`` up to ten studies and
    ``(i - 1/2) / k`` beyond.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> fit = pool(EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.04, 0.04, 0.04]), model="common")
    >>> normal_qq(fit, simulations=200).quantile.round(4).tolist()
    [-0.8694, 0.0, 0.8694]
    """
    check_option("kind", kind, KINDS)
    if not 0.0 < level < 1.0:
        raise InputError(f"level must be between 0 and 1 (0.95 means 95%); got {level!r}")
    if isinstance(simulations, bool) or not isinstance(simulations, int) or not 100 <= simulations <= 1_000_000:
        raise InputError(f"simulations must be a whole number from 100 to 1000000; got {simulations!r}")
    model = model_of(fit, "normal_qq")
    found = standardised(model) if kind == "standardised" else studentised(model, without_each(model))
    known = np.flatnonzero(np.isfinite(found.z))
    order = known[np.argsort(found.z[known], kind="stable")]
    n = len(order)
    start = 0.375 if n <= 10 else 0.5
    quantile = np.array([norm_ppf((i + 1 - start) / (n + 1 - 2 * start)) + 0.0 for i in range(n)])
    low, high = _envelope(model, np.sort(known), level, simulations, seed)
    return NormalQuantiles(
        tuple(model.study[i] for i in order.tolist()),
        quantile,
        found.z[order],
        low,
        high,
        float(level),
        kind,
        dict(found.reasons),
    )


def _envelope(
    model: Model, known: NDArray[np.int64], level: float, simulations: int, seed: int
) -> tuple[Floats, Floats]:
    """Pointwise quantiles of sorted residuals ``(I - H) e`` over their standard errors, ``e ~ N(0, v + tau2)``.

    With tau2 held, residuals from a fit with and without the study are the same in units of their standard errors.
    """
    n = len(known)
    if n == 0:
        return np.empty(0), np.empty(0)
    random = np.random.default_rng(seed)
    scale, error = np.sqrt(model.spread), np.sqrt(model.residual_variance()[known])
    x = model.design
    back = np.linalg.solve((x.T * model.weights) @ x, x.T * model.weights)  # (p, k): effects to coefficients
    drawn = np.empty((simulations, n))
    step = max(1, _CHUNK // model.k)
    for start in range(0, simulations, step):
        e = random.standard_normal((min(step, simulations - start), model.k)) * scale
        left = (e - (e @ back.T) @ x.T)[:, known] / error
        drawn[start : start + len(e)] = np.sort(left, axis=1)
    tail = 0.5 * (1.0 - level)
    ends = np.quantile(drawn, [tail, 1.0 - tail], axis=0, method="weibull")  # exact coverage on average
    if not math.isfinite(float(ends.sum())):
        return np.full(n, math.nan), np.full(n, math.nan)
    return ends[0], ends[1]
