"""From the scale on which effects are pooled to the one that people read, and back.

Every way back rises with its argument, so the ends of an interval keep their order.  Each takes a number or an array
and gives the same kind.  NumPy and ``math`` only.

>>> round(displayed(-0.7145, "RR"), 4), displayed(0.0, "PLO")
(0.4894, 0.5)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from balm.stats.arrays import ArrayLike, np
from balm.stats.arrays import Floats as Floats
from balm.stats.distributions import norm_cdf, norm_ppf
from balm.stats.measures import MEASURES
from balm.vocabulary import scale as scales
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import check_option, refuse
from balm.vocabulary.quick_dataclass import dataclass
from balm.vocabulary.scale import Scale


def sine_squared(y: Floats, n: float | None = None) -> Floats:
    """``sin(y)^2``, the way back from the arcsine; 0 below 0 and 1 beyond pi/2."""
    return np.sin(np.clip(y, 0.0, math.pi / 2.0)) ** 2


def freeman_tukey_proportion(y: Floats, n: float | None = None) -> Floats:
    """The proportion behind a double arcsine ``y`` for ``n`` people (the harmonic mean, for a pooled value).

    ``(1 - sgn(cos 2y) sqrt(1 - (sin 2y + (sin 2y - 1/sin 2y)/n)^2))/2``, 0 and 1 beyond the values of 0 and n events.
    Without ``n`` its limit for large n, ``sin(y)^2``.  Miller (1978) Am Stat 32:138.
    """
    if n is None:
        return sine_squared(y)
    lowest = 0.5 * math.asin(math.sqrt(1.0 / (n + 1.0)))
    inside = np.clip(y, lowest, math.pi / 2.0 - lowest)
    sine = np.sin(2.0 * inside)
    root = np.clip(1.0 - (sine + (sine - 1.0 / sine) / n) ** 2, 0.0, 1.0)
    found = 0.5 * (1.0 - np.sign(np.cos(2.0 * inside)) * np.sqrt(root))
    return np.where(y <= lowest, 0.0, np.where(y >= math.pi / 2.0 - lowest, 1.0, found)) + 0.0 * y


def to_freeman_tukey_proportion(p: Floats, n: float | None = None) -> Floats:
    """The double arcsine of ``n p`` events in ``n`` people; the plain arcsine without ``n``."""
    if n is None:
        return np.arcsin(np.sqrt(p))
    return 0.5 * (np.arcsin(np.sqrt(n * p / (n + 1.0))) + np.arcsin(np.sqrt((n * p + 1.0) / (n + 1.0))))


def freeman_tukey_rate(y: Floats, n: float | None = None) -> Floats:
    """The rate behind a Freeman-Tukey ``y`` for person-time ``n``: ``(y - 1/(4 y n))^2``, 0 below no events.

    Without ``n`` its limit, ``y^2``.
    """
    if n is None:
        return np.maximum(y, 0.0) ** 2
    inside = np.maximum(y, 0.5 / math.sqrt(n))
    return (inside - 1.0 / (4.0 * inside * n)) ** 2 + 0.0 * y


def to_freeman_tukey_rate(rate: Floats, n: float | None = None) -> Floats:
    """The Freeman-Tukey root of a rate over person-time ``n``; the plain root without ``n``."""
    return np.sqrt(rate) if n is None else 0.5 * (np.sqrt(rate) + np.sqrt(rate + 1.0 / n))


def _normal(y: Floats, n: float | None = None) -> Floats:
    return _each(norm_cdf, y)


def _normal_quantile(p: Floats, n: float | None = None) -> Floats:
    return _each(norm_ppf, p)


def _each(function: Callable[[float], float], values: Floats) -> Floats:
    found = [math.nan if math.isnan(v) else function(v) for v in values.ravel().tolist()]
    return np.array(found, dtype=np.float64).reshape(values.shape)


Transform = Callable[[Floats, float | None], Floats]


@dataclass(frozen=True, slots=True)
class Way:
    """``back`` to what is read and ``forth`` to what is analysed, which is defined from ``low`` to ``high``."""

    back: Transform
    forth: Transform
    low: float = -math.inf
    high: float = math.inf
    open_ends: bool = False


_SAME = Way(lambda y, n: y, lambda x, n: x)
_EXP = Way(lambda y, n: np.exp(y), lambda x, n: np.log(x), 0.0, open_ends=True)
_EXPIT = Way(lambda y, n: 0.5 * (1.0 + np.tanh(0.5 * y)), lambda x, n: np.log(x / (1.0 - x)), 0.0, 1.0, True)

#: Scale -> its way back and forth.  A test walks every scale of every measure.
WAYS: dict[Scale, Way] = {
    scales.IDENTITY: _SAME,
    scales.SINGLE: _SAME,
    scales.PROPORTION: _SAME,
    scales.SUPERIORITY: _SAME,
    scales.LOG: _EXP,
    scales.LOG_SINGLE: _EXP,
    scales.LOG_PROPORTION: _EXP,
    scales.LOGIT: _EXPIT,
    scales.PROBIT: Way(_normal, _normal_quantile, 0.0, 1.0, True),
    scales.ARCSINE: Way(sine_squared, lambda x, n: np.arcsin(np.sqrt(x)), 0.0, 1.0),
    scales.FREEMAN_TUKEY: Way(freeman_tukey_proportion, to_freeman_tukey_proportion, 0.0, 1.0),
    scales.FISHER_Z: Way(lambda y, n: np.tanh(y), lambda x, n: np.arctanh(x), -1.0, 1.0, True),
    scales.FISHER_Z_ROOT: Way(
        lambda y, n: np.tanh(np.maximum(y, 0.0)) ** 2, lambda x, n: np.arctanh(np.sqrt(x)), 0.0, 1.0, True
    ),
    scales.SQUARE_ROOT: Way(lambda y, n: np.maximum(y, 0.0) ** 2, lambda x, n: np.sqrt(x), 0.0),
    scales.FREEMAN_TUKEY_RATE: Way(freeman_tukey_rate, to_freeman_tukey_rate, 0.0),
    scales.ALPHA_CUBE_ROOT: Way(
        lambda y, n: 1.0 - (1.0 - np.clip(y, 0.0, 1.0)) ** 3, lambda x, n: 1.0 - np.cbrt(1.0 - x), 0.0, 1.0
    ),
    scales.ALPHA_LOG: Way(lambda y, n: -np.expm1(-np.maximum(y, 0.0)), lambda x, n: -np.log1p(-x), 0.0, 1.0),
}


def displayed(value: ArrayLike, measure: str, *, n_harmonic: float | None = None) -> Any:
    """What a person reads for ``value`` on the analysis scale of ``measure``: a ratio, a proportion, a correlation.

    n_harmonic : for Freeman-Tukey scales, the harmonic mean of the sample sizes (person-times) behind a pooled value,
    or a study's own; without it the limit for large samples is given.

    >>> round(displayed(0.5, "PFT", n_harmonic=50), 6)
    0.224521
    """
    way = _way(measure)
    x = np.asarray(value, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        found = way.back(x, n_harmonic)
    return float(found) if x.ndim == 0 else found


#: Panels and points of a panel: with tau up to 3 on a logit the mean is good to 1e-12.
_PANELS, _POINTS = 24, 12
#: Standard deviations on either side; beyond them the normal distribution holds 2e-19.
_REACH = 9.0


def displayed_mean(value: ArrayLike, tau2: float, measure: str, *, n_harmonic: float | None = None) -> Any:
    """The mean, over the distribution of true effects, of what a person reads: not the same as reading the mean.

    With effects spread normally around ``value`` with variance ``tau2`` on the analysis scale, the average proportion
    (ratio, correlation) is ``E g(value + tau Z)``, while :func:`displayed` gives its median ``g(value)``.
    Gauss-Legendre panels over +-9 tau, error below 1e-12 of the scale's range.

    >>> round(displayed_mean(0.0, 0.15, "RR"), 6), round(math.exp(0.15 / 2), 6)
    (1.077884, 1.077884)
    """
    if not (tau2 >= 0 and math.isfinite(tau2)):
        refuse(f"tau2 must be a number of 0 or more; got {tau2!r}")
    way = _way(measure)
    x = np.asarray(value, dtype=np.float64)
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    width = 2.0 * _REACH / _PANELS
    starts = -_REACH + width * np.arange(_PANELS)
    z = (starts[:, None] + 0.5 * width * (nodes + 1.0)).ravel()
    share = np.tile(0.5 * width * weights, _PANELS) * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    with np.errstate(over="ignore", invalid="ignore"):
        found = way.back(x[..., None] + math.sqrt(tau2) * z, n_harmonic) @ share
    return float(found) if x.ndim == 0 else found


def displayed_interval(interval: Interval, measure: str, *, n_harmonic: float | None = None) -> Interval:
    """Both ends of an interval as a person reads them.

    >>> low, high = displayed_interval(Interval(-1.0, 0.0), "OR")
    >>> high
    1.0
    """
    low, high = displayed(np.array([interval.low, interval.high]), measure, n_harmonic=n_harmonic).tolist()
    return Interval(low, high, interval.level)


def analysed(value: ArrayLike, measure: str, *, n_harmonic: float | None = None) -> Any:
    """The value on the analysis scale of what a person reads (a threshold, say); the inverse of :func:`displayed`.

    >>> analysed(1.0, "RR")
    0.0
    """
    way = _way(measure)
    x = np.asarray(value, dtype=np.float64)
    outside = (x < way.low) | (x > way.high)
    if way.open_ends:
        outside |= (x == way.low) | (x == way.high)
    if outside.any():
        first = float(x[outside].ravel()[0]) if x.ndim else float(x)
        between = f"above {way.low:g}" if math.isinf(way.high) else f"between {way.low:g} and {way.high:g}"
        refuse(f"a value of {measure} ({MEASURES[measure].name.lower()}) must lie {between}; got {first:g}")
    with np.errstate(divide="ignore"):
        found = way.forth(x, n_harmonic)
    return float(found) if x.ndim == 0 else found


def percent(value: ArrayLike) -> Any:
    """A proportion in per cent."""
    x = 100.0 * np.asarray(value, dtype=np.float64)
    return float(x) if x.ndim == 0 else x


def percent_change(value: ArrayLike) -> Any:
    """A log ratio as the change in per cent: 0.0953 is about 10 per cent more."""
    x = 100.0 * np.expm1(np.asarray(value, dtype=np.float64))
    return float(x) if x.ndim == 0 else x


def harmonic_mean(sizes: ArrayLike) -> float:
    """The harmonic mean of sample sizes, which a pooled Freeman-Tukey value is turned back with (Miller 1978)."""
    x = np.asarray(sizes, dtype=np.float64)
    return float(len(x) / np.sum(1.0 / x))


def _way(measure: str) -> Way:
    return WAYS[MEASURES[check_option("measure", measure, list(MEASURES))].scale]
