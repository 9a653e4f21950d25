"""p-curve: an example printed elsewhere, even scores where they must be even, edges, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from balm.plots.p_curve import p_curve as drawn
from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pool import pool
from balm.stats.small_study.p_curve import ALPHA, LEAST_POWER, _added, _score, _tail, p_curve
from balm.stats.small_study.significant_tests import noncentrality_of, of_z, read, upper_tail
from balm.vocabulary.problems import InputError

#: Eighteen studies of third-wave psychotherapies for students, after Harrer et al. (2021), Doing Meta-Analysis with R,
#: whose page was not at hand: that ten of its figures agree to their last digit speaks for data and figures.
EFFECT = [
    *(0.7091362, 0.3548641, 1.7911700, 0.1824552, 0.4218509, 0.63, 0.7248838, 0.5286638, 0.284, 1.2750682),
    *(0.1036082, 0.3883906, 0.5407398, 0.4261593, 0.5153969, 1.4797260, 0.6125782, 0.6),
]
SE = [
    *(0.2608202, 0.1963624, 0.3455692, 0.1177874, 0.1448128, 0.196, 0.2246641, 0.2104609, 0.168, 0.3371997),
    *(0.1947275, 0.2307689, 0.2443133, 0.2579379, 0.3512737, 0.3152817, 0.2266834, 0.249),
]
THIRD_WAVE = EffectSizes(effect=EFFECT, variance=np.array(SE) ** 2)
MIXED = ["t(88)=2.1", "r(147)=.246", "F(1,100)=9.1", "F(2,210)=4.45", "Z=3.45", "chi2(1)=9.1", "chi2(2)=8.74"]


def test_third_wave_therapies() -> None:
    """What dmetar's pcurve prints: -5.943, -4.982, 3.260, 0.006, 0.975, power 84 % (62.7 to 94.6)."""
    found = p_curve(pool(THIRD_WAVE))
    assert (found.k, found.significant, found.half) == (18, 11, 10)
    assert found.skew.z == pytest.approx(-5.943, abs=5e-4)
    assert found.skew_half.z == pytest.approx(-4.982, abs=5e-4)
    assert found.flat.z == pytest.approx(3.260, abs=5e-4)
    assert found.flat.p == pytest.approx(0.999, abs=5e-4)
    assert found.binomial == pytest.approx(0.006, abs=5e-4)
    assert found.binomial_flat == pytest.approx(0.975, abs=5e-4)
    assert found.power == pytest.approx(0.84, abs=5e-3)
    assert found.interval.low == pytest.approx(0.627, abs=5e-4)
    assert found.interval.high == pytest.approx(0.946, abs=5e-4)
    assert found.evidential_value and not found.inadequate


def test_its_other_flatness_of_the_half_curve_divides_by_another_share() -> None:
    """dmetar prints 5.158: scores among three times what could be seen. Ours are even under a power of 33 %."""
    half = [test for test in (of_z(y / s, "") for y, s in zip(EFFECT, SE, strict=True)) if test.p < 0.5 * ALPHA]
    other = _added([_score(test, _tail(test, 0.5 * ALPHA) / LEAST_POWER, ALPHA, LEAST_POWER) for test in half])
    assert other.z == pytest.approx(5.158, abs=5e-4)
    ours = p_curve(THIRD_WAVE).flat_half
    assert ours.z < other.z


@pytest.mark.parametrize("half", [False, True])
def test_scores_are_normal_under_a_power_of_a_third(half: bool) -> None:
    random = np.random.default_rng(3)
    z = random.normal(size=30000) + math.sqrt(noncentrality_of(LEAST_POWER, 1.0, math.inf, ALPHA))
    seen = [test for test in (of_z(one, "") for one in z.tolist()) if test.p < (0.5 * ALPHA if half else ALPHA)]
    scores = [_score(t, _tail(t, 0.5 * ALPHA) if half else LEAST_POWER, ALPHA, LEAST_POWER) for t in seen]
    assert len(seen) > 5000
    assert stats.kstest(scores, "norm").pvalue > 0.01


