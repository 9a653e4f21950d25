"""WAAP-WLS: the mean of the adequately powered studies, or of all where there are hardly any."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from balm.stats.effect_sizes import Bools, EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.pooling.pooled import Pooled
from balm.stats.small_study.studies import p_in_words, studies_of
from balm.stats.tails import OneTail, t_critical
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_level

SOURCE = "Stanley TD, Doucouliagos H, Ioannidis JPA. Stat Med 2017;36:1580-98"
#: 1.96 + 0.84: an effect this many standard errors from 0 is found significant with a power of 80 %.
POWERED = 2.8
#: With fewer adequately powered studies there is no mean of them, and that of all studies stands in.
LEAST_POWERED = 2


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class WaapWls:
    """The chosen mean, and what it is the mean of, on the analysis scale.

    estimate, se, interval, p : weighted least squares with weights 1/v and a multiplicative error, t with
                  ``count - 1`` degrees of freedom (``df``).
    which       : "waap" (adequately powered studies) or "wls" (all of them).
    powered     : (k,) whether the standard error is at most ``|wls| / 2.8``.
    wls, wls_se : the mean of all studies, by which power is judged.
    """

    estimate: float
    se: float
    df: int
    interval: Interval
    p: float
    which: str
    powered: Bools
    wls: float
    wls_se: float
    effects: EffectSizes
    advice: tuple[str, ...]

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.effects)

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        ends, count = self.interval, int(self.powered.sum())
        of = (
            f"the {count} of {self.k} studies with adequate power"
            if self.which == "waap"
            else ("both studies" if self.k == 2 else f"all {self.k} studies")
        )
        return (
            f"WAAP-WLS: {self.estimate:.3f} ({100 * ends.level:g}% CI {ends.low:.3f} to {ends.high:.3f}; "
            f"{p_in_words(self.p)}), the weighted mean of {of}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values at full precision."""
        return {
            "k": self.k,
            "powered": int(self.powered.sum()),
            "which": self.which,
            "estimate": self.estimate,
            "se": self.se,
            "df": self.df,
            "low": self.interval.low,
            "high": self.interval.high,
            "level": self.interval.level,
            "p": self.p,
            "wls": self.wls,
            "wls_se": self.wls_se,
            "source": SOURCE,
            "advice": list(self.advice),
        }

    def to_frame(self) -> Any:
        """One row a study, as a pandas DataFrame (a dict of columns without pandas)."""
        es = self.effects
        return frame({"study": list(es.study), "effect": es.effect.copy(), "se": es.se, "powered": self.powered.copy()})

    def __repr__(self) -> str:
        return "\n".join([self.summary, *(f"- {said}" for said in self.advice), SOURCE])


def waap_wls(fit: Pooled | EffectSizes, *, level: float = 0.95) -> WaapWls:
    """The mean of studies that had a power of 80 % to find the mean of all, by unrestricted weighted least squares.

    fit   : a result of :func:`balm.pool` or effect sizes.
    level : coverage of the interval.

    Small studies are seen more often when they exaggerate, so those that could hardly have found the effect are left
    out: with an error of ``|mean| / 2.8`` or less a study is adequately powered. Where fewer than two are, all studies
    are taken. The error is multiplicative (the common-effect mean, its error times the root of Q / df), so it may fall
    below that of a common effect where studies agree more than chance lets them.

    >>> es = EffectSizes(effect=[0.5, 0.45, 0.6, 0.9, 1.2], variance=[0.01, 0.02, 0.03, 0.2, 0.3])
    >>> found = waap_wls(es)
    >>> round(found.estimate, 4), found.which, int(found.powered.sum())
    (0.5045, 'waap', 3)
    """
    check_level(level)
    es = studies_of(fit, "waap_wls")
    k = len(es)
    if k < LEAST_POWERED:
        raise InputError("waap_wls needs at least 2 studies; there is 1")
    wls, wls_se = _mean(es.effect, es.variance)
    powered = es.se <= abs(wls) / POWERED
    enough = int(powered.sum()) >= LEAST_POWERED
    said = []
    if enough:
        estimate, se = _mean(es.effect[powered], es.variance[powered])
        df = int(powered.sum()) - 1
    else:
        estimate, se, df = wls, wls_se, k - 1
        said.append(
            f"{'Only one study has' if powered.any() else 'No study has'} a power of 80% to find {wls:.3f}: the mean "
            "is that of all studies."
        )
    if df < 3:
        said.append(f"The interval rests on {df} degree{'s' if df > 1 else ''} of freedom.")
    c = t_critical(level, float(df))
    return WaapWls(
        estimate=estimate,
        se=se,
        df=df,
        interval=Interval(estimate - c * se, estimate + c * se, level),
        p=OneTail.two_sided(estimate / se, float(df)) if se > 0.0 else math.nan,
        which="waap" if enough else "wls",
        powered=powered,
        wls=wls,
        wls_se=wls_se,
        effects=es,
        advice=tuple(said),
    )


def _mean(y: Floats, v: Floats) -> tuple[float, float]:
    """Weighted mean and its multiplicative standard error."""
    w = 1.0 / v
    total = float(w.sum())
    mean = float(w @ y) / total
    q = float(w @ (y - mean) ** 2)
    return mean, math.sqrt(q / (len(y) - 1) / total)
