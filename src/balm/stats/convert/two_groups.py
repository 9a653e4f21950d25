"""Two independent groups: from t, F, P or an interval of the mean difference to its SE and the groups' SD."""

from __future__ import annotations

import math
from typing import Any

from balm.stats.convert import checks
from balm.stats.convert.converted import Found, Number, conversion, found
from balm.stats.convert.critical import said, two_sided
from balm.stats.convert.sources import handbook
from balm.vocabulary.problems import check_option, refuse

TOPIC = "Two groups"
SAME_SD = "both groups share one standard deviation"


def _nonzero(name: str, value: Any) -> float:
    x = checks.number(name, value)
    if x == 0:
        refuse(
            f"{name} must not be 0; got {value!r}: a zero gives no standard error; use the interval or the groups' SDs"
        )
    return x


def _df(n_1: Any, n_2: Any, distribution: str) -> float | None:
    """Degrees of freedom of a two-sample comparison; ``None`` for the normal distribution."""
    check_option("distribution", distribution, ["t", "normal"])
    if distribution == "normal":
        return None
    if n_1 is None or n_2 is None:
        refuse("n_1 and n_2 are needed for the t distribution; give both, or distribution='normal'")
    return checks.size("n_1", n_1) + checks.size("n_2", n_2, least=2) - 2


def _se_from_statistic(difference: Any, statistic: Any, name: str) -> tuple[float, list[str]]:
    d, t = _nonzero("difference", difference), _nonzero(name, statistic)
    clash = name == "t" and d * t < 0
    return abs(d / t), ["difference and t have opposite signs; their sizes were used"] if clash else []


def _se_from_p(difference: Any, p: Any, df: float | None) -> tuple[float, str, list[str]]:
    d = _nonzero("difference", difference)
    value, sign = checks.p_value(p)
    assumptions = [f"P is two-sided and comes from {said(df)}"]
    return abs(d) / two_sided(value, df), checks.bound_of_se(sign), assumptions


def _se_from_ci(low: Any, high: Any, level: Any, df: float | None, difference: Any) -> tuple[float, list[str]]:
    low, high = checks.interval(low, high)
    if difference is not None:
        checks.symmetric("difference", difference, low, high)
    assumptions = [f"the interval was computed with {said(df)}"]
    return (high - low) / (2 * two_sided(1 - checks.coverage(level), df)), assumptions


def _sd(se: float, n_1: Any, n_2: Any) -> float:
    return se / math.sqrt(1 / checks.size("n_1", n_1) + 1 / checks.size("n_2", n_2))


@conversion(topic=TOPIC, formula="SE = |difference / t|", source=handbook("6.5.2.3"))
def se_of_difference_from_t(*, difference: Number, t: Number) -> Found:
    """Standard error of a mean difference from its t statistic.

    >>> round(float(se_of_difference_from_t(difference=3.8, t=2.78)), 2)
    1.37
    """
    se, cautions = _se_from_statistic(difference, t, "t")
    return found(se=se, cautions=cautions)


@conversion(topic=TOPIC, formula="SE = |difference| / √F", source=handbook("6.5.2.3"))
def se_of_difference_from_f(*, difference: Number, f: Number) -> Found:
    """Standard error of a mean difference from the F statistic of two groups (1 numerator degree of freedom, F = t²).

    >>> round(float(se_of_difference_from_f(difference=3.8, f=7.7284)), 2)
    1.37
    """
    f = checks.positive("f", f, "F is a ratio of variances")
    se, _ = _se_from_statistic(difference, math.sqrt(f), "f")
    return found(se=se, assumes=["F compares two groups (1 numerator degree of freedom), without covariates"])


@conversion(topic=TOPIC, formula="SE = |difference| / t, with t from P and n1 + n2 − 2", source=handbook("6.5.2.3"))
def se_of_difference_from_p(
    *, difference: Number, p: Number, n_1: Number = None, n_2: Number = None, distribution: str = "t"
) -> Found:
    """Standard error of a mean difference from its two-sided P value.

    ``p``: a number, or a bound as text. "<0.05" gives the largest standard error that agrees with it, marked "at
    most"; ">0.05" gives the smallest, "at least". ``distribution="normal"`` needs no ``n_1`` and ``n_2``.

    >>> round(float(se_of_difference_from_p(difference=3.8, p=0.008, n_1=25, n_2=22)), 2)
    1.37
    >>> se_of_difference_from_p(difference=3.8, p="<0.05", n_1=25, n_2=22)
    se_of_difference_from_p: se at most 1.8867
    """
    se, bound, assumptions = _se_from_p(difference, p, _df(n_1, n_2, distribution))
    return found(se=se, assumes=assumptions, bounds={"se": bound})


