"""Hazard ratios from summaries: published trials, curves whose hazards are known, bounds and contradictions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from balm.stats import convert
from balm.vocabulary.problems import InputError


def ratio(found: Any, z: float = 0.0) -> float:
    return math.exp(found.effect + z * found.se)


def test_the_bladder_cancer_trial() -> None:
    """Lancet 1999;354:533, the example of Tierney et al.: 485 deaths, P = 0.075, 0.85 (0.71 to 1.02); z = 1.78."""
    found = convert.log_hazard_ratio_from_log_rank(events=485, p=0.075, favours=1)
    assert [round(ratio(found, z), 2) for z in (0, -1.96, 1.96)] == [0.85, 0.71, 1.02]
    assert -found.o_minus_e / math.sqrt(found.v) == pytest.approx(1.78, abs=0.005)
    assert found.v == 121.25 and found.hazard_ratio == ratio(found)
    arms = convert.log_hazard_ratio_from_log_rank(events=485, n_1=491, n_2=485, p=0.075, favours=1)
    assert arms.v == pytest.approx(121.25, abs=0.01)
    back = convert.o_minus_e_from_hazard_ratio(hazard_ratio=0.85, p=0.075)
    assert back.v == pytest.approx(found.v, rel=0.02)


def test_ways_to_say_the_same_test() -> None:
    want = convert.log_hazard_ratio_from_log_rank(events_1=30, events_2=50, p=0.02, favours=1)
    assert want.v == pytest.approx(30 * 50 / 80)
    z = 2.3263478740408408
    for given in ({"statistic": z * z}, {"p": 0.01, "sides": 1}):
        found = convert.log_hazard_ratio_from_log_rank(events_1=30, events_2=50, favours=1, **given)
        assert found.effect == pytest.approx(want.effect, rel=1e-9)
    turned = convert.log_hazard_ratio_from_log_rank(events_1=30, events_2=50, p=0.02, favours=2)
    assert turned.effect == pytest.approx(-want.effect)
    again = convert.log_hazard_ratio_from_o_minus_e(o_minus_e=want.o_minus_e, v=want.v)
    assert (again.effect, again.variance) == (pytest.approx(want.effect), pytest.approx(want.variance))


@pytest.mark.parametrize(
    ("p", "favours", "bound"), [("<0.05", 1, "at most"), ("<0.05", 2, "at least"), (">0.05", 1, "at least")]
)
def test_a_bound_on_p_is_a_bound_on_the_effect(p: str, favours: int, bound: str) -> None:
    found = convert.log_hazard_ratio_from_log_rank(events=100, p=p, favours=favours)
    assert found.bounds == {"o_minus_e": bound, "hazard_ratio": bound, "effect": bound}


def test_a_ratio_with_its_interval_or_p() -> None:
    z = 1.959963984540054
    found = convert.o_minus_e_from_hazard_ratio(
        hazard_ratio=0.7, low=0.7 * math.exp(-z / 5), high=0.7 * math.exp(z / 5)
    )
    assert found.v == pytest.approx(25.0) and found.o_minus_e == pytest.approx(25 * math.log(0.7))
    p = convert.o_minus_e_from_hazard_ratio(hazard_ratio=0.7, p="<0.05")
    assert p.bounds == {"variance": "at most", "se": "at most", "v": "at least", "o_minus_e": "at most"}
    assert math.log(0.7) / p.se == pytest.approx(-z)


def test_expected_events() -> None:
    found = convert.log_hazard_ratio_from_expected(observed_1=34, expected_1=40.5, observed_2=49, expected_2=42.5)
    assert found.variance == pytest.approx(1 / 40.5 + 1 / 42.5)
    odd = convert.log_hazard_ratio_from_expected(observed_1=34, expected_1=30, observed_2=49, expected_2=42.5)
    assert "differ in total" in odd.cautions[0]


def curves(hazard_ratio: float = 0.6, step: float = 0.125) -> dict[str, Any]:
    """Exponential survival, expected numbers at risk with censoring even between 1 and 4, 400 and 380 people."""
    t = np.arange(0, 3 + step / 2, step)
    one, two = np.exp(-0.4 * hazard_ratio * t), np.exp(-0.4 * t)
    stay = np.clip((4 - t) / 3, 0, 1)
    return {"time": t.tolist(), "survival_1": one.tolist(), "survival_2": two.tolist(),
            "at_risk_1": (400 * one * stay).tolist(), "at_risk_2": (380 * two * stay).tolist()}  # fmt: skip


def test_curves_with_known_hazards() -> None:
    given = curves()
    printed = convert.log_hazard_ratio_from_curves(**given)
    # d/n of an interval is 1 - exp(-hazard * step): a ratio of risks, which short intervals make that of hazards
    limit = math.log((1 - math.exp(-0.24 / 8)) / (1 - math.exp(-0.4 / 8)))
    assert printed.effect == pytest.approx(limit, abs=1e-9) and limit == pytest.approx(math.log(0.6), abs=0.011)
    bare = {name: given[name] for name in ("time", "survival_1", "survival_2")}
    even = convert.log_hazard_ratio_from_curves(**bare, n_1=400, n_2=380, follow_up=(1, 4))
    assert even.effect == pytest.approx(limit, abs=1e-9)
    assert even.events_1 == pytest.approx(printed.events_1, rel=0.01)
    nobody = convert.log_hazard_ratio_from_curves(**bare, n_1=400, n_2=380)
    assert nobody.events_1 == pytest.approx(400 * (1 - math.exp(-0.72)))
    assert nobody.variance < even.variance


def test_variance_of_curves_is_that_of_the_log_rank_test() -> None:
    given = curves(1.0)
    found = convert.log_hazard_ratio_from_curves(**given)
    assert found.variance == pytest.approx(1 / found.events_1 + 1 / found.events_2, rel=0.06)


def test_an_interval_without_events_says_nothing() -> None:
    found = convert.log_hazard_ratio_from_curves(
        time=[0, 1, 2], survival_1=[1, 1, 0.9], survival_2=[1, 1, 0.8], n_1=50, n_2=50
    )
    assert "no events between 0 and 1" in found.cautions[0] and found.events_1 == pytest.approx(5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": [1, 2, 3]}, "time must start at 0 and rise"),
        ({"survival_1": [1, 0.8, 0.9]}, "survival_1 must start at 1 and never rise"),
        ({"survival_1": [100, 80, 70]}, "shares, not percentages"),
        ({"survival_1": [1, 0.8]}, "survival_1 has 2 entries for 3 times"),
        ({"survival_1": [1, 0, 0]}, "nobody is left to compare"),
        ({"survival_1": [1, 1, 0.8]}, "group 1 has no events between 0 and 1: join it"),
        ({"survival_1": [1, 1, 1], "survival_2": [1, 1, 1]}, "there are no events to compare"),
        ({"survival_1": [1, 0.8, 0], "survival_2": [1, 0.8, 0]}, "everybody has the event"),
        ({"n_1": None}, "n_1 and n_2, or the numbers at risk"),
        ({"at_risk_1": [90, 70, 50]}, "at_risk_1 and at_risk_2 are both needed"),
        ({"at_risk_1": [90, 70, 50], "at_risk_2": [90, 70, 50]}, "leave out n_1, n_2 and follow_up"),
        ({"follow_up": (0.5, 1.5)}, "reach the last time read"),
        ({"follow_up": 3}, r"follow_up must be \(shortest, longest\)"),
    ],
)
def test_curves_are_checked(change: dict[str, Any], message: str) -> None:
    given = {"time": [0, 1, 2], "survival_1": [1, 0.8, 0.7], "survival_2": [1, 0.7, 0.5], "n_1": 90, "n_2": 90}
    with pytest.raises(InputError, match=message):
        convert.log_hazard_ratio_from_curves(**(given | change))


def test_numbers_at_risk_must_fit_the_curve() -> None:
    given: dict[str, Any] = {"time": [0, 1], "survival_1": [1, 0.5], "survival_2": [1, 0.7], "at_risk_2": [90, 50]}
    with pytest.raises(InputError, match=r"falls from 90 to 80 where the curve asks for 56\.7 events"):
        convert.log_hazard_ratio_from_curves(**given, at_risk_1=[90, 80])
    with pytest.raises(InputError, match="at_risk_1 must not rise"):
        convert.log_hazard_ratio_from_curves(**given, at_risk_1=[90, 95])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"favours": 0, "events": 9, "p": 0.1}, "favours must be 1 or 2"),
        ({"favours": 1, "events": 9, "p": 0.1, "sides": 3}, "sides must be 1 or 2"),
        ({"favours": 1, "events": 9, "p": 0.7, "sides": 1}, "points the other way"),
        ({"favours": 1, "events": 9}, "p or statistic is needed"),
        ({"favours": 1, "p": 0.1}, "events by arm, or events in all"),
        ({"favours": 1, "p": 0.1, "events_1": 9}, "events_1 and events_2 are both needed"),
        ({"favours": 1, "p": 0.1, "events": 20, "events_1": 9, "events_2": 9}, "add up to 18"),
        ({"favours": 1, "p": 0.1, "events": 20, "n_1": 9}, "n_1 and n_2 are both needed"),
        ({"favours": 1, "p": 0.1, "events": 20, "n_1": 9, "n_2": 9}, "must not exceed"),
    ],
)
def test_log_rank_is_checked(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        convert.log_hazard_ratio_from_log_rank(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hazard_ratio": -0.2, "p": 0.1}, "hazard_ratio must be above 0"),
        ({"hazard_ratio": 1, "p": 0.1}, "hazard_ratio must differ from 1"),
        ({"hazard_ratio": 0.8}, "an interval .* or p is needed"),
        ({"hazard_ratio": 0.8, "low": 0.7}, "low and high are both needed"),
        ({"hazard_ratio": 0.8, "low": 0.9, "high": 1.2}, "hazard_ratio"),
    ],
)
def test_a_ratio_is_checked(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        convert.o_minus_e_from_hazard_ratio(**given)
