"""Batches as a table: read back whole, and every gap named."""

from __future__ import annotations

from pathlib import Path

import pytest

from balm.actions.new_review import plan
from balm.review.reading import read_package
from balm.review.schema import TABLE_BY_FILE, TABLES
from balm.review.screening.frozen import batches_of, to_read
from balm.review.tables import read_table, write_table
from balm.vocabulary.evidence import BatchPlace, Vote

TA = "title-abstract"
BATCHES = TABLE_BY_FILE["batches.csv"]


def read(rows: str):
    files = {t.file: write_table([], t).encode() for t in TABLES} | {"review.toml": plan("trial").encode()}
    files["records.csv"] += b"a,,A,,,,,,,\nb,,B,,,,,,,\nc,,C,,,,,,,\n"
    files["batches.csv"] += rows.encode()
    return read_package(files, Path("x"))


def test_batches_are_read_in_their_order_and_written_as_they_were():
    rows = (
        f"1,2,b,{TA},likeness,0,2026-01-01\n"
        f"1,1,a,{TA},likeness,0,2026-01-01\n"
        f"2,1,c,{TA},decisions,2,\n"
        "1,1,c,full-text,chance,,\n"
    )
    package, problems = read(rows)
    assert problems == ()
    found = batches_of(package.batches, TA)
    assert [(b.number, b.records, b.basis) for b in found] == [(1, ("a", "b"), "likeness"), (2, ("c",), "decisions")]
    assert package.batches[2].learned == 2 and package.batches[3].time is None
    text = write_table(package.batches, BATCHES)
    assert text.endswith(rows)
    assert read_table(text, BATCHES) == (package.batches, [])


@pytest.mark.parametrize(
    "rows, row, column, said",
    [
        (f"1,1,a,{TA},chance,,\n1,1,b,{TA},chance,,\n", 2, "place", "place 1 of batch 1 is taken by row 1"),
        (f"1,1,a,{TA},chance,,\n1,3,b,{TA},chance,,\n", 1, "place", "has no place 2"),
        (f"2,1,a,{TA},chance,,\n", 1, "batch", "has no batch 1 before it"),
        (f"1,1,a,{TA},chance,,\n2,1,a,{TA},chance,,\n", 2, "stage", "stands in row 1 already"),
        (f"1,1,z,{TA},chance,,\n", 1, "record", "records.csv"),
        (f"0,1,a,{TA},chance,,\n", 1, "batch", "whole number of 1 or more"),
        (f"1,1,a,{TA},guess,,\n", 1, "basis", "must be one of"),
    ],
)
def test_a_broken_table_is_named(rows, row, column, said):
    package, problems = read(rows)
    assert package is None
    assert [(p.file, p.row, p.column) for p in problems] == [("batches.csv", row, column)]
    assert said in problems[0].reason


def test_a_reviewer_reads_what_is_left_of_the_batches():
    batches = batches_of([BatchPlace(1, i + 1, r, TA, "chance") for i, r in enumerate("abcd")], TA)

    def vote(record, who, kind="vote"):
        return Vote(record, TA, who, "include", kind, None, None)

    votes = [vote("a", "A"), vote("b", "B"), vote("c", "B"), vote("c", "C"), vote("d", "X", "adjudication")]
    assert to_read(batches, votes, "A") == ("b",)
    assert to_read(batches, votes, "B") == ("a",)
    assert to_read(batches, votes, "A", reviewers=3) == ("b", "c")
