"""A PRISMA 2020 diagram from anybody's table: the package's template, data frames, counts by key, and what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas
import pytest

import balm
from balm.report.flow_table import flow_csv
from balm.review.plain_flow import plain_flow
from balm.vocabulary.problems import InputError
from tests.unit.plots.test_flow import WHOLE, words

NEW = {
    "database_results": "1,200",
    "database_specific_results": "MEDLINE, 700; Embase, 500",
    "register_results": 34,
    "duplicates": 300,
    "excluded_automatic": 0,
    "excluded_other": 0.0,
    "records_screened": 934,
    "records_excluded": 880,
    "dbr_sought_reports": 54,
    "dbr_notretrieved_reports": 2,
    "dbr_assessed": 52,
    "dbr_excluded": "Wrong population, adults only, 20; No control group, 20",
    "new_studies": 10,
    "new_reports": 12,
}
ROWS: list[dict[str, Any]] = [{"data": key, "n": n} for key, n in NEW.items()]


def test_the_table_that_a_review_writes_is_read_as_the_same_flow(tmp_path: Path) -> None:
    path = tmp_path / "flow.csv"
    path.write_bytes(flow_csv(WHOLE))
    assert plain_flow(path).flow == WHOLE
    assert balm.flow_diagram(path).svg == balm.flow_diagram(WHOLE).svg


@pytest.mark.parametrize("data", [NEW, ROWS, pandas.DataFrame(ROWS)], ids=["by key", "list of dicts", "data frame"])
def test_counts_by_key_rows_and_frames_give_one_diagram(data: Any, tmp_path: Path) -> None:
    figure = balm.flow_diagram(data, tmp_path / "flow.pdf")
    assert (tmp_path / "flow.pdf").read_bytes().startswith(b"%PDF")
    said = words(figure)
    for part in (
        "Identification of studies via databases and registers",
        "Databases (n = 1\u202f200) MEDLINE (n = 700)",
        "Duplicate records removed (n = 300) Records marked as ineligible by automation tools (n = 0)",
        "Reports excluded (n = 40) Wrong population, adults only (n = 20)",
        "Studies included in review (n = 10) Reports of included studies (n = 12)",
    ):
        assert part in said
    assert "Previous" not in said and "other methods" not in said and "meta-analysis" not in said


def test_previous_studies_and_other_methods_are_drawn_where_the_table_has_them() -> None:
    more = {"previous_studies": 5, "total_studies": 15, "total_studies_ma": 9, "citations_results": 0}
    said = words(balm.flow_diagram(NEW | more))
    for part in (
        "Studies included in previous version of review (n = 5)",
        "Identification of new studies via other methods",
        "Citation searching (n = 0)",
        "New studies included in review (n = 10)",
        "Total studies included in review (n = 15) Reports of total included studies (n not known)",
        "Studies in a meta-analysis (n = 9)",
    ):
        assert part in said
    assert "meta-analysis" not in words(balm.flow_diagram(NEW | more, synthesis_box=False))


def test_boxes_lead_to_the_addresses_of_the_table_or_to_ones_own() -> None:
    rows = [{**row, "url": f"{row['data']}.html"} for row in ROWS]
    svg = balm.flow_diagram(rows, links=True).svg
    assert '<a href="records_screened.html">' in svg and svg.count("<a ") == svg.count("</a>") == 9
    assert "<a " not in balm.flow_diagram(rows).svg
    assert '<a href="#screened">' in balm.flow_diagram(NEW, links={"records_screened": "#screened"}).svg


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        ({"records_screend": 5}, {}, "'records_screend' is not a count .*did you mean 'records_screened'"),
        ({"a": 5}, {}, "'a' is not a count .*the keys are previous_studies"),
        ({"duplicates": -3}, {}, "flow: duplicates must be a whole number of 0 or more.*got '-3'"),
        ({"duplicates": 3.5}, {}, "got '3.5'"),
        ({"duplicates": True}, {}, "got 'True'"),
        ({"dbr_excluded": "acute pain, many"}, {}, "dbr_excluded, acute pain must be a whole number.*got 'many'"),
        ({"dbr_excluded": "acute pain, 3; 7"}, {}, "needs a name and a number, as 'acute pain, 7'; got '7'"),
        ([*ROWS, {"data": "duplicates", "n": 4}], {}, "flow, row 15: 'duplicates' stands in the table more than once"),
        ([{"data": "duplicates", "n": "x"}], {}, "flow, row 1, column n: duplicates must be"),
        ([{"data": "duplicates"}], {}, "no column n; it needs data and n"),
        ({}, {}, "holds no count"),
        (None, {}, "data must be a CSV file"),
        (NEW | {"records_screened": 935}, {}, r"(?s)must be records screened: 934, not 935.*excluded \(880\) must be"),
        (NEW, {"links": True}, "links=True needs a column url"),
        (NEW, {"links": {"screened": "x"}}, "links must be one of"),
    ],
)
def test_what_is_wrong_is_named(data: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        balm.flow_diagram(data, **options)
