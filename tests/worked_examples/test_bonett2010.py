"""How reliable is the CES-D depression scale? Cronbach's alpha of nine studies (Bonett 2010, Psychol Methods 15:368).

Analysis: Bonett 2010 (Psychol Methods 15:368), reliability; transformation of Bonett 2002 (J Educ Behav Stat 27:335)
Where: the nine studies as R's metadat keeps them (`dat.bonett2010`)
Compared: transformed alphas with their variances, common effect, REML, the mean alpha with its interval
Figures: not seen; R metafor 3.8
Page: worked-examples/reliability.md
"""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool

ALPHA = [0.93, 0.91, 0.94, 0.89, 0.90, 0.89, 0.86, 0.91, 0.90]
N = [103, 64, 118, 401, 215, 51, 175, 311, 492]


@pytest.fixture(scope="module")
def scales() -> EffectSizes:
    return effect_sizes("ABT", alpha=ALPHA, items=[20] * 9, n=N)


def test_transformed_alphas(scales: EffectSizes) -> None:
    assert scales.effect[:3] == pytest.approx([2.65926003693, 2.40794560865, 2.81341071676], abs=1e-10)
    assert scales.variance[:3] == pytest.approx([0.0208441896821, 0.0339558573854, 0.0181488203267], abs=1e-10)


def test_mean_reliability(scales: EffectSizes) -> None:
    common = pool(scales, model="common")
    assert (common.estimate, common.se, common.q) == pytest.approx(
        (2.32008511157, 0.0331825113196, 33.395700424), abs=1e-9
    )
    fit = pool(scales, inference="wald")
    assert (fit.estimate, fit.se) == pytest.approx((2.3560696674, 0.0823555328982), abs=1e-9)
    assert fit.tau2 == pytest.approx(0.0461046141877, abs=1e-9)
    shown = fit.displayed
    assert shown.estimate == pytest.approx(0.9052079437, abs=1e-9)
    assert (shown.interval.low, shown.interval.high) == pytest.approx((0.8886031011, 0.9193376654), abs=1e-9)
