"""Training effectiveness: five studies measured before and after, with a control group (Morris 2008).

Org Res Methods 11:364; the studies are those of Carlson & Schmidt (1999) that Morris uses. Each group has a
standardised mean change, by the deviation before (Becker 1988); their difference is the effect, their variances add
up. The variances take the correlation of before and after, as metafor's ``SMCR`` does.

Analysis: Morris 2008 (Org Res Methods 11:364), effects of pretest-posttest-control designs
Where: the five studies, as metafor-project.org/doku.php/analyses:morris2008 lists them
Compared: standardised mean changes of both groups with their variances, their differences, common effect and REML
Figures: not seen; R metafor 3.8, to 1e-9
Page: worked-examples/training.md
"""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool

#: Before, after, deviation before, people; before and after correlate alike in both groups.
TRAINED = (
    [30.6, 23.5, 0.5, 53.4, 35.6],
    [38.5, 26.8, 0.7, 75.9, 36.0],
    [15.0, 3.1, 0.1, 14.5, 4.7],
    [20, 50, 9, 10, 14],
)
CONTROLS = (
    [23.1, 24.9, 0.6, 55.7, 34.8],
    [19.7, 25.3, 0.6, 60.7, 33.4],
    [13.8, 4.1, 0.2, 17.3, 3.1],
    [20, 42, 9, 11, 14],
)
R = [0.47, 0.64, 0.77, 0.89, 0.44]


def change(before: list[float], after: list[float], sd: list[float], n: list[int]) -> EffectSizes:
    return effect_sizes("SMCR", mean_1=after, mean_2=before, sd_1=sd, n=n, r=R)


@pytest.fixture(scope="module")
def difference() -> EffectSizes:
    trained, controls = change(*TRAINED), change(*CONTROLS)
    return EffectSizes(effect=trained.effect - controls.effect, variance=trained.variance + controls.variance)


def test_changes_within_each_group() -> None:
    trained, controls = change(*TRAINED), change(*CONTROLS)
    want = [0.505552785873, 1.04812489835, 1.80540666735, 1.41808172864, 0.0800836142529]
    assert trained.effect == pytest.approx(want, abs=1e-10)
    want = [0.0593895904826, 0.0253856580254, 0.232194068585, 0.122547789456, 0.080229049474]
    assert trained.variance == pytest.approx(want, abs=1e-10)
    want = [-0.23649965217, 0.0957635294346, 0.0, 0.266689482096, -0.424959824019]
    assert controls.effect == pytest.approx(want, abs=1e-10)
    want = [0.0543983021369, 0.0172520315901, 0.0511111111111, 0.0232328763573, 0.0864496732868]
    assert controls.variance == pytest.approx(want, abs=1e-10)


def test_pooled_difference(difference: EffectSizes) -> None:
    common = pool(difference, model="common")
    assert (common.estimate, common.se, common.q) == pytest.approx(
        (0.949160837588, 0.143398604718, 4.42897120841), abs=1e-9
    )
    dl = pool(difference, tau2="DL", inference="wald")
    assert (dl.estimate, dl.se, dl.tau2) == pytest.approx((0.951909730033, 0.155722319971, 0.012703674194), abs=1e-9)
    assert pool(difference, tau2="REML", inference="wald").tau2 == pytest.approx(0.0, abs=1e-12)
