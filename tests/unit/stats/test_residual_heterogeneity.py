"""Intervals of the variance that moderators leave over."""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.regression.meta_regression import MetaRegression, meta_regression
from balm.vocabulary.problems import InputError

Y = [-0.53, -0.26, -0.1, 0.55, 0.35, 0.16, 0.63, 0.04, 1.14, -0.21, 1.23, -0.37]
V = [0.198, 0.11, 0.1, 0.12, 0.138, 0.106, 0.035, 0.111, 0.178, 0.192, 0.104, 0.114]
X = [-0.53, -0.05, -0.55, 0.06, 2.06, -1.68, -1.54, -0.68, 1.13, 0.27, -0.86, 0.06]


def fitted(tau2: str) -> MetaRegression:
    return meta_regression(EffectSizes(effect=Y, variance=V), {"x": X}, tau2=tau2)


# confint(rma(yi, vi, mods = ~ x, method =, control = list(threshold = 1e-14)), type = "PL"), metafor 3.8-1
@pytest.mark.parametrize(
    ("tau2", "low", "high"),
    [("ML", 0.0203199833978918, 0.601935410691267), ("REML", 0.0395633206034042, 0.850232029135232)],
)
def test_profile_likelihood_with_a_moderator(tau2: str, low: float, high: float) -> None:
    found = fitted(tau2).heterogeneity_interval("profile-likelihood")
    assert [found.tau2.low, found.tau2.high] == pytest.approx([low, high], abs=1e-9)
    assert found.tau.high == pytest.approx(high**0.5, abs=1e-9)
    wider = fitted(tau2).heterogeneity_interval("profile-likelihood", level=0.99).tau2
    assert wider.low < low
    assert wider.high > high


def test_an_end_of_zero_is_inside() -> None:
    none = meta_regression(EffectSizes(effect=[0.1, 0.11, 0.12, 0.13], variance=[0.1] * 4), {"x": [1, 2, 3, 5]})
    ends = none.heterogeneity_interval("profile-likelihood").tau2
    assert ends.low == 0.0 < ends.high


def test_what_has_no_likelihood_says_so() -> None:
    with pytest.raises(InputError, match="needs a likelihood: fit with tau2='REML' or 'ML'; got tau2='DL'"):
        fitted("DL").heterogeneity_interval("profile-likelihood")
    with pytest.raises(InputError, match="method must be one of"):
        fitted("REML").heterogeneity_interval("wald")
    with pytest.raises(InputError, match="level"):
        fitted("REML").heterogeneity_interval(level=95)
