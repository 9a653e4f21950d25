"""The search export of the demonstration is read as it is meant: nothing in it needs a repair."""

from __future__ import annotations

import re
from pathlib import Path

from balm.actions.records import read_records
from balm.actions.review import package_bytes
from balm.actions.team.demonstration_search import demonstration_export
from balm.review.reading import read_package

KETAMINE = Path(__file__).resolve().parents[2] / "reviews" / "ketamine-chronic-pain"


def test_its_receipt_shows_no_repair_and_its_identifiers_are_where_they_belong(tmp_path):
    package, _ = read_package(package_bytes(KETAMINE), KETAMINE)
    file = tmp_path / "reports.ris"
    file.write_bytes(demonstration_export(package))
    records = read_records(file)
    assert records.receipt.problems == () and records.receipt.read == len(package.reports)
    for record, report in zip(records, package.reports, strict=True):
        assert record.doi == (report.doi.lower() if report.doi else record.doi)
        assert record.pmid == (report.pmid or record.pmid)
        assert not record.accession_numbers
        if told := re.search(r"pubmed\.ncbi\.nlm\.nih\.gov/(\d+)", report.url or ""):
            assert record.pmid in (told[1], report.pmid)
