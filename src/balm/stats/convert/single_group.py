"""One group: standard deviation, standard error and confidence interval of a mean."""

from __future__ import annotations

import math

from balm.stats.convert import checks
from balm.stats.convert.converted import Found, Number, conversion, found
from balm.stats.convert.critical import said, two_sided
from balm.stats.convert.sources import handbook
from balm.vocabulary.problems import check_option

TOPIC = "One group"

#: Below 60 participants a group the interval is taken as a t interval (Cochrane Handbook 6.5.2.2).
SMALL_GROUP = 60


@conversion(topic=TOPIC, formula="SD = SE × √n", source=handbook("6.5.2.2"), increasing=("se",))
def sd_from_se(*, se: Number, n: Number) -> Found:
    """Standard deviation of a group from the standard error of its mean.

    ``se`` > 0 belongs to the mean of one group, not to a difference; ``n`` is the number analysed in that group.

    >>> round(float(sd_from_se(se=0.5, n=64)), 3)
    4.0
    """
    se, n = checks.positive("se", se), checks.size("n", n)
    return found(sd=se * math.sqrt(n), assumes=["the standard error is that of one group's mean"])


@conversion(topic=TOPIC, formula="SE = SD / √n", source=handbook("6.5.2.2"), increasing=("sd",))
def se_from_sd(*, sd: Number, n: Number) -> Found:
    """Standard error of a group's mean from its standard deviation.

    >>> round(float(se_from_sd(sd=4, n=64)), 3)
    0.5
    """
    sd, n = checks.standard_deviation("sd", sd), checks.size("n", n)
    return found(se=sd / math.sqrt(n))


def _spread_of_mean(
    low: Number, high: Number, n: Number, level: Number, distribution: str, mean: Number
) -> tuple[float, float, float, list[str]]:
    check_option("distribution", distribution, ["auto", "t", "normal"])
    n, level = checks.size("n", n), checks.coverage(level)
    low, high = checks.interval(low, high)
    if mean is not None:
        checks.symmetric("mean", mean, low, high)
    chosen = ("t" if n < SMALL_GROUP else "normal") if distribution == "auto" else distribution
    if chosen == "t":
        n = checks.size("n", n, least=2)
    df = n - 1 if chosen == "t" else None
    assumptions = [f"the interval was computed with {said(df)}"]
    if mean is None:
        assumptions.append("the interval is symmetric about the mean")
    return (high - low) / (2 * two_sided(1 - level, df)), n, level, assumptions


@conversion(topic=TOPIC, formula="SE = (high − low) / (2 × t or z)", source=handbook("6.5.2.2"))
def se_from_ci(
    *, low: Number, high: Number, n: Number, level: Number = 0.95, distribution: str = "auto", mean: Number = None
) -> Found:
    """Standard error of a group's mean from its confidence interval.

    ``distribution``: "auto" takes t with n − 1 degrees of freedom below 60 participants and the normal from there on,
    as the Handbook advises; "t" or "normal" when the report says which. Give ``mean`` to have the symmetry checked.

    >>> round(float(se_from_ci(low=30, high=34.2, n=100)), 3)
    1.071
    """
    se, _, _, assumptions = _spread_of_mean(low, high, n, level, distribution, mean)
    return found(se=se, assumes=assumptions)


@conversion(topic=TOPIC, formula="SD = √n × (high − low) / (2 × t or z)", source=handbook("6.5.2.2"))
def sd_from_ci(
    *, low: Number, high: Number, n: Number, level: Number = 0.95, distribution: str = "auto", mean: Number = None
) -> Found:
    """Standard deviation of a group from the confidence interval of its mean.

    As :func:`se_from_ci`, times the square root of ``n``. With 25 participants the divisor of a 95 % interval is
    2 × 2.064 = 4.128, and 3.92 in a large group.

    >>> round(float(sd_from_ci(low=0, high=4.128, n=25)), 2)
    5.0
    """
    se, n, _, assumptions = _spread_of_mean(low, high, n, level, distribution, mean)
    return found(sd=se * math.sqrt(n), assumes=assumptions)


