"""Intervals of the residual heterogeneity of two meta-regressions by generalised Q, Jackson et al. (2014).

Sixteen effects with a moderator of two values and nineteen with the year of publication. Fixed weights 1/v are those of
Biggerstaff & Jackson, fixed weights 1/sqrt(v) those of Jackson's generalised Q; the Q-profile interval belongs to the
estimate of Paule and Mandel.

Analysis: Jackson, Turner, Rhodes & Viechtbauer 2014 (BMC Med Res Methodol 14:103), intervals of the residual τ² of a
    meta-regression
Where: effects, variances and moderators of examples 1 and 2, as metafor's test of the paper holds them
Compared: τ² by REML with the interval of its logarithm; generalised Q with weights 1/v and 1/√v; Q-profile
Figures: as metafor's test of the paper checks them, to four decimals
Page: none
"""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.regression.meta_regression import MetaRegression, meta_regression


class Example(NamedTuple):
    """Data of an example, and its intervals."""

    effect: list[float]
    variance: list[float]
    x: list[float]
    of_the_logarithm: tuple[float, float]
    intervals: dict[str, tuple[float, float]]


# fmt: off
EXAMPLES = (
    Example(
        [0.0267, 0.8242, 0.3930, 2.4405, 2.1401, 1.2528, 2.4849, 0.3087,
         1.4246, 0.1823, 1.1378, 1.2321, 2.0695, 4.0237, 1.4383, 1.6021],
        [0.1285, 0.0315, 0.0931, 2.0967, 1.0539, 0.1602, 1.0235, 0.0218,
         0.5277, 0.0556, 0.3304, 0.1721, 0.4901, 2.0200, 0.3399, 0.1830],
        [0] * 10 + [1] * 6,
        (0.0110, 0.6330),
        {"biggerstaff-jackson": (0.0029, 0.6907), "generalised-q": (0.0, 1.1245), "q-profile": (0.0023, 1.4871)},
    ),
    Example(
        [0.54, 0.4, 0.64, 0.365, 0.835, 0.02, 0.12, 0.085, 1.18, 0.08,
         0.18, 0.325, 0.06, 0.715, 0.065, 0.245, 0.24, 0.06, 0.19],
        [0.0176, 0.019, 0.0906, 0.0861, 0.0063, 0.0126, 0.0126, 0.0041, 0.0759, 0.0126,
         0.0104, 0.0242, 0.0026, 0.2629, 0.0169, 0.0156, 0.0481, 0.0084, 0.0044],
        [1986, 1987, 1988, 1988, 1998, 1999, 2000, 2000, 2000, 2001, 2001, 2001, 2002, 2002, 2002, 2002, 2003, 2003,
         2003],
        (0.0163, 0.1108),
        {"biggerstaff-jackson": (0.0170, 0.1393), "generalised-q": (0.0180, 0.1375), "q-profile": (0.0178, 0.1564)},
    ),
)
# fmt: on


def fit(example: Example, tau2: str) -> MetaRegression:
    es = EffectSizes(effect=example.effect, variance=example.variance)
    return meta_regression(es, {"x": example.x}, tau2=tau2, inference="wald")


@pytest.mark.parametrize("example", EXAMPLES, ids=["example 1", "example 2"])
def test_intervals_by_generalised_q(example: Example) -> None:
    found = fit(example, "PM")
    for method, want in example.intervals.items():
        got = found.heterogeneity_interval(method).tau2
        assert (got.low, got.high) == pytest.approx(want, abs=1e-4), method


@pytest.mark.parametrize("example", EXAMPLES, ids=["example 1", "example 2"])
def test_interval_of_the_logarithm(example: Example) -> None:
    """``log tau2 ± 1.96 se(tau2)/tau2``."""
    found = fit(example, "REML")
    half = 1.96 * found.tau2_se / found.tau2
    got = (found.tau2 * math.exp(-half), found.tau2 * math.exp(half))
    assert got == pytest.approx(example.of_the_logarithm, abs=1e-4)
