"""The arrangement of a forest plot, read as values: nothing overlaps, whatever the studies are called and show."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np
import pytest

import balm
from balm.plots.forest import forest
from balm.plots.forest_layout import lay_out
from balm.plots.forest_options import read_options
from balm.plots.forest_placed import Layout
from balm.plots.forest_reading import read_result
from balm.plots.svg import number
from balm.vocabulary.problems import InputError
from tests.unit.plots.results import BCG, grouped, pooled, risk_ratios, sizes

LONG = "The multicentre international collaborative study group of ketamine infusion in chronic neuropathic pain"


def arranged(result, **options) -> tuple[Layout, float]:
    chosen = read_options(options)
    return lay_out(read_result(result, chosen), chosen), chosen.font_size


def overlaps(layout: Layout, size: float) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes intersect; a sweep from the top, so that 500 rows stay quick."""
    boxes = sorted([(*text.box(size), text.text) for text in layout.texts], key=lambda box: box[1])
    found, open_ = [], []
    for box in boxes:
        open_ = [other for other in open_ if other[3] > box[1]]
        found += [(o[4], box[4]) for o in open_ if o[0] < box[2] and box[0] < o[2]]
        open_.append(box)
    return found


def check(layout: Layout, size: float) -> None:
    assert overlaps(layout, size) == []
    rows = [text for text in layout.texts if layout.rule_y < text.y < layout.axis_y]
    left, right = layout.axis.start, layout.axis.end
    for text in rows:
        box = text.box(size)
        assert box[0] >= 0 and box[2] <= layout.width, f"{text.text} leaves the figure"
        in_plot = box[2] > left and box[0] < right
        assert not in_plot or text.y < layout.plot_top, f"{text.text} is in the plot"
    for text in layout.texts:
        box = text.box(size)
        assert box[0] >= -0.01 and box[1] >= 0 and box[2] <= layout.width + 0.01 and box[3] <= layout.height
    for mark in layout.marks:
        if mark.kind != "diamond":
            assert left - 0.01 <= mark.low <= mark.high <= right + 0.01
        assert layout.rule_y < mark.y < layout.axis_y


def studies(k: int, *, seed: int = 1, names: str = "Author {i} {year}", spread: float = 0.5):
    rng = np.random.default_rng(seed)
    n1, n2 = rng.integers(10, 100_000, k), rng.integers(10, 100_000, k)
    risk = rng.uniform(0.02, 0.4, k)
    a = rng.binomial(n1, np.clip(risk * np.exp(rng.normal(0, spread, k)), 0, 1))
    c = rng.binomial(n2, risk)
    labels = [names.format(i=i, year=1950 + i % 70) for i in range(k)]
    return risk_ratios(list(zip(labels, a.tolist(), n1.tolist(), c.tolist(), n2.tolist(), strict=True)))


@pytest.mark.parametrize("k", [2, 3, 10, 60, 500])
@pytest.mark.parametrize(
    "names", ["S{i}", "Author {i} {year}", LONG + " {i}", "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW{i}"]
)
def test_nothing_overlaps_for_any_number_of_studies_and_any_names(k, names):
    check(
        *arranged(
            pooled(studies(k, names=names)),
            favours=("Favours ketamine infusion", "Favours the control"),
            title=LONG + " " + LONG,
            reference=[(0.8, "MID"), (1.25, "a reference with a long label that must be kept inside")],
        )
    )


@pytest.mark.parametrize("size", [6.0, 12.0, 30.0])
@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 1e4, 1e9])
@pytest.mark.parametrize("measure", ["GEN", "MD"])
def test_tiny_and_huge_scales(scale, size, measure):
    effect, variance = np.array([-1.2, 0.1, 0.35, 4.0]) * scale, np.array([0.3, 0.01, 0.2, 1.0]) * scale**2
    check(*arranged(pooled(sizes(effect, variance, measure=measure)), font_size=size, arms=(LONG, LONG)))


def test_extreme_effects_are_clipped_to_arrows_and_the_diamond_stays():
    es = sizes([-0.2, 0.1, 0.0, -0.1, 0.05, 30.0, -400.0], [0.01, 0.02, 0.01, 0.03, 0.01, 90.0, 1e4], measure="RR")
    layout, size = arranged(pooled(es, "common"), favours=("Favours a", "Favours b"))
    check(layout, size)
    assert any(mark.clipped_high for mark in layout.marks) and any(mark.clipped_low for mark in layout.marks)
    diamond = next(mark for mark in layout.marks if mark.kind == "diamond")
    assert layout.axis.start <= diamond.middle <= layout.axis.end
    assert diamond.high - diamond.low > 2


