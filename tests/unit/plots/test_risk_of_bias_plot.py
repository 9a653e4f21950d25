"""Plots of risk of bias from plain tables: weights, palettes, and tables that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

import balm
from balm.plots.risk_of_bias import KINDS
from balm.plots.risk_of_bias_lights import PALETTES
from balm.plots.risk_of_bias_signs import SIGNS
from balm.review.risk_of_bias.plain_table import bias_table
from balm.review.risk_of_bias.tools import TOOLS
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
        ({"Study": ["A", "B"], "D1": ["fine", "low"]}, r"row 1, column D1: must be one of low, .*got 'fine'$"),
        ({"Study": ["A", "B", "C"], "D1": ["?", "low", "?"]}, r"row 1, column D1: .*got '\?' \(and in 1 more row\)$"),
        (
            {"Study": ["A"] * 9, "D1": ["low"] * 9, "Note": ["x"] * 9},
            r"^column Note: no cell is a judgement .*leave out",
        ),
        ({"D1": ["low"], "D2": ["high"]}, "column D1: there is no column Study, and the first one holds judgements"),
        ({"Study": "A", "D1": ["low"]}, "column Study: must be a list of cells"),
        ({"Study": ["A"], "D1": ["low"], "Weight": [""]}, "column Weight: .*got an empty cell"),
        ({"Study": ["A"], "D1": ["low"], "Weight": ["12,5"]}, r"\(with a decimal point\)"),
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


def test_cells_that_pandas_calls_missing_are_not_judged_and_its_index_names_the_studies() -> None:
    import pandas

    cells = pandas.array(["Low", pandas.NA], dtype="string")
    assert bias_table(pandas.DataFrame({"Study": ["A", "B"], "D1": cells})).judgements == (("low",), (None,))
    assert bias_table(pandas.DataFrame({"D1": ["Low"]}, index=["Smith 2019"])).studies == ("Smith 2019",)
    assert bias_table(pandas.DataFrame({"D1": ["Low"]}, index=pandas.Index([7], name="study"))).studies == ("7",)
    kept = pandas.DataFrame({"trial": ["A", "B"], "D1": ["Low", "High"]})[1:]
    assert bias_table(kept).studies == ("B",)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_file_may_be_split_by_commas_semicolons_or_tabs_and_have_empty_ends(mark: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    lines = [["Study", "D1", "Overall", "", ""], ["A", "Low", "Low", "", ""], [""] * 5, ["B", "High", "High", "", ""]]
    path.write_text("\ufeff" + "\r\n".join(mark.join(line) for line in lines), encoding="utf-8")
    assert bias_table(path) == bias_table(SMALL)
    path.write_text('Study,D1\n"A,Low\n', encoding="utf-8")
    with pytest.raises(InputError, match="quotation mark that is not closed"):
        bias_table(path)


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_every_tool_names_its_domains_and_knows_its_words_in_every_figure(tool: str) -> None:
    own = TOOLS[tool]
    row = {code.capitalize(): own.judgements[i % len(own.judgements)] for i, code in enumerate(own.domains)}
    data = [{"Study": f"{word} trial", **row, "Overall": word} for word in (*own.judgements, "no information")]
    table = bias_table(data, tool=tool)
    assert table.domains == tuple(own.domains.values())
    for kind in KINDS:
        figure = balm.risk_of_bias_plot(data, kind=kind, tool=tool)
        assert all(name in figure.description for name in own.domains.values())


def test_a_table_of_another_tool_is_refused_with_the_tools_that_fit() -> None:
    data = {"Study": ["A", "B"], "D1": ["Moderate", "Low"], "D7": ["Low", "Serious"]}
    with pytest.raises(InputError) as caught:
        bias_table(data, tool="RoB 2")
    first, second = str(caught.value).splitlines()
    assert first.startswith("row 1, column D1: 'moderate' and 'serious' are no judgements of RoB 2 (low, some concerns")
    assert first.endswith("tool='ROBINS-I' or 'ROBINS-I V2' has them all")
    assert second == "column D7: RoB 2 has no such domain; it has D1, D2, D3, D4, D5"


def test_words_of_newer_tools_are_read() -> None:
    table = {"Study": ["A"], "D1": ["Low risk of bias (except for concerns about uncontrolled confounding)"]}
    assert bias_table(table, tool="ROBINS-I V2").judgements == (("low",),)
    assert bias_table({"Study": ["A"], "D1": ["Very high risk"]}, tool="ROBINS-E").judgements == (("very high",),)


def test_a_long_name_takes_two_lines_so_that_its_year_is_seen() -> None:
    name = "Anaesthesia and Intensive Care Unit Study Group of the North 2004"
    assert "North 2004</text>" in balm.risk_of_bias_plot({"Study": [name], "D1": ["low"]}).svg


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
