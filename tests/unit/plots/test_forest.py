"""What a forest plot says and how it is written: read from the SVG as a reader, a program or a screen reader would."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

import balm
from balm.plots.forest import forest
from balm.plots.forest_table import forest_table
from balm.vocabulary.problems import InputError
from tests.unit.plots.results import BCG, grouped, pooled, risk_ratios, sizes

SVG = "{http://www.w3.org/2000/svg}"


def words(figure) -> list[str]:
    root = ElementTree.fromstring(figure.svg.encode("utf-8"))
    return ["".join([t.text or "", *[(c.tail or "") for c in t]]) for t in root.iter(f"{SVG}text")]


def row(figure, label: str) -> list[str]:
    """The texts on the line of ``label``."""
    root = ElementTree.fromstring(figure.svg.encode("utf-8"))
    texts = list(root.iter(f"{SVG}text"))
    y = next(t.get("y") for t in texts if t.text == label)
    return [t.text for t in texts if t.get("y") == y]


@pytest.fixture(scope="module")
def bcg():
    return balm.effect_sizes(
        "RR",
        events_1=[r[1] for r in BCG],
        n_1=[r[2] for r in BCG],
        events_2=[r[3] for r in BCG],
        n_2=[r[4] for r in BCG],
        study=[r[0] for r in BCG],
    )


def test_the_bcg_trials_read_like_revman(bcg):
    """Colditz et al. (1994); RevMan's random-effects result for these data is 0.49 [0.34, 0.70], Tau2 0.31, I2 92%."""
    fit = balm.pool(bcg, tau2="DL", inference="wald", prediction="none")
    figure = forest(fit, arms=("BCG", "No BCG"), favours=("Favours BCG", "Favours no BCG"))
    assert row(figure, "Aronson 1948") == ["Aronson 1948", "4", "123", "11", "139", "5.0%", "0.41 [0.13, 1.26]"]
    assert row(figure, "Total (95% CI)") == ["Total (95% CI)", "191064", "166283", "100.0%", "0.49 [0.34, 0.70]"]
    assert row(figure, "Total events") == ["Total events", "1065", "1510"]
    said = words(figure)
    assert "Heterogeneity: Tau² = 0.31; Chi² = 152.23, df = 12 (P < 0.001); I² = 92%" in said
    assert "Test for overall effect: Z = 4.00 (P < 0.001)" in said
    assert said.count("IV, Random, DL, 95% CI") == 2 and said.count("Risk ratio") == 2
    assert {"BCG", "No BCG", "Favours BCG", "Favours no BCG", "0.1", "0.2", "0.5", "1", "2", "5"} <= set(said)
    assert figure.title == "Forest plot: Risk ratio"
    assert figure.description == (
        "Risk ratio of 13 studies with 357347 participants: pooled 0.49, 95% confidence interval 0.34 to 0.70, "
        "P < 0.001; I² 92%. Left of the line: Favours BCG; right: Favours no BCG."
    )


def test_prediction_interval_and_hartung_knapp(bcg):
    """metafor 3.8, REML with Hartung-Knapp: t = -3.95 on 12 df; predict() gives 0.14 to 1.76 with t on 12 df."""
    figure = forest(balm.pool(bcg))
    assert row(figure, "95% prediction interval") == ["95% prediction interval", "[0.14, 1.76]"]
    assert "Test for overall effect: t = −3.95, df = 12 (P = 0.002)" in words(figure)
    assert "prediction interval 0.14 to 1.76" in figure.description
    assert "95% prediction interval" not in words(forest(balm.pool(bcg), prediction=False))


def test_intervals_of_heterogeneity(bcg):
    """metafor's vignette of the BCG trials, Q-profile: tau² 0.12 to 1.11, I² 81.9 to 97.7 %."""
    line = next(w for w in words(forest(balm.pool(bcg), heterogeneity_interval="q-profile")) if "Tau²" in w)
    assert "Tau² = 0.31 [0.12, 1.11]" in line and "I² = 92% [82%, 98%]" in line


