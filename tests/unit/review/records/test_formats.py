"""Every format but RIS: a small record of each, with the traps its exports set."""

from __future__ import annotations

import io
import json
import time
import zipfile

import pytest

from balm.review.records import bibtex, medline, xml_formats
from balm.review.records.formats import READERS
from balm.review.records.receipt import Tally
from balm.review.records.recognise import recognise
from balm.vocabulary.problems import InputError
from tests.unit.review.records.reading import read, whys

NBIB = """
PMID- 30776994
OWN - NLM
IS  - 1524-4628 (Electronic)
VI  - 50
DP  - 2019 Mar
TI  - [Impact of Balloon Guide Catheter Use on
      Outcomes].
TT  - Einfluss.
LID - S0304-3959(09)00362-0 [pii]
LID - 10.1161/STROKEAHA.118.021126 [doi]
AB  - First.
FAU - Nguyen, Thanh N
AU  - Nguyen TN
FAU - Castonguay, Alicia C
AU  - Castonguay AC
PT  - Journal Article
TA  - Stroke
JT  - Stroke; a journal of cerebral circulation
MH  - *Stroke
PMC - PMC1234567

PMID- 2
TI  - Second
"""


def test_medline():
    (a, b), tally = read(NBIB, expect="medline")
    assert (a.pmid, a.id, a.doi, a.pmcid) == ("30776994", "30776994", "10.1161/strokeaha.118.021126", "PMC1234567")
    assert a.authors == ("Nguyen, Thanh N", "Castonguay, Alicia C")
    assert a.title == "[Impact of Balloon Guide Catheter Use on Outcomes]." and a.original_title == "Einfluss."
    assert (a.year, a.date, a.journal_abbreviation, a.issn) == (2019, "2019 Mar", "Stroke", ("1524-4628",))
    assert b.title == "Second" and not tally.entries
    assert ("LID", "S0304-3959(09)00362-0 [pii]") in a.other


def test_medline_named_ris_is_recognised_by_content():
    assert recognise(NBIB.encode(), "search.ris") == "medline"


WOS = """FN Clarivate Analytics Web of Science
VR 1.0
PT J
AU Parkes, PS
   Majeed, AP
AF Parkes, Pamela S.
   Majeed, Ali P.
TI Interactions stabilizing the structure of the
   complex
SO BIOCHEMISTRY
ID SYNTHESIZED POLYPEPTIDES; ANTENNA
   COMPLEX
SN 0006-2960
PY 1995
VL 34
BP 1
EP 5
DI 10.1021/BI00014A026
UT WOS:A1995QR33600026
ER

PT C
TI Second
ER

EF
"""


def test_web_of_science():
    (a, b), tally = read(WOS, expect="wos")
    assert a.authors == ("Parkes, Pamela S.", "Majeed, Ali P.")
    assert a.title == "Interactions stabilizing the structure of the complex"
    assert a.keywords == ("SYNTHESIZED POLYPEPTIDES", "ANTENNA COMPLEX")
    assert (a.doi, a.pages, a.id) == ("10.1021/bi00014a026", "1-5", "WOS:A1995QR33600026")
    assert b.type == "conference" and not tally.entries


def test_medline_without_its_first_line_is_no_table():
    (a,), _ = read(
        "FAU - Doe, Jane\nPT  - Consensus Conference, NIH\nJT  - Pain\nTI  - A\nDP  - 2001\n", expect="medline"
    )
    assert (a.authors, a.journal, a.year) == (("Doe, Jane",), "Pain", 2001)


def test_pubmed_central_names_its_own_number_above_the_pmid():
    text = "\nPMC - PMC6055010\nPMID- 7\nTI  - A\n\nPMC - PMC6055011\nPMID- 8\nTI  - B\n\n\nPMID- 9\nTI  - C\n"
    for changed in (text, text.replace("TI  - A", "TI - A")):
        records, tally = read(changed, expect="medline")
        assert [(r.pmid, r.pmcid) for r in records] == [("7", "PMC6055010"), ("8", "PMC6055011"), ("9", None)]
        assert [r.title for r in records] == ["A", "B", "C"] and not tally.rejected
    slow = Tally("a")
    assert [r.pmcid for r in medline.read_lines(text.split("\n"), slow)] == ["PMC6055010", "PMC6055011", None]


