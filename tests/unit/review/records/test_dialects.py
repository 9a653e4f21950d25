"""Exports as their databases' help pages and real files show them, field by field as a person would read them."""

from __future__ import annotations

import pytest

from balm.actions.records import read_records
from balm.vocabulary.problems import InputError
from tests.unit.review.records.reading import read

BOOKS = """<?xml version="1.0"?><PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>3</PMID><Article>
<ArticleTitle>Ketamine</ArticleTitle><ELocationID EIdType="doi" ValidYN="N">10.1000/old</ELocationID>
<ELocationID EIdType="doi" ValidYN="Y">10.1000/New</ELocationID><AuthorList><Author><LastName>King</LastName>
<ForeName>Martin</ForeName><Suffix>Jr</Suffix></Author><Author><CollectiveName>KETA Group</CollectiveName></Author>
</AuthorList><Language>eng</Language><Language>fre</Language></Article><OtherAbstract Language="fre">
<AbstractText>Un essai.</AbstractText></OtherAbstract></MedlineCitation></PubmedArticle><PubmedBookArticle>
<BookDocument><PMID>1</PMID><Book><Publisher><PublisherName>P</PublisherName><PublisherLocation>Bethesda</PublisherLocation>
</Publisher><BookTitle>The Book</BookTitle>
<AuthorList Type="editors"><Author><LastName>Ed</LastName><Initials>I</Initials></Author>
</AuthorList></Book><ArticleTitle>The chapter</ArticleTitle><AuthorList Type="authors"><Author><LastName>Doe</LastName>
</Author></AuthorList></BookDocument><PubmedBookData><ArticleIdList><ArticleId IdType="bookaccession">NBK7</ArticleId>
</ArticleIdList></PubmedBookData></PubmedBookArticle><PubmedBookArticle><BookDocument><PMID>2</PMID><Book>
<BookTitle>A whole book</BookTitle><AuthorList Type="authors"><Author><LastName>Roe</LastName></Author></AuthorList>
<Edition>2nd</Edition></Book></BookDocument></PubmedBookArticle></PubmedArticleSet>"""


def test_pubmed_xml_of_books_and_of_corrected_articles():
    (article, chapter, book), _ = read(BOOKS, expect="pubmed-xml")
    assert (article.doi, article.authors) == ("10.1000/new", ("King, Martin Jr", "KETA Group"))
    assert (article.language, article.other) == ("eng", (("Language", "fre"), ("OtherAbstract", "Un essai.")))
    assert (chapter.type, chapter.title, chapter.journal) == ("chapter", "The chapter", "The Book")
    assert (chapter.authors, chapter.editors, chapter.place) == (("Doe",), ("Ed, I",), "Bethesda")
    assert chapter.other == (("bookaccession", "NBK7"),)
    assert (book.type, book.title, book.authors, book.journal) == ("book", "A whole book", ("Roe",), None)
    assert book.other == (("Edition", "2nd"),)


ICTRP = """<?xml version='1.0' encoding='UTF-8' ?>
<Trials_downloaded_from_ICTRP>
  <Trial><Export_date>11/22/2026</Export_date>
    <TrialID>EUCTR2010-022627-32-NL
    </TrialID>
    <Public_title>Ketamine for pain</Public_title><Scientific_title>A trial of ketamine</Scientific_title><Acronym/>
    <Primary_sponsor>LUMC</Primary_sponsor><Date_registration3>20101007</Date_registration3>
    <Source_Register>EU Clinical Trials Register</Source_Register><web_address>https://x.eu</web_address>
    <Condition>CRPS;Pain</Condition><Phase>4</Phase><Secondary_ID>NCT01234567</Secondary_ID></Trial>
  <Trial><TrialID>NCT07654321</TrialID><Public_title>Only &amp; public</Public_title><Scientific_title/></Trial>
</Trials_downloaded_from_ICTRP>"""


def test_the_registers_of_who_in_xml():
    (first, second), _ = read(ICTRP, expect="ictrp-xml")
    assert (first.type, first.title, first.year, first.date) == (
        "registration",
        "A trial of ketamine",
        2010,
        "2010-10-07",
    )
    assert first.accession_numbers == ("EUCTR2010-022627-32-NL", "NCT01234567")
    assert (first.database, first.urls, first.publisher) == ("EU Clinical Trials Register", ("https://x.eu",), "LUMC")
    assert first.keywords == ("CRPS", "Pain")
    assert ("public title", "Ketamine for pain") in first.other and ("Phase", "4") in first.other
    assert (second.title, second.type, second.lines) == ("Only & public", "registration", None)


def test_a_register_without_a_scientific_title_keeps_the_public_one():
    (record,), _ = read("TrialID,Public title,Scientific title\nNCT01234567,Ketamine,\n", expect="table")
    assert record.title == "Ketamine"


