"""Shapes met in exports of public repositories, over invented content: what each held and an earlier reader lost."""

from __future__ import annotations

import pytest

from balm.review.records import ris
from balm.review.records.ris_whole import compiled, take
from balm.vocabulary.problems import InputError
from tests.unit.review.records.reading import read, whys


@pytest.fixture(params=["compiled", "python"])
def either_way(request, monkeypatch):
    """Each record once cut by the compiled function, once by Python alone."""
    if request.param == "python":
        monkeypatch.setenv("BALM_KERNEL", "off")
    take.cache_clear()
    compiled.cache_clear()
    yield
    take.cache_clear()
    compiled.cache_clear()


def test_an_entry_that_begins_where_another_one_ends():
    """Two files of Scopus put together without a line end between them: the second's first entry was swallowed."""
    one = "@ARTICLE{Doe2018,\n\tauthor = {Doe, Jane},\n\ttitle = {First},\n\tyear = {2018},\n\tnote = {Cited by: 0}\n}"
    two = one.replace("Doe2018", "Roe2019").replace("First", "Second")
    records, tally = read(one + two + "\n\n" + one.replace("Doe2018", "Poe2020"), expect="bibtex")
    assert [(r.id, r.title) for r in records] == [("Doe2018", "First"), ("Roe2019", "Second"), ("Poe2020", "First")]
    assert not tally.entries


def test_fields_of_bibtex_named_in_several_words():
    """``funding_text 1`` of Scopus, with a blank that does not break, and ``Early Access Date`` of Web of Science."""
    for again in (1, 40):  # seldom, and often enough that the order of the fields is learnt
        text = "".join(
            f"@article{{k{at},\nauthor={{Doe, J.}},\ntitle={{Pain {at}}},\nyear={{2019}},\nmonth={{APR 1}},\n"
            "funding_text\xa01={Nobody paid},\nkeywords={rats},\nauthor_keywords={ketamine; pain},\n"
            f"pubmed_id={{{100 + at}}},\nart_number={{e7}},\nissn={{03043959}},\ndocument_type={{Review}},\n}}\n\n"
            for at in range(again)
        )
        records, tally = read(text, expect="bibtex")
        assert not tally.entries
        assert len(records) == again
        for at, record in enumerate(records):
            assert record.other == (("funding_text\xa01", "Nobody paid"),)
            assert (record.pmid, record.pages, record.issn) == (str(100 + at), "e7", ("0304-3959",))
            assert record.keywords == ("rats", "ketamine", "pain")
            assert (record.date, record.publication_types) == ("2019 APR 1", ("Review",))
    early = "@article{ WOS:1,\nTitle = {{Pain}},\nEarly Access Date = {{MAR 2021}},\nISSN = {{0304-3959}},\n}\n"
    (record,) = read(early, expect="bibtex")[0]
    assert (record.year, record.date, record.issn) == (2021, "MAR 2021", ("0304-3959",))


PSYCINFO = """1.\u0020
TY  - JOUR
ID  - 2020-00000-001
T1  - Stigma and pain.
A1  - Doe, Jane
A2  - Adams, Baker, Clark, Davis, Evans
Y1  - 2020//
N2  - Running text.
JF  - Pain and Behaviour
SP  - No
EP  - Specified
PB  - Springer
M1  - Adams, J. (2001). Networks of pain. Pain, 1, 3-5. https://www.ncbi.nlm.nih.gov/pubmed/11111111
M1  - Baker, S. (2011). Pains. PMID: 22222222. http://dx.doi.org/10.1000/other
DO  - http://dx.doi.org/10.1000/own
L2  - http://ovidsp.ovid.com/ovidweb.cgi?T=JS&PAGE=reference&D=psyc16&NEWS=N&AN=2020-00000-001
ER  -\u0020\u0020
NL  - Pain Behav

Link to the Ovid Full Text or citation: http://ovidsp.ovid.com/ovidweb.cgi?T=JS&D=psyc16&AN=2020-00000-001

"""


