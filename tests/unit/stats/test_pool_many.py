"""Many groups at once: the same numbers as one by one, in first-seen order, whatever the rows' order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.groups import ManyGroups, by_label
from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pool_many import pool_many
from balm.stats.pooling.prediction import PREDICTIONS
from balm.vocabulary.problems import InputError

FIELDS = ("estimate", "se", "statistic", "df", "p", "tau2", "tau2_se", "i2", "h2", "q", "q_p")


def simulated(groups: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 15, groups)
    sizes[0] = 1
    g = np.repeat(np.arange(groups), sizes)
    v = np.exp(rng.normal(-2.0, 0.9, len(g)))
    tau = np.where(rng.random(groups) < 0.35, 0.0, rng.uniform(0.1, 0.6, groups))
    return rng.normal(0.2, np.sqrt(v + tau[g] ** 2)), v, g


def same(options: dict[str, Any], groups: int, seed: int = 3) -> None:
    y, v, g = simulated(groups, seed)
    many = pool_many(y, v, g, **options)
    for i, label in enumerate(many.group):
        rows = g == label
        one = pool(EffectSizes(effect=y[rows], variance=v[rows]), **options)
        pairs = [(name, getattr(one, name), getattr(many, name)[i]) for name in FIELDS] + [
            ("ci_low", one.interval.low, many.interval.low[i]),
            ("ci_high", one.interval.high, many.ci_high[i]),
            ("pi_low", one.prediction_interval.low, many.prediction_interval.low[i]),
            ("pi_high", one.prediction_interval.high, many.pi_high[i]),
        ]
        for name, want, got in pairs:
            assert got == pytest.approx(want, rel=1e-10, abs=1e-12, nan_ok=True), (options, int(label), name)
        assert many.weights[rows] == pytest.approx(one.weights, rel=1e-10)
        assert many.k[i] == one.k and many.q_df[i] == one.q_df


@pytest.mark.parametrize("tau2", [*TAU2_ESTIMATORS, 0.1])
def test_every_estimator_equals_one_by_one(tau2: str | float) -> None:
    same({"tau2": tau2}, 8 if tau2 == "GENQM" else 60)


@pytest.mark.parametrize("inference", list(INFERENCES))
def test_every_interval_equals_one_by_one(inference: str) -> None:
    slow = inference in ("profile-likelihood", "henmi-copas")
    same({"inference": inference, "model": "ivhet" if inference == "henmi-copas" else "random"}, 6 if slow else 60)


@pytest.mark.parametrize("prediction", list(PREDICTIONS))
def test_every_prediction_interval_equals_one_by_one(prediction: str) -> None:
    same({"prediction": prediction, "inference": "wald"}, 40)


@pytest.mark.parametrize("options", [{"model": "common"}, {"i2": "from-q"}, {"profile": "meta"}, {"level": 0.9}])
def test_other_options_equal_one_by_one(options: dict[str, Any]) -> None:
    same(options, 40)


def test_results_do_not_depend_on_chunks() -> None:
    y, v, g = simulated(300, 11)
    _, _, offsets = by_label(g)
    groups = ManyGroups(y, v, offsets)
    pieces = list(groups.chunks(rows=50))
    assert sum(len(part) for _, part in pieces) == len(groups)
    assert np.concatenate([part.effect for _, part in pieces]) == pytest.approx(y)
    assert np.concatenate([part.sum(part.effect) for _, part in pieces]) == pytest.approx(groups.sum(y))


def test_groups_come_in_first_seen_order_however_the_rows_lie() -> None:
    y, v, g = simulated(50, 4)
    order = np.random.default_rng(0).permutation(len(y))
    neat, mixed = pool_many(y, v, g), pool_many(y[order], v[order], g[order])
    first_seen = list(dict.fromkeys(g[order].tolist()))
    assert mixed.group.tolist() == first_seen
    assert mixed.estimate == pytest.approx(neat.estimate[first_seen])
    assert mixed.weights == pytest.approx(neat.weights[order])


def test_text_labels() -> None:
    many = pool_many([0.1, 0.2, 0.3, 0.4], [0.1] * 4, ["pain", "sleep", "pain", "sleep"], tau2="DL")
    assert many.group.tolist() == ["pain", "sleep"]
    assert many.estimate == pytest.approx([0.2, 0.3])


@pytest.mark.parametrize("method", ["q-profile", "wald", "test-based"])
def test_intervals_of_tau2_equal_one_by_one(method: str) -> None:
    y, v, g = simulated(40, 8)
    many = pool_many(y, v, g, tau2_interval=method)
    for i, label in enumerate(many.group):
        rows = g == label
        one = pool(EffectSizes(effect=y[rows], variance=v[rows])).heterogeneity_interval(method).tau2
        got = (many.tau2_interval.low[i], many.tau2_interval.high[i])
        assert got == pytest.approx((one.low, one.high), rel=1e-9, abs=1e-12, nan_ok=True)


def test_single_studies_and_reasons() -> None:
    many = pool_many([0.5, 0.1, 0.2], [0.04, 0.1, 0.1], ["a", "b", "b"])
    assert many.reasons == {0: "not estimable: one study"}
    assert math.isnan(many.tau2[0]) and many.se[0] == pytest.approx(0.2)


def test_rows_that_cannot_be_used_are_named() -> None:
    with pytest.raises(InputError, match=r"row 2.*group a: variance 0 is not positive"):
        pool_many([0.1, 0.2, 0.3], [0.1, 0.0, 0.1], ["a", "a", "b"])
    many = pool_many([0.1, 0.2, 0.3], [0.1, -1.0, 0.1], ["a", "a", "b"], invalid="mark")
    assert math.isnan(many.estimate[0]) and many.estimate[1] == 0.3
    assert many.reasons[0] == "row 2: variance -1 is not positive"
    with pytest.raises(InputError, match="of one length"):
        pool_many([0.1, 0.2], [0.1, 0.2], ["a"])
    with pytest.raises(InputError, match="nothing to pool"):
        pool_many([], [], [])
    with pytest.raises(InputError, match="did you mean 'hartung-knapp'"):
        pool_many([0.1, 0.2], [0.1, 0.2], ["a", "a"], inference="hksj")


def test_frame_has_one_row_a_group() -> None:
    frame = pool_many([0.1, 0.2, 0.3], [0.1, 0.2, 0.1], [1, 1, 2]).to_frame()
    assert list(frame["group"]) == [1, 2]
    assert {"estimate", "se", "ci_low", "pi_high", "tau2", "q_df", "residual"} <= set(frame.columns)


@pytest.mark.parametrize("compiled", [True, False])
def test_effects_that_all_agree_give_a_width_of_zero_and_never_a_warning(
    monkeypatch: pytest.MonkeyPatch, compiled: bool
) -> None:
    if not compiled:
        monkeypatch.setattr("balm.stats.pooling.pool_many.can", lambda _, **__: False)
    y, v = [0.2, 0.2, 0.2, 0.0, 0.0, 0.1, 0.3], [0.1, 0.2, 0.3, 0.1, 0.2, 0.1, 0.1]
    many = pool_many(y, v, [0, 0, 0, 1, 1, 2, 2], inference="hartung-knapp")
    assert many.q[:2].tolist() == many.se[:2].tolist() == many.tau2[:2].tolist() == [0.0, 0.0]
    assert many.ci_low[0] == many.ci_high[0] == pytest.approx(0.2)
    assert many.statistic[0] == math.inf and many.p[0] == 0.0
    assert math.isnan(many.statistic[1]) and math.isnan(many.p[1])
    assert many.p[2] == pytest.approx(0.29516723530086653)
