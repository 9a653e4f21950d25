"""Writing and reading back: the same fields, in every format; cells that no spreadsheet runs."""

from __future__ import annotations

import csv
import dataclasses
import io
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from balm.review.records.writers import WRITERS
from balm.vocabulary.record import DECISIONS, RECORD_TYPES, Record, Vote
from balm.vocabulary.spreadsheet_cell import safe_cell, unsafe_cell
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
def test_a_name_that_bibtex_takes_for_et_al_comes_back(ending):
    assert back(Record(id="1", title="T", authors=("Doe, Jane", "others")), ending).authors == ("Doe, Jane", "others")


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
WORD = string.ascii_letters + string.digits


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


def several(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(strategy, max_size=3, unique=True).map(tuple)


def coded(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


def with_journal(record: Record) -> Record:
    """An abbreviation that stands alone, or is the name, is read as the journal."""
    if record.journal in (None, record.journal_abbreviation):
        return dataclasses.replace(record, journal_abbreviation=None)
    return record


#: Every field of the model, save the date (its year has to agree) and the place in the file.
RECORDS = st.builds(
    Record,
    id=words(WORD, 12),
    type=st.sampled_from(RECORD_TYPES),
    title=words(TEXT),
    original_title=maybe(words(TEXT)),
    authors=several(words(NAME, 15)),
    editors=several(words(NAME, 15)),
    year=maybe(st.integers(1800, 2100)),
    journal=maybe(words(TEXT)),
    journal_abbreviation=maybe(words(TEXT)),
    volume=maybe(words(WORD, 5)),
    issue=maybe(words(WORD + " -", 6)),
    pages=maybe(coded(r"e?[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?")),
    doi=maybe(coded(r"10\.[1-9][0-9]{3,5}/[a-z0-9._]{0,8}[a-z0-9]")),
    pmid=maybe(coded(r"[1-9][0-9]{0,7}")),
    pmcid=maybe(coded(r"PMC[1-9][0-9]{2,7}")),
    accession_numbers=several(words(string.ascii_letters + ":", 12)),
    issn=several(coded(r"[0-9]{4}-[0-9]{3}[0-9X]")),
    isbn=several(coded(r"978[0-9]{10}")),
    abstract=maybe(st.lists(words(TEXT + ";", 60), min_size=1, max_size=4).map("\n".join)),
    keywords=several(words(NAME + ",;", 15)),
    language=maybe(words(string.ascii_letters, 8)),
    urls=several(words(string.ascii_letters + "/?=&_%.", 15).map("https://example.org/{}".format)),
    publication_types=several(words(string.ascii_letters + " -", 15)),
    publisher=maybe(words(TEXT)),
    place=maybe(words(TEXT)),
    affiliations=several(words(TEXT + ";", 30)),
    notes=several(words(TEXT + ";", 30)),
    database=maybe(words(TEXT)),
    decision=maybe(st.sampled_from(DECISIONS)),
    votes=several(st.builds(Vote, words(TEXT, 10), st.sampled_from(DECISIONS), maybe(words(TEXT, 10)))),
).map(with_journal)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


def test_what_we_wrote_needs_no_repair():
    _, tally = read("".join(WRITERS[".ris"]([FULL])), expect="ris")
    assert not tally.entries


def test_pages_with_two_hyphens_come_back_from_bibtex() -> None:
    """As RIS made from BibTeX by R packages has them: ``SP  - 2361--2368``."""
    for pages in ("2361--2368", "1-2", "S1---S4", "12"):
        assert back(Record(id="a", title="Ketamine", pages=pages), ".bib").pages == pages