def test_ovid_tagged():
    text = "<1. >\nDB  - Embase\nUI  - 621\nTI  - A title\n      that goes on\n"
    text += "AU  - Behan L.\nAU  - Lucas J.S.\nMH  - adult\n"
    (a, _), _ = read(text + "\n<2. >\nUI  - 622\nTI  - B\n", expect="ovid")
    assert (a.id, a.title, a.authors) == ("621", "A title that goes on", ("Behan L.", "Lucas J.S."))


OVID_IN_WORDS = """<8>
Score
  *****
Accession Number
  0004-201409000-00007.
Author
  Holst, Jakob 1;  Mathes, Tim 2,3 *;
  Pieper, Dawid
Title
  Computers in prescribing:
  a trial.
Source
  Journal of Prescribing.   8(6):1048-1064, September 2014.
Author Keywords
  computers;  prescribing
References
  Aber J. A reference with a 10.9999/foreign of its own.

  Title of another reference.
Language
  English.
DOI Number
  10.1000/J.1
ISSN
  1067-5027
"""


def test_ovid_names_its_fields_in_words():
    second = OVID_IN_WORDS.replace("<8>", "<9>").replace("8(6)", "9(1)").replace("-00007", "-00008")
    (a, b), tally = read(OVID_IN_WORDS + second, expect="ovid")
    assert a.title == "Computers in prescribing: a trial."
    assert a.authors == ("Holst, Jakob", "Mathes, Tim", "Pieper, Dawid")
    assert (a.journal, a.volume, a.issue, a.pages, a.year) == ("Journal of Prescribing", "8", "6", "1048-1064", 2014)
    assert (a.doi, a.issn, a.language) == ("10.1000/j.1", ("1067-5027",), "English")
    assert a.keywords == ("computers", "prescribing") and b.volume == "9" and not tally.entries
    assert any(tag == "Ovid References" and "10.9999/foreign" in text for tag, text in a.other)


def test_ovid_in_words_without_numbers_before_its_records():
    text = OVID_IN_WORDS.removeprefix("<8>\nScore\n  *****\n")
    (a, b), tally = read(text + "\n" + text.replace("-00007", "-00008"), expect="ovid")
    assert a.title == b.title and len(tally.entries) == 2
    assert "no number" in tally.entries[0].why


def test_a_chapter_of_ovids_stands_in_its_book():
    text = "<1>\nTitle\n  The book\nChapter Title\n  The chapter\nPublication Type\n  Book Chapter\n"
    (a,), _ = read(text, expect="ovid")
    assert (a.title, a.journal) == ("The chapter", "The book")


def test_refer():
    text = "%T One\n%0 Journal Article\n%A Guo, W\n%D 2021\n%P 1-9\n\n\n%T Two\n%D 2009\n"
    (a, b), _ = read(text, expect="refer")
    assert (a.title, a.type, a.year, b.title, b.year) == ("One", "article", 2021, "Two", 2009)


BIB = r"""
@string{pain = "Pain"}
@comment{ not an entry @article{x, title={y}} }
@article{key:1,
  author = {Sch{\"a}fer, J. and {World Health and Safety} and O'Neil, \'Eva},
  title = "{Ketamine} \& more {\%}",
  journal = pain # " Journal",
  year = 2009, month = mar, pages = {10--19}, doi = {10.1000/A_b},
  keywords = {a, b}, mystery = {kept}
}
@misc(round, title = {Round (nested) one})
@article{open,
  title = {Never closed},
  year = 2010,
@book{last, title = {Last}}
"""


def test_bibtex():
    records, tally = read(BIB, expect="bibtex")
    a, round_, open_, last = records
    assert a.authors == ("Schäfer, J.", "World Health and Safety", "O'Neil, Éva")
    assert (a.title, a.journal, a.pages) == ("Ketamine & more %", "Pain Journal", "10-19")
    assert (a.date, a.keywords, a.doi, a.id) == ("2009-3".replace("-3", "-03"), ("a", "b"), "10.1000/a_b", "key:1")
    assert ("mystery", "kept") in a.other
    assert (round_.title, open_.title, last.title, last.type) == ("Round (nested) one", "Never closed", "Last", "book")
    assert "not closed" in whys(tally)


