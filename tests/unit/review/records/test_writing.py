"""Writing and reading back: the same fields, in every format; cells that no spreadsheet runs."""

from __future__ import annotations

import csv
import dataclasses
import io
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balm.review.records.own_table import safe_cell, unsafe_cell
from balm.review.records.writers import WRITERS
from balm.vocabulary.record import DECISIONS, RECORD_TYPES, Record, Vote
from tests.unit.review.records.reading import read

#: Where a record was read is not written; foreign tags are kept whole in CSV only.
NOT_COMPARED = {"source_file", "ordinal", "lines", "other"}

FULL = Record(
    id="x:1",
    type="preprint",
    title="50 % of {all} & more: 10 $ for_you # ~ ^ \\ end",
    original_title="Über Schmerz",
    authors=("Lynch, Mary E.", "Health and Safety Executive", "Šimić, Ž."),
    editors=("Doe, J.",),
    year=2009,
    date="2009 Mar",
    journal="Journal of Pain",
    journal_abbreviation="J Pain",
    volume="12",
    issue="3 Suppl 1",
    pages="221-8",
    doi="10.1002/(sici)1097-0258(19990530)18:10<1123::aid-sim1>3.0.co;2-h",
    pmid="12345678",
    pmcid="PMC1234567",
    accession_numbers=("EMB:1", "NCT01234567"),
    issn=("0304-3959", "1872-6623"),
    isbn=("9780306406157",),
    abstract="AIM: one.\nTY  - JOUR\n\nER\nPMID- 12\n@article{x, end.",
    keywords=("Pain, Postoperative", "a; b", "Ketamine/*adverse effects"),
    language="eng",
    urls=("https://example.org/a_b?c=1&d=%20", "https://example.org/2"),
    publication_types=("Journal Article", "Review"),
    publisher="Elsevier & Sons",
    place="London",
    affiliations=("Somewhere, UK.", "Elsewhere"),
    notes=("A note", "two\nlines"),
    database="Embase",
    decision="maybe",
    votes=(Vote("Emily", "include"), Vote("Bo", "exclude", "wrong population")),
)


def back(record: Record, ending: str) -> Record:
    data = "".join(WRITERS[ending]([record])).encode()
    records, tally = read(data, name="x" + ending)
    assert (len(records), tally.rejected) == (1, 0)
    return records[0]


def differences(a: Record, b: Record, *, also: tuple[str, ...] = ()) -> list[str]:
    names = [f.name for f in dataclasses.fields(a) if f.name not in NOT_COMPARED or f.name in also]
    return [f"{n}: {getattr(a, n)!r} -> {getattr(b, n)!r}" for n in names if getattr(a, n) != getattr(b, n)]


@pytest.mark.parametrize("ending", WRITERS)
def test_every_field_comes_back(ending):
    assert differences(FULL, back(FULL, ending)) == []


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("kind", RECORD_TYPES)
def test_every_kind_comes_back(ending, kind):
    record = Record(id="1", type=kind, title="T", year=2001)
    assert differences(record, back(record, ending)) == []


def words(alphabet: str, most: int = 40) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=1, max_size=most).map(lambda s: " ".join(s.split())).filter(bool)


TEXT = string.ascii_letters + string.digits + " .,:()[]'\"/&%$#_{}~^\\<>@!?=+*|é–中µ-"
#: Names and keywords hold no semicolon, which separates them in half of all exports.
NAME = string.ascii_letters + " .'é-"
RECORDS = st.builds(
    Record,
    id=words(string.ascii_letters + string.digits, 12),
    type=st.sampled_from(RECORD_TYPES),
    title=words(TEXT),
    authors=st.lists(words(NAME, 15), max_size=4, unique=True).map(tuple),
    year=st.none() | st.integers(1800, 2100),
    journal=st.none() | words(TEXT),
    volume=st.none() | words(string.digits + string.ascii_letters, 5),
    abstract=st.none() | st.lists(words(TEXT + ";", 60), min_size=1, max_size=4).map("\n".join),
    keywords=st.lists(words(NAME + ",", 15), max_size=4, unique=True).map(tuple),
    publisher=st.none() | words(TEXT),
    decision=st.none() | st.sampled_from(DECISIONS),
    votes=st.lists(
        st.builds(Vote, words(TEXT, 10), st.sampled_from(DECISIONS), st.none() | words(TEXT, 10)), max_size=2
    ).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(RECORDS, st.sampled_from(list(WRITERS)))
def test_any_record_comes_back(record, ending):
    assert differences(record, back(record, ending)) == []


def test_csv_keeps_foreign_tags_too():
    record = dataclasses.replace(FULL, other=(("ZZ", "a; b"), ("N\\1", "=x")))
    assert differences(record, back(record, ".csv"), also=("other",)) == []


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\tx", "＝1"])
def test_no_cell_of_the_csv_is_a_formula(cell):
    text = "".join(WRITERS[".csv"]([Record(id=cell.strip(), title=cell, authors=(cell,))]))
    for row in csv.reader(io.StringIO(text)):
        assert not [c for c in row if c.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))]


@given(st.text(max_size=20))
def test_making_a_cell_safe_can_be_undone(text):
    assert unsafe_cell(safe_cell(text)) == text


def test_a_wrong_cell_of_our_own_table_is_named():
    text = "".join(WRITERS[".csv"]([FULL])).replace("preprint", "something")
    _, tally = read(text, name="x.csv")
    assert tally.rejected == 1 and "column type: must be one of" in tally.entries[0].why
