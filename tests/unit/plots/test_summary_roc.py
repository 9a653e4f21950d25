"""The summary ROC plot: a circle a study, regions and curves inside the frame, described."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

import balm
from balm.plots.summary_roc import summary_roc

SVG = "{http://www.w3.org/2000/svg}"
COUNTS = {
    "tp": [19, 45, 28, 60, 33],
    "fn": [3, 6, 9, 5, 14],
    "fp": [4, 12, 5, 20, 3],
    "tn": [40, 80, 70, 60, 90],
}


@pytest.mark.parametrize(
    ("options", "lines"),
    [({}, 2), ({"curve": "both", "title": "A title"}, 3), ({"curve": "none", "labels": "none"}, 1)],
)
def test_a_circle_a_study_and_the_curves_asked_for(options: dict[str, Any], lines: int) -> None:
    fit = balm.accuracy(**COUNTS)
    figure = fit.plot(**options)
    root = ET.fromstring(figure.svg)
    assert len(list(root.iter(f"{SVG}circle"))) == fit.k + 1 + 2  # the summary point, and two in the legend
    assert len(list(root.iter(f"{SVG}polyline"))) == lines
    for line in root.iter(f"{SVG}polyline"):
        x, y = zip(*(pair.split(",") for pair in (line.get("points") or "").split()), strict=True)
        assert min(map(float, x)) >= 63.9 and max(map(float, x)) <= 536.1
        assert min(map(float, y)) >= 19.9 and max(map(float, y)) <= figure.height - 62.0
    names = [e.text for e in root.iter(f"{SVG}text")]
    assert ("Study 1" in names) == (options.get("labels") != "none")
    assert f"specificity {fit.specificity.estimate:.3f}" in figure.description
    if "title" in options:
        assert "A title" in names


def test_without_variation_there_is_no_curve_to_draw() -> None:
    flat = balm.accuracy(tp=[45] * 4, fn=[5] * 4, fp=[10] * 4, tn=[90] * 4)
    assert "summary curve" not in flat.plot().svg
    with pytest.raises(balm.InputError, match="no summary curve"):
        flat.plot(curve="hsroc")


def test_bad_input_is_named() -> None:
    with pytest.raises(balm.InputError, match=r"result of balm\.accuracy"):
        summary_roc("x")  # type: ignore[arg-type]
    with pytest.raises(balm.InputError, match="curve must be one of"):
        balm.accuracy(**COUNTS).plot(curve="roc")
