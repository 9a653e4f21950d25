"""Newton's steps of few parameters in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.multilevel.newton import _of_three


def test_three_parameters_by_cofactors_step_as_the_modified_newton_step() -> None:
    """The closed form against the solution by elimination, on curvatures of very different scales."""
    rng = np.random.default_rng(4)
    solved = 0
    for _ in range(200):
        a = rng.normal(size=(3, 3))
        scale = np.exp(rng.normal(0.0, 4.0, 3))
        h = (a @ a.T + np.diag(rng.uniform(0.0, 0.5, 3))) * np.outer(scale, scale)
        h, g = (h + h.T) / 2.0, rng.normal(size=3) * scale
        found = _of_three(g, h)
        if found is None:
            continue
        solved += 1
        step = -np.linalg.solve(h, g)
        assert found[0] * scale == pytest.approx(step * scale, rel=1e-9, abs=1e-9 * float(np.abs(step * scale).max()))
        assert found[1] == pytest.approx(float(np.sqrt(-g @ step)), rel=1e-9)
    assert solved > 150
    assert _of_three(np.ones(3), -np.eye(3)) is None  # a summit: the eigenvalues decide
