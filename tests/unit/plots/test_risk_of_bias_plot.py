"""Plots of risk of bias from plain tables: weights, palettes, and tables that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

import balm
from balm.plots.risk_of_bias_lights import PALETTES
from balm.plots.risk_of_bias_signs import SIGNS
from balm.review.risk_of_bias.plain_table import bias_table
from balm.review.risk_of_bias.words import JUDGEMENTS
from balm.vocabulary.problems import InputError

SMALL = {"Study": ["A", "B"], "D1": ["Low", "High"], "Overall": ["Low", "High"]}


def test_weights_weigh_and_can_be_left_out() -> None:
    weighted = {**SMALL, "Weight": ["75%", 25]}
    assert balm.risk_of_bias_shares(weighted)["D1"] == {"low": 75.0, "high": 25.0}
    assert balm.risk_of_bias_shares(weighted, weighted=False)["D1"] == {"low": 50.0, "high": 50.0}
    assert "Weighted by the meta-analysis" in balm.risk_of_bias_plot(weighted, kind="summary").description
    with pytest.raises(InputError, match="needs a column Weight"):
        balm.risk_of_bias_shares(SMALL, weighted=True)


def test_a_judgement_that_was_not_made_is_not_low_and_not_no_information() -> None:
    table = {"Study": ["A", "B", "C", "D"], "D1": ["Low", "", "No information", None]}
    assert balm.risk_of_bias_shares(table) == {"D1": {"low": 25.0, "no information": 25.0, "not judged": 50.0}}
    assert "B: D1 not judged" in balm.risk_of_bias_plot(table).description


def test_data_frames_and_lists_of_dicts_are_read_alike() -> None:
    import pandas
    import polars

    rows = [{"Study": "A", "D1": "low", "Overall": "Low"}, {"Study": "B", "D1": "high risk of bias", "Overall": "HIGH"}]
    for data in (rows, pandas.DataFrame(rows), polars.DataFrame(rows), SMALL):
        assert bias_table(data) == bias_table(SMALL)


def test_every_judgement_has_a_light_of_its_own_in_every_palette() -> None:
    for lights in PALETTES.values():
        assert set(JUDGEMENTS) <= set(lights)
        degrees = ["low", "some concerns", "high", "critical", "no information", "not applicable"]
        assert len({lights[word].fill for word in degrees}) == len(degrees)
        assert len({SIGNS[word] for word in degrees}) == len(degrees)
    assert set(SIGNS) == set(JUDGEMENTS)


def test_figures_are_kept_as_svg_png_and_pdf(tmp_path: Path) -> None:
    for ending, begins in ((".svg", b"<svg"), (".png", b"\x89PNG"), (".pdf", b"%PDF")):
        path = tmp_path / f"figure{ending}"
        balm.risk_of_bias_plot(SMALL, path, kind="summary", title="Two trials")
        assert path.read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"Study": ["A"], "D1": ["fine"]}, r"row 1, column D1: must be one of low, .*got 'fine'"),
        ({"Study": ["A"]}, "no column of a domain"),
        ({"Study": [], "D1": []}, "holds no study"),
        ({}, "has no columns"),
        ([], "data must be a CSV file"),
        (7, "data must be a CSV file"),
        ("nowhere.csv", "nowhere.csv: cannot be read"),
        ({"Study": ["A", ""], "D1": ["low", "low"]}, "row 2, column Study: must not be empty"),
        ({"Study": ["A"], "D1": ["low", "high"]}, "equally long"),
        ({"Study": ["A"], "D1": ["low"], "d1": ["low"]}, "column D1: stands in the header more than once"),
        ({"Study": ["A"], "D1": ["low"], "Weight": ["heavy"]}, "column Weight: must be a number of 0 or more"),
        ({"Study": ["A"], "D1": ["low"], "Weight": [-1]}, "column Weight: must be a number of 0 or more"),
        ({"Study": ["A"], "D1": ["low"], "Weight": [0]}, "add up to 0"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(data: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        balm.risk_of_bias_plot(data)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "pie"}, "kind must be one of"),
        ({"palette": "rainbow"}, "palette must be one of"),
        ({"tool": "RoB 3"}, "tool must be one of"),
        ({"weighted": False}, "weighted belongs to kind='summary'"),
        ({"width": 500}, "width belongs to kind='summary'"),
        ({"kind": "summary", "width": 20}, "width must be 320 or more"),
    ],
)
def test_an_option_that_is_wrong_or_does_not_apply_is_an_error(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        balm.risk_of_bias_plot(SMALL, **options)  # type: ignore[arg-type]
