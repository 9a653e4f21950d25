"""The conditional likelihood against enumeration; component networks that no study joins; bad input."""

from __future__ import annotations

from itertools import product
from math import comb, exp

import numpy as np
import pytest

from balm.stats.network.components import component_network
from balm.stats.network.events import _moments, count_network
from balm.vocabulary.problems import InputError


def test_moments_given_the_total_are_those_of_every_table():
    one = {0: (2.0, 5.0), 1: (3.0, 3.0), 2: (1.0, 8.0)}
    theta = np.array([0.4, -0.3, 1.1])
    sizes = [7, 6, 9]
    tables = [t for t in product(*(range(s + 1) for s in sizes)) if sum(t) == 6]
    odds = [[comb(s, k) * exp(k * x) for k in range(s + 1)] for s, x in zip(sizes, theta, strict=True)]
    weight = np.array([np.prod([arm[k] for arm, k in zip(odds, t, strict=True)]) for t in tables])
    weight /= weight.sum()
    points = np.array(tables, dtype=float)
    mean = weight @ points
    got_mean, got_covariance = _moments(one, theta)
    np.testing.assert_allclose(got_mean, mean, rtol=1e-12)
    np.testing.assert_allclose(got_covariance, (points - mean).T @ ((points - mean) * weight[:, None]), atol=1e-12)


ARMS = {
    "study": list("112233"),
    "treatment": list("ABACBC"),
    "events": [1, 4, 2, 5, 3, 3],
    "n": [50, 50, 60, 60, 70, 71],
}


@pytest.mark.parametrize("method", ["mantel-haenszel", "conditional", "conditional-approximate"])
def test_methods_agree_roughly_where_events_are_rare(method):
    fit = count_network(**ARMS, method=method)
    assert fit.k == 3 and abs(fit.effect[0, 1] - count_network(**ARMS).effect[0, 1]) < 0.1


def test_designs_without_events_to_compare_are_named():
    arms = {
        name: [*ARMS[name], *more] for name, more in zip(ARMS, (["4", "4"], ["A", "D"], [0, 4], [20, 20]), strict=True)
    }
    fit = count_network(**arms)
    assert fit.left_out == ("4",) and fit.treatments == ("A", "B", "C")
    with pytest.raises(InputError, match="method must be one of"):
        count_network(**ARMS, method="MH")


PARTS = {
    "study": ["1", "2", "3"],
    "treatment_1": ["A", "A + B", "C + B"],
    "treatment_2": ["P", "P", "C"],
    "effect": [1.0, 3.0, 2.2],
    "se": [0.2, 0.3, 0.3],
}


def test_components_join_parts_that_no_study_joins():
    fit = component_network(**PARTS, inactive="P")
    assert fit.components == ("A", "B", "C") and fit.q.df == 1
    assert np.isnan(fit.common[2]) and np.isfinite(fit.common[:2]).all()


def test_an_interaction_is_an_effect_of_its_own():
    fit = component_network(
        study=["1", "2", "3"],
        treatment_1=["A", "B", "A + B"],
        treatment_2=["P"] * 3,
        effect=[1.0, 2.0, 4.0],
        se=[1.0] * 3,
        inactive="P",
        interactions=["A*B"],
    )
    np.testing.assert_allclose(fit.common, [1.0, 2.0, 1.0], atol=1e-12)
    assert fit.q.df == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inactive": "Z"}, "inactive must be one of the components"),
        ({"sep": ""}, "sep must be the sign"),
        ({"interactions": ["A"]}, "an interaction joins"),
        ({"interactions": ["A*C"]}, "no treatment combines A and C"),
    ],
)
def test_bad_components_are_one_clear_error(change, said):
    with pytest.raises(InputError, match=said):
        component_network(**{**PARTS, **change})