@conversion(topic=TOPIC, formula="SE = (high − low) / (2 × t or z)", source=handbook("6.5.2.3"))
def se_of_difference_from_ci(
    *,
    low: Number,
    high: Number,
    n_1: Number = None,
    n_2: Number = None,
    level: Number = 0.95,
    distribution: str = "t",
    difference: Number = None,
) -> Found:
    """Standard error of a mean difference from its confidence interval.

    With ``distribution="t"`` (n1 + n2 − 2 degrees of freedom) or "normal" (large trials, and adjusted analyses). Give
    ``difference`` to have the symmetry checked.

    >>> round(float(se_of_difference_from_ci(low=1, high=4.92, distribution="normal")), 3)
    1.0
    """
    se, assumptions = _se_from_ci(low, high, level, _df(n_1, n_2, distribution), difference)
    return found(se=se, assumes=assumptions)


@conversion(topic=TOPIC, formula="SD = SE / √(1/n1 + 1/n2)", source=handbook("6.5.2.3"), increasing=("se",))
def sd_from_se_of_difference(*, se: Number, n_1: Number, n_2: Number) -> Found:
    """The groups' common standard deviation from the standard error of their mean difference.

    Not for adjusted or paired analyses: their standard errors are smaller for another reason.

    >>> round(float(sd_from_se_of_difference(se=1.37, n_1=25, n_2=22)), 2)
    4.69
    """
    return found(sd=_sd(checks.positive("se", se), n_1, n_2), assumes=[SAME_SD, "the groups are independent"])


@conversion(topic=TOPIC, formula="SD = |difference / t| / √(1/n1 + 1/n2)", source=handbook("6.5.2.3"))
def sd_from_t(*, difference: Number, t: Number, n_1: Number, n_2: Number) -> Found:
    """The groups' common standard deviation from the t statistic of an unpaired t test.

    >>> found = sd_from_t(difference=3.8, t=2.78, n_1=25, n_2=22)
    >>> round(found.sd, 2), round(found.se, 2)
    (4.68, 1.37)
    """
    se, cautions = _se_from_statistic(difference, t, "t")
    return found(sd=_sd(se, n_1, n_2), se=se, assumes=[SAME_SD], cautions=cautions)


@conversion(topic=TOPIC, formula="SD = |difference| / √F / √(1/n1 + 1/n2)", source=handbook("6.5.2.3"))
def sd_from_f(*, difference: Number, f: Number, n_1: Number, n_2: Number) -> Found:
    """The groups' common standard deviation from the F statistic of a one-way analysis of two groups.

    >>> round(sd_from_f(difference=3.8, f=7.7284, n_1=25, n_2=22).sd, 2)
    4.68
    """
    se, _ = _se_from_statistic(difference, math.sqrt(checks.positive("f", f, "F is a ratio of variances")), "f")
    one_way = "F compares two groups (1 numerator degree of freedom), without covariates"
    return found(sd=_sd(se, n_1, n_2), se=se, assumes=[SAME_SD, one_way])


@conversion(topic=TOPIC, formula="SD = |difference| / t(P) / √(1/n1 + 1/n2)", source=handbook("6.5.2.3"))
def sd_from_p(*, difference: Number, p: Number, n_1: Number, n_2: Number, distribution: str = "t") -> Found:
    """The groups' common standard deviation from the two-sided P value of an unpaired t test; a bound stays a bound.

    >>> round(sd_from_p(difference=3.8, p=0.008, n_1=25, n_2=22).sd, 2)
    4.68
    >>> sd_from_p(difference=3.8, p="<0.05", n_1=25, n_2=22).bounds["sd"]
    'at most'
    """
    se, bound, assumptions = _se_from_p(difference, p, _df(n_1, n_2, distribution))
    return found(sd=_sd(se, n_1, n_2), se=se, assumes=[SAME_SD, *assumptions], bounds={"sd": bound, "se": bound})


@conversion(topic=TOPIC, formula="SD = (high − low) / (2 × t or z) / √(1/n1 + 1/n2)", source=handbook("6.5.2.3"))
def sd_from_ci_of_difference(
    *,
    low: Number,
    high: Number,
    n_1: Number,
    n_2: Number,
    level: Number = 0.95,
    distribution: str = "t",
    difference: Number = None,
) -> Found:
    """The groups' common standard deviation from the confidence interval of their mean difference.

    >>> round(sd_from_ci_of_difference(low=1.04, high=6.56, n_1=25, n_2=22).sd, 2)
    4.69
    """
    se, assumptions = _se_from_ci(low, high, level, _df(n_1, n_2, distribution), difference)
    return found(sd=_sd(se, n_1, n_2), se=se, assumes=[SAME_SD, *assumptions])
