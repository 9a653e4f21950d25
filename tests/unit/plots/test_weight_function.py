"""The plot of a weight function: described, with a mark a study, and nothing drawn where nothing was estimated."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from balm.plots.text_width import text_width
from balm.plots.weight_function import weight_function
from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pool import pool
from balm.stats.selection.selection_model import selection_model
from balm.vocabulary.problems import InputError

SVG = "{http://www.w3.org/2000/svg}"
ES = EffectSizes(
    effect=[0.9, 0.7, 0.62, 0.5, 0.3, 0.45, 0.2, 0.35, 0.05, 0.12, 0.6, -0.1],
    variance=[0.16, 0.12, 0.09, 0.05, 0.04, 0.03, 0.03, 0.02, 0.02, 0.01, 0.2, 0.08],
)
ROOMY = 620.0


@pytest.mark.parametrize(
    "options",
    [{}, {"steps": [0.025, 0.5]}, {"alternative": "two-sided"}, {"kind": "half-normal"}, {"kind": "truncated"}],
)
def test_every_kind_draws_its_curve_and_a_mark_a_study(options: dict[str, object]) -> None:
    fit = selection_model(ES, **options)  # type: ignore[arg-type]
    figure = fit.plot(title="A title")
    root = ET.fromstring(figure.svg)
    marks = [e for e in root.iter(f"{SVG}line") if e.get("stroke-width") == "1.2"]
    assert len(marks) == len(ES) + 1  # and the legend's
    assert root.find(f"{SVG}desc") is not None
    assert fit.weights[0].name in figure.description
    texts = [e for e in root.iter(f"{SVG}text") if e.get("transform") is None]
    ends = [float(e.get("x", 0)) + text_width(e.text or "", 11.5) for e in texts if e.get("text-anchor") is None]
    assert max(ends) < ROOMY
    assert not re.search(r"nan|inf\b", figure.svg)


def test_the_steps_are_the_weights() -> None:
    fit = selection_model(ES, steps=[0.025, 0.5])
    shares = fit.weight_at(np.array([0.01, 0.025, 0.026, 0.5, 0.9]))
    assert shares == pytest.approx(fit.delta[[0, 0, 1, 1, 2]] / fit.delta.max())


def test_other_results_are_refused() -> None:
    with pytest.raises(InputError, match="draws a result"):
        weight_function(pool(ES))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="away from 0"):
        weight_function(selection_model(ES, "truncated", truncation=0.2))
    with pytest.raises(InputError, match="between 0 and 1"):
        selection_model(ES).weight_at(1.5)
