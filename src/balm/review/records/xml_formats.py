"""PubMed XML, EndNote XML and the XML of WHO's register search (ICTRP), streamed one record at a time.

Parsed through defusedxml: entity declarations (and with them entity bombs) and external references are refused, and so
is nesting no export has. A file that breaks off keeps the records before the break, and says where it broke.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from balm.review.records.identifiers import find_doi, find_pmcid, find_year, serial_numbers
from balm.review.records.kinds import refined, ris_code, type_in_words
from balm.review.records.receipt import Tally
from balm.review.records.ris_fields import Fields, build
from balm.review.records.table import row_fields
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.record import Record

#: Exports nest some ten levels; nothing real is deeper than this.
MAX_DEPTH = 100
#: Elements of one record; the largest article of PubMed (5,000 authors with affiliations) stays under 60,000.
MAX_ELEMENTS = 500_000
#: One tag or one comment; those of exports are shorter than a line.
MAX_MARKUP = 4 * 1024**2
_BLOCK = 1 << 16


def read_pubmed(source: BinaryIO, tally: Tally) -> Iterator[Record]:
    """Every ``PubmedArticle`` and ``PubmedBookArticle``."""
    tally.format = "PubMed XML"
    yield from _stream(source, tally, {"PubmedArticle": _pubmed, "PubmedBookArticle": _pubmed})


def read_endnote(source: BinaryIO, tally: Tally) -> Iterator[Record]:
    """Every ``record`` of an EndNote library exported as XML."""
    tally.format = "EndNote XML"
    yield from _stream(source, tally, {"record": _endnote, "RECORD": _endnote_7})


def read_ictrp(source: BinaryIO, tally: Tally) -> Iterator[Record]:
    """Every ``Trial`` of WHO's International Clinical Trials Registry Platform, read as a row of its table."""
    tally.format = "ICTRP XML"
    yield from _stream(source, tally, {"Trial": _ictrp})


def _stream(source: BinaryIO, tally: Tally, heads: dict[str, Callable[..., Iterator[Record]]]) -> Iterator[Record]:
    try:
        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import ParseError
    except ImportError:
        way_out = "install balm with its extra: pip install 'balm[records]'"
        raise InputError(Problem(f"reading XML safely needs defusedxml; {way_out}", file=tally.file)) from None

    depth = elements = 0
    inside = ""
    parents: list[Any] = []
    try:
        for event, element in _events(source, tally):
            if event == "start":
                depth += 1
                elements += 1
                if not inside:
                    parents.append(element)
                    if element.tag in heads:
                        inside, elements = element.tag, 0
                if depth > MAX_DEPTH or elements > MAX_ELEMENTS:
                    what = f"nested deeper than {MAX_DEPTH} levels" if depth > MAX_DEPTH else "far too large a record"
                    raise InputError(Problem(f"{what}: this is not an export of records", file=tally.file))
                continue
            depth -= 1
            if not inside:
                parents.pop()
                element.clear()
            elif element.tag == inside and element is parents[-1]:
                yield from heads[inside](element, tally)
                inside = ""
                parents.pop()
                element.clear()
                if parents:
                    parents[-1].clear()
            if not inside:
                elements = 0
    except DefusedXmlException as refused:
        kind = type(refused).__name__
        why = (
            "declares entities, which no export does; it is refused unread" if "Entit" in kind else f"refused ({kind})"
        )
        raise InputError(Problem(f"the XML {why}", file=tally.file)) from None
    except ParseError as broken:
        line = broken.position[0] if broken.position else None
        if inside:
            tally.reject(line, f"the file breaks off or is damaged inside this record ({_plain(broken)})")
        elif not tally.read + tally.rejected:
            raise InputError(Problem(f"is not well-formed XML: {_plain(broken)}", file=tally.file, line=line)) from None
        else:
            tally.repair(line, "the file breaks off or is damaged after the last record read", _plain(broken))
    except RecursionError:  # pragma: no cover - the depth is bounded above
        raise InputError(Problem("the XML is nested too deeply", file=tally.file)) from None


