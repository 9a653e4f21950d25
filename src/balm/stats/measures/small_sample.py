"""Hedges' correction of a standardised mean difference in small samples."""

from __future__ import annotations

from balm.stats.arrays import np
from balm.stats.measures.measure import Floats

#: Options of ``small_sample`` where Hedges' factor is meant, the default first.
HEDGES = ("exact", "approximate", "none")

#: How far the argument is raised before the asymptotic series is used; its error is then below 3e-16.
STEPS = 40


def hedges_factor(df: Floats, small_sample: str = "exact") -> Floats:
    """``J(df)``, which takes the bias out of a standardised mean difference with ``df`` degrees of freedom.

    exact       : ``Gamma(df/2) / (sqrt(df/2) Gamma((df-1)/2))``; ``nan`` at ``df <= 1``, where no mean exists.
    approximate : ``1 - 3/(4 df - 1)``, the same as RevMan's ``1 - 3/(4N - 9)`` with ``N = df + 2``.
    none        : 1.

    Hedges (1981) J Educ Stat 6:107, equations 6e and 7.

    >>> import numpy as np
    >>> [round(float(hedges_factor(np.array([10.0]), kind)[0]), 6) for kind in HEDGES]
    [0.922746, 0.923077, 1.0]
    """
    if small_sample == "none":
        return np.ones_like(df)
    if small_sample == "approximate":
        return 1.0 - 3.0 / (4.0 * df - 1.0)
    values, where = np.unique(df, return_inverse=True)
    x = np.where(values > 1.0, values, np.nan) / 2.0
    # Gamma(x)/Gamma(x - 1/2) = Gamma(x + m)/Gamma(x + m - 1/2) * product of (x + i - 1/2)/(x + i), i = 0 .. m-1
    fall = np.ones_like(x)
    for i in range(STEPS):
        fall *= (x + (i - 0.5)) / (x + i)
    factor: Floats = _gamma_ratio(x + STEPS) * fall / np.sqrt(x)
    return factor[where].reshape(df.shape)


def _gamma_ratio(x: Floats) -> Floats:
    """``Gamma(x)/Gamma(x - 1/2)`` for ``x >= 40``: only even powers of ``x - 3/4`` remain in the series.

    Tricomi & Erdélyi (1951) Pac J Math 1:133.
    """
    w = x - 0.75
    u = 1.0 / (w * w)
    return np.sqrt(w) * (1.0 + u * (1.0 / 64.0 + u * (-19.0 / 8192.0 + u * (631.0 / 524288.0))))