@pytest.mark.parametrize("text", MIXED)
def test_statistics_as_printed(text: str) -> None:
    test = read(text)
    want = {
        "t(88)=2.1": 2 * stats.t.sf(2.1, 88),
        "r(147)=.246": 2 * stats.t.sf(0.246 * math.sqrt(147 / (1 - 0.246**2)), 147),
        "F(1,100)=9.1": stats.f.sf(9.1, 1, 100),
        "F(2,210)=4.45": stats.f.sf(4.45, 2, 210),
        "Z=3.45": 2 * stats.norm.sf(3.45),
        "chi2(1)=9.1": stats.chi2.sf(9.1, 1),
        "chi2(2)=8.74": stats.chi2.sf(8.74, 2),
    }[text]
    assert test.p == pytest.approx(want, rel=1e-12)
    at = noncentrality_of(LEAST_POWER, test.df1, test.df2, ALPHA)
    if math.isinf(test.df2):
        exact = stats.ncx2.sf(test.statistic, test.df1, at)
        critical = stats.chi2.isf(ALPHA, test.df1)
        assert stats.ncx2.sf(critical, test.df1, at) == pytest.approx(LEAST_POWER, abs=1e-9)
    else:
        exact = stats.ncf.sf(test.statistic, test.df1, test.df2, at)
        critical = stats.f.isf(ALPHA, test.df1, test.df2)
        assert stats.ncf.sf(critical, test.df1, test.df2, at) == pytest.approx(LEAST_POWER, abs=1e-9)
    assert upper_tail(test, at) == pytest.approx(exact, rel=1e-7)


def test_power_is_found_again() -> None:
    """Two thousand tests with a power of 60 %, of which the significant ones are seen."""
    random = np.random.default_rng(11)
    z = random.normal(size=2000) + math.sqrt(noncentrality_of(0.6, 1.0, math.inf, ALPHA))
    found = p_curve(EffectSizes(effect=z, variance=np.ones(2000)))
    assert found.interval.low < 0.6 < found.interval.high
    assert found.power == pytest.approx(0.6, abs=0.04)
    assert sum(found.shares) == pytest.approx(1.0)
    assert sum(found.expected) == pytest.approx(1.0)


def test_curves_that_say_nothing_or_everything() -> None:
    none = p_curve(["z=0.3", "t(20)=1.1"])
    assert none.significant == 0 and math.isnan(none.power) and "no curve" in none.summary
    assert not none.evidential_value and not none.inadequate
    with pytest.raises(InputError, match="no curve to draw"):
        none.plot()
    sure = p_curve(["z=30", "z=38.5", "F(1,40)=4000", "chi2(3)=900"])
    assert sure.power == 0.99 and sure.interval.low > 0.9 and math.isfinite(sure.skew.z)
    pushed = p_curve([f"z={x}" for x in (1.97, 1.98, 2.0, 2.02, 1.99, 2.01, 2.03)])
    assert pushed.inadequate and not pushed.evidential_value and pushed.power == 0.05
    assert "flatter than" in pushed.summary


def test_it_prints_writes_and_draws() -> None:
    found = p_curve("\n".join(MIXED))
    assert found.k == len(MIXED) and "significant tests" in repr(found)
    assert found.to_dict()["power_low"] == found.interval.low
    assert next(iter(found.to_frame()["significant"])) == found.significant
    assert f"observed ({found.significant})" in found.plot(title="A title").svg
    both = p_curve(EffectSizes(effect=[0.9, -0.9], variance=[0.04, 0.04]))
    assert any("both ways" in said for said in both.advice)
    with pytest.raises(InputError, match=r"balm\.p_curve"):
        drawn(THIRD_WAVE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("t = 2", "t takes 1 degrees of freedom"),
        ("F(2)=3", "f takes 2 degrees of freedom"),
        ("r(20)=1.2", "between -1 and 1"),
        ("F(1,20)=-3", "cannot be below 0"),
        ("p=.03", "must be written like"),
    ],
)
def test_bad_statistics_are_named(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        p_curve([text])


def test_nothing_given() -> None:
    with pytest.raises(InputError, match="at least one test"):
        p_curve([])
