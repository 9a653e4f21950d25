"""The labelled sets as records with the number of the work each belongs to; each set in its own layout."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from balm.actions.records import read_records
from balm.vocabulary.record import Record

#: Sets with clusters: folder -> (records, clusters, how the cluster file names a record).
CLUSTERED = {
    "cytology_screening": ("records_pre_merged.csv.gz", "merged_record_ids.csv", "{}"),
    "respiratory": ("records_pre_merged.csv.gz", "merged_record_ids.csv", "{}"),
    "special_cases": ("records_pre_merged.csv.gz", "merged_record_ids.csv", "{}"),
    "diabetes_ASySD": ("labelled_test_set.csv.gz", "merged_record_ids_bib-dedupe.csv", "id_{:0>7}"),
}
#: Sets that only mark every member of a group: folder -> (records, (tag, value)).
MARKED = {"sweep_copper": ("copper.xml.gz", ("CA", "Duplicate"))}


def clustered(folder: Path, name: str) -> tuple[Sequence[Record], list[int]]:
    """The records of one set and, beside each, the number of its work."""
    file, groups, spelling = CLUSTERED[name]
    records = read_records(folder / name / file)
    work: dict[str, int] = {}
    with open(folder / name / groups, newline="", encoding="utf-8") as handle:
        for number, row in enumerate(csv.DictReader(handle), start=1):
            for record in row["merged_ids"].split(";"):
                work[record] = number
    return records, [work.get(spelling.format(r.id), -k) for k, r in enumerate(records, start=1)]
