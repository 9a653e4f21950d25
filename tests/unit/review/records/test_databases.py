"""The header of every database's and tool's table, as it exports it, over one row made up for the test."""

from __future__ import annotations

import csv
import io

import pytest

from tests.unit.review.records.reading import read

#: Database -> header line, cells of some columns, fields that the record must have.
TABLES = {
    "Scopus": (
        "Authors,Author full names,Author(s) ID,Title,Year,Source title,Volume,Issue,Art. No.,Page start,Page end,"
        "Cited by,DOI,Link,Affiliations,Abstract,Author Keywords,Index Keywords,Editors,Publisher,ISSN,PubMed ID,"
        "Language of Original Document,Abbreviated Source Title,Document Type,Source,EID",
        {"Authors": "Doe J.; Roe K.", "Author full names": "Doe, Jane (123); Roe, Kim (456)", "Title": "T",
         "Year": "2020", "Source title": "Pain", "Art. No.": "e7", "Page start": "1", "Page end": "9",
         "DOI": "10.1000/X", "Author Keywords": "a; b", "PubMed ID": "123", "Document Type": "Article",
         "Source": "Scopus", "EID": "2-s2.0-1", "ISSN": "03043959"},
        {"authors": ("Doe, Jane", "Roe, Kim"), "year": 2020, "journal": "Pain", "pages": "1-9", "doi": "10.1000/x",
         "pmid": "123", "keywords": ("a", "b"), "accession_numbers": ("2-s2.0-1",), "issn": ("0304-3959",)},
    ),
    "Rayyan": (
        "key,title,year,month,day,journal,issn,volume,issue,pages,authors,url,language,publisher,location,abstract,"
        "notes,doi,keywords,pubmed_id,pmc_id",
        {"key": "rayyan-1", "title": "T", "year": "2021", "authors": "Doe, Jane and Roe, Kim", "pubmed_id": "123",
         "notes": 'RAYYAN-INCLUSION: {"Ann"=>"Included", "Bo"=>"Maybe"}', "pmc_id": "PMC123456"},
        {"id": "rayyan-1", "authors": ("Doe, Jane", "Roe, Kim"), "pmid": "123", "pmcid": "PMC123456", "notes": ()},
    ),
    "Covidence": (
        "Title,Authors,Abstract,Published Year,Published Month,Journal,Volume,Issue,Pages,Accession Number,DOI,Ref,"
        "Covidence #,Study,Notes,Tags",
        {"Title": "T", "Authors": "Doe, J.; Roe, K.", "Published Year": "2019", "Journal": "Pain",
         "DOI": "https://doi.org/10.1000/x", "Covidence #": "#7", "Study": "Doe 2019", "Accession Number": "31"},
        {"id": "#7", "authors": ("Doe, J.", "Roe, K."), "year": 2019, "doi": "10.1000/x"},
    ),
    "Cochrane": (
        "CENTRAL ID,Author(s),Title,Source,Year,Abstract,Volume,Issue,Pages,Database Name,PubMed ID,Embase ID,CTgov ID,"
        "CINAHL ID,ICTRP ID,Publication Type,Keywords,DOI,URL,Cochrane Review Group Code",
        {"CENTRAL ID": "CN-01", "Author(s)": "Doe, J; Roe, K", "Title": "T", "Source": "Pain", "Year": "2018",
         "PubMed ID": "PUBMED 123", "CTgov ID": "NCT00000001", "Publication Type": "Journal article"},
        {"authors": ("Doe, J", "Roe, K"), "journal": "Pain", "pmid": "123", "type": "article",
         "accession_numbers": ("CN-01", "NCT00000001")},
    ),
    "ASReview": (
        "record_id,title,authors,abstract,doi,included,asreview_label,asreview_ranking,asreview_note",
        {"record_id": "5", "title": "T", "authors": "Doe, J.; Roe, K.", "included": "0", "asreview_label": "1",
         "asreview_note": "look again"},
        {"id": "5", "decision": "include", "notes": ("look again",)},
    ),
    "ASReview, version 0": (
        "record_id,title,authors,abstract,included,asreview_ranking,exported_notes_1",
        {"record_id": "5", "title": "T", "authors": "Doe, J., Roe, K.", "included": "0"},
        {"decision": "exclude", "authors": ("Doe, J.", "Roe, K.")},
    ),
    "ICTRP": (
        "TrialID,Last Refreshed on,Public title,Scientific title,Acronym,Primary sponsor,Date registration,"
        "Date registration3,Source Register,web address,Recruitment Status,Study type,Condition,Secondary ID",
        {"TrialID": "ChiCTR2000030000", "Public title": "Short", "Scientific title": "Long",
         "Date registration": "13/09/2020", "Date registration3": "20200913", "Source Register": "ChiCTR",
         "web address": "https://www.chictr.org.cn/x", "Primary sponsor": "University"},
        {"type": "registration", "title": "Long", "year": 2020, "database": "ChiCTR", "publisher": "University",
         "accession_numbers": ("ChiCTR2000030000",)},
    ),
    "Embase": (
        "Title,Original Title,Author Names,Author Addresses,Editors,Source,Source title,Source Title Abbreviation,"
        "Publication Year,Volume,Issue,First Page,Last Page,Date of Publication,Publication Type,ISSN,Book Publisher,"
        "Abstract,Article Language,Emtree Drug Index Terms,DOI,Embase Accession ID,Medline PMID,PUI,Embase Link",
        {"Title": "T", "Author Names": "Doe J., Roe K.", "Source": "Pain (2017) 15:1 (1-9)", "Source title": "Pain",
         "Publication Year": "2017", "First Page": "1", "Last Page": "9", "DOI": "10.1000/x", "Medline PMID": "123",
         "Embase Accession ID": "2017001", "Source Title Abbreviation": "Pn"},
        {"authors": ("Doe J.", "Roe K."), "journal": "Pain", "journal_abbreviation": "Pn", "pages": "1-9",
         "pmid": "123", "volume": "15"},
    ),
    "PubMed": (
        "PMID,Title,Authors,Citation,First Author,Journal/Book,Publication Year,Create Date,PMCID,NIHMS ID,DOI",
        {"PMID": "123", "Title": "T", "Authors": "Doe J, Roe K.", "Citation": "Pain. 2016 Mar;15(1):1-9. doi: 10.1/x.",
         "First Author": "Doe J", "Journal/Book": "Pain", "Publication Year": "2016", "DOI": "10.1000/x"},
        {"pmid": "123", "authors": ("Doe J", "Roe K"), "journal": "Pain", "year": 2016, "volume": "15", "pages": "1-9"},
    ),
    "Web of Science": (
        "Publication Type,Authors,Book Authors,Book Editors,Author Full Names,Article Title,Source Title,Language,"
        "Document Type,Author Keywords,Keywords Plus,Abstract,Addresses,ISSN,eISSN,Journal Abbreviation,"
        "Journal ISO Abbreviation,Publication Date,Publication Year,Volume,Issue,Start Page,End Page,Article Number,"
        "DOI,DOI Link,Pubmed Id,UT (Unique WOS ID)",
        {"Publication Type": "J", "Authors": "Doe, J; Roe, K", "Author Full Names": "Doe, Jane; Roe, Kim",
         "Article Title": "T", "Source Title": "PAIN", "Document Type": "Article", "Publication Date": "MAR",
         "Publication Year": "2015", "Article Number": "e7", "DOI": "10.1000/x",
         "DOI Link": "http://dx.doi.org/10.1000/x", "Pubmed Id": "123", "UT (Unique WOS ID)": "WOS:0001",
         "Journal ISO Abbreviation": "Pn"},
        {"authors": ("Doe, Jane", "Roe, Kim"), "title": "T", "year": 2015, "pages": "e7", "doi": "10.1000/x",
         "pmid": "123", "accession_numbers": ("WOS:0001",), "journal_abbreviation": "Pn"},
    ),
    "EBSCO (CINAHL, PsycInfo)": (
        "Article Title,Author,Journal Title,ISSN,ISBN,Publication Date,Volume,Issue,First Page,Page Count,"
        "Accession Number,DOI,Publisher,Doctype,Subjects,Keywords,Abstract,PLink",
        {"Article Title": "T", "Author": "Doe, Jane; Roe, Kim", "Journal Title": "Pain", "Publication Date": "20140301",
         "First Page": "7", "Accession Number": "99", "PLink": "https://search.ebscohost.com/x", "Doctype": "Article"},
        {"authors": ("Doe, Jane", "Roe, Kim"), "journal": "Pain", "year": 2014, "pages": "7"},
    ),
    "ProQuest": (
        "Title,Abstract,StoreId,ArticleType,AlternateTitle,AuthorAffiliation,Authors,StartPage,copyright,"
        "digitalObjectIdentifier,documentType,entryDate,issn,isbn,issue,language,pages,placeOfPublication,pubdate,"
        "pubtitle,subjectTerms,volume,year,DocumentURL,Database",
        {"Title": "T", "StoreId": "1234", "Authors": "Doe, Jane; Roe, Kim", "StartPage": "1", "pages": "1-9",
         "digitalObjectIdentifier": "http://dx.doi.org/10.1000/x", "documentType": "Journal Article", "pubdate":
         "Mar 2013", "pubtitle": "Pain", "subjectTerms": "a; b", "year": "2013", "DocumentURL": "https://x.org/1",
         "placeOfPublication": "London"},
        {"authors": ("Doe, Jane", "Roe, Kim"), "pages": "1-9", "doi": "10.1000/x", "journal": "Pain", "year": 2013,
         "date": "Mar 2013", "keywords": ("a", "b"), "urls": ("https://x.org/1",), "place": "London",
         "accession_numbers": ("1234",)},
    ),
    "ClinicalTrials.gov": (
        "NCT Number,Study Title,Study URL,Acronym,Study Status,Brief Summary,Study Results,Conditions,Interventions,"
        "Sponsor,Collaborators,Study Type,Other IDs,Start Date,First Posted,Locations",
        {"NCT Number": "NCT00000001", "Study Title": "T", "Study URL": "https://clinicaltrials.gov/study/NCT00000001",
         "Brief Summary": "Aims", "Conditions": "Pain|Back Pain", "First Posted": "2012-03-01", "Other IDs": "A1|B2"},
        {"type": "registration", "year": 2012, "keywords": ("Pain", "Back Pain"), "abstract": "Aims",
         "accession_numbers": ("NCT00000001", "A1", "B2")},
    ),
    "ClinicalTrials.gov, before 2023": (
        "Rank,NCT Number,Title,Acronym,Status,Study Results,Conditions,Interventions,Outcome Measures,"
        "Sponsor/Collaborators,Gender,Age,Phases,Enrollment,Funded Bys,Study Type,Study Designs,Other IDs,Start Date,"
        "Primary Completion Date,Completion Date,First Posted,Results First Posted,Last Update Posted,Locations,"
        "Study Documents,URL",
        {"Rank": "1", "NCT Number": "NCT00000001", "Title": "T", "First Posted": "March 1, 2011",
         "Sponsor/Collaborators": "University", "URL": "https://ClinicalTrials.gov/show/NCT00000001"},
        {"type": "registration", "year": 2011, "title": "T", "publisher": "University", "id": "NCT00000001"},
    ),
    "Dimensions": (
        "Rank,Publication ID,DOI,PMID,PMCID,Title,Abstract,Acknowledgements,Source title,Anthology title,MeSH terms,"
        "Publication Date,PubYear,Volume,Issue,Pagination,Open Access,Publication Type,Authors,"
        "Authors (Raw Affiliation),Corresponding Author,Authors Affiliations,Times cited,Source Linkout,Dimensions URL",
        {"Rank": "500", "Publication ID": "pub.1", "DOI": "10.1000/x", "PMID": "123", "Title": "T", "PubYear": "2010",
         "Publication Date": "2010-03-01", "Source title": "Pain", "Pagination": "1-9", "Authors": "Doe, J; Roe, K",
         "Publication Type": "Article", "Dimensions URL": "https://app.dimensions.ai/details/publication/pub.1"},
        {"authors": ("Doe, J", "Roe, K"), "year": 2010, "date": "2010-03-01", "pages": "1-9",
         "accession_numbers": ("pub.1",), "urls": ("https://app.dimensions.ai/details/publication/pub.1",)},
    ),
    "Lens": (
        "Lens ID,Title,Date Published,Publication Year,Publication Type,Source Title,ISSNs,Publisher,Source Country,"
        "Author/s,Abstract,Volume,Issue Number,Start Page,End Page,Fields of Study,Keywords,MeSH Terms,Source URLs,"
        "External URL,PMID,DOI,PMCID",
        {"Lens ID": "001-002", "Title": "T", "Date Published": "2009-03-01", "Publication Year": "2009",
         "Publication Type": "journal article", "Source Title": "Pain", "ISSNs": "03043959; 18726623",
         "Author/s": "Jane Doe; Kim Roe", "Start Page": "1", "End Page": "9", "PMID": "123"},
        {"authors": ("Jane Doe", "Kim Roe"), "issn": ("0304-3959", "1872-6623"), "pages": "1-9", "date": "2009-03-01"},
    ),
    "OpenAlex": (
        "id,doi,display_name,publication_year,publication_date,language,type,ids.pmid,"
        "primary_location.source.display_name,authorships.author.display_name,biblio.volume,biblio.issue,"
        "biblio.first_page,biblio.last_page,primary_location.landing_page_url,abstract",
        {"id": "https://openalex.org/W1", "doi": "https://doi.org/10.1000/x", "display_name": "T",
         "publication_year": "2008", "publication_date": "2008-03-01", "type": "article",
         "ids.pmid": "https://pubmed.ncbi.nlm.nih.gov/123", "primary_location.source.display_name": "Pain",
         "authorships.author.display_name": "Jane Doe|Kim Roe", "biblio.volume": "15", "biblio.first_page": "1",
         "biblio.last_page": "9"},
        {"authors": ("Jane Doe", "Kim Roe"), "doi": "10.1000/x", "pmid": "123", "journal": "Pain", "volume": "15",
         "pages": "1-9", "type": "article"},
    ),
    "IEEE Xplore": (
        "Document Title,Authors,Author Affiliations,Publication Title,Date Added To Xplore,Publication Year,Volume,"
        "Issue,Start Page,End Page,Abstract,ISSN,ISBNs,DOI,Funding Information,PDF Link,Author Keywords,IEEE Terms,"
        "INSPEC Controlled Terms,Reference Count,License,Online Date,Issue Date,Publisher,Document Identifier",
        {"Document Title": "T", "Authors": "J. Doe; K. Roe", "Author Affiliations": "University X; University Y",
         "Publication Title": "2020 Meeting on Pain", "Publication Year": "2020", "Start Page": "1", "End Page": "9",
         "DOI": "10.1000/x", "PDF Link": "https://x.org/1", "Author Keywords": "pain", "IEEE Terms": "Sensors;Pain",
         "Publisher": "IEEE", "Document Identifier": "IEEE Conferences"},
        {"type": "conference", "authors": ("J. Doe", "K. Roe"), "pages": "1-9", "keywords": ("pain", "Sensors", "Pain"),
         "urls": ("https://x.org/1",), "affiliations": ("University X; University Y",)},
    ),
    "Springer": (
        "Item Title,Publication Title,Book Series Title,Journal Volume,Journal Issue,Item DOI,Authors,Publication Year,"
        "URL,Content Type",
        {"Item Title": "T", "Publication Title": "A Volume", "Item DOI": "10.1000/x", "Authors": "Jane Doe",
         "Publication Year": "2019", "URL": "http://x.org/1", "Content Type": "Chapter"},
        {"type": "chapter", "journal": "A Volume", "doi": "10.1000/x", "year": 2019},
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("column", "word", "kind"),
    [
        ("Document Type", "Book chapter", "chapter"),
        ("Publication Type", "dissertation", "thesis"),
        ("Document Type", "Conference paper", "conference"),
        ("Document Type", "Review", "article"),
        ("Type", "review", "article"),
        ("Type", "book-chapter", "chapter"),
        ("Type", "paratext", "other"),
    ],
)
def test_the_kind_of_a_row(column, word, kind):
    (record,), _ = read(f"Title,DOI,{column}\nT,10.1000/x,{word}\n", name="x.csv")
    assert record.type == kind


@pytest.mark.parametrize("mark", [",", "\t"], ids=["csv", "tsv"])
@pytest.mark.parametrize("database", TABLES)
def test_the_table_of(database, mark):
    header, cells, expected = TABLES[database]
    names = header.split(",")
    assert set(cells) <= set(names)
    out = io.StringIO()
    csv.writer(out, delimiter=mark, lineterminator="\n").writerows([names, [cells.get(name, "") for name in names]])
    (record,), tally = read(out.getvalue(), name="x.csv", expect="table")
    assert {field: getattr(record, field) for field in expected} == expected
    assert record.title == expected.get("title", "T")
    assert not tally.entries


def test_votes_of_rayyan():
    header, cells, _ = TABLES["Rayyan"]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [header.split(","), [cells.get(name, "") for name in header.split(",")]]
    )
    (record,), _ = read(out.getvalue(), name="x.csv")
    assert [(vote.person, vote.decision) for vote in record.votes] == [("Ann", "include"), ("Bo", "maybe")]
