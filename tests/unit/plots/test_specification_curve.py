"""Specification curve: every analysis is drawn in order, choices stand under it, and words name all of it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from balm.plots.specification_curve import MOST_DRAWN, specification_curve
from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.multiverse.multiverse import multiverse
from balm.vocabulary.problems import InputError

SVG = "{http://www.w3.org/2000/svg}"
TABLE = {"events_1": [0, 3, 7, 10], "n_1": [50, 60, 45, 100], "events_2": [5, 4, 9, 2], "n_2": [52, 60, 40, 90]}
GENERIC = EffectSizes(effect=[0.10, 0.40, 0.20, 0.90], variance=[0.02, 0.05, 0.03, 0.09], study=["a", "b", "<c>", "d"])


def dots(figure):
    """(x, y) of each estimate, in drawing order."""
    paths = [p.get("d") for p in ET.fromstring(figure.svg).iter(f"{SVG}path")]
    return [(float(x), float(y)) for d in paths if "z" in d for x, y in re.findall(r"M([-\d.]+) ([-\d.]+)h", d)]


def words(figure):
    return [t.text for t in ET.fromstring(figure.svg).iter(f"{SVG}text")]


def test_estimates_are_all_drawn_and_rise_from_left_to_right():
    many = multiverse(GENERIC)
    found = sorted(dots(specification_curve(many)))
    assert len(found) == len(many)
    heights = [y for _, y in found]
    assert all(b <= a + 0.011 for a, b in pairwise(heights)), "SVG counts downwards"


def test_each_value_of_a_choice_has_its_line():
    figure = specification_curve(multiverse(GENERIC, tau2=["REML", "DL", 0.1], inference=["wald"]))
    text = words(figure)
    assert {"Left out", "none", "a", "<c>", "tau²", "REML", "DL", "0.1"} <= {t for t in text if t}
    assert "Interval" not in text, "a choice with one value is no choice"


def test_many_studies_left_out_are_summed_up():
    es = EffectSizes(effect=[0.1 * i for i in range(20)], variance=[0.1] * 20)
    assert "20 others" in words(specification_curve(multiverse(es, tau2=["DL"], inference=["wald"])))


def test_measures_on_different_scales_share_a_statistic():
    many = multiverse(effect_sizes("OR", **TABLE), measures=["OR", "RD"])
    assert "Estimate / standard error" in words(specification_curve(many))
    with pytest.raises(InputError, match="different scales"):
        specification_curve(many, y="estimate")
    assert "Odds ratio" in words(specification_curve(many.where(measure="OR")))


def test_a_huge_multiverse_is_thinned_and_says_so():
    es = EffectSizes(effect=[0.05 * (i % 7) for i in range(60)], variance=[0.1 + 0.01 * i for i in range(60)])
    many = multiverse(es, tau2=["DL", "HE", "HS", "SJ", *[0.01 * i for i in range(1, 20)]], inference=["wald", "t"])
    assert len(many) > MOST_DRAWN
    figure = specification_curve(many)
    assert len(dots(figure)) == MOST_DRAWN
    assert "2,000 evenly spaced ones are drawn" in figure.description
    assert f"{len(many):,} analyses" in figure.title


def test_the_same_bytes_every_time_and_a_description(tmp_path):
    many = multiverse(effect_sizes("RR", **TABLE))
    path = tmp_path / "curve.svg"
    assert specification_curve(many, path).svg == specification_curve(many).svg == path.read_text("utf-8")
    assert "of intervals exclude no effect" in specification_curve(many).description


@pytest.mark.parametrize(
    ("result", "options", "said"),
    [
        (GENERIC, {}, "draws a result of balm.multiverse; got EffectSizes"),
        (multiverse(GENERIC), {"y": "p"}, "y must be one of"),
    ],
)
def test_bad_input_is_named(result, options, said):
    with pytest.raises(InputError, match=said):
        specification_curve(result, **options)
