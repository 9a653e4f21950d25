"""What the columns of exported tables are called: one row a name, leading to the RIS tag with the same meaning.

Names are compared in lower case with everything but letters and digits as single blanks (``Author(s)`` = ``author s``).
"""

from __future__ import annotations

import re

_NOT_WORD = re.compile(r"[\W_]+")

#: Column name -> RIS tag, or a word in capitals that :mod:`balm.review.records.table` treats by itself.
HEADERS: dict[str, str] = {}


def _add(tag: str, names: str) -> None:
    HEADERS.update(dict.fromkeys((n.strip() for n in names.split("|")), tag))


_add(
    "TI",
    "title|article title|document title|primary title|study title|public title|translated title|display name|ti"
    "|item title",
)
_add("OFFICIAL", "official title|scientific title")
_add("TT", "original title|vernacular title")
_add(
    "AU",
    "authors|author|author s|author names|author full names|first authors|authorships author display name|au|creator"
    "|authors full names|author s full name",
)
_add(
    "GROUP",
    "group authors|corporate author|corporate authors|group author",
)
_add("A2", "editors|editor|secondary authors|book editors")
_add("PY", "year|publication year|published year|pub year|py|year of publication|pubyear")
_add(
    "DA",
    "date|date published|publication date|first posted|date registration|date of publication|date registration3"
    "|pubdate|publicationdate",
)
_add(
    "T2",
    "journal|journal title|publicationname|publication title|source title|journal book|secondary title|publication name"
    "|primary location source display name|full journal title|container title|so|booktitle|book title|anthology title"
    "|pubtitle|source title anthology title",
)
_add("SOURCE", "source|citation|bibliographic citation")
_add(
    "J2",
    "abbreviated source title|journal abbreviation|abbreviated journal|alternatename|iso source abbreviation"
    "|journal title abbreviation"
    "|journal iso abbreviation|source title abbreviation",
)
_add("VL", "volume|vl|biblio volume|journal volume")
_add("IS", "issue|issue number|number|is|biblio issue|journal issue")
_add("SP", "pages|page start|first page|start page|pagination|beginning page|biblio first page")
_add("EP", "page end|last page|end page|ending page|biblio last page")
_add("ART", "art no|article number|startpage")
_add("DO", "doi|digital object identifier|do|doi link|digitalobjectidentifier|item doi")
_add("PMID", "pmid|pubmed id|pubmed|ids pmid|medline pmid|pubmed identifier|pubmed id number")
_add("C2", "pmcid|pmc id|pubmed central id")
_add("SN", "issn|issns|isbn|eissn|isbn issn|isbns|issn isbn|primary location source issn l|serial number")
_add("AB", "abstract|abstract note|brief summary|abstracts|ab|description")
_add(
    "KW",
    "keywords|author keywords|index keywords|mesh terms|subjects|conditions|condition|manual tags|automatic tags"
    "|emtree drug index terms major focus|emtree medical index terms major focus|mesh headings|keywords plus|kw"
    "|emtree drug index terms|emtree medical index terms|emtree terms|subjectterms|meshterms|mesh|key words"
    "|keywords author|ieee terms|inspec controlled terms|inspec non controlled terms",
)
_add("LA", "language|language of original document|la|article language")
_add(
    "UR",
    "url|link|urls|study url|web address|external url|source urls|plink|full text link|embase link|full text url"
    "|open url link|dimensions url|source linkout|documenturl|primary location landing page url|articleurl|pdf link",
)
_add(
    "M3",
    "publication type|publication types|document type|doctype|study type|type of work|documenttype|publicationtype"
    "|content type|document identifier",
)
_add("KIND", "item type|reference type|type of reference|type|entrytype|entry type")
_add("PB", "publisher|sponsor|primary sponsor|lead sponsor|sponsor collaborators|book publisher")
_add(
    "CY", "place|place of publication|place published|location|source country|country of publication|placeofpublication"
)
_add(
    "AD",
    "affiliations|author address|addresses|author addresses|authoraddress|affiliation|authoraffiliation"
    "|author s affiliation|authors affiliations|author affiliations",
)
_add("N1", "notes|note|extra|general notes|asreview note|exported notes 1")
_add("DP", "database provider")
_add("DB", "database|name of database|database name|source database|source register")
_add("ID", "id|record id|recordid|key|internal id|covidence|ref id|rayyan id|record")
_add(
    "AN",
    "accession number|eid|lens id|central id|nct number|trialid|trial id|ut unique wos id|embase accession number"
    "|embase id|medline pui|pui|accession no|unique id"
    "|embase accession id|storeid|publication id",
)
_add("NCT", "ctgov id|ictrp id|cinahl id|other ids|clinical trial numbers|secondary ids|secondary id|secondaryids")
_add(
    "LABEL",
    "label included|label|included|asreview label|label abstract included|final decision|decision|label final"
    "|consensus",
)
_add("DAY", "published month|month")


def plain_name(name: str) -> str:
    """A column name as it is compared.

    >>> plain_name("\\ufeffAuthor(s)"), plain_name("label_included")
    ('author s', 'label included')
    """
    return _NOT_WORD.sub(" ", name.replace("\ufeff", "").lower()).strip()


def known(names: list[str]) -> int:
    """How many of ``names`` are columns of records."""
    return sum(plain_name(n) in HEADERS for n in names)


#: Without any of these a column of kinds, places or labels belongs to another table (a network, a glossary, a map).
_OF_A_RECORD = frozenset({"TT", "AU", "AB", "DO", "PMID", "C2", "AN", "T2", "J2", "SOURCE", "NCT"})


def looks_like_header(cells: list[str]) -> bool:
    """Whether a row names the columns of records: a title among them, or two that are known, one of them of a record.

    >>> looks_like_header(["title", "score"]), looks_like_header(["author", "year"])
    (True, True)
    >>> looks_like_header(["id", "label", "x", "y"])
    False
    """
    tags = [HEADERS.get(plain_name(c)) for c in cells if len(c) < 80]
    found = {t for t in tags if t}
    return bool(found & {"TI", "OFFICIAL"}) or (len(found) >= 2 and bool(found & _OF_A_RECORD))