def test_mantel_haenszel_says_so(bcg):
    assert "M-H, Fixed, 95% CI" in words(forest(balm.mantel_haenszel(bcg)))


def test_a_study_that_is_not_estimable_keeps_its_counts():
    es = risk_ratios([("A", 0, 50, 5, 50), ("B", 0, 40, 0, 41), ("C", 10, 100, 2, 100)])
    figure = forest(pooled(es))
    assert row(figure, "B") == ["B", "0", "40", "0", "41", "Not estimable"]
    assert row(figure, "Total (95% CI)")[1:3] == ["190", "191"]


@pytest.mark.parametrize("method", [balm.pool, balm.mantel_haenszel])
def test_studies_left_out_of_the_analysis_are_shown_in_their_place(method):
    """Two arms without events say nothing about a ratio, but the study was there (Cochrane Handbook, 10.4.4)."""
    es = balm.effect_sizes(
        "RR", events_1=[0, 0, 3], n_1=[50, 40, 60], events_2=[5, 0, 4], n_2=[50, 41, 60], study=["W", "Y", "X"]
    )
    fit = method(es)
    figure = forest(fit)
    assert row(figure, "Y") == ["Y", "0", "40", "0", "41", "Not estimable"]
    assert row(figure, "Total (95% CI)")[1:3] == ["150", "151"]
    labels = [w for w in words(figure) if w in "WXY"]
    assert labels == ["W", "Y", "X"]
    assert row(figure, "X")[-1] == f"{np.exp(es.effect[2]):.2f} [{np.exp(es.effect[2] - 1.959964 * es.se[2]):.2f}, " + (
        f"{np.exp(es.effect[2] + 1.959964 * es.se[2]):.2f}]"
    )
    assert "2 studies" in figure.description


def test_nothing_estimable_at_all():
    es = balm.effect_sizes("RR", events_1=[0, 0], n_1=[50, 40], events_2=[0, 0], n_2=[50, 41], study=["W", "Y"])
    figure = forest(balm.mantel_haenszel(es))
    assert row(figure, "W") == ["W", "0", "50", "0", "50", "Not estimable"]
    assert row(figure, "Total (95% CI)")[-1] == "Not estimable"
    assert "nan" not in figure.svg and "nan" not in figure.description


def test_totals_that_count_studies_that_were_not_pooled_say_so():
    es = balm.effect_sizes(
        "RR", events_1=[3, 0, 5], n_1=[50, 40, 60], events_2=[8, 0, 9], n_2=[50, 42, 61], study=["A", "B", "C"]
    )
    figure = forest(balm.pool(es))
    assert row(figure, "B")[-1] == "Not estimable" and row(figure, "Total (95% CI)")[1:3] == ["150", "153"]
    assert "Totals include 1 study that is not estimable and not pooled" in words(figure)
    assert figure.description.startswith("Risk ratio of 2 studies with 221 participants: pooled")
    assert not any("Totals include" in w for w in words(forest(balm.pool(es[[0, 2]]))))


def test_other_effects_than_those_pooled_are_refused(bcg):
    with pytest.raises(InputError, match="effects must hold the pooled studies"):
        forest(balm.pool(bcg), effects=bcg[[0, 1, 2]])


def test_subgroups(bcg):
    by = ["random"] * 7 + ["alternate"] * 2 + ["systematic"] * 4
    result = balm.subgroups(bcg, by=by)
    said = words(forest(result))
    assert said.count("Subtotal (95% CI)") == 3 and said.count("Total (95% CI)") == 1
    assert [w for w in said if w in ("random", "alternate", "systematic")] == ["random", "alternate", "systematic"]
    assert sum(w.startswith("Heterogeneity: ") for w in said) == 4
    between = next(w for w in said if w.startswith("Test for subgroup differences"))
    assert f"Chi² = {result.q_between:.2f}, df = 2" in between
    without = words(forest(result, overall=False))
    assert "Total (95% CI)" not in without and between in without


