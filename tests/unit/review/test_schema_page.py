"""The reference page says what the schema says, and every table's columns are the fields of its rows."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from balm.review.package import Package
from balm.review.schema import STATEMENT, TABLES
from balm.review.schema_page import reference_page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "review-package.md"


def test_the_page_is_up_to_date():
    said = "regenerate it: python -c 'from balm.review.schema_page import reference_page as p; print(p(), end=\"\")'"
    assert PAGE.read_text(encoding="utf-8") == reference_page(), said


@pytest.mark.parametrize("table", [*TABLES, STATEMENT], ids=lambda t: t.file)
def test_columns_are_the_fields_of_a_row(table):
    place = ("row", "file") if table is STATEMENT else ("row",)
    names = [f.name for f in fields(table.row) if f.name not in place]
    assert [c.name for c in table.columns] == names
    assert table.attribute in {f.name for f in fields(Package)}
    assert set(table.key) <= set(names)
