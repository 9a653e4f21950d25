"""Funnel plot: contours lie where their p values say, points where their studies are, and words name all of it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from math import exp, log, sqrt

import numpy as np
import pytest

import balm
from balm.plots.axis import linear_axis, log_axis
from balm.plots.funnel import PRECISION, cone, funnel, half_width
from balm.stats.distributions import norm_sf
from balm.stats.effect_sizes import EffectSizes
from balm.vocabulary.problems import InputError

SVG = "{http://www.w3.org/2000/svg}"
#: BCG vaccine trials, first four: log risk ratio and variance (Colditz 1994; metafor's dat.bcg).
BCG = EffectSizes(
    np.array([-0.8893, -1.5854, -1.3481, -1.4416]),
    np.array([0.3256, 0.1946, 0.4154, 0.0200]),
    ("Aronson 1948", "Ferguson & Simes 1949", "Rosenthal 1960", "Hart & Sutherland 1977"),
    measure="RR",
)


def circles(figure):
    """(x, y, tooltip) of each study's point."""
    root = ET.fromstring(figure.svg)
    return [(float(c.get("cx")), float(c.get("cy")), c.find(f"{SVG}title").text) for c in root.iter(f"{SVG}circle")]


@pytest.mark.parametrize("p", [0.1, 0.05, 0.01, 0.001])
def test_a_contour_lies_where_its_two_sided_p_value_is(p):
    assert 2 * norm_sf(half_width(p)) == pytest.approx(p, rel=1e-12)


@pytest.mark.parametrize("y", PRECISION)
def test_every_corner_of_a_cone_inside_the_frame_lies_on_its_boundary(y):
    scale = PRECISION[y]
    top, bottom = (0.01, 1.0) if y == "se" else (scale.of_se(0.1), scale.of_se(1.0))
    ys = [top + (bottom - top) * i / 20 for i in range(21)]
    corners = cone(0.3, 1.96, ys=ys, to_se=scale.to_se, low=-1.0, high=1.2)
    inside = [(x, se) for x, se in corners if -1.0 < x < 1.2]
    assert len(inside) > 6
    for x, se in inside:
        assert abs(x - 0.3) == pytest.approx(1.96 * se)
    assert any(x == -1.0 and se == pytest.approx(1.3 / 1.96) for x, se in corners), "the edge is met exactly"


def test_points_stand_at_their_effect_on_a_log_axis_and_precise_studies_are_above():
    drawn = circles(funnel(BCG))
    assert [tip.split(":")[0] for _, _, tip in drawn] == list(BCG.study)
    xs = [x for x, _, _ in drawn]
    steps = np.diff(xs) / np.diff(BCG.effect)
    assert steps == pytest.approx(np.full(3, steps[0]), rel=1e-2), "equal log distances are equal lengths"
    ys = [y for _, y, _ in drawn]
    assert np.argsort(ys).tolist() == np.argsort(BCG.variance).tolist()


@pytest.mark.parametrize("y", PRECISION)
def test_the_most_precise_study_is_on_top_on_every_axis(y):
    drawn = circles(funnel(BCG, y=y))
    assert min(drawn, key=lambda c: c[1])[2].startswith("Hart & Sutherland 1977")
    assert PRECISION[y].title in funnel(BCG, y=y).svg


def test_the_legend_names_each_region_and_the_limits():
    svg = funnel(BCG).svg
    for text in ("p &gt; 0.10", "0.05 &lt; p ≤ 0.10", "0.01 &lt; p ≤ 0.05", "p ≤ 0.01", "pseudo 95% limits"):
        assert text in svg
    plain = funnel(BCG, contours=None, limits=False).svg
    assert "p ≤" not in plain and "pseudo" not in plain
    assert "p ≤ 0.001" in funnel(BCG, contours=(0.05, 0.001)).svg


def test_few_studies_are_said_to_be_few_and_ten_are_not():
    assert "asymmetry cannot be told from chance" in funnel(BCG).svg
    ten = EffectSizes(np.linspace(-1, 0, 10), np.linspace(0.1, 0.4, 10), measure="RR")
    assert "asymmetry" not in funnel(ten).svg


def test_study_names_do_not_overlap_and_every_point_keeps_its_name_when_labels_are_off():
    rng = np.random.default_rng(1)
    se = rng.uniform(0.3, 0.4, 20)
    many = EffectSizes(rng.normal(0, 0.05, 20), se**2, tuple(f"Study number {i}" for i in range(20)), measure="MD")
    svg = funnel(many).svg
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" font-size="11">(Study[^<]*)<', svg)
    boxes = [(float(x), float(y) - 8, float(x) + 60, float(y)) for x, y, _ in found]
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])
    assert len(circles(funnel(many, labels="none"))) == 20
    assert 'font-size="11">Study' not in funnel(many, labels="none").svg


def test_a_measure_without_a_null_has_no_contours():
    rates = balm.effect_sizes("PLO", events=[4, 9], n=[20, 30])
    assert "p ≤" not in funnel(rates).svg


def test_what_cannot_be_estimated_is_left_out_and_counted():
    trials = {"events_1": [3, 0, 5], "n_1": [20, 10, 30], "events_2": [6, 0, 9], "n_2": [20, 10, 30]}
    figure = funnel(balm.effect_sizes("RR", **trials, drop_double_zero=True))
    assert len(circles(figure)) == 2 and "1 could not be estimated" in figure.description
    with pytest.raises(InputError, match="at least one study"):
        nothing = {"events_1": [0], "n_1": [10], "events_2": [0], "n_2": [10]}
        funnel(balm.effect_sizes("RR", **nothing, drop_double_zero=True))


def test_wrong_options_are_named_with_the_allowed_ones():
    with pytest.raises(InputError, match="y must be one of"):
        funnel(BCG, y="SE")
    with pytest.raises(InputError, match="contours must be p values between 0 and 1"):
        funnel(BCG, contours=(0.05, 5))
    with pytest.raises(InputError, match="limits_level"):
        funnel(BCG, limits_level=95)


def test_names_with_markup_stay_text_and_the_file_is_written(tmp_path):
    es = EffectSizes(np.array([0.1, 0.3]), np.array([0.02, 0.1]), ("<script>A&B", "C"), measure="MD")
    target = tmp_path / "funnel.svg"
    figure = funnel(es, target, title="A title")
    assert target.read_text("utf-8") == figure.svg
    assert "<script>" not in figure.svg
    assert ET.fromstring(figure.svg).find(f"{SVG}title").text == "A title"


def test_axes_agree_with_the_positions_they_mark():
    axis = log_axis(exp(-1), exp(1), start=0, end=100)
    assert axis.position(1) == pytest.approx(50)
    assert linear_axis(-1, 1, start=0, end=100).position(log(1)) == pytest.approx(50)
    assert sqrt(0.02) == pytest.approx(PRECISION["variance"].to_se(0.02))
