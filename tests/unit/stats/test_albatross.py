"""The albatross plot: contours against each measure's variance, directions, bad input, the drawing."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from scipy import stats

from balm.plots.albatross import albatross as drawn
from balm.stats.albatross import MEASURES, RATIOS, albatross, toward
from balm.vocabulary.problems import InputError

SVG = "{http://www.w3.org/2000/svg}"
P, N, SIGN = [0.04, 0.2, 0.6, 1e-6], [60.0, 150.0, 90.0, 900.0], [1, 1, -1, 1]


def p_of(measure: str, effect: float, n: float, ratio: float, risk: float) -> float:
    """The two-sided p value of a study of this size that finds just the effect, by its large-sample variance."""
    n1, n2 = n * ratio / (1 + ratio), n / (1 + ratio)
    if measure == "SMD":
        variance = 1 / n1 + 1 / n2 + effect**2 / (2 * n)
    elif measure == "COR":
        variance = (1 - effect**2) ** 2 / (n - 1)
    else:
        odds = effect * risk / (1 - risk)
        p1 = odds / (1 + odds) if measure == "OR" else effect * risk
        a, b, c, d = n1 * p1, n1 * (1 - p1), n2 * risk, n2 * (1 - risk)
        variance = 1 / a + 1 / b + 1 / c + 1 / d if measure == "OR" else 1 / a - 1 / n1 + 1 / c - 1 / n2
        effect = np.log(effect)
    return 2 * float(stats.norm.sf(abs(effect) / np.sqrt(variance)))


@pytest.mark.parametrize("measure", list(MEASURES))
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_study_on_a_contour_has_its_effect(measure: str, sign: float) -> None:
    risk = 0.3 if measure in RATIOS else None
    found = albatross(p=P, n=N, direction=SIGN, measure=measure, ratio=2.0, baseline_risk=risk)
    for contour in found.contours:
        effect = toward(measure, contour, sign)
        p = p_of(measure, effect, 250.0, 2.0, 0.3)
        assert found.size(effect, p) == pytest.approx(250.0, rel=1e-9)
        assert found.p_at(effect, 250.0) == pytest.approx(p, rel=1e-9)
        inside, outside = (albatross(p=[p], n=[n], direction=[sign], measure=measure, ratio=2.0, contours=[contour],
                                     baseline_risk=risk).beyond(contour) for n in (251.0, 249.0))  # fmt: skip
        assert inside == (0, 0) and outside == ((1, 0) if sign < 0 else (0, 1))


def test_one_sided_p_values_say_the_direction() -> None:
    two = albatross(p=P, n=N, direction=SIGN)
    one = albatross(p=[p / 2 if s > 0 else 1 - p / 2 for p, s in zip(P, SIGN, strict=True)], n=N)
    assert one.p == pytest.approx(two.p) and one.direction.tolist() == two.direction.tolist() == SIGN
    table = {"p": P, "size": N, "log_or": [0.3, 0.1, -0.2, 1.4], "name": list("abcd")}
    named = albatross(p="p", n="size", direction="log_or", study="name", data=table)
    assert named.study == tuple("abcd") and named.direction.tolist() == SIGN
    assert named.to_dict()["contours"][0] == {"effect": 0.2, "beyond_negative": 0, "beyond_positive": 3}
    assert list(named.to_frame()["n"]) == N and "1 in the negative direction and 3" in repr(named)


@pytest.mark.parametrize("p", [[0.3], [1.0, 1e-300], P])
def test_the_plot_has_every_study_and_both_wings_of_each_contour(p: list[float]) -> None:
    figure = albatross(p=p, n=N[: len(p)], direction=SIGN[: len(p)], measure="OR", baseline_risk=0.2).plot(
        title="Birds"
    )
    root = ET.fromstring(figure.svg)
    assert len(list(root.iter(f"{SVG}circle"))) == len(p)
    assert len(list(root.iter(f"{SVG}polyline"))) == 6
    texts = {e.text for e in root.iter(f"{SVG}text")}
    assert {"Birds", "Participants", "1.5 and its inverse", "Odds ratio, groups 1 : 1, risk in group 2 20%"} <= texts


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"p": [0.0, 0.5]}, r"p must lie between 0 and 1, not at 0; got 0"),
        ({"p": [0.2, 1.5]}, r"row 2.*got 1\.5"),
        ({"p": [1.0, 0.5], "direction": None}, "p must lie between"),
        ({"n": [1, 40]}, "n must be 2 or more; got 1"),
        ({"direction": [1, 0]}, "direction must be above or below 0"),
        ({"measure": "MD"}, "measure must be one of"),
        ({"measure": "OR"}, "OR needs baseline_risk"),
        ({"baseline_risk": 0.2}, "leave it out for 'SMD'"),
        ({"ratio": 0.0}, "ratio must be above 0"),
        ({"contours": [0.1, 0.2, 0.3, 0.4, 0.5]}, "1 to 4"),
        ({"contours": [-0.2]}, "above 0"),
        ({"measure": "COR", "contours": [1.0]}, "above 0 and below 1; got 1"),
        ({"measure": "RR", "baseline_risk": 0.5, "contours": [2.0]}, "above 1 and below 2; got 2"),
    ],
)
def test_bad_input(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        albatross(**{"p": [0.2, 0.5], "n": [30, 40], "direction": [1, -1]} | changed)


def test_usual_contours_that_the_baseline_risk_rules_out_are_left_out() -> None:
    assert albatross(p=[0.2], n=[30], direction=[1], measure="RR", baseline_risk=0.6).contours == (1.25, 1.5)


def test_only_its_result_is_drawn() -> None:
    with pytest.raises(InputError, match=r"balm\.albatross"):
        drawn([0.2])  # type: ignore[arg-type]