def test_a_subtotal_of_two_studies_does_not_stretch_the_axis():
    es = balm.effect_sizes(
        "RR", events_1=[8, 14, 7, 5], n_1=[12, 30, 12, 10], events_2=[3, 2, 2, 0], n_2=[12, 30, 12, 10]
    )
    result = balm.subgroups(es, by=["a", "b", "c", "c"])
    widest = max(fit.displayed.interval.high for fit in result.groups.values())
    layout, size = arranged(result)
    check(layout, size)
    assert widest > 10_000 and layout.axis.high < 1_000


def test_an_axis_of_its_own_clips_everything_outside_it():
    layout, size = arranged(pooled(risk_ratios()), limits=(0.9, 1.1), ticks=[0.9, 1, 1.1])
    check(layout, size)
    assert [layout.axis.label(t) for t in layout.axis.ticks] == ["0.9", "1", "1.1"]
    hidden = [mark for mark in layout.marks if mark.kind == "square" and mark.half == 0]
    assert len(hidden) == 11  # all estimates but those of Madras and Comstock 1976


def test_squares_have_an_area_proportional_to_weight():
    result = pooled(risk_ratios())
    layout, _ = arranged(result)
    sides = [2 * mark.half for mark in layout.marks if mark.kind == "square"]
    share = np.array(sides) ** 2 / np.sum(np.array(sides) ** 2) * 100
    assert np.allclose(share, result.weights, rtol=1e-9)


def test_positions_on_a_log_axis():
    layout, _ = arranged(pooled(risk_ratios()), limits=(0.1, 10))
    axis = layout.axis
    assert layout.null_x == pytest.approx((axis.start + axis.end) / 2)
    square = layout.marks[0]
    want = axis.start + (math.log10(4 / 123 / (11 / 139)) + 1) / 2 * (axis.end - axis.start)
    assert square.middle == pytest.approx(want, abs=1e-9)


def test_subgroups_with_everything_on():
    by = ["random"] * 5 + ["alternate allocation, " + LONG] * 4 + ["systematic"] * 4
    es = risk_ratios()
    result = grouped(es, by)
    layout, size = arranged(
        result,
        also=[pooled(es, "common")],
        labels=["Random effects", "A very long name of the second model to be drawn"],
        prediction=True,
        extra={"Dose per day (mg) by protocol": range(13), "Year": {row[0]: row[0][-4:] for row in BCG}},
        risk_of_bias={row[0]: ["low", "high", "some concerns", "unclear", "", "critical"] for row in BCG},
        bias_domains=["Randomisation", LONG * 3, "c", "d", "e", "f"],
        better="lower",
        arms=("BCG", LONG),
        pooled_line=True,
    )
    check(layout, size)
    kinds = [mark.kind for mark in layout.marks]
    assert kinds.count("diamond") == 5 and kinds.count("bar") == 4 and kinds.count("square") == 13
    assert len(layout.dots) == 13 * 6


@pytest.mark.parametrize("columns", [(), ("effect",), ("weight",), ("data",), ("data", "effect")])
def test_columns_can_be_hidden(columns):
    check(*arranged(pooled(risk_ratios()), columns=columns, favours=("Favours a", "Favours b")))


def test_a_width_is_kept_or_refused():
    layout, size = arranged(pooled(risk_ratios()), width=1000)
    assert layout.width == 1000
    check(layout, size)
    with pytest.raises(InputError, match="width must be at least"):
        arranged(pooled(risk_ratios()), width=300)


def test_a_long_name_takes_two_lines_and_only_what_is_cut_has_a_tooltip():
    es = sizes([0.1, 0.2, 0.3], [0.1, 0.1, 0.1], ["Short 2001", "A group of several trialists 2004 (second)", LONG])
    layout, size = arranged(pooled(es), label_width=150)
    check(layout, size)
    names = [text for text in layout.texts if text.anchor == "start" and layout.rule_y < text.y < layout.axis_y]
    assert [text.text for text in names[:3]] == ["Short 2001", "A group of several trialists", "2004 (second)"]
    assert names[1].full is None and names[3].full == names[4].full == LONG and names[4].text.endswith("…")
    squares = [mark for mark in layout.marks if mark.kind == "square"]
    assert squares[1].y == pytest.approx((names[1].y + names[2].y) / 2 - 0.35 * size)  # level with the middle of both
    cut, size = arranged(pooled(es), label_width=150, label_lines=1)
    check(cut, size)
    assert cut.height < layout.height and not any(text.text == "2004 (second)" for text in cut.texts)
    more, size = arranged(pooled(es), label_width=150, label_lines=9)
    check(more, size)
    assert not any(text.full for text in more.texts)


