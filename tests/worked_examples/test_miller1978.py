"""The inverse of the Freeman-Tukey transformation: four proportions of Miller (1978), Am Stat 32:138.

Analysis: Miller 1978 (Am Stat 32:138), the inverse of the Freeman-Tukey double arcsine
Where: the four proportions of the paper's table, as metafor-project.org/doku.php/analyses:miller1978 lists them with
    their transformed values (half of Miller's, who leaves out the factor 1/2)
Compared: transformed values and variances, the way back, unweighted and weighted mean at the harmonic mean of the sizes
Figures: transformed values and variances seen on that page, four decimals; the means were not seen: R metafor 3.8
Page: worked-examples/freeman-tukey.md
"""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool
from balm.stats.transforms import displayed

EVENTS = [3, 6, 10, 1]
N = [11, 17, 21, 6]


@pytest.fixture(scope="module")
def proportions() -> EffectSizes:
    return effect_sizes("PFT", events=EVENTS, n=N)


def test_transformed_values(proportions: EffectSizes) -> None:
    assert proportions.effect == pytest.approx([0.5695, 0.6444, 0.7626, 0.4758], abs=5.001e-5)
    assert proportions.variance == pytest.approx([0.0217, 0.0143, 0.0116, 0.0385], abs=5.001e-5)


def test_the_way_back_gives_the_proportions(proportions: EffectSizes) -> None:
    for value, x, n in zip(proportions.effect.tolist(), EVENTS, N, strict=True):
        assert displayed(value, "PFT", n_harmonic=n) == pytest.approx(x / n, abs=1e-13)


def test_means_at_the_harmonic_mean_of_the_sizes(proportions: EffectSizes) -> None:
    equal = pool(proportions, model="common", weights="equal")
    assert equal.estimate == pytest.approx(0.613091009497, abs=1e-11)
    assert equal.displayed.estimate == pytest.approx(0.316436101593, abs=1e-11)
    fit = pool(proportions, model="common")
    assert (fit.estimate, fit.se, fit.q) == pytest.approx((0.654670645324, 0.0662266178533, 2.17540943278), abs=1e-10)
    shown = fit.displayed
    assert shown.estimate == pytest.approx(0.359521719757, abs=1e-11)
    assert (shown.interval.low, shown.interval.high) == pytest.approx((0.229708594408, 0.498993542202), abs=1e-11)