PUBMED = """<?xml version="1.0"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "https://example.org/x.dtd">
<PubmedArticleSet>
<PubmedArticle><MedlineCitation><PMID>12</PMID><Article><Journal><ISSN>1043-1578</ISSN><JournalIssue><Volume>17</Volume>
<PubDate><Year>1990</Year><Season>Spring</Season></PubDate></JournalIssue><Title>Social justice</Title></Journal>
<ArticleTitle>The <i>treatment</i> of pain.</ArticleTitle><Abstract><AbstractText Label="AIM">One.</AbstractText>
<AbstractText Label="END">Two.</AbstractText></Abstract><AuthorList><Author><LastName>Olivero</LastName>
<ForeName>J</ForeName></Author><Author><CollectiveName>The Group</CollectiveName></Author></AuthorList>
<PublicationTypeList><PublicationType>Journal Article</PublicationType></PublicationTypeList></Article>
</MedlineCitation>
<PubmedData><ArticleIdList><ArticleId IdType="doi">10.1000/own</ArticleId></ArticleIdList><ReferenceList><Reference>
<ArticleIdList><ArticleId IdType="doi">10.1000/cited</ArticleId></ArticleIdList></Reference></ReferenceList>
</PubmedData>
</PubmedArticle>
</PubmedArticleSet>"""


def test_pubmed_xml():
    (a,), tally = read(PUBMED, expect="pubmed-xml")
    assert (a.title, a.abstract) == ("The treatment of pain.", "AIM: One.\nEND: Two.")
    assert (a.doi, a.authors, a.date) == ("10.1000/own", ("Olivero, J", "The Group"), "1990 Spring")
    assert not tally.entries


def test_a_pubmed_file_that_breaks_off_keeps_what_came_before():
    second = PUBMED.split("<PubmedArticle>")[1].split("</PubmedArticle>")[0]
    text = PUBMED.replace("</PubmedArticleSet>", "<PubmedArticle>" + second[:200])
    records, tally = read(text)
    assert len(records) == 1 and tally.rejected == 1


def test_endnote_xml():
    style = '<style face="normal" font="default" size="100%">{}</style>'
    text = (
        "<xml><records><record><rec-number>5</rec-number><ref-type name='Conference Paper'>47</ref-type><contributors>"
        f"<authors><author>{style.format('Doe, J.')}</author></authors></contributors><titles><title>"
        f"{style.format('Keta')}{style.format('mine')}</title></titles><dates><year>{style.format('2011')}</year></dates>"
        f"<electronic-resource-num>{style.format('10.1000/xyz')}</electronic-resource-num></record></records></xml>"
    )
    (a,), _ = read(text, expect="endnote-xml")
    assert (a.title, a.authors, a.year, a.doi) == ("Ketamine", ("Doe, J.",), 2011, "10.1000/xyz")
    assert (a.type, a.id, a.lines) == ("conference", "5", None)


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;">]>'
    "<PubmedArticleSet><PubmedArticle>&lol2;</PubmedArticle></PubmedArticleSet>"
)


def test_an_entity_bomb_is_refused():
    with pytest.raises(InputError, match="declares entities"):
        read(BOMB)


def test_deep_nesting_is_refused():
    with pytest.raises(InputError, match="nested deeper than 100"):
        read("<PubmedArticleSet>" + "<a>" * 100_000)


def test_a_record_far_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(xml_formats, "MAX_ELEMENTS", 50)
    with pytest.raises(InputError, match="far too large"):
        read("<PubmedArticleSet><PubmedArticle>" + "<a/>" * 100)


def test_not_xml_after_all():
    with pytest.raises(InputError, match="not well-formed"):
        read("<PubmedArticleSet <<<>")


def test_tables_by_header_whatever_separates_the_cells():
    for mark in ",;\t":
        text = mark.join(["Title", "Authors", "Year", "DOI", "Mine"]) + "\n"
        text += mark.join(["Ketamine", '"Lynch, M. and Doe, J."', "2009", "10.1000/xyz", "x"]) + "\n"
        (a,), _ = read(text, expect="table")
        assert (a.title, a.authors, a.year) == ("Ketamine", ("Lynch, M.", "Doe, J."), 2009)
        assert a.other == (("Mine", "x"),)


def test_a_search_query_above_the_header_is_left_out():
    text = '"SEARCH QUERY","pain:ti"\n-----\n\n"Title","Author Names","Source"\n"A","Liu R., Adler D.G.","X"\n'
    (a,), tally = read(text)
    assert a.authors == ("Liu R.", "Adler D.G.") and "text before the table" in whys(tally)