def _events(source: BinaryIO, tally: Tally) -> Iterator[tuple[str, Any]]:
    """The start and the end of every element, as ``iterparse`` tells them.

    A tag or a comment that does not end is looked through again with every block read, so that its time grows with the
    square of its length; beyond :data:`MAX_MARKUP` it is refused.
    """
    from xml.etree.ElementTree import TreeBuilder, XMLPullParser

    from defusedxml.ElementTree import DefusedXMLParser

    parser = DefusedXMLParser(target=TreeBuilder(), forbid_dtd=False, forbid_entities=True, forbid_external=True)
    pull = XMLPullParser(events=("start", "end"), _parser=parser)
    fed = 0
    while block := source.read(_BLOCK):
        pull.feed(block)
        fed += len(block)
        yield from pull.read_events()  # type: ignore[misc]
        if fed - parser.parser.CurrentByteIndex > MAX_MARKUP:
            what = f"a tag or comment of more than {MAX_MARKUP // 1024**2} MB"
            raise InputError(Problem(f"{what}: this is not an export of records", file=tally.file))
    pull.close()
    yield from pull.read_events()  # type: ignore[misc]


def _plain(error: Exception) -> str:
    return str(error).split(": line")[0]


def _all(element: Any) -> str:
    """The whole text of an element, marks of style dropped."""
    return " ".join("".join(element.itertext()).split()) if element is not None else ""


def _text(parent: Any, path: str) -> str | None:
    return _all(parent.find(path)) or None if parent is not None else None


def _pubmed(element: Any, tally: Tally) -> Iterator[Record]:
    book = element.tag == "PubmedBookArticle"
    citation = element.find("BookDocument" if book else "MedlineCitation")
    if citation is None:
        tally.reject(None, f"{element.tag} without its citation")
        return
    article = citation if book else citation.find("Article")
    if article is None:
        tally.reject(None, f"{element.tag} without its article")
        return
    journal = article.find("Journal")
    data = element.find("PubmedBookData" if book else "PubmedData")
    pmid = _text(citation, "PMID")
    doi = invalid = pmcid = None
    for one in (*article.findall("ELocationID"), *_ids(data), *article.findall("ArticleIdList/ArticleId")):
        text, kind = _all(one), one.get("EIdType") or one.get("IdType") or ""
        if kind == "doi":
            if one.get("ValidYN") == "N":
                invalid = invalid or find_doi(text)
            else:
                doi = doi or find_doi(text)
        elif kind == "pmc":
            pmcid = pmcid or find_pmcid(text)
    pages = _text(article, "Pagination/MedlinePgn")
    if pages is None and (first := _text(article, "Pagination/StartPage")):
        last = _text(article, "Pagination/EndPage")
        pages = f"{first}-{last}" if last and last != first else first
    published = journal.find("JournalIssue/PubDate") if journal is not None else article.find("Book/PubDate")
    date = " ".join(_all(part) for part in published) if published is not None else ""
    year = find_year(date) or find_year(_text(article, "ArticleDate") or "")
    issn = [_all(i) for i in (journal.findall("ISSN") if journal is not None else ())]
    issn += [_all(i) for i in citation.findall("MedlineJournalInfo/ISSNLinking")]
    serials, books, _ = serial_numbers([*issn, *(_all(i) for i in article.findall("Book/Isbn"))])
    types = tuple(dict.fromkeys(_all(t) for t in article.iter("PublicationType")))
    people: list[Any] = article.findall("AuthorList[@Type='authors']/Author")
    editors: list[Any] = []
    people = people or article.findall("AuthorList/Author")
    title, book_title = _text(article, "ArticleTitle"), _text(article, "Book/BookTitle")
    if book:
        editors = article.findall("AuthorList[@Type='editors']/Author")
        editors = editors or article.findall("Book/AuthorList[@Type='editors']/Author")
        if not title:  # a book of itself
            people = people or article.findall("Book/AuthorList[@Type='authors']/Author")
    accession = tuple(_all(n) for n in article.iter("AccessionNumber"))
    full, short = _text(journal, "Title"), _text(journal, "ISOAbbreviation")
    short = short or _text(citation, "MedlineJournalInfo/MedlineTA")
    record = Record(
        id=tally.name(pmid),
        type=("chapter" if title else "book")
        if book
        else refined(next((w for t in types if (w := type_in_words(t))), "article"), types),
        title=title or book_title,
        original_title=_text(article, "VernacularTitle"),
        authors=tuple(n for p in people if (n := _person(p))),
        editors=tuple(n for p in editors if (n := _person(p))),
        year=year,
        date=date if date and date != str(year) else None,
        journal=full or short or (book_title if title else None),
        journal_abbreviation=short if full and short != full else None,
        volume=_text(journal, "JournalIssue/Volume"),
        issue=_text(journal, "JournalIssue/Issue"),
        pages=pages,
        doi=doi or invalid,
        pmid=pmid if pmid and pmid.isdigit() else None,
        pmcid=pmcid,
        accession_numbers=tuple(dict.fromkeys(accession)),
        issn=serials,
        isbn=books,
        abstract=_abstract(article.find("Abstract")),
        keywords=tuple(dict.fromkeys([*_headings(citation), *(_all(k) for k in citation.iter("Keyword"))])),
        language=_text(article, "Language"),
        publication_types=types,
        publisher=_text(article, "Book/Publisher/PublisherName"),
        place=_text(citation, "MedlineJournalInfo/Country") or _text(article, "Book/Publisher/PublisherLocation"),
        affiliations=tuple(dict.fromkeys(_all(a) for a in article.iter("Affiliation"))),
        source_file=tally.file,
        ordinal=tally.ordinal,
        other=tuple(dict.fromkeys(_further(citation, article, element, book))),
    )
    tally.read += 1
    yield record


