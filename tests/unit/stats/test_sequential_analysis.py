"""Sequential boundaries against published ones and against simulation; the analysis, its words, plot and bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import balm
from balm.stats.distributions import norm_isf
from balm.stats.sequential.boundaries import SPENDING, crossing, efficacy_bounds, futility_bounds, spent
from balm.vocabulary.problems import InputError

FIVE = [0.2, 0.4, 0.6, 0.8, 1.0]
#: Two-sided boundaries at five equal looks, alpha 0.05 of Lan-DeMets spending.
PUBLISHED = {
    "obrien-fleming": [4.877, 3.357, 2.680, 2.290, 2.031],
    "pocock": [2.438, 2.427, 2.410, 2.397, 2.386],
}
DRIFT = norm_isf(0.025) + norm_isf(0.1)
ES = balm.EffectSizes(
    effect=[-0.3, -0.2, -0.25, -0.2], variance=[0.02, 0.015, 0.01, 0.008], study=["A", "B", "C", "D"], measure="RR"
)


def looks(**options: Any) -> Any:
    return balm.sequential_analysis(balm.pool(ES, model="common"), **({"delta": -0.2} | options))


@pytest.mark.parametrize("kind", SPENDING)
def test_published_boundaries(kind: str) -> None:
    assert efficacy_bounds(FIVE, kind, 0.05) == pytest.approx(PUBLISHED[kind], abs=5.01e-4)


@pytest.mark.parametrize("kind", SPENDING)
def test_one_look_is_the_ordinary_test_and_all_of_alpha_is_spent(kind: str) -> None:
    assert efficacy_bounds([1.0], kind, 0.05) == pytest.approx([norm_isf(0.025)], rel=1e-12)
    uneven = [0.03, 0.05, 0.31, 0.32, 0.9, 1.3]
    assert crossing(uneven, efficacy_bounds(uneven, kind, 0.05), 0.0) == pytest.approx(0.025, abs=1e-12)
    assert spent(kind, 0.0, 0.05) == 0.0 and spent(kind, 1.7, 0.05) == pytest.approx(0.05, rel=1e-12)


def test_two_looks_by_the_bivariate_normal() -> None:
    from scipy.stats import multivariate_normal

    first, second = efficacy_bounds([0.5, 1.0], "pocock", 0.05)
    r = math.sqrt(0.5)
    both = multivariate_normal([0, 0], [[1, r], [r, 1]])

    def below(a: float, b: float) -> float:
        return float(both.cdf([a, b]))

    inside = below(first, second) - below(-first, second) - below(first, -second) + below(-first, -second)
    assert inside == pytest.approx(0.95, abs=1e-6)


@pytest.mark.parametrize("kind", SPENDING)
def test_boundaries_by_simulation(kind: str) -> None:
    """A quarter of a million paths: error without an effect, power and futility with one."""
    outer = np.array(efficacy_bounds(FIVE, kind, 0.05))
    inner = np.array(futility_bounds(FIVE, outer.tolist(), kind, 0.1, DRIFT))
    steps = np.random.default_rng(11).normal(size=(250_000, 5)) * math.sqrt(0.2)
    t = np.array(FIVE)
    for drift, expected in ((0.0, 0.025), (DRIFT, crossing(FIVE, outer.tolist(), DRIFT))):
        z = (steps.cumsum(axis=1) + drift * t) / np.sqrt(t)
        assert (z >= outer).any(axis=1).mean() == pytest.approx(expected, abs=4 * math.sqrt(expected / 250_000))
    out, under = np.abs(z) >= outer, np.abs(z) < inner
    stopped = np.zeros(len(z), dtype=bool)
    for i in range(4):  # the last look stops whatever is left
        now = under[:, i] & ~stopped
        allowed = spent(kind, FIVE[i], 0.1) - (spent(kind, FIVE[i - 1], 0.1) if i else 0.0)
        assert now.mean() == pytest.approx(allowed, abs=5 * math.sqrt(max(allowed, 1e-6) / 250_000))
        stopped |= now | out[:, i]


def test_required_information_by_the_formula() -> None:
    z = 1.959963984540054 + 1.2815515655446004
    assert balm.required_information(0.5, power=0.9) == pytest.approx((z / 0.5) ** 2)
    assert balm.required_information(-0.5, power=0.9, diversity=0.25) == pytest.approx((z / 0.5) ** 2 / 0.75)
    # 4 s² (z + z)² / delta² participants of two equal arms, in information N / (4 s²): 1,051 for s = 10, delta = 2
    assert balm.required_information(2.0, power=0.9) * 4 * 100 == pytest.approx(1050.7, abs=0.05)


def test_the_analysis() -> None:
    found = looks()
    assert found.conclusion == "effect" and found.study[found.decided] == "C"
    assert found.z == pytest.approx(found.estimate / found.se)
    assert found.fraction[-1] == pytest.approx((1 / ES.variance).sum() / balm.required_information(-0.2))
    assert math.isnan(found.last_boundary) and math.isnan(found.futility[0])
    reach = found.boundary[-1] * found.se[-1]
    assert found.adjusted.low == pytest.approx(found.estimate[-1] - reach)
    assert found.diversity == 0.0 and math.isnan(found.required_participants)


def test_order_futility_diversity_and_what_lies_ahead() -> None:
    turned = looks(order=[4, 3, 2, 1], diversity=0.5, beta_spending="obrien-fleming", spending="pocock")
    assert turned.study == ("D", "C", "B", "A")
    assert turned.required == pytest.approx(2 * looks().required)
    assert turned.last_boundary > 2.0 and turned.last_futility == turned.last_boundary
    assert turned.power > 0.8 and len(turned.to_frame()["study"]) == 4
    nothing = balm.EffectSizes(effect=[0.02, -0.01, 0.0, 0.01], variance=[0.02, 0.015, 0.01, 0.02])
    found = balm.sequential_analysis(balm.pool(nothing), delta=0.2, beta_spending="obrien-fleming")
    assert found.conclusion == "futility" and "futility" in found.sentence()
    assert balm.sequential_analysis(balm.pool(nothing), delta=0.3).conclusion == "no effect"


def test_after_the_required_information_nothing_is_tested_again() -> None:
    found = looks(delta=-0.4)
    assert found.fraction[2] > 1.0 and math.isnan(found.boundary[-1])
    assert found.adjusted.high - found.adjusted.low == pytest.approx(
        2 * found.se[found.boundary > 0][-1] * found.boundary[found.boundary > 0][-1]
    )


def test_diversity_of_the_fit_and_participants() -> None:
    es = balm.effect_sizes("RR", events_1=[4, 6, 30], n_1=[123, 306, 400], events_2=[11, 29, 33], n_2=[139, 303, 390])
    fit = balm.pool(es, tau2="DL")
    found = balm.sequential_analysis(fit, delta=math.log(0.7))
    wald = balm.pool(es, tau2="DL", inference="wald")
    assert found.diversity == pytest.approx(1 - 1 / ((1 / es.variance).sum() * wald.se**2))
    assert found.required_participants == pytest.approx(1661 / found.fraction[-1])
    assert "participants" in found.sentence()


def test_words_and_plot() -> None:
    found = looks(beta_spending="pocock")
    assert "Lan and DeMets 1983" in found.methods() and "Futility" in repr(found)
    assert "At C (study 3 of 4, 1 before the last)" in found.sentence()
    assert "<table" in found._repr_html_() and found.to_dict()["conclusion"] == "effect"
    svg = found.plot(title="Growing").svg
    assert "Growing" in svg and svg.count("<circle") == 4 and "futility" in svg
    early = looks(delta=-0.01)
    assert early.conclusion == "open" and "too early" in early.sentence() and "none" in repr(early)
    assert "out of reach" in early.plot().description


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delta": 0.0}, "delta must be an effect other than 0"),
        ({"alpha": 5}, "alpha must lie between 0 and 1"),
        ({"power": 0.01}, "power must be above alpha"),
        ({"spending": "haybittle"}, "spending must be one of"),
        ({"beta_spending": "none"}, "beta_spending must be one of"),
        ({"diversity": 1.0}, "diversity is a share"),
        ({"order": [1, 2]}, "order has 2 entries"),
    ],
)
def test_bad_input(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        looks(**options)


def test_what_it_takes() -> None:
    with pytest.raises(InputError, match=r"takes a result of balm\.pool; got EffectSizes"):
        balm.sequential_analysis(ES, delta=0.2)
    counts = {"events_1": [4, 6], "n_1": [123, 306], "events_2": [11, 29], "n_2": [139, 303]}
    for fit in (balm.pool(ES, weights="equal"), balm.pool(ES, model="ivhet"), balm.peto(**counts)):
        with pytest.raises(InputError, match="takes inverse-variance pooling"):
            balm.sequential_analysis(fit, delta=0.2)
    twice = balm.EffectSizes(effect=[0.1, 0.2], variance=[0.1, 0.1], study=["A", "A"])
    with pytest.raises(InputError, match="study labels must differ"):
        balm.sequential_analysis(balm.pool(twice), delta=0.2)


def test_one_study_is_told_in_the_singular_and_shows_no_diversity() -> None:
    alone = balm.sequential_analysis(
        balm.pool(balm.EffectSizes(effect=[-0.5], variance=[0.2], study=["A"])), delta=-0.3
    )
    assert "; the study holds " in alone.sentence() and "one study shows no diversity" in alone.methods()
    assert "shows no diversity" not in looks().methods()