def test_cited_references_of_psycinfo_are_not_the_record(either_way):
    (record,) = read(PSYCINFO, expect="ris")[0]
    assert (record.pmid, record.doi, record.pages) == (None, "10.1000/own", None)
    assert record.editors == ()
    assert ("A2", "Adams, Baker, Clark, Davis, Evans") in record.other


def test_ovid_counts_its_medline_by_pubmeds_numbers(either_way):
    link = "http://ovidsp.ovid.com/ovidweb.cgi?T=JS&PAGE=reference&D={0}&NEWS=N&AN={1}"
    text = "TY  - JOUR\nID  - {1}\nT1  - Pain {1}.\nA1  - Doe, J\nY1  - 2020//\nL2  - " + link + "\nER  - \n\n"
    made = "".join(text.format("medp" if at % 2 else "emed20", 32000000 + at) for at in range(40))
    records, _ = read(made, expect="ris")
    assert [r.pmid for r in records] == [str(32000000 + at) if at % 2 else None for at in range(40)]


def test_numbers_of_other_databases_in_central(either_way):
    text = (
        "TY  - JOUR\nAN  - CN-1\nC3  - PUBMED 28697043,EMBASE 617305812\nTI  - A\nER  - \n\n"
        "TY  - JOUR\nAN  - CN-2\nC3  - CTgov NCT00000001\nTI  - B\nER  - \n\n"
        "TY  - CONF\nAN  - 3\nC3  - Proceedings of a Meeting, 2020\nTI  - C\nER  - \n\n"
    )
    one, two, three = read(text, expect="ris")[0]
    assert (one.pmid, one.accession_numbers) == ("28697043", ("CN-1", "EMBASE 617305812"))
    assert two.accession_numbers == ("CN-2", "NCT00000001")
    assert (three.journal, three.accession_numbers) == ("Proceedings of a Meeting, 2020", ("3",))


def test_the_number_of_an_article_stands_for_its_pages(either_way):
    text = "TY  - JOUR\nTI  - {}\nDO  - 10.1000/{}\nC7  - {}\n{}ER  - \n\n"
    rows = (("e0123456", ""), ("101823", ""), ("PMC1234567", ""), ("101823", "SP  - 4\n"), ("12345678", ""))
    made = "".join(text.format(f"T{at}", at, *row) for at, row in enumerate(rows))
    records, _ = read(made, expect="ris")
    assert [r.pages for r in records] == ["e0123456", "101823", None, "4", None]
    assert records[3].other == (("C7", "101823"),)
    assert (records[2].pmcid, records[4].pmid) == ("PMC1234567", "12345678")


def test_publisher_and_place_of_web_of_science(either_way):
    text = "TY  - JOUR\nTI  - T\nPU  - ELSEVIER\nPI  - AMSTERDAM\nDO  - 10.1000/1\nER  - \n\n"
    (record,) = read(text, expect="ris")[0]
    assert (record.publisher, record.place, record.other) == ("ELSEVIER", "AMSTERDAM", ())


WOS_TABLE = (
    "PT\tAU\tAF\tCA\tTI\tSO\tDT\tDE\tID\tAB\tC1\tPU\tSN\tEI\tPD\tPY\tVL\tBP\tEP\tDI\tEA\tPM\tUT\n"
    "J\tDoe, J; Roe, K\tDoe, Jane; Roe, Kim\tPain Group\tA title\tPAIN\tArticle; Early Access\tketamine; pain\tNMDA\t"
    "Text\t[Doe, J; Roe, K] Univ X; [Roe, K] Univ Y\tELSEVIER\t0304-3959\t1872-6623\tMAR\t2020\t4\t11\t19\t10.1000/X\t"
    "\t123\tWOS:1\n"
    "J\tPoe, L\tPoe, Lee\t\tB title\tPAIN\tArticle\t\t\t\t\t\t\t\t\t\t\t\t\t\tJUN 2021\t\tWOS:2\n"
)