#: Elements without a field of the model that a reader would miss.
_FURTHER = ("Book/Edition", "Book/CollectionTitle", "Book/VolumeTitle", "Book/Volume")


def _further(citation: Any, article: Any, whole: Any, book: bool) -> Iterator[tuple[str, str]]:
    """What has no field: further languages and abstracts, book numbers, notes."""
    for language in article.findall("Language")[1:]:
        yield "Language", _all(language)
    for abstract in citation.findall("OtherAbstract"):
        if text := _abstract(abstract):
            yield "OtherAbstract", text
    for path in _FURTHER:
        if text := _text(article, path):
            yield path.rpartition("/")[2], text
    for one in whole.iter("ArticleId") if book else ():
        if one.get("IdType") == "bookaccession" and (text := _all(one)):
            yield "bookaccession", text
    for note in citation.findall("GeneralNote"):
        yield "GeneralNote", _all(note)


def _ids(data: Any) -> Iterator[Any]:
    """The article's own identifiers; those of its reference list are other articles'."""
    if data is not None:
        yield from data.findall("ArticleIdList/ArticleId")


def _person(author: Any) -> str:
    group = _text(author, "CollectiveName")
    if group:
        return group
    family, given = _text(author, "LastName"), _text(author, "ForeName") or _text(author, "Initials")
    given = " ".join(part for part in (given, _text(author, "Suffix")) if part)
    return f"{family}, {given}" if family and given else family or given


def _abstract(element: Any) -> str | None:
    if element is None:
        return None
    parts = []
    for part in element.findall("AbstractText"):
        label, text = part.get("Label"), _all(part)
        if text:
            parts.append(f"{label}: {text}" if label and label != "UNLABELLED" else text)
    return "\n".join(parts) or None


def _headings(citation: Any) -> Iterator[str]:
    """Subject headings as MEDLINE prints them: ``Ketamine/*adverse effects``."""
    for heading in citation.findall("MeshHeadingList/MeshHeading"):
        parts = [("*" if p.get("MajorTopicYN") == "Y" else "") + _all(p) for p in heading]
        yield "/".join(parts)


_ENDNOTE = {
    "titles/title": "TI",
    "titles/short-title": "ST",
    "titles/alt-title": "J2",
    "titles/translated-title": "TT",
    "contributors/secondary-authors/author": "A2",
    "contributors/tertiary-authors/author": "A3",
    "contributors/subsidiary-authors/author": "A4",
    "periodical/full-title": "JF",
    "periodical/abbr-1": "JA",
    "titles/secondary-title": "T2",
    "alt-periodical/full-title": "JO",
    "pages": "SP",
    "volume": "VL",
    "number": "IS",
    "abstract": "AB",
    "isbn": "SN",
    "electronic-resource-num": "DO",
    "accession-num": "AN",
    "language": "LA",
    "notes": "N1",
    "research-notes": "RN",
    "publisher": "PB",
    "pub-location": "CY",
    "work-type": "M3",
    "auth-address": "AD",
    "dates/year": "PY",
    "dates/pub-dates/date": "DA",
    "remote-database-name": "DB",
    "custom2": "C2",
    "custom7": "C7",
    "caption": "CA",
    "label": "LB",
    "call-num": "CN",
    "edition": "ET",
    "section": "SE",
}
_TAKEN = re.compile(r"^(titles|contributors|periodical|alt-periodical|dates|urls|keywords|foreign-keys)$")