def test_a_table_laid_out_sideways_is_turned():
    text = "Title,First,Second\nAuthors,Doe J,Roe K\nYear,2001,2002\nDOI,10.1000/a,10.1000/b\n"
    records, tally = read(text)
    assert [(r.title, r.year, r.doi) for r in records] == [("First", 2001, "10.1000/a"), ("Second", 2002, "10.1000/b")]
    assert "sideways" in whys(tally)


def test_a_cell_beyond_the_limit_of_the_csv_module_among_the_first_rows():
    text = "title,abstract\nKetamine," + "x" * 200_000 + "\nPlacebo,y\n"
    records = list(READERS["table"].read(io.BytesIO(text.encode()), Tally("a.csv", taken=set())))
    assert [(r.title, len(r.abstract or "")) for r in records] == [("Ketamine", 200_000), ("Placebo", 1)]


def test_rows_too_short_and_too_long_are_repaired_and_headings_rejected():
    records, tally = read("title,authors,year\nA,Doe J\nB,Doe J,2001,more\na heading\n")
    assert [r.title for r in records] == ["A", "B"]
    assert ("further cells", "more") in records[1].other
    assert tally.rejected == 1 and tally.repaired == 2


def test_what_r_writes_for_missing_is_missing():
    """``write.csv`` and ``write_csv`` print NA: an abstract that is not there, not one that says so."""
    header = "author,title,journal,abstract,issue,pages,doi,source\n"
    (first, second), tally = read(header + "Roe J,NA,Pain,NA,NA,47--65,NA,NA\nDoe K,T,Pain,A,2,NA,,b\n")
    assert (first.title, first.abstract, first.issue, first.doi, first.pages) == ("NA", None, None, None, "47-65")
    assert (second.abstract, second.issue, second.pages) == ("A", "2", None)
    assert first.authors == ("Roe J",) and ("DO", "NA") not in first.other
    assert whys(tally).count("NA, as R writes what is missing") == 2


def test_labels_in_a_table():
    records, _ = read("title,label_included\nA,1\nB,0\nC,\n")
    assert [r.decision for r in records] == ["include", "exclude", None]


def test_registrations_in_a_table():
    (a,), _ = read("NCT Number,Study Title,First Posted\nNCT03555344,Mantra,2018-06-13\n")
    assert (a.type, a.id, a.year, a.title) == ("registration", "NCT03555344", 2018, "Mantra")


def test_a_million_columns_are_refused():
    with pytest.raises(InputError, match="columns"):
        read("title,abstract" + ",x" * 1_000_000 + "\n")


@pytest.mark.parametrize("end", ["}", ""])
def test_a_brace_too_many_swallows_no_field_behind_it(end):
    entry = "@article{a,\n  title = {A {{\\&} B},\n  doi = {10.1000/x},\n  year = 2001,\n  journal = {Pain}\n" + end
    (a, b), tally = read(entry + "\n\n@article{b,\n  title = {C}\n}\n", expect="bibtex")
    assert (a.title, a.doi, a.year, a.journal, b.title) == ("A & B", "10.1000/x", 2001, "Pain", "C")
    assert [e.line for e in tally.entries] == [1]


def test_a_key_with_blanks_loses_no_entry():
    (a, b), tally = read(
        "@article{Doe and Roe 2020,\n  title = {A, B},\n}\n@article{x,\n title = {C}}\n", expect="bibtex"
    )
    assert (a.id, a.title, b.title) == ("Doe and Roe 2020", "A, B", "C") and not tally.entries


def test_a_quotation_mark_that_is_not_closed_is_named():
    text = "title,authors,year,doi\nA,Doe J,2001,\n" + '"B' + "\nline" * 400
    records, tally = read(text)
    assert len(records) == 1 and tally.rejected == 1 and "not closed" in whys(tally)


def workbook(rows) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook():
    data = workbook([["Title", "Authors", "Year", "PMID"], ["Ketamine", "Doe, J.; Roe, K.", 2009.0, 12345678]])
    (a,), _ = read(data, name="x.xlsx", expect="xlsx")
    assert (a.title, a.authors, a.year, a.pmid) == ("Ketamine", ("Doe, J.", "Roe, K."), 2009, "12345678")


