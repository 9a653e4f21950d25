"""The limit meta-analysis beyond its golden cases: edges, bad input, what it falls back to."""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pool import pool
from balm.stats.small_study.limit_meta_analysis import limit_meta_analysis
from balm.stats.small_study.small_study_test import small_study_test
from balm.vocabulary.problems import InputError

ES = EffectSizes(effect=[0.1, 0.3, 0.35, 0.9, 0.2, 1.1], variance=[0.01, 0.02, 0.03, 0.05, 0.04, 0.09])


def test_without_heterogeneity_it_is_eggers_line() -> None:
    es = EffectSizes(effect=[0.1, 0.12, 0.2, 0.25, 0.3], variance=[0.01, 0.02, 0.05, 0.09, 0.2])
    found = limit_meta_analysis(pool(es, tau2="DL"))
    assert found.tau2 == 0.0
    assert found.estimate == pytest.approx(small_study_test(es, force=True).limit, abs=1e-10)
    assert found.limits == pytest.approx(np.full(5, found.estimate))
    assert found.g2 == 0.0


def test_shift_scale_and_direction_go_through() -> None:
    plain = limit_meta_analysis(ES)
    other = limit_meta_analysis(EffectSizes(effect=-1e6 * ES.effect, variance=1e12 * ES.variance))
    assert other.estimate / -1e6 == pytest.approx(plain.estimate, rel=1e-7)
    assert other.g2 == pytest.approx(plain.g2, rel=1e-6)
    assert other.interval.low / -1e6 == pytest.approx(plain.interval.high, rel=1e-6)
    moved = limit_meta_analysis(EffectSizes(effect=ES.effect + 3.0, variance=ES.variance))
    assert moved.estimate == pytest.approx(plain.estimate + 3.0, abs=1e-7)
    assert plain.q_small + plain.q_residual == pytest.approx(plain.q)


def test_it_prints_and_writes() -> None:
    found = limit_meta_analysis(ES, level=0.9)
    assert found.interval.level == 0.9
    assert "without adjustment" in repr(found)
    assert found.to_dict()["k"] == 6
    assert list(found.to_frame()["limit"]) == found.limits.tolist()


def test_what_cannot_be_adjusted_is_refused() -> None:
    with pytest.raises(InputError, match="at least 3 studies"):
        limit_meta_analysis(ES[0:2])
    with pytest.raises(InputError, match="model='common'"):
        limit_meta_analysis(pool(ES, model="common"))
    with pytest.raises(InputError, match="in every study"):
        limit_meta_analysis(EffectSizes(effect=[0.1, 0.2, 0.4], variance=[0.04, 0.04, 0.04]))
    with pytest.raises(InputError, match="level must lie"):
        limit_meta_analysis(ES, level=95)
    with pytest.raises(InputError, match="inverse variance"):
        limit_meta_analysis(pool(ES, weights=np.ones(6)))
