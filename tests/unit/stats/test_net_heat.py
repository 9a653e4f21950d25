"""Net heat: the distances of designs against Q between designs, and against the detached tests of each design."""

from __future__ import annotations

import numpy as np
import pytest

from balm.vocabulary.problems import InputError
from tests.unit.stats.test_network import example, fitted


@pytest.mark.parametrize("seed", range(5))
def test_distances_add_up_to_q_between_designs_before_and_after_detaching(seed):
    fit = fitted(example(seed))
    design, heat = fit.by_design(), fit.net_heat()
    assert heat.total == pytest.approx(design.between.q)
    detached = {name: test.q for name, test in zip(design.design, design.detached, strict=True) if test is not None}
    assert set(heat.designs) == set(detached)
    for column, name in enumerate(heat.designs):
        assert heat.left[:, column].sum() == pytest.approx(detached[name], abs=1e-9)
    np.testing.assert_allclose(np.diag(heat.change), heat.q)
    assert fit.net_heat(tau2="within").total == pytest.approx(design.interaction.q)
    assert len(heat.to_frame()["change"]) == len(heat.designs) ** 2


def test_evidence_is_the_hat_matrix_between_two_arm_designs():
    study, a, b, y, v = example(8)
    two = [study.count(s) == 1 for s in study]
    fit = fitted(([s for s, k in zip(study, two, strict=True) if k], a[two], b[two], y[two], v[two]), model="common")
    heat, hat = fit.net_heat(), fit.hat_matrix()
    at = [hat["rows"].index(name) for name in heat.designs], [hat["columns"].index(name) for name in heat.designs]
    np.testing.assert_allclose(heat.evidence, np.abs(hat["values"][np.ix_(*at)]), atol=1e-12)


def test_the_design_that_was_moved_is_hot_and_explains_the_rest():
    study, a, b, y, v = example(8, k=18)
    two = np.array([study.count(s) == 1 for s in study])
    a, b, v = a[two], b[two], v[two]
    truth = np.arange(6) * 0.3
    y = truth[a] - truth[b] + 3.0 * ((a == a[0]) & (b == b[0])) - 3.0 * ((a == b[0]) & (b == a[0]))
    heat = fitted((range(len(y)), a, b, y, v)).net_heat()
    moved = heat.designs.index(":".join(f"T{t}" for t in sorted((a[0], b[0]))))
    assert heat.left[:, moved].sum() < 1e-9  # without it the others agree exactly
    assert heat.change[:, moved].argmax() == heat.q.argmax()


def test_other_heterogeneity_is_refused():
    with pytest.raises(InputError, match="within"):
        fitted(example(1)).net_heat(tau2="REML")
    with pytest.raises(InputError, match="0 or more"):
        fitted(example(1)).net_heat(tau2=-1.0)
