"""Shi's test: are a median and its quartiles or range too lopsided for normal data?"""

from __future__ import annotations

import math
from dataclasses import dataclass

from balm.stats.convert.converted import Found, Number, conversion, found
from balm.stats.convert.five_numbers import FiveNumbers, five_numbers
from balm.stats.convert.sources import SHI_TEST

FORMULAS = {
    "S1": "T = |a + b − 2m|/(b − a) against 1.01/ln(n + 9) + 2.43/(n + 1)",
    "S2": "T = |q1 + q3 − 2m|/(q3 − q1) against 2.65/√n − 6/n²",
    "S3": "T = max(2.65·ln(0.6n)/√n·|a + b − 2m|/(b − a), |q1 + q3 − 2m|/(q3 − q1)) against 3/√n − 40/n³",
}


@dataclass(frozen=True, slots=True)
class Skewness:
    """The statistic, its 5 % critical value and the verdict."""

    statistic: float
    critical: float
    skewed: bool


def _lean(low: float, middle: float, high: float) -> float:
    """How far the middle is from the centre, from 0 (symmetric) to 1; 0 when there is no width."""
    return abs(low + high - 2 * middle) / (high - low) if high > low else 0.0


def skewness(s: FiveNumbers) -> Skewness:
    """The test of the scenario at hand."""
    n = s.n
    if s.scenario == "S1":
        statistic, critical = _lean(s.minimum, s.median, s.maximum), 1.01 / math.log(n + 9) + 2.43 / (n + 1)
    elif s.scenario == "S2":
        statistic, critical = _lean(s.q1, s.median, s.q3), 2.65 / math.sqrt(n) - 6 / n**2
    else:
        weight = max(0.0, 2.65 * math.log(0.6 * n) / math.sqrt(n))
        statistic = max(weight * _lean(s.minimum, s.median, s.maximum), _lean(s.q1, s.median, s.q3))
        critical = 3 / math.sqrt(n) - 40 / n**3
    return Skewness(statistic, critical, n >= 5 and statistic > critical)


@conversion(
    topic="Medians, quartiles and ranges",
    formula="; ".join(FORMULAS.values()),
    source=SHI_TEST,
    optional=("minimum", "q1", "q3", "maximum"),
)
def skewness_test(
    *, median: Number, n: Number, minimum: Number = None, q1: Number = None, q3: Number = None, maximum: Number = None
) -> Found:
    """Whether a median with quartiles, range or both is too lopsided for normal data, at the 5 % level.

    ``skewed`` is true when ``statistic`` exceeds ``critical``. The critical values are fitted for n of five and more;
    below that ``skewed`` is never true and a caution says so.

    >>> found = skewness_test(q1=4, median=6, q3=20, n=40)
    >>> round(found.statistic, 3), round(found.critical, 3), found.skewed
    (0.75, 0.415, True)
    """
    s = five_numbers(minimum, q1, median, q3, maximum, n)
    test = skewness(s)
    cautions = ["the test is not made for fewer than five participants"] if s.n < 5 else []
    return found(
        statistic=test.statistic,
        critical=test.critical,
        skewed=test.skewed,
        cautions=cautions,
        formula=FORMULAS[s.scenario],
    )