def test_leave_one_out_and_cumulative(bcg):
    fit = balm.pool(bcg)
    figure = forest(balm.leave_one_out(fit))
    assert row(figure, "Omitting TPT Madras 1980")[1] == "12"
    assert row(figure, "All studies (95% CI)")[-1] == "0.49 [0.33, 0.73]"
    said = words(forest(balm.cumulative(fit)))
    assert "Aronson 1948" in said and "+ Comstock et al 1976" in said and "All studies (95% CI)" not in said


def test_effects_alone(bcg):
    figure = forest(bcg)
    assert row(figure, "Aronson 1948")[-1] == "0.41 [0.13, 1.26]"
    assert "not pooled" in figure.description and "Total (95% CI)" not in words(figure)
    with pytest.raises(InputError, match="also does not apply"):
        forest(bcg, also=[1])


def test_single_group_proportions():
    es = balm.effect_sizes("PLO", events=[0, 15, 30], n=[20, 40, 60], study=["A", "B", "C"])
    figure = forest(balm.pool(es))
    said = words(figure)
    assert row(figure, "B") == ["B", "15", "40", *row(figure, "B")[3:]]
    assert row(figure, "B")[-1] == "0.38 [0.24, 0.53]"
    assert said.count("Proportion") == 2 and not any("overall effect" in w for w in said)
    assert "P = " not in figure.description


def test_freeman_tukey_goes_back_by_each_study_of_its_own_size():
    es = balm.effect_sizes("PFT", events=[0, 15, 60], n=[20, 40, 60], study=["A", "B", "C"])
    figure = forest(balm.pool(es))
    assert row(figure, "B")[-1].startswith("0.375 [") and row(figure, "C")[-1].startswith("1.000 [")


def test_generic_effects_and_log_ratios():
    es = balm.EffectSizes(effect=[0.1, -0.4], variance=[0.04, 0.09], study=["A", "B"])
    assert row(forest(es), "B") == ["B", "−0.40", "0.30", "−0.40 [−0.99, 0.19]"]
    assert row(forest(es, ratio=True, effect_name="Hazard ratio"), "B")[-1] == "0.67 [0.37, 1.21]"


def test_several_models_on_one_figure(bcg):
    figure = forest(balm.pool(bcg), also=[balm.pool(bcg, model="common", inference="wald")])
    said = words(figure)
    assert "Total (95% CI), random effects" in said and "Total (95% CI), common effect" in said
    assert said.count("100.0%") == 2 and "Heterogeneity (common effect): Chi² = 152.23" in " ".join(said)


def test_order(bcg):
    names = {r[0] for r in BCG}
    by_effect = [w for w in words(forest(bcg, sort="effect")) if w in names]
    assert by_effect[0] == "Vandiviere et al 1973" and by_effect[-1] == "Comstock & Webster 1969"
    by_year = [w for w in words(forest(bcg, sort=lambda s: s[-4:])) if w in names]
    assert [w[-4:] for w in by_year] == sorted(w[-4:] for w in by_year)
    assert [w for w in words(forest(bcg)) if w in names] == [r[0] for r in BCG]


def test_extra_columns_follow_the_study_when_sorted(bcg):
    figure = forest(bcg, extra={"Number": range(13), "Allocation": {"Aronson 1948": "random"}}, sort="effect")
    assert row(figure, "Comstock et al 1976")[1] == "12"
    assert row(figure, "Aronson 1948")[1:3] == ["0", "random"]
    with pytest.raises(InputError, match="needs 13 values"):
        forest(bcg, extra={"Number": [1]})


def test_risk_of_bias_carries_signs_and_words(bcg):
    figure = forest(bcg, risk_of_bias={"Aronson 1948": {"a": "Low", "b": "some concerns", "c": "high"}})
    assert row(figure, "A")[-3:] == ["A", "B", "C"]
    assert all(sign in words(figure) for sign in ("+", "?", "−"))
    assert "<title>some concerns</title>" in figure.svg
    with pytest.raises(InputError, match="risk_of_bias of 'Aronson 1948' must be one of"):
        forest(bcg, risk_of_bias={"Aronson 1948": ["fine"]})