def test_the_tab_delimited_file_of_web_of_science():
    one, two = read("\ufeff" + WOS_TABLE, expect="table")[0]
    assert (one.id, one.doi, one.pmid, one.pages) == ("WOS:1", "10.1000/x", "123", "11-19")
    assert one.authors == ("Doe, Jane", "Roe, Kim", "Pain Group")
    assert one.keywords == ("ketamine", "pain", "NMDA")
    assert one.affiliations == ("[Doe, J; Roe, K] Univ X", "[Roe, K] Univ Y")
    assert (one.year, one.date, one.issn) == (2020, "2020 MAR", ("0304-3959", "1872-6623"))
    assert one.publication_types == ("Article", "Early Access")
    assert (two.year, two.date, two.authors) == (2021, "JUN 2021", ("Poe, Lee",))


def test_groups_are_authors():
    wos = "FN Clarivate\nPT J\nAU Doe, J\nCA Pain Group\n   Second Group\nTI T\nER\n\nEF\n"
    assert read(wos, expect="wos")[0][0].authors == ("Doe, J", "Pain Group", "Second Group")
    nbib = "PMID- 1\nTI  - T.\nFAU - Doe, Jane\nAU  - Doe J\nCN  - Pain Group\n"
    assert read(nbib, expect="medline")[0][0].authors == ("Doe, Jane", "Pain Group")
    table = 'Authors,Author Full Names,Group Authors,Article Title\nDoe J,"Doe, Jane",Pain Group; B Group,T\n'
    assert read(table, name="a.csv")[0][0].authors == ("Doe, Jane", "Pain Group", "B Group")


def test_a_chapter_of_pubmeds_books():
    text = "PMID- 1\nBTI - Pains of the World\nPB  - A Press\nTI  - A Chapter.\nAU  - Doe J\n\nPMID- 2\nBTI - Pains\n"
    chapter, book = read(text, expect="medline")[0]
    assert (chapter.title, chapter.journal, chapter.type) == ("A Chapter.", "Pains of the World", "chapter")
    assert (book.title, book.journal) == ("Pains", None)


def test_the_table_of_pubmed_until_2020():
    head = "Title,URL,Description,Details,ShortDetails,Resource,Type,Identifiers,Db,EntrezUID,Properties\n"
    row = (
        '"Pain.","/pubmed/32000000","Doe J, Roe K.","Pain J. 2020 Feb 1;3(4):5-6. doi: 10.1000/x.","Pain J. 2020",'
        '"PubMed","citation","PMID:32000000","pubmed","32000000","first author:Doe J"\n'
    )
    (record,) = read(head + row, name="a.csv", expect="table")[0]
    assert (record.pmid, record.abstract, record.authors) == ("32000000", None, ("Doe J", "Roe K"))
    assert (record.type, record.journal, record.year, record.doi) == ("article", "Pain J", 2020, "10.1000/x")
    assert record.urls == ("https://pubmed.ncbi.nlm.nih.gov/32000000/",)


def test_the_xml_of_endnote_7():
    """It has capitals for the names of its elements: a reader of today's found nothing and said nothing."""
    text = (
        "<XML><RECORDS><RECORD><REFERENCE_TYPE>0</REFERENCE_TYPE><REFNUM>5</REFNUM><AUTHORS><AUTHOR>Doe, J.</AUTHOR>"
        "<AUTHOR>Roe, K.</AUTHOR></AUTHORS><YEAR>2019</YEAR><TITLE>Pain</TITLE><SECONDARY_TITLE>A Journal"
        "</SECONDARY_TITLE><PAGES>1-2</PAGES><URL>10.1000/x</URL><KEYWORDS><KEYWORD>a</KEYWORD></KEYWORDS>"
        "<LABEL>L</LABEL></RECORD></RECORDS></XML>"
    )
    (record,), tally = read(text, expect="endnote-xml")
    assert (record.id, record.type, record.journal, record.year) == ("5", "article", "A Journal", 2019)
    assert (record.authors, record.pages, record.doi) == (("Doe, J.", "Roe, K."), "1-2", "10.1000/x")
    assert record.other == (("LABEL", "L"),)
    assert "DOI found in UR" in whys(tally)


