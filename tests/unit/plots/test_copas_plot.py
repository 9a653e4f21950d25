"""The four panels of a Copas model: described, with every row drawn, and the adjusted one in red."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from balm.plots.copas import copas as drawn
from balm.plots.panel import ALARM
from balm.stats.effect_sizes import EffectSizes
from balm.stats.selection.copas import copas
from balm.stats.selection.copas_path import Surface
from balm.vocabulary.problems import InputError

SVG = "{http://www.w3.org/2000/svg}"
ES = EffectSizes(effect=[0.1, 0.15, 0.3, 0.6, 0.9], variance=[0.01, 0.02, 0.03, 0.08, 0.15], measure="RR")
FOUND = replace(copas(ES, chances=[(0.9, 0.1), (0.2, 0.1)]), adjusted=1)
PLANE = Surface(
    np.array([0.0, 2.0]),
    np.array([0.0, 0.2]),
    np.zeros((2, 2)),
    ((0.3, ((0.5, 0.0), (0.5, 0.1), (0.5, 0.15), (0.5, 0.2))),),
    0.05,
    ((0.9, 0.1), (0.2, 0.1)),
)


@pytest.mark.parametrize("plane", [None, PLANE])
def test_rows_studies_and_contours_are_drawn(plane: Surface | None) -> None:
    figure = replace(FOUND, surface=plane).plot(title="A title")
    root = ET.fromstring(figure.svg)
    circles = list(root.iter(f"{SVG}circle"))
    assert len(circles) == len(ES) + (len(FOUND.rows) - 1) + 2 * len(FOUND.rows)
    assert sum(e.get("fill") == ALARM for e in circles) == 3
    texts = {e.text for e in root.iter(f"{SVG}text")}
    assert ("Mean over the chance of selection" in texts) == (plane is not None)
    assert {"A title", "Risk ratio", "1"} <= texts
    assert "5 studies" in figure.description


def test_a_result_of_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match=r"balm\.copas"):
        drawn(ES)  # type: ignore[arg-type]