def _endnote(element: Any, tally: Tally) -> Iterator[Record]:
    ris: Fields = {}
    kind = element.find("ref-type")
    name = kind.get("name", "") if kind is not None else ""
    ris["TY"] = [ris_code(type_in_words(name) or "other")]
    number = _text(element, "rec-number")
    if number:
        ris["ID"] = [number]
    ris["AU"] = [_all(a) for a in element.findall("contributors/authors/author")]
    ris["KW"] = [*(_all(k) for k in element.findall("keywords/keyword")), ""]
    ris["UR"] = [_all(u) for u in (*element.findall("urls/related-urls/url"), *element.findall("urls/web-urls/url"))]
    for path, tag in _ENDNOTE.items():
        for one in element.findall(path):
            text = "".join(one.itertext()) if tag in ("AB", "N1", "RN", "AD") else _all(one)
            if text.strip():
                ris.setdefault(tag, []).append(text.replace("\r", "\n"))
    for child in element:
        if child.tag not in _ENDNOTE and not _TAKEN.match(child.tag) and child.tag not in _OF_THE_LIBRARY:
            text = _all(child)
            if text:
                ris.setdefault(child.tag, []).append(text)
    for record in build(ris, tally, 0, 0, ended=True, head=True):
        object.__setattr__(record, "lines", None)
        yield record


#: Version 7 wrote capitals, and numbers for types.
_ENDNOTE_7 = {"AUTHORS/AUTHOR": "AU", "SECONDARY_AUTHORS/SECONDARY_AUTHOR": "A2", "KEYWORDS/KEYWORD": "KW"} | {
    "TITLE": "TI",
    "SECONDARY_TITLE": "T2",
    "TERTIARY_TITLE": "T3",
    "ALTERNATE_TITLE": "J2",
    "SHORT_TITLE": "ST",
    "YEAR": "PY",
    "DATE": "DA",
    "VOLUME": "VL",
    "NUMBER": "IS",
    "PAGES": "SP",
    "ABSTRACT": "AB",
    "NOTES": "N1",
    "URL": "UR",
    "ISBN": "SN",
    "ACCESSION_NUMBER": "AN",
    "ELECTRONIC_RESOURCE_NUMBER": "DO",
    "PUBLISHER": "PB",
    "PLACE_PUBLISHED": "CY",
    "AUTHOR_ADDRESS": "AD",
    "LANGUAGE": "LA",
    "TYPE_OF_WORK": "M3",
    "REFNUM": "ID",
}
_TYPES_7 = {"0": "article", "1": "book", "2": "thesis", "3": "conference", "5": "newspaper article"} | {
    "7": "chapter",
    "8": "magazine article",
    "9": "book",
    "10": "report",
}


def _endnote_7(element: Any, tally: Tally) -> Iterator[Record]:
    ris: Fields = {"TY": [ris_code(_TYPES_7.get(_text(element, "REFERENCE_TYPE") or "", "other"))]}
    for path, tag in _ENDNOTE_7.items():
        for one in element.findall(path):
            text = "".join(one.itertext()) if tag in ("AB", "N1", "AD") else _all(one)
            if text.strip():
                ris.setdefault(tag, []).append(text.replace("\r", "\n"))
    if "KW" in ris:
        ris["KW"].append("")
    taken = {path.partition("/")[0] for path in _ENDNOTE_7}
    for child in element:
        if child.tag not in taken and child.tag != "REFERENCE_TYPE" and (text := _all(child)):
            ris.setdefault(child.tag, []).append(text)
    for record in build(ris, tally, 0, 0, ended=True, head=True):
        object.__setattr__(record, "lines", None)
        yield record


_OF_THE_LIBRARY = frozenset({"database", "source-app", "rec-number", "ref-type"})


def _ictrp(element: Any, tally: Tally) -> Iterator[Record]:
    told = [(child.tag, text) for child in element if (text := _all(child))]
    fields = row_fields([name for name, _ in told], [text for _, text in told], tally)
    for record in build(fields, tally, 0, 0, ended=True, head=True):
        object.__setattr__(record, "lines", None)
        yield record