def test_the_columns_of_dimensions_and_ovid():
    head = "Publication ID,DOI,Title,Source title/Anthology title,PubYear,Authors,Dimensions URL\n"
    text = (
        "About the data: Exported on 1 Feb 2023\n" + head + 'pub.1,10.1000/x,T,Pain,2020,"Doe, J.; Roe, K.",https://d\n'
    )
    (record,) = read(text, name="a.csv", expect="table")[0]
    assert (record.journal, record.year, record.accession_numbers) == ("Pain", 2020, ("pub.1",))
    ovid = "Title,Author(s),Author(s) Full Name,Journal Title Abbreviation,Journal,Author(s) Affiliation\n"
    (record,) = read(ovid + 'T,Doe J||Roe K,"Doe, Jane||Roe, Kim",Pain,The Pain,Univ X\n', name="a.csv")[0]
    assert (record.authors, record.journal_abbreviation) == (("Doe, Jane", "Roe, Kim"), "Pain")
    assert (record.journal, record.affiliations) == ("The Pain", ("Univ X",))


def test_a_record_without_an_end_is_refused(monkeypatch):
    """Hundreds of millions of bare ``AU`` lines fit into a small archive: they would fill the memory one by one."""
    monkeypatch.setattr(ris, "MAX_LINES", 50)
    whole = "TY  - JOUR\nTI  - T\n" + "AU  - \n" * 40 + "ER  - x\nER  - \n"
    assert len(read(whole, expect="ris")[0]) == 1
    with pytest.raises(InputError, match=r"line 4 goes on for more than 50 lines.*no record"):
        read("TY  - JOUR\nTI  - T\nER  - \nTY  - JOUR\nTI  - T\n" + "AU  - \n" * 60 + "ER  - x\nER  - \n")
    with pytest.raises(InputError, match="goes on for more than 50 lines"):
        read("TY  - JOUR\nTI  - T\nER  - \n" + "garbage\n" * 200)


def test_a_value_wrapped_over_and_over_is_joined_in_parts(monkeypatch):
    monkeypatch.setattr(ris, "MAX_WRAPPED", 100)
    text = "TY  - JOUR\nTI  - T\nAB  - a\n TI - odd\n" + "words go on\n" * 100 + "ER  - \n"
    (record,) = read(text, expect="ris")[0]
    assert record.abstract == "a TI - odd" + "\nwords go on" * 100


def test_what_endnote_fetched_from_pubmed_has_its_number_in_an(either_way):
    text = "TY  - JOUR\nT1  - T\nA1  - Doe, J.\nPY  - 2020\nAN  - {}\nDP  - {}\nER  - \n\n"
    rows = (("30000001", "NLM"), ("30000002", "NLM Catalog"), ("CN-1", "NLM"))
    records, tally = read("".join(text.format(*row) for row in rows), expect="ris")
    assert [r.pmid for r in records] == ["30000001", None, None]
    assert "PMID found in AN" in whys(tally)
    (record,), _ = read("Title,Authors,Accession Number,Database Provider\nT,Doe J,30000001,NLM\n", name="x.csv")
    assert record.pmid == "30000001"


def test_the_proceedings_of_a_paper_stand_in_c3(either_way):
    text = "TY  - {}\nTI  - T\n{}C3  - {}\nAU  - Doe, J.\nPY  - 2020\nDO  - 10.1000/1\nER  - \n\n"
    rows = (
        ("CONF", "", "Proceedings of a Meeting"),
        ("CPAPER", "T2  - A Journal\n", "Proceedings of a Meeting"),
        ("CONF", "", "PUBMED 123"),
        ("JOUR", "", "Proceedings of a Meeting"),
    )
    records, _ = read("".join(text.format(*row) for row in rows), expect="ris")
    assert [r.journal for r in records] == ["Proceedings of a Meeting", "A Journal", None, None]
    assert [("C3", "Proceedings of a Meeting") in r.other for r in records] == [False, True, False, True]


