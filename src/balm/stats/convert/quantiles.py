"""From a median with quartiles, range or both to a mean and a standard deviation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from balm.stats.convert.converted import Found, Number, conversion, found
from balm.stats.convert.five_numbers import SCENARIOS, FiveNumbers, five_numbers
from balm.stats.convert.skewness import skewness
from balm.stats.convert.sources import BLAND, HOZO, LUO, SHI, WALTER, WAN
from balm.stats.distributions import norm_ppf, norm_sf
from balm.vocabulary.problems import check_option, refuse

TOPIC = "Medians, quartiles and ranges"


def _range_in_sd(n: float) -> float:
    """About how many SDs the range of n normal values spans (Blom's approximation, as in Wan 2014)."""
    return 2 * norm_ppf((n - 0.375) / (n + 0.25))


def _iqr_in_sd(n: float) -> float:
    """About how many SDs the interquartile range of n normal values spans (Wan 2014)."""
    return 2 * norm_ppf((0.75 * n - 0.125) / (n + 0.25))


def expected_range(n: float) -> float:
    """The expected range of n standard normal values, 2 ∫(1 − Φ(x)ⁿ − Φ(−x)ⁿ) dx over x > 0, to 1e-12.

    >>> round(expected_range(2), 12) == round(2 / math.pi**0.5, 12)
    True
    """
    step = 0.02
    total, x, weight = 0.0, 0.0, 0.5
    while x < 40:  # the integrand is analytic and even, so the trapezoid rule converges geometrically
        upper = norm_sf(x)
        below_all = n * math.log1p(-upper)
        term = -math.expm1(below_all) - (upper**n if upper else 0.0)
        total += weight * term
        if x > 3 and abs(term) < 1e-17:
            break
        x, weight = x + step, 1.0
    return 2 * step * total


def luo_mean(s: FiveNumbers) -> float:
    """Luo 2018: weights that move from the ends to the median as n grows."""
    if s.scenario == "S1":
        w = 4 / (4 + math.pow(s.n, 0.75))
        return w * (s.minimum + s.maximum) / 2 + (1 - w) * s.median
    if s.scenario == "S2":
        w = 0.7 + 0.39 / s.n
        return w * (s.q1 + s.q3) / 2 + (1 - w) * s.median
    w_range, w_iqr = 2.2 / (2.2 + math.pow(s.n, 0.75)), 0.7 - 0.72 / math.pow(s.n, 0.55)
    return w_range * (s.minimum + s.maximum) / 2 + w_iqr * (s.q1 + s.q3) / 2 + (1 - w_range - w_iqr) * s.median


def wan_sd(s: FiveNumbers) -> float:
    """Wan 2014: range and interquartile range in units of their expected width; their plain average in S3."""
    if s.scenario == "S1":
        return (s.maximum - s.minimum) / _range_in_sd(s.n)
    if s.scenario == "S2":
        return (s.q3 - s.q1) / _iqr_in_sd(s.n)
    return ((s.maximum - s.minimum) / _range_in_sd(s.n) + (s.q3 - s.q1) / _iqr_in_sd(s.n)) / 2


def shi_sd(s: FiveNumbers) -> float:
    """Shi 2020: the weighted average of the two widths with smallest error, for S3 only."""
    growth = math.pow(s.n, 0.6)
    wide = (1 + 0.07 * growth) * _range_in_sd(s.n)
    narrow = (1 + 1 / (0.07 * growth)) * _iqr_in_sd(s.n)
    return (s.maximum - s.minimum) / wide + (s.q3 - s.q1) / narrow


def luo_wan_shi(s: FiveNumbers) -> tuple[float, float]:
    """Luo's mean; Wan's SD, and Shi's where all five numbers are known."""
    return luo_mean(s), shi_sd(s) if s.scenario == "S3" else wan_sd(s)


def wan2014(s: FiveNumbers) -> tuple[float, float]:
    """Wan's SD in every scenario, with the means that paper takes: Hozo's, its own and Bland's."""
    if s.scenario == "S1":
        return (s.minimum + 2 * s.median + s.maximum) / 4, wan_sd(s)
    if s.scenario == "S2":
        return (s.q1 + s.median + s.q3) / 3, wan_sd(s)
    return bland2015(s)[0], wan_sd(s)


def bland2015(s: FiveNumbers) -> tuple[float, float]:
    """Bland: mean and SD from five numbers, whatever the sample size."""
    a, q1, m, q3, b = s.minimum, s.q1, s.median, s.q3, s.maximum
    mean = (a + 2 * q1 + 2 * m + 2 * q3 + b) / 8
    # Shifted by the median, as the variance of numbers far from zero loses digits otherwise.
    a, q1, q3, b = a - m, q1 - m, q3 - m, b - m
    squares = (a * a + 2 * q1 * q1 + 2 * q3 * q3 + b * b) / 16 + (a * q1 + q3 * b) / 8
    return mean, math.sqrt(max(0.0, squares - (a + 2 * q1 + 2 * q3 + b) ** 2 / 64))


def _hozo_mean(s: FiveNumbers) -> float:
    return (s.minimum + 2 * s.median + s.maximum) / 4 if s.n <= 25 else s.median


def hozo2005(s: FiveNumbers) -> tuple[float, float]:
    """Hozo: mean (a + 2m + b)/4 up to n = 25, the median above; SD by formula to 15, range/4 to 70, range/6 above."""
    spread = s.maximum - s.minimum
    if s.n <= 15:
        return _hozo_mean(s), math.sqrt(((s.minimum - 2 * s.median + s.maximum) ** 2 / 4 + spread**2) / 12)
    return _hozo_mean(s), spread / (4 if s.n <= 70 else 6)


def walter2007(s: FiveNumbers) -> tuple[float, float]:
    """Walter and Yao: the range over its exact expected width in a normal sample; the mean as Hozo has it."""
    return _hozo_mean(s), (s.maximum - s.minimum) / expected_range(s.n)


@dataclass(frozen=True, slots=True)
class QuantileMethod:
    """One way to a mean and SD, and the scenarios it is made for."""

    name: str
    function: Callable[[FiveNumbers], tuple[float, float]]
    scenarios: tuple[str, ...]
    formula: dict[str, str]
    source: str


_WAN = {
    "S1": "SD = (b − a)/(2z), z = Φ⁻¹((n − 0.375)/(n + 0.25))",
    "S2": "SD = (q3 − q1)/(2η), η = Φ⁻¹((0.75n − 0.125)/(n + 0.25))",
}
METHODS = {
    m.name: m
    for m in (
        QuantileMethod(
            "luo-wan-shi",
            luo_wan_shi,
            ("S1", "S2", "S3"),
            {
                "S1": "mean = w(a + b)/2 + (1 − w)m, w = 4/(4 + n^0.75); " + _WAN["S1"],
                "S2": "mean = w(q1 + q3)/2 + (1 − w)m, w = 0.7 + 0.39/n; " + _WAN["S2"],
                "S3": "mean = w1(a + b)/2 + w2(q1 + q3)/2 + (1 − w1 − w2)m, w1 = 2.2/(2.2 + n^0.75), w2 = 0.7 − "
                "0.72/n^0.55; SD = (b − a)/((2 + 0.14n^0.6)z) + (q3 − q1)/((2 + 2/(0.07n^0.6))η), z and η as Wan 2014",
            },
            f"mean: {LUO}; SD: {WAN}; with five numbers {SHI}",
        ),
        QuantileMethod(
            "wan2014",
            wan2014,
            ("S1", "S2", "S3"),
            {
                "S1": "mean = (a + 2m + b)/4; " + _WAN["S1"],
                "S2": "mean = (q1 + m + q3)/3; " + _WAN["S2"],
                "S3": "mean = (a + 2q1 + 2m + 2q3 + b)/8; SD = (b − a)/(4z) + (q3 − q1)/(4η)",
            },
            WAN,
        ),
        QuantileMethod(
            "bland2015",
            bland2015,
            ("S3",),
            {
                "S3": "mean = (a + 2q1 + 2m + 2q3 + b)/8; SD² = (a² + 2q1² + 2m² + 2q3² + b²)/16 + "
                "(a·q1 + q1·m + m·q3 + q3·b)/8 − mean²"
            },
            BLAND,
        ),
        QuantileMethod(
            "hozo2005",
            hozo2005,
            ("S1",),
            {
                "S1": "mean = (a + 2m + b)/4 if n ≤ 25, else m; SD = √(((a − 2m + b)²/4 + (b − a)²)/12) if n ≤ 15, "
                "(b − a)/4 if n ≤ 70, else (b − a)/6"
            },
            HOZO,
        ),
        QuantileMethod(
            "walter2007",
            walter2007,
            ("S1",),
            {"S1": "mean as Hozo 2005; SD = (b − a)/E(range of n standard normal values)"},
            WALTER,
        ),
    )
}

#: Range rules work on two observations: beyond this n Wan 2014 (figures 1 and 2) finds range/6 badly biased.
HOZO_LARGEST_TESTED = 200


def _cautions(s: FiveNumbers, method: str) -> list[str]:
    cautions = []
    test = skewness(s)
    if test.skewed:
        cautions.append(
            f"skewed: the statistic {test.statistic:.3f} exceeds {test.critical:.3f} (Shi 2023, 5% level); a mean "
            f"and SD describe these data poorly"
        )
    if method == "hozo2005" and s.n > HOZO_LARGEST_TESTED:
        cautions.append(f"n = {s.n:g}: Hozo's range/6 is a rule for moderate samples; 'luo-wan-shi' allows for n")
    if s.n < 5:
        cautions.append(f"n = {s.n:g}: the approximations were not made for fewer than five participants")
    return cautions


@conversion(
    topic=TOPIC,
    formula="depends on method and on what is reported",
    source=f"{LUO}; {WAN}; {SHI}",
    optional=("minimum", "q1", "q3", "maximum"),
)
def mean_sd_from_quantiles(
    *,
    median: Number,
    n: Number,
    minimum: Number = None,
    q1: Number = None,
    q3: Number = None,
    maximum: Number = None,
    method: str = "luo-wan-shi",
) -> Found:
    """Mean and standard deviation from a median with its quartiles (S2), its range (S1) or both (S3).

    ``method``: "luo-wan-shi" (Luo 2018 for the mean, Wan 2014 for the SD, Shi 2020 for the SD in S3), "wan2014",
    "bland2015" (S3 only), "hozo2005" or "walter2007" (S1 only). All but Bland assume normal data: a ``caution`` says
    when Shi's test finds skewness. A method is refused where its numbers are not given. In arrays, a missing minimum,
    quartile or maximum means "not reported", entry by entry.

    >>> found = mean_sd_from_quantiles(minimum=2, q1=4, median=6, q3=9, maximum=17, n=21)
    >>> round(found.mean, 3), round(found.sd, 3)
    (6.924, 3.971)
    """
    chosen = METHODS[check_option("method", method, list(METHODS))]
    s = five_numbers(minimum, q1, median, q3, maximum, n)
    if s.scenario not in chosen.scenarios:
        needs = " or ".join(SCENARIOS[c] for c in chosen.scenarios)
        fits = [m.name for m in METHODS.values() if s.scenario in m.scenarios]
        refuse(
            f"method {method!r} takes {needs}; got {SCENARIOS[s.scenario]}: choose one of {fits}, or leave out the rest"
        )
    mean, sd = chosen.function(s)
    assumed = [] if method == "bland2015" else ["the outcome is close to normal"]
    assumed.append("these are sample quartiles and extremes of the participants analysed")
    return found(
        mean=mean,
        sd=sd,
        assumes=assumed,
        cautions=_cautions(s, method),
        formula=chosen.formula[s.scenario] + " (a minimum, m median, b maximum)",
        source=chosen.source,
    )