def test_names_and_links_are_safe():
    bad = '"><script>alert(1)</script>&\x00'
    es = sizes([0.1, 0.2], [0.1, 0.1], [bad, "b"])
    figure = forest(
        pooled(es), title=bad, study_link=lambda s: "javascript:alert(1)", arms=(bad, bad), favours=(bad, bad)
    )
    root = ElementTree.fromstring(figure.svg.encode("utf-8"))
    assert not list(root.iter(f"{SVG}script"))
    assert {a.get("href") for a in root.iter(f"{SVG}a")} == {"#"}
    assert "<script" not in forest_table(pooled(es), title=bad)


def test_the_same_input_gives_the_same_bytes(bcg):
    fit = balm.pool(bcg)
    assert forest(fit).svg == forest(fit).svg


def test_options_are_checked(bcg, tmp_path):
    for options, words_ in (
        ({"favors": ("a", "b")}, "did you mean 'favours'"),
        ({"palette": "color"}, "palette must be one of"),
        ({"sort": "year"}, "sort must be one of"),
        ({"columns": ["weights"]}, "columns must be one of"),
        ({"digits": -1}, "digits must be"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"limits": (2, 1)}, "limits must be"),
        ({"limits": (0, 1)}, "limits must be two finite values, above 0"),
        ({"favours": "left"}, "favours must be a pair"),
        ({"font_size": 0}, "font_size must be"),
        ({"ratio": True}, "ratio applies to generic effects only"),
    ):
        with pytest.raises(InputError, match=words_):
            forest(bcg, **options)
    with pytest.raises(InputError, match="a forest plot is drawn of"):
        forest([1, 2])
    with pytest.raises(InputError, match="must end in"):
        forest(bcg, tmp_path / "a.jpg")


def test_saved_by_ending_through_the_result(bcg, tmp_path):
    fit = balm.pool(bcg)
    figure = fit.forest(tmp_path / "forest.svg")
    assert (tmp_path / "forest.svg").read_text("utf-8") == figure.svg
    fit.forest(tmp_path / "forest.png")
    assert (tmp_path / "forest.png").read_bytes()[1:4] == b"PNG"


def test_the_table_says_what_the_figure_says(bcg):
    result = balm.subgroups(bcg, by=["a"] * 6 + ["b"] * 7)
    table = ElementTree.fromstring(forest_table(result, arms=("BCG", "No BCG")))
    cells = ["".join(cell.itertext()) for cell in table.iter() if cell.tag in ("td", "th")]
    headings = {"Risk ratio", "IV, Random, REML, 95% CI"}
    axis = {"0.1", "0.2", "0.5", "1", "2", "5", "0.05"}
    figure = forest(result, arms=("BCG", "No BCG"))
    assert [w for w in words(figure) if w not in cells and w not in headings and w not in axis] == []
    assert {th.get("scope") for th in table.iter("th")} == {"col", "colgroup", "row", "rowgroup"}
    widths = [sum(int(c.get("colspan", "1")) for c in tr) for tr in table.iter("tr")]
    assert set(widths[:1] + widths[2:]) == {7} and widths[1] == 4


@pytest.mark.parametrize("measure", sorted(balm.MEASURES))
def test_every_measure_draws(measure):
    """On its own scale: three effects that every back-transformation can take."""
    es = sizes([0.4, 0.5, 0.6], [0.01, 0.02, 0.01], measure=measure, raw={})
    figure = forest(es, columns=("effect",))
    assert len([w for w in words(figure) if "[" in w]) == 3
    assert "nan" not in figure.svg and "inf" not in figure.svg


def test_subgroups_by_hand_with_everything_left_in_one():
    es = risk_ratios(BCG[:4])
    said = words(forest(grouped(es, ["a", "a", "b", "b"]), better="lower", arms=("X", "Y")))
    assert "Favours X" in said and said.index("Favours X") < said.index("Favours Y")
    assert np.isfinite(es.effect).all()
