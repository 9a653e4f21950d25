"""The template of the R package PRISMA2020: every count it holds stands in its box, and the sums are checked."""

from __future__ import annotations

import csv
import os

import pandas
import pytest

import balm
from balm.review.plain_flow import COUNTS, plain_flow
from balm.vocabulary.problems import InputError
from tests.reference.golden import CHECKOUT, shared

TEMPLATE = (shared() or CHECKOUT.parent / "shared") / "samples" / "rob_prisma_grade" / "PRISMA2020_template.csv"

if not TEMPLATE.is_file():
    if os.environ.get("CI"):
        raise RuntimeError("the sample collection is missing: put it in ../shared or set BALM_SHARED")
    pytest.skip("no sample collection beside this checkout (../shared/samples)", allow_module_level=True)


def test_the_template_is_read_with_every_count_and_named_reason() -> None:
    read = plain_flow(TEMPLATE)
    with TEMPLATE.open(encoding="utf-8", newline="") as lines:
        rows = {row["data"]: row for row in csv.DictReader(lines) if row["data"] in COUNTS}
    assert len(rows) == 24
    for key, row in rows.items():
        wanted = int(row["n"]) if row["n"].isdigit() else None
        assert getattr(read.flow, key) == wanted, key
    assert read.flow.dbr_excluded_reasons == (("Reason1", None), ("Reason2", None), ("Reason3", None))
    assert read.flow.is_update and read.flow.uses_other_methods and read.flow.problems() == ()
    assert balm.flow_diagram(pandas.read_csv(TEMPLATE)).svg == balm.flow_diagram(TEMPLATE).svg


def test_the_filled_template_is_drawn_with_its_links_or_refused_by_its_sums() -> None:
    table = pandas.read_csv(TEMPLATE, dtype=str)
    filled = {
        "previous_studies": 4, "previous_reports": 5, "database_results": 300, "register_results": 20,
        "duplicates": 60, "excluded_automatic": 5, "excluded_other": 5, "records_screened": 250,
        "records_excluded": 220, "dbr_sought_reports": 30, "dbr_notretrieved_reports": 2, "dbr_assessed": 28,
        "dbr_excluded": "Wrong design, 11; Acute pain, 7", "other_excluded": "Wrong design, 0", "new_studies": 9,
        "new_reports": 10, "total_studies": 13, "total_reports": 15,
    }  # fmt: skip
    table["n"] = [str(filled.get(key, n)) for key, n in zip(table["data"], table["n"], strict=True)]
    svg = balm.flow_diagram(table, links=True).svg
    for part in ("Reports excluded (n = 18)", "Acute pain (n = 7)", "Records screened (n = 250)", "screened.html"):
        assert part in svg
    table.loc[table["data"] == "total_studies", "n"] = "14"
    with pytest.raises(InputError, match=r"previous studies \(4\) \+ new studies \(9\) = 13, but total studies is 14"):
        balm.flow_diagram(table)