def test_votes_of_rayyan_in_bibtex():
    """The braces around the votes are BibTeX's own and gone when the note is read."""
    note = 'RAYYAN-INCLUSION: {"Ann"=>"Included", "Bo Doe"=>"Excluded"} | RAYYAN-LABELS: pain'
    (record,), _ = read(f"@article{{rayyan-1,\n  title={{T}},\n  note={{{note}}}\n}}\n", expect="bibtex")
    assert [(vote.person, vote.decision) for vote in record.votes] == [("Ann", "include"), ("Bo Doe", "exclude")]
    assert record.notes == ("RAYYAN-LABELS: pain",)


def test_a_chapter_and_a_meeting_of_web_of_science_without_document_types():
    text = "FN Clarivate\nVR 1.0\nPT {}\nAU Doe, J\nTI {}\nSO A VOLUME\n{}BP 1\nEP 9\nPY 2020\nER\n\nEF\n"
    rows = (("S", "One part", ""), ("B", "A Volume", ""), ("B", "One part", "CT Meeting on Pain\n"), ("J", "T", ""))
    assert [read(text.format(*row), expect="wos")[0][0].type for row in rows] == [
        "chapter",
        "book",
        "conference",
        "article",
    ]


def test_tables_of_bibliometrix_keep_the_tags_of_web_of_science():
    header = "AU,TI,PY,SO,Page.start,Page.end,DI,C1,DE,ID,JI,DT,UT,SR"
    row = (
        'DOE J;ROE K,A TITLE,2020,PAIN,1,9,10.1000/X,UNIV X,KETAMINE; PAIN,NMDA,PN,BOOK CHAPTER,2-S2.0-1,"DOE J, 2020"'
    )
    (record,), tally = read(f"{header}\n{row}\n", name="x.csv", expect="table")
    assert (record.authors, record.doi, record.pages) == (("DOE J", "ROE K"), "10.1000/x", "1-9")
    assert (record.keywords, record.id, record.type) == (("KETAMINE", "PAIN", "NMDA"), "2-S2.0-1", "chapter")
    assert (record.journal_abbreviation, record.affiliations) == ("PN", ("UNIV X",))
    assert not tally.entries


def test_names_of_publish_or_perish():
    header = "Cites,Authors,Title,Year,Source,Publisher,ArticleURL,GSRank,QueryDate,Type,DOI"
    first = '7,"J Doe, KA Roe, ...",T,2020,Pain,Wiley,https://x.org/1,1,2024-01-01,PDF,10.1000/x'
    (one, two), _ = read(f"{header}\n{first}\n3,J Doe,U,2021,Pain,,,2,,BOOK,\n", name="x.csv", expect="table")
    assert (one.authors, one.type, one.urls) == (("J Doe", "KA Roe"), "article", ("https://x.org/1",))
    assert ("authors", "\u2026") in one.other and ("Type", "PDF") in one.other
    assert (two.authors, two.type) == (("J Doe",), "book")


def test_whole_numbers_of_tables_made_in_python():
    (record,), _ = read("Title,PMID,Volume,Issue,Year,Pages\nT,30000001.0,12.0,3.0,2019.0,7.0\n", name="x.csv")
    assert (record.pmid, record.volume, record.issue, record.year, record.pages) == ("30000001", "12", "3", 2019, "7")


@pytest.mark.parametrize(
    "text",
    [
        "id,label,x,y,url\n1,pain,0.1,0.2,https://x.org\n",
        "study,type,notes,language\nA,1,2,3\n",
        "first_name\nage\nTitle\nabout\n",
        "1,2,3\nProduction,Type,Location\na,b,c\n",
    ],
    ids=["a network", "an extraction", "a list of words", "a glossary"],
)
def test_tables_of_something_else_are_no_records(text):
    with pytest.raises((InputError, AssertionError), match=r"has no header|no reader knows"):
        read(text, name="x.csv")
