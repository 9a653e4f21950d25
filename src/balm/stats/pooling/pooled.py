"""The result of pooling: what was estimated, how, and from what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.vocabulary.interval import Interval


@dataclass(frozen=True, eq=False)
class Pooled:
    """A pooled estimate with its uncertainty, on the analysis scale; ``displayed`` is what a person reads.

    A quantity that cannot be estimated is ``nan`` (an interval with ``nan`` ends) and ``reasons`` says why.
    Shared by :func:`balm.pool`, :func:`balm.mantel_haenszel` and :func:`balm.peto`.
    """

    estimate: float
    se: float
    interval: Interval
    statistic: float
    df: float  # inf when the reference distribution is normal
    p: float
    tau2: float
    tau2_se: float
    i2: float  # per cent
    h2: float
    q: float
    q_df: int
    q_p: float
    k: int
    weights: Floats  # (k,) per cent, of the studies that were pooled
    prediction_interval: Interval
    effects: EffectSizes  # the studies that were pooled, in order
    excluded: tuple[tuple[str, str], ...]  # (study, why) of those that were not
    method: str  # "inverse-variance", "mantel-haenszel", "peto"
    conventions: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    reasons: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # field -> why it is nan
    advice: tuple[str, ...] = ()  # guards that acted, few studies, ... in words
    residual: float = 0.0  # of the estimating equation of tau2, relative
    log_likelihood: float = float("nan")
    tests: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))  # e.g. Cochran-Mantel-Haenszel

    @property
    def tau(self) -> float:
        """The between-study standard deviation."""
        return float(self.tau2**0.5)