def test_a_workbook_that_is_a_bomb_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<x/>")
        archive.writestr("xl/workbook.xml", b"0" * 64 * 1024**2)
    with pytest.raises(InputError, match="bomb"):
        read(out.getvalue(), name="x.xlsx")


def test_a_damaged_workbook_is_one_clear_line():
    data = workbook([["Title"], ["A"]])
    with pytest.raises(InputError, match="cannot be read as a workbook"):
        read(data[: len(data) // 2], name="x.xlsx")


STUDY = {
    "protocolSection": {
        "identificationModule": {"nctId": "NCT01339377", "briefTitle": "Ozone", "officialTitle": "A Pilot"},
        "statusModule": {"studyFirstPostDateStruct": {"date": "2011-04-20"}},
        "descriptionModule": {"briefSummary": "To evaluate."},
        "conditionsModule": {"conditions": ["Disk, Herniated"], "keywords": ["Ozone"]},
    }
}


@pytest.mark.parametrize("shape", [lambda s: [s, s], lambda s: {"studies": [s, s], "nextPageToken": "x"}])
def test_clinicaltrials_json(shape):
    (a, b), tally = read(json.dumps(shape(STUDY)), expect="clinicaltrials-json")
    assert (a.id, a.title, a.year, a.type) == ("NCT01339377", "A Pilot", 2011, "registration")
    assert a.keywords == ("Disk, Herniated", "Ozone")
    assert b.id == "file.txt:2" and not tally.rejected


def test_clinicaltrials_json_that_breaks_off():
    text = json.dumps([STUDY, STUDY])
    records, tally = read(text[:-40])
    assert (len(records), tally.rejected) == (1, 1)


def test_every_reader_has_a_title_endings_and_a_function():
    from importlib import import_module

    for reader in READERS.values():
        module, _, function = reader.address.partition(":")
        assert callable(getattr(import_module(module), function)) and reader.title and reader.endings


@pytest.mark.parametrize(
    "text", ["[" * 65536, "word " * 13000, "a," + ";" * 65000, "\n" * 65536, "<1" + " " * 65534, "<!--" * 16384]
)
def test_what_never_ends_is_recognised_at_once(text):
    """Each start of a cell, a line or a comment once asked all the rest again: 13 seconds to minutes for 64 kB."""
    began = time.process_time()
    assert recognise(text.encode()) in (None, "clinicaltrials-json")
    assert time.process_time() - began < 3.0


@pytest.mark.parametrize(
    "data", [b"\x7fELF\x02\x01\x01" + bytes(500), b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 20, b"hello"]
)
def test_content_no_reader_knows(data):
    assert recognise(data, "x.ris") is None


def test_a_table_made_from_bibtex():
    text = (
        "ENTRYTYPE,ID,author,title,booktitle,journal,year,volume,number,pages,doi,abstract\n"
        'inproceedings,a1,"Doe, J. and Roe, K.",One,Proc. of Pain,,2001,,,1--9,10.1000/x,Text\n'
        'article,a2,"Doe, J.",Two,,Pain,2002,3,4,,,\n'
    )
    (a, b), tally = read(text, name="x.csv", expect="table")
    assert (a.id, a.type, a.journal, a.authors) == ("a1", "conference", "Proc. of Pain", ("Doe, J.", "Roe, K."))
    assert (b.id, b.type, b.journal, b.volume, b.issue) == ("a2", "article", "Pain", "3", "4")
    assert a.other == b.other == () and not tally.rejected


def test_an_entry_taken_whole_is_what_line_by_line_gives():
    """Braces in quotation marks, entries that never close, heads inside values: where both ways meet."""
    whole = '@article{k1,\n title = {A {B} c},\n journal = pain # " x",\n year = 2001\n}\n\n'
    odd = '@article{k2,\n title = "a } b { c",\n year = 2002\n}\n'
    open_ = "@book{k3,\n title = {x\n}\n"
    head = "@misc{k4,\n abstract = {one\n@two{three}\n four},\n title = {T}\n}\n"
    text = '@string{pain = "Pain"}\n' + whole + odd + whole + open_ + head + whole
    tally, slow = Tally("a", taken=set()), Tally("a", taken=set())
    by_line = bibtex._ByLine(slow)
    expected = [*by_line.feed(text.splitlines()), *by_line.close()]
    assert list(bibtex.read([text], tally)) == expected
    assert tally.entries == slow.entries and len(expected) >= 5