@conversion(topic=TOPIC, formula="SD = (q3 − q1) / 1.35", source=handbook("6.5.2.5"))
def sd_from_iqr(*, q1: Number, q3: Number) -> Found:
    """Standard deviation from the interquartile range, in a large sample of normal data.

    In small samples :func:`mean_sd_from_quantiles` allows for n; use it when n is known.

    >>> round(float(sd_from_iqr(q1=10, q3=23.5)), 3)
    10.0
    """
    q1, q3 = checks.number("q1", q1), checks.number("q3", q3)
    checks.in_order({"q1": q1, "q3": q3})
    return found(sd=(q3 - q1) / 1.35, assumes=["the outcome is close to normal", "the sample is large"])


@conversion(
    topic=TOPIC,
    formula="SD = √(Σ(n_i − 1)SD_i² / Σ(n_i − 1))",
    source=handbook("6.5.2.7"),
    sequences=("sd", "n"),
)
def pooled_sd(*, sd: Number, n: Number) -> Found:
    """Standard deviation pooled over groups or trials, to borrow where a trial reports none.

    ``sd``, ``n``: lists of one length.

    >>> round(float(pooled_sd(sd=[2.0, 3.0], n=[11, 11])), 4)
    2.5495
    """
    sds, ns = checks.lists(sd=sd, n=n)
    sds = [checks.standard_deviation(f"sd[{i}]", s) for i, s in enumerate(sds)]
    ns = [checks.size(f"n[{i}]", m, least=2) for i, m in enumerate(ns)]
    total = sum((m - 1) * s * s for s, m in zip(sds, ns, strict=True))
    assumed = ["the groups share one standard deviation", "a borrowed SD is varied in a sensitivity analysis"]
    return found(sd=math.sqrt(total / sum(m - 1 for m in ns)), assumes=assumed)


@conversion(
    topic=TOPIC,
    formula="SD_log = √ln(1 + SD²/mean²); mean_log = ln(mean) − SD_log²/2",
    source="Higgins, White & Anzures-Cabrera (2008), Stat Med 27:6072, method 1; " + handbook("6.5.2.4"),
)
def log_mean_sd_from_raw(*, mean: Number, sd: Number) -> Found:
    """Mean and standard deviation on the log scale from those of the raw, skewed data.

    >>> found = log_mean_sd_from_raw(mean=10, sd=5)
    >>> round(found.mean, 4), round(found.sd, 4)
    (2.191, 0.4724)
    """
    mean, sd = checks.positive("mean", mean), checks.standard_deviation("sd", sd)
    variance = math.log1p((sd / mean) ** 2)
    return found(mean=math.log(mean) - variance / 2, sd=math.sqrt(variance), assumes=["the raw data are log-normal"])


@conversion(
    topic=TOPIC,
    formula="mean = exp(mean_log + SD_log²/2); SD = mean × √(exp(SD_log²) − 1)",
    source="Higgins, White & Anzures-Cabrera (2008), Stat Med 27:6072, method 1; " + handbook("6.5.2.4"),
)
def raw_mean_sd_from_log(*, mean: Number, sd: Number) -> Found:
    """Mean and standard deviation of the raw data from those on the log scale (or a log geometric mean).

    >>> found = raw_mean_sd_from_log(mean=2.191, sd=0.4724)
    >>> round(found.mean, 1), round(found.sd, 1)
    (10.0, 5.0)
    """
    mean, sd = checks.number("mean", mean), checks.standard_deviation("sd", sd)
    raw = math.exp(mean + sd * sd / 2)
    return found(mean=raw, sd=raw * math.sqrt(math.expm1(sd * sd)), assumes=["the raw data are log-normal"])
