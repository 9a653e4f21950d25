"""Many small groups level by level: the sums are those of the rows, and a group's numbers are its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from balm.stats.groups import ManyGroups
from balm.stats.levels import Levels, by_size
from balm.stats.pooling.pool_many import COLUMNS, MOST_LEVELS, pool_many


def ragged(count: int, most: int, seed: int = 3) -> tuple[Any, Any, Any]:
    drawn = np.random.default_rng(seed)
    sizes = drawn.integers(2, most + 1, count)
    variance = np.exp(drawn.normal(-2.0, 1.0, int(sizes.sum())))
    variance[drawn.random(len(variance)) < 0.2] = 0.25  # ties: the first of them leads
    return drawn.normal(0.2, np.sqrt(variance + 0.1)), variance, np.concatenate(([0], np.cumsum(sizes)))


def test_every_operation_is_that_of_compressed_rows():
    effect, variance, offsets = ragged(200, 9)
    rows = ManyGroups(effect, variance, offsets)
    order = by_size(rows.sizes)
    levels = Levels.gathered(effect, variance, offsets, order)
    assert np.all(np.diff(levels.sizes) <= 0)
    for g, back in ((levels, order), (levels.select(levels.k > 4), order[rows.k[order] > 4])):
        np.testing.assert_allclose(g.sum(g.effect), rows.sum(rows.effect)[back], rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(
            g.dot(g.effect, g.variance), rows.dot(effect, variance)[back], rtol=1e-13, atol=1e-15
        )
        np.testing.assert_array_equal(g.lead(g.effect), rows.lead(effect)[back])
        np.testing.assert_array_equal(g.lead(g.rest), np.zeros(len(back)))
        np.testing.assert_array_equal(g.sum(g.spread(g.k)), g.k**2)
        np.testing.assert_array_equal(np.array(g.extremes()), np.array(rows.extremes())[:, back])
        for here, i in zip(g.rows(), back, strict=True):
            assert sorted(g.effect[here]) == sorted(effect[offsets[i] : offsets[i + 1]])


@pytest.mark.parametrize("tau2", ["REML", "DL", "PM"])
def test_a_group_has_the_same_bytes_alone_and_among_others(monkeypatch: pytest.MonkeyPatch, tau2: str):
    monkeypatch.setattr("balm.stats.pooling.pool_many.can", lambda _, **__: False)
    monkeypatch.setattr("balm.stats.pooling.pool_many.LEVELS_CHUNK", 500)
    effect, variance, offsets = ragged(300, MOST_LEVELS + 6)
    label = np.repeat(np.arange(300), np.diff(offsets))
    together = pool_many(effect, variance, label, tau2=tau2)
    for group in (0, 7, 150, 299, int(np.argmax(np.diff(offsets)))):
        own = label == group
        alone = pool_many(effect[own], variance[own], label[own], tau2=tau2)
        for name in COLUMNS:
            assert getattr(alone, name).tobytes() == getattr(together, name)[[group]].tobytes(), name