CENTRAL = """Record #1 of 9
ID: CN-00123456
AU: Lynch ME
AU: Clark AJ
TI: Ketamine for pain
SO: Pain
YR: 1999
VL: 3
NO: 2
PG: 11-19
PM: PUBMED 10000001
XR: EMBASE 29000001
PT: Journal article; Randomized controlled trial
KY: *Ketamine; Pain
CC: Pain
DOI: 10.1000/CN.1
AB: AIM: to see.
RESULTS: seen
US: https://www.cochranelibrary.com/x


Record #2 of 9
ID: CN-2
TI: Second
SO: https://clinicaltrials.gov/show/NCT01234567
PT: Trial registry record
"""


def test_central_in_plain_text():
    (first, second), tally = read(CENTRAL, expect="central")
    assert tally.stated == 9 and not tally.entries
    assert (first.title, first.authors, first.year) == ("Ketamine for pain", ("Lynch ME", "Clark AJ"), 1999)
    assert (first.journal, first.volume, first.issue, first.pages) == ("Pain", "3", "2", "11-19")
    assert (first.doi, first.pmid) == ("10.1000/cn.1", "10000001")
    assert first.accession_numbers == ("CN-00123456", "EMBASE 29000001")
    assert first.abstract == "AIM: to see.\nRESULTS: seen" and first.keywords == ("*Ketamine", "Pain")
    assert first.publication_types == ("Journal article", "Randomized controlled trial")
    assert first.other == (("CENTRAL CC", "Pain"),) and first.lines == (1, 21)
    assert (second.type, second.journal) == ("registration", None)
    assert second.urls == ("https://clinicaltrials.gov/show/NCT01234567",)


def test_cinahl_of_ebsco():
    text = (
        "TY  - JOUR\nT1  - Ketamine\nJF  - Pain (03043959)\nJO  - Pain (03043959)\nU2  - PMID: NLM30000001.\n"
        "SN  - 0304-3959\nDO  - 10.1000/a\nER  - \n"
    )
    records, _ = read(text * 40)
    assert {r.journal for r in records} == {"Pain"} and {r.pmid for r in records} == {"30000001"}
    assert not any(r.accession_numbers or r.other for r in records)


def test_lilacs_puts_its_doi_where_types_stand():
    (record,), _ = read("TY  - JOUR\nT1  - Cetamina\nM3  - 10.1590/S0034-1\nER  - \n")
    assert record.doi == "10.1590/s0034-1" and not record.publication_types


def test_ovid_medline_in_words():
    text = (
        "<1>\nUnique Identifier\n  19600001\nStatus\n  MEDLINE\nAuthors\n  Lynch ME\n  Clark AJ\n"
        "Authors Full Name\n  Lynch, Mary E\n  Clark, A J\nTitle\n  Ketamine.\n"
        "Source\n  Pain. 160(5):101-109, 2009 May.\n"
        "Publication Type\n  Journal Article. Research Support, U.S. Gov't. Randomized Controlled Trial.\n"
    )
    (record,), _ = read(text, expect="ovid")
    assert record.authors == ("Lynch, Mary E", "Clark, A J") and record.pmid == "19600001"
    types = ("Journal Article", "Research Support, U.S. Gov't", "Randomized Controlled Trial")
    assert record.publication_types == types


@pytest.mark.parametrize("times", [1, 60])
def test_bibtex_of_scopus_and_google_scholar(times):
    text = (
        "@article{a,\n  author = {Lynch, Mary and Clark, A. and others},\n  title = {Ketamine},\n"
        "  pages = {101 \u2013 109},\n  affiliations = {Dept A},\n  abbrev_source_title = {J Pain},\n"
        "  journal = {Journal of Pain},\n  year = {2009}\n}\n"
    )
    records, _ = read("".join(text.replace("{a,", f"{{a{i},") for i in range(times)), expect="bibtex")
    for record in records:
        assert (record.authors, record.pages) == (("Lynch, Mary", "Clark, A."), "101-109")
        assert (record.affiliations, record.journal_abbreviation) == (("Dept A",), "J Pain")


def test_endnote_xml_keeps_every_address_and_series_editor():
    text = (
        '<?xml version="1.0"?><xml><records><record><ref-type name="Book Section">5</ref-type><contributors>'
        "<tertiary-authors><author>Ser, E.</author></tertiary-authors></contributors><titles><title>T</title></titles>"
        "<auth-address><style>Dept A&#xD;Dept B</style></auth-address></record></records></xml>"
    )
    (record,), _ = read(text, expect="endnote-xml")
    assert record.affiliations == ("Dept A", "Dept B") and record.other == (("A3", "Ser, E."),)


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ('<rdf:RDF xmlns:z="http://www.zotero.org/namespaces/export#"><z:itemType>x</z:itemType></rdf:RDF>', "Zotero"),
        ('<?xml version="1.0"?><modsCollection><mods/></modsCollection>', "MODS"),
        ('[{"id": "a", "type": "article-journal", "title": "K", "issued": {"date-parts": [[2009]]}}]', "CSL JSON"),
    ],
)
def test_exports_that_only_other_tools_read_are_told_by_name(tmp_path, text, tool):
    file = tmp_path / "library"
    file.write_text(text)
    with pytest.raises(InputError, match=f"is .*{tool}.*export again as RIS"):
        read_records(file)
