"""The delta method against derivatives in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import balm
from balm.vocabulary.problems import InputError

Y = np.array([-2.3, -0.4, 0.0, 0.7, 3.1])
V = np.array([0.5, 0.01, 1e-6, 0.2, 2.0])

#: Function, its first and its second derivative.
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "exp": (np.exp, np.exp, np.exp),
    "expit": (
        lambda y: 1 / (1 + np.exp(-y)),
        lambda y: np.exp(-y) / (1 + np.exp(-y)) ** 2,
        lambda y: np.exp(-y) * (np.exp(-y) - 1) / (1 + np.exp(-y)) ** 3,
    ),
    "one number at a time": (math.tanh, lambda y: 1 / np.cosh(y) ** 2, lambda y: -2 * np.tanh(y) / np.cosh(y) ** 2),
    "linear": (lambda y: 3 - y / 1.81, lambda y: np.full_like(y, -1 / 1.81), np.zeros_like),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives(name: str, order: int) -> None:
    g, first, second = FUNCTIONS[name]
    es = balm.delta_method(balm.EffectSizes(effect=Y, variance=V, study=list("abcde")), g, order=order)
    effect, variance = np.array([g(float(y)) for y in Y]), first(Y) ** 2 * V
    if order == 2:
        effect, variance = effect + second(Y) * V / 2, variance + (second(Y) * V) ** 2 / 2
    tolerance = 1e-8 if order == 1 else 2e-7  # second differences lose more digits
    assert es.effect == pytest.approx(effect, rel=tolerance, abs=1e-12)
    assert es.variance == pytest.approx(variance, rel=tolerance, abs=1e-14)
    assert (es.study, es.measure) == (tuple("abcde"), "GEN")


def test_a_log_odds_ratio_becomes_a_d() -> None:
    counts = {"events_1": [4, 9], "n_1": [20, 30], "events_2": [8, 12], "n_2": [21, 29]}
    made = balm.delta_method(balm.effect_sizes("OR", **counts), lambda y: y * math.sqrt(3) / math.pi)
    want = balm.effect_sizes("OR2D", **counts)
    assert made.effect == pytest.approx(want.effect, rel=1e-14)
    assert made.variance == pytest.approx(want.variance, rel=1e-10)


def test_the_edge_of_a_domain_is_not_crossed() -> None:
    """The standard error reaches beyond 0, where the logarithm ends: the steps stay inside."""
    es = balm.delta_method(balm.EffectSizes(effect=[0.1], variance=[1.0]), math.log)
    assert es.variance[0] == pytest.approx(100.0, rel=1e-8)


@pytest.mark.parametrize(
    ("function", "options", "said"),
    [
        (3, {}, "function must be a function of one number"),
        (np.exp, {"order": 3}, "order must be 1 or 2; got 3"),
        (np.exp, {"measure": "XX"}, "measure must be one of"),
        (np.log, {}, r"b \(row 2\): the function is not defined around -1"),
        (lambda y: y * 0, {}, r"a \(row 1\): .* does not change there"),
        (lambda y: "x", {}, "is not defined around 0.5"),
        (lambda y: [y], {}, "must give a number for a number"),
    ],
)
def test_refused(function: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        balm.delta_method(
            balm.EffectSizes(effect=[0.5, -1], variance=[0.1, 0.2], study=["a", "b"]), function, **options
        )
