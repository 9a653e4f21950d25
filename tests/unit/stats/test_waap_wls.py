"""WAAP-WLS against a least-squares fit, its fallback, and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t

from balm.stats.effect_sizes import EffectSizes
from balm.stats.small_study.waap_wls import waap_wls
from balm.vocabulary.problems import InputError

ES = EffectSizes(effect=[0.5, 0.45, 0.62, 0.9, 1.2, 0.1], variance=[0.01, 0.012, 0.03, 0.2, 0.3, 0.01])


def least_squares(y: np.ndarray, se: np.ndarray) -> tuple[float, float]:
    """y/se on 1/se without an intercept, the usual residual variance."""
    x, z = 1.0 / se, y / se
    b = float(x @ z / (x @ x))
    s2 = float(np.sum((z - b * x) ** 2)) / (len(y) - 1)
    return b, math.sqrt(s2 / float(x @ x))


def test_both_means_are_those_of_ordinary_least_squares() -> None:
    found = waap_wls(ES, level=0.9)
    every = least_squares(ES.effect, ES.se)
    assert (found.wls, found.wls_se) == pytest.approx(every)
    kept = ES.se <= abs(every[0]) / 2.8
    assert found.powered.tolist() == kept.tolist() == [True, True, False, False, False, True]
    b, se = least_squares(ES.effect[kept], ES.se[kept])
    assert (found.estimate, found.se) == pytest.approx((b, se))
    assert found.interval.high == pytest.approx(b + t.ppf(0.95, 2) * se)
    assert found.p == pytest.approx(2.0 * t.sf(abs(b / se), 2))
    assert "3 of 6" in repr(found)
    assert found.to_dict()["which"] == "waap"
    assert list(found.to_frame()["powered"]) == kept.tolist()


def test_the_direction_does_not_matter() -> None:
    found = waap_wls(EffectSizes(effect=-ES.effect, variance=ES.variance))
    assert found.estimate == pytest.approx(-waap_wls(ES).estimate)


def test_without_powered_studies_all_of_them_are_taken() -> None:
    es = EffectSizes(effect=[0.1, 0.02, -0.05, 0.12], variance=[0.04, 0.05, 0.03, 0.09])
    found = waap_wls(es)
    assert found.which == "wls"
    assert (found.estimate, found.df) == (found.wls, 3)
    assert "No study has" in found.advice[0]


def test_one_study_and_a_wrong_level_are_refused() -> None:
    with pytest.raises(InputError, match="at least 2 studies"):
        waap_wls(ES[0:1])
    with pytest.raises(InputError, match="level must lie"):
        waap_wls(ES, level=95)
    same = waap_wls(EffectSizes(effect=[0.5, 0.5], variance=[0.01, 0.01]))
    assert same.se == 0.0
    assert math.isnan(same.p)
