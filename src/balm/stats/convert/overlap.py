"""What a standardised mean difference means for people: overlap of the groups, and the chance of doing better."""

from __future__ import annotations

import math

from balm.stats.convert import checks
from balm.stats.convert.converted import Found, Number, conversion, found
from balm.stats.distributions import norm_cdf

TOPIC = "What an SMD means"
NORMAL = ("both groups are normal with one standard deviation",)
COHEN = "Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, section 2.2"


@conversion(topic=TOPIC, formula="U1 = (2Φ(|d|/2) − 1)/Φ(|d|/2); U2 = Φ(d/2); U3 = Φ(d)", source=COHEN)
def cohen_u(*, d: Number) -> Found:
    """Cohen's U: share of both groups' people outside the overlap (u1), beyond the meeting point (u2), and of arm 1
    above the median of arm 2 (u3).

    >>> found = cohen_u(d=1.0)
    >>> round(found.u1, 3), round(found.u2, 3), round(found.u3, 3)
    (0.554, 0.691, 0.841)
    """
    d = checks.number("d", d)
    half = norm_cdf(abs(d) / 2)
    return found(u1=(2 * half - 1) / half, u2=norm_cdf(d / 2), u3=norm_cdf(d), assumes=NORMAL)


@conversion(topic=TOPIC, formula="P = Φ(d/√2)", source="McGraw & Wong (1992), Psychol Bull 111:361")
def probability_of_superiority(*, d: Number) -> Found:
    """Chance that a person of arm 1 scores above a person of arm 2.

    >>> round(float(probability_of_superiority(d=0.5)), 3)
    0.638
    """
    return found(probability=norm_cdf(checks.number("d", d) / math.sqrt(2)), assumes=NORMAL)


@conversion(topic=TOPIC, formula="BESD = ½ + d/(2√(d² + 4))", source="Rosenthal & Rubin (1982), J Educ Psychol 74:166")
def binomial_effect_size(*, d: Number) -> Found:
    """Success rate of arm 1 when success is scoring above the common median (binomial effect size display).

    >>> round(float(binomial_effect_size(d=0.5)), 3)
    0.621
    """
    d = checks.number("d", d)
    return found(rate=0.5 + d / (2 * math.sqrt(d * d + 4)), assumes=["groups of equal size"])
