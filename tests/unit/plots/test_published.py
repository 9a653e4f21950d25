"""Published results beside ours: true positions, ours marked, single-arm proportions apart, the MID with its source."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from balm.plots.published import Panel, PublishedRow, published_figure
from balm.plots.risk_of_bias import LIGHTS, risk_of_bias_figure
from balm.vocabulary.evidence import BiasJudgement
from balm.vocabulary.problems import InputError

SVG = "{http://www.w3.org/2000/svg}"
PAIN = Panel(
    "Pain intensity",
    "Mean difference on 0-10",
    (
        PublishedRow("This review", "1 week", "2", "100", -1.46, -4.12, 1.2, own=True, address="#analysis-pain"),
        PublishedRow("This review, one trial", "4 weeks", "1", "60", -2.77, -4.14, -1.4, own=True, single=True),
        PublishedRow("Orhurhu 2019", "up to 2 weeks", "7", "211", -1.83, -2.35, -1.31),
        PublishedRow("Cochrane 2025", "immediate", "67 in the review", "2309", -1.58, -3.21, 0.05),
    ),
    important=-1.0,
    important_source="a guideline habit",
    favours=("favours ketamine", "favours control"),
)
SERIES = Panel(
    "Responders in single-arm series",
    "Per cent",
    (PublishedRow("Zhao 2018", "1-3 months", "9", "258", 58, 41, 75),),
    null=None,
    limits=(0, 100),
    digits=0,
    note="Uncontrolled.",
)


def words(figure):
    return [
        (t.text or "") + "".join(child.tail or "" for child in t) for t in ET.fromstring(figure.svg).iter(f"{SVG}text")
    ]


def test_marks_stand_where_their_values_are():
    root = ET.fromstring(published_figure([PAIN]).svg)
    x = [float(c.get("cx")) for c in root.iter(f"{SVG}circle")]
    diamond = next(p for p in root.iter(f"{SVG}polygon"))
    corners = [float(pair.split(",")[0]) for pair in diamond.get("points").split()]
    ours = (min(corners) + max(corners)) / 2
    assert (x[0] - x[1]) / (ours - x[1]) == pytest.approx((-1.83 + 1.58) / (-1.46 + 1.58), rel=0.02)


def test_values_are_printed_with_a_true_minus_and_ours_leads_to_its_rows():
    figure = published_figure([PAIN])
    assert "−1.83 [−2.35, −1.31]" in words(figure)
    assert 'href="#analysis-pain"' in figure.svg


def test_the_important_difference_is_drawn_with_its_source():
    text = " ".join(words(published_figure([PAIN])))
    assert "minimal important difference −1.00. Source: a guideline habit." in text


def test_single_arm_proportions_stand_in_their_own_panel_with_its_own_axis():
    figure = published_figure([PAIN, SERIES])
    text = words(figure)
    assert text.index("Responders in single-arm series") > text.index("Pain intensity")
    assert "100" in text and "Uncontrolled." in text
    assert f"{SVG}g" in {e.tag for e in ET.fromstring(figure.svg).iter()}


def test_an_interval_beyond_the_axis_ends_in_an_arrow():
    row = PublishedRow("Wide", "", "1", "10", 95, 60, 120)
    figure = published_figure([Panel("P", "Per cent", (row,), null=None, limits=(0, 100))])
    assert len(list(ET.fromstring(figure.svg).iter(f"{SVG}polygon"))) == 1


def test_long_texts_are_wrapped_and_never_cut():
    long = PublishedRow("A review with a very long name of its own", "up to 1 week, 1 to 4 weeks", "67 RCTs in review "
                        "(all NMDA antagonists)", "Krankenhausaufenthaltsdauer", -1, -2, 0)  # fmt: skip
    short = PublishedRow("Short", "1 wk", "3", "90", -1, -2, 0)
    figure = published_figure([Panel("Pain", "MD", (long, short))])
    text = words(figure)
    assert "…" not in figure.svg
    assert {"up to 1 week, 1 to", "4 weeks"} <= set(text) or {"up to 1 week, 1 to 4", "weeks"} <= set(text)
    assert "".join(long.people[:1]) == "K" and "Krankenhausaufenthaltsdauer" in "".join(text)
    assert figure.height > published_figure([Panel("Pain", "MD", (short, short))]).height


def test_outcomes_of_a_panel_are_sub_headings_said_once():
    rows = [PublishedRow(n, "1 wk", "3", "90", 2, 1, 3, outcome=o) for n, o in (("A", "Sedation"), ("B", "Sedation"),
                                                                              ("C", "Dizziness"))]  # fmt: skip
    text = words(published_figure([Panel("Harm", "RR", tuple(rows), ratio=True, null=1)]))
    assert [t for t in text if t in ("A", "B", "C", "Sedation", "Dizziness")] == [
        "Sedation", "A", "B", "Dizziness", "C",
    ]  # fmt: skip


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (float("nan"), 1.0), (3.0, 1.0)])
def test_an_estimate_outside_its_interval_is_named(low, high):
    row = PublishedRow("Wrong 2020", "", "", "", 2.0, low, high)
    with pytest.raises(InputError, match="Wrong 2020"):
        published_figure([Panel("P", "MD", (row,))])


def test_nothing_to_draw_and_a_ratio_of_zero_are_refused():
    with pytest.raises(InputError, match="no pooled result"):
        published_figure([Panel("P", "MD", ())])
    with pytest.raises(InputError, match="a ratio must be above 0"):
        published_figure([Panel("P", "RR", (PublishedRow("A", "", "", "", 1, 0.0, 2),), ratio=True, null=1)])


def judgement(study, domain, word):
    return BiasJudgement(study, None, "RoB 1", domain, word, None, None, None, None, True)


def test_each_judgement_is_a_light_with_a_sign_and_an_unknown_word_is_printed():
    made = [judgement("a", "Sample size", "high"), judgement("b", "Blinding", "low"), judgement("b", "Size", "odd")]
    figure = risk_of_bias_figure(made, labels={"a": "Mercadante 2000"})
    text = words(figure)
    assert "Mercadante 2000" in text and "odd" in text
    assert text.count(LIGHTS["high"].sign) == 2, "one light and its key"
    assert "Mercadante 2000, Sample size: high" in figure.description
    with pytest.raises(InputError, match="no risk-of-bias judgement"):
        risk_of_bias_figure([])
