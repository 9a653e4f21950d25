"""How many standard errors an interval or a p value spans: normal, or t when the degrees of freedom are known."""

from __future__ import annotations

from balm.stats.distributions import norm_ppf, t_ppf


def two_sided(tail: float, df: float | None = None) -> float:
    """The statistic whose two tails together hold ``tail`` (0.05 gives 1.96, or the t value for ``df``)."""
    return -norm_ppf(tail / 2) if df is None else -t_ppf(tail / 2, df)


def said(df: float | None) -> str:
    """The distribution in words."""
    return "the normal distribution" if df is None else f"the t distribution with {df:g} degrees of freedom"