@pytest.mark.parametrize("side", ["left", "centre", "right"])
def test_columns_aligned_as_asked(side):
    anchor = {"left": "start", "centre": "middle", "right": "end"}[side]
    layout, size = arranged(
        pooled(risk_ratios()),
        extra={"Allocation": ["random"] * 7 + ["by alternation"] * 6},
        align={"Allocation": side, "data": side, "weight": side, "effect": side},
        risk_of_bias={BCG[0][0]: ["low", "high"]},
    )
    check(layout, size)
    cells = [text for text in layout.texts if text.text in ("random", "by alternation", "Allocation")]
    assert {text.anchor for text in cells} == {anchor} and len({text.x for text in cells}) == 1
    assert {text.anchor for text in layout.texts if "[" in text.text or text.text in ("506", "4", "62")} == {anchor}


def test_alignment_of_what_is_not_there_is_refused():
    with pytest.raises(InputError, match="align must be one of"):
        arranged(pooled(risk_ratios()), align={"Dose": "left"})
    with pytest.raises(InputError, match="align of data must be one of"):
        arranged(pooled(risk_ratios()), align={"data": "center"})


@pytest.mark.parametrize("effects", [[0.0, 0.0], [1.0, 1.0], [-3.0, -3.0]])
@pytest.mark.parametrize("measure", ["RR", "MD", "PR", "PLO"])
def test_identical_effects_still_make_an_axis(effects, measure):
    check(*arranged(sizes(effects, [1e-30, 1e-30], measure="RR" if measure.startswith("P") else measure)))


def test_random_options_never_overlap():
    rng = np.random.default_rng(7)
    for trial in range(40):
        k = int(rng.integers(2, 12))
        es = studies(k, seed=trial, names=LONG[: int(rng.integers(1, 90))] + " {i}", spread=float(rng.uniform(0, 5)))
        if not np.isfinite(es.effect).any():
            continue
        layout, size = arranged(
            pooled(es),
            font_size=float(rng.uniform(7, 24)),
            label_width=float(rng.uniform(30, 400)),
            arms=(LONG[: int(rng.integers(1, 60))], LONG[: int(rng.integers(1, 60))]),
            favours=(LONG[: int(rng.integers(1, 60))], LONG[: int(rng.integers(1, 60))]),
            effect_name=LONG[: int(rng.integers(1, 60))],
            digits=int(rng.integers(0, 6)),
        )
        check(layout, size)


def test_the_picture_is_the_layout():
    """What is drawn stands where the layout says, text by text in the same order, and so do the squares."""
    by = ["random & more"] * 7 + ["<alternate>"] * 6
    names = {row[0]: "https://example.org/a&b" for row in BCG[:2]}
    for result, options in (
        (pooled(risk_ratios()), {"favours": ("Favours a", "Favours b"), "title": "BCG & tuberculosis"}),
        (
            grouped(risk_ratios(), by),
            {"extra": {"Note": {BCG[0][0]: "<first>"}}, "study_link": names, "label_width": 90},
        ),
        (pooled(studies(40, spread=4)), {"reference": (0.8, "MID"), "align": {"effect": "left"}}),
        (risk_ratios([("A", 0, 50, 5, 50), ("B", 0, 40, 0, 41), ("C", 10, 100, 2, 100)]), {}),
    ):
        layout, _ = arranged(result, **options)
        root = ElementTree.fromstring(forest(result, **options).svg.encode("utf-8"))
        svg = "{http://www.w3.org/2000/svg}"
        drawn = [
            (
                t.get("x"),
                t.get("y"),
                t.get("text-anchor", "start"),
                t.get("font-weight") == "bold",
                "".join(t.itertext()),
            )
            for t in root.iter(f"{svg}text")
        ]
        assert drawn == [(number(t.x), number(t.y), t.anchor, t.bold, (t.full or "") + t.text) for t in layout.texts]
        squares = [mark for mark in layout.marks if mark.kind == "square" and mark.half]
        assert [(r.get("x"), r.get("y")) for r in root.iter(f"{svg}rect")][1:] == [
            (number(mark.middle - mark.half), number(mark.y - mark.half)) for mark in squares
        ]
