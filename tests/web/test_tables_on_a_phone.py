"""A table of lines becomes blocks on a phone: each of its cells says the heading that stood above it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import balm.web

TEMPLATES = Path(balm.web.__file__).parent / "templates"
STACKED = {
    f"{path.relative_to(TEMPLATES)}, table {number}": table
    for path in sorted(TEMPLATES.rglob("*.html"))
    for number, table in enumerate(re.findall(r"(?s)<table.*?</table>", path.read_text()), 1)
    if re.match(r'<table class="[^"]*\bstacked\b', table)
}


def test_there_are_some() -> None:
    assert len(STACKED) > 12


@pytest.mark.parametrize("place", STACKED)
def test_each_label_of_a_cell_is_a_heading_of_its_table(place: str) -> None:
    head, _, body = STACKED[place].partition("<tbody")
    headings = {re.sub(r"<[^>]+>|\{[{%].*?[%}]\}", "", found).strip() for found in re.findall(r"<th\b.*?</th>", head)}
    labels = set(re.findall(r'data-label="([^"]*)"', body))
    assert {label for label in labels if "{{" not in label} <= headings, (labels - headings, headings)
