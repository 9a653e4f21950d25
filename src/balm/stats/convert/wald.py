"""An effect with its interval, test statistic or P value, on any scale: effect and variance for the pooling step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from balm.stats.convert import checks
from balm.stats.convert.converted import Found, NotReported, Number, conversion, found
from balm.stats.convert.critical import said, two_sided
from balm.stats.convert.sources import handbook
from balm.vocabulary.problems import check_option, refuse

TOPIC = "Reported effects"


def _logit(x: float) -> float:
    return math.log(x) - math.log1p(-x)


#: scale -> (what is allowed, transform to the analysis scale)
SCALES: dict[str, tuple[Callable[[str, Any], float], Callable[[float], float]]] = {
    "identity": (checks.number, lambda x: x),
    "log": (lambda name, v: checks.positive(name, v, "a ratio is above 0; a log ratio has scale='identity'"), math.log),
    "logit": (checks.open_share, _logit),
    "fisher-z": (checks.open_correlation, math.atanh),
}


def _from_interval(
    estimate: Any, low: Any, high: Any, level: Any, scale: str, df: float | None
) -> tuple[float, float, list[str], list[str]]:
    allowed, transform = SCALES[scale]
    low, high = checks.interval(allowed("low", low), allowed("high", high))
    a, b = transform(low), transform(high)
    se = (b - a) / (2 * two_sided(1 - checks.coverage(level), df))
    where = "" if scale == "identity" else f" on the {scale} scale"
    assumptions = [f"the interval was computed with {said(df)}{where}"]
    if estimate is None:
        return (a + b) / 2, se, [*assumptions, f"the estimate is the middle of its interval{where}"], []
    effect = transform(checks.inside("estimate", allowed("estimate", estimate), low, high))
    cautions = []
    if abs(effect - (a + b) / 2) > checks.ASYMMETRY * (b - a):
        cautions = [
            f"the estimate is not in the middle of its interval{where}: rounding, an exact method or another scale"
        ]
    return effect, se, assumptions, cautions


@conversion(
    topic=TOPIC,
    formula="SE = (g(high) − g(low)) / (2z); or |g(estimate) / statistic|; variance = SE²",
    source=f"{handbook('6.3.1')} and 6.3.2",
    optional=("estimate", "low", "high", "statistic", "p"),
)
def effect_from_wald(
    *,
    estimate: Number = None,
    low: Number = None,
    high: Number = None,
    statistic: Number = None,
    p: Number = None,
    level: Number = 0.95,
    scale: str = "identity",
    df: Number = None,
) -> Found:
    """Effect and variance on the analysis scale from a reported estimate with interval, z (or t) or P value.

    ``scale``: "identity" (differences), "log" (ratios: give RR, OR, HR as printed), "logit" (proportions) or "fisher-z"
    (correlations). The interval is used when it is there, then ``statistic``, then two-sided ``p`` (bounds stay
    bounds). With ``df`` the t distribution replaces the normal. In arrays, what is missing in an entry is passed over.

    >>> found = effect_from_wald(estimate=1.18, low=0.90, high=1.54, scale="log")
    >>> round(found.effect, 4), round(found.variance, 4)
    (0.1655, 0.0188)
    """
    check_option("scale", scale, list(SCALES))
    df = None if df is None else checks.positive("df", df)
    if low is not None or high is not None:
        if low is None or high is None:
            refuse(f"low and high are both needed; got low={low!r}, high={high!r}: give both ends, or a statistic or p")
        effect, se, assumptions, cautions = _from_interval(estimate, low, high, level, scale, df)
        return found(effect=effect, variance=se * se, se=se, assumes=assumptions, cautions=cautions)
    if estimate is None:
        raise NotReported("estimate is missing; without an interval it is needed beside the statistic or p")
    allowed, transform = SCALES[scale]
    effect = transform(allowed("estimate", estimate))
    if effect == 0:
        refuse(f"estimate must differ from no effect; got {estimate!r}: there a statistic or p gives no standard error")
    if statistic is not None:
        z = checks.number("statistic", statistic)
        if z == 0:
            refuse(f"statistic must not be 0; got {statistic!r}: use the interval")
        cautions = ["estimate and statistic have opposite signs; their sizes were used"] if z * effect < 0 else []
        se = abs(effect / z)
        return found(
            effect=effect, variance=se * se, se=se, cautions=cautions, assumes=["the statistic is effect / SE"]
        )
    if p is None:
        raise NotReported("an interval (low, high), a statistic or p is needed beside the estimate; got none of them")
    value, sign = checks.p_value(p)
    se, bound = abs(effect) / two_sided(value, df), checks.bound_of_se(sign)
    assumptions = [f"P is two-sided and comes from a Wald test with {said(df)}"]
    bounds = {"variance": bound, "se": bound}
    return found(effect=effect, variance=se * se, se=se, assumes=assumptions, bounds=bounds)


@conversion(topic=TOPIC, formula="SE = (ln high − ln low) / (2z)", source=handbook("6.3.2"), optional=("estimate",))
def log_se_from_ratio_ci(*, low: Number, high: Number, estimate: Number = None, level: Number = 0.95) -> Found:
    """Standard error of a log ratio (RR, OR, HR, ratio of means) from the interval of the ratio.

    ``effect`` is the log of the estimate, or the middle of the logged interval when no estimate is given.

    >>> found = log_se_from_ratio_ci(estimate=0.67, low=0.55, high=0.82)
    >>> round(found.se, 3), round(found.effect, 3)
    (0.102, -0.4)
    """
    effect, se, assumptions, cautions = _from_interval(estimate, low, high, level, "log", None)
    return found(effect=effect, se=se, variance=se * se, assumes=assumptions, cautions=cautions)
