"""What the fields of a BibTeX entry mean: from (name, raw value) to tags of RIS; an ordinary entry to its record."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import cast

from balm.review.records.kinds import BIBTEX_TYPES, ris_code
from balm.review.records.latex import plain
from balm.review.records.receipt import Tally
from balm.review.records.ris_fast import follow, plan_of
from balm.review.records.ris_fields import LINE_SEPARATOR, Fields
from balm.vocabulary.record import RECORD_TYPES, Record

#: What a field is called: one word, or some with blanks between.
NAME = r"[A-Za-z_][\w.:+/\-]*+(?:[ \t\xa0]++[\w.:+/\-]++)*+"
#: A whole field whose value has no ``#`` and at most two levels of braces inside; quantifiers never give back.
WHOLE = re.compile(
    r"[\s,]*+(" + NAME + r")\s*+=\s*+(?:"
    r"\{((?:[^{}]++|\{(?:[^{}]++|\{[^{}]*+\})*+\})*+)\}"
    r'|"([^"{}\\]*+)"'
    r"|([^\s,#{}\"]++)"
    r")\s*+(?=,|\Z)"
)
#: What makes a list of keywords more than words and separators.
MARKS = re.compile(r"[\\{}\n~$\t]|  |" + LINE_SEPARATOR)
_BLANKS = re.compile(r"[ \t\r\n]+")
#: Field -> RIS tag of the same meaning.
RIS = {
    "title": "TI",
    "booktitle": "T2",
    "journal": "JF",
    "journaltitle": "JF",
    "shortjournal": "J2",
    "journal_abbreviation": "J2",
    "abbrev_source_title": "J2",
    "journal-iso": "J2",
    "volume": "VL",
    "number": "IS",
    "issue": "IS",
    "pages": "SP",
    "doi": "DO",
    "pmid": "PMID",
    "pubmed_id": "PMID",
    "pubmed": "PMID",
    "pmcid": "C2",
    "pmc": "C2",
    "issn": "SN",
    "eissn": "SN",
    "isbn": "SN",
    "abstract": "AB",
    "language": "LA",
    "langid": "LA",
    "publisher": "PB",
    "school": "PB",
    "institution": "PB",
    "address": "CY",
    "location": "CY",
    "affiliation": "AD",
    "affiliations": "AD",
    "note": "N1",
    "annote": "N1",
    "date": "DA",
    "year": "PY",
    "original_title": "TT",
    "titletranslation": "TT",
    "database": "DB",
    "accession_numbers": "AN",
    "unique-id": "AN",
    "publication_types": "M3",
    "document_type": "M3",
    "type": "M3",
    "shorttitle": "ST",
}
#: Fields our own writer fills with several values, one a line.
SEVERAL = frozenset({"affiliation", "note", "accession_numbers", "publication_types", "issn", "isbn", "url", "urls"})
#: Fields that are more than one value under a tag of RIS.
BY_ITSELF = SEVERAL | {"keywords", "keyword", "pages", "month", "id", "balm_type", "decision", "votes"}
#: Fields of keywords beside the usual one: those of the authors in Scopus, those found by Web of Science.
MORE_KEYWORDS = ("author_keywords", "author-keywords", "keywords-plus")
KEYWORDS = frozenset({"keywords", "keyword", *MORE_KEYWORDS})
#: The day on which Web of Science had an article that is in no issue yet.
EARLY = "early access date"
#: The number of an article in a volume without pages.
ARTICLE = frozenset({"article-number", "art_number", "articleno"})


def pair_of(found: re.Match[str], strings: dict[str, str]) -> tuple[str, str]:
    """Name and value of a whole field; a bare word may be a macro."""
    name, braced, quoted, word = found.groups()
    if word is not None:
        return name, strings.get(word.lower(), word)
    return name, quoted if braced is None else braced


def ordinary_entry(
    kind: str, key: str, pairs: list[tuple[str, str]], start: int, end: int, tally: Tally
) -> Record | None:
    """The record of an entry that is an ordinary one; else ``None``, and it goes through :func:`as_ris`."""
    tags, values = ["TY"], [ris_code(BIBTEX_TYPES[kind])]
    authors: list[str] = []
    keywords: list[str] = []
    month, own = "", key
    for name, raw in pairs:
        low = name.lower()
        if low == "author":
            if authors:
                return None
            authors = names(raw)
            continue
        if low == "keywords" or low in MORE_KEYWORDS:
            if (keywords and low == "keywords") or (not raw.isalnum() and MARKS.search(raw)):
                return None
            parts = raw.split(";") if ";" in raw else raw.split(",")
            keywords += map(str.strip, parts)
            continue
        value = (plain(raw) if "\\" in raw or "{" in raw or "\n" in raw or "  " in raw else raw).strip()
        if not value:
            continue
        if tag := RIS.get(low):
            if tag == "AN" or (tag == "SP" and low != "pages"):
                return None
            values.append(page_range(value) if tag == "SP" else value)
        elif low == "month":
            month = value
            continue
        elif low == "url":
            tag = "UR"
            values.append(value)
        elif low in BY_ITSELF or low in ARTICLE or low in ("editor", EARLY) or len(name) < 3:
            return None
        else:
            tag = name
            values.append(value)
        tags.append(tag)
    if month and "DA" not in tags:
        date = date_of(values[tags.index("PY")] if "PY" in tags else "", month)
        if date is None:
            return None
        tags.append("DA")
        values.append(date)
    if own:
        tags.append("ID")
        values.append(own)
    text = "".join(values)
    if "\n" in text or LINE_SEPARATOR in text:
        return None
    if authors:
        authors = list(map(str.strip, authors))
    plan = plan_of(tuple(tags), True)
    return None if plan is None else follow(plan, values, authors, keywords, start, end, tally)


def as_ris(kind: str, key: str, pairs: list[tuple[str, str]]) -> Fields:
    word = BIBTEX_TYPES.get(kind, "other")
    ris: Fields = {"TY": [ris_code(word)]}
    if kind not in BIBTEX_TYPES:
        ris["entry type"] = [kind]
    month = ""
    own = key
    article: list[tuple[str, str]] = []
    for name, raw in pairs:
        low = name.lower()
        if low in ("author", "editor"):
            ris.setdefault("AU" if low == "author" else "ED", []).extend(names(raw))
            continue
        value = plain(raw) if "\\" in raw or "{" in raw or "\n" in raw or "  " in raw else raw.strip()
        if not value:
            continue
        if low in ARTICLE:
            article.append((name, value))
        elif low not in BY_ITSELF and low not in KEYWORDS:
            tag = RIS.get(low, name)
            if tag in ris:
                ris[tag].append(value)
            else:
                ris[tag] = [value]
        elif low in SEVERAL:
            values = [v.replace(LINE_SEPARATOR, "\n") for v in value.split("\n")]
            tag = "UR" if low in ("url", "urls") else RIS[low]
            if tag == "AN":
                ris["AN"], ris["U2"] = values[:1], values[1:]
            else:
                ris.setdefault(tag, []).extend(values)
        elif low in KEYWORDS:
            parts = keywords_in(raw)
            ris.setdefault("KW", []).extend([*parts, ""])
        elif low == "pages":
            ris.setdefault("SP", []).append(page_range(value))
        elif low == "month":
            month = value
        elif low == "id":
            own = value
        elif low == "balm_type" and value in RECORD_TYPES:
            ris.setdefault("N1", []).append(f"balm_type: {value}")
        elif low == "decision":
            note = {"include": "ASReview_relevant", "exclude": "ASReview_irrelevant", "maybe": "balm_maybe"}.get(value)
            ris.setdefault("N1" if note else low, []).append(note or value)
        elif low == "votes":
            ris.setdefault("N1", []).append(value)
        else:
            ris.setdefault(name, []).append(value)
    if month and "DA" not in ris:
        date = date_of(ris.get("PY", [""])[0].strip(), month)
        if date is not None:
            ris["DA"] = [date]
        else:
            ris["month"] = [month]
    early = next((name for name in ris if name.lower() == EARLY), "")
    if early and "PY" not in ris and "DA" not in ris:
        ris["DA"] = ris.pop(early)
    for name, value in article:
        ris.setdefault(name if "SP" in ris else "SP", []).append(value)
    if own:
        ris["ID"] = [own]
    return ris


def keywords_in(raw: str) -> list[str]:
    r"""Keywords with semicolons or else commas between, in characters; a semicolon in braces is part of one.

    >>> keywords_in(r"na{\"i}ve; pain, chronic; a{;}b")
    ['naïve', 'pain, chronic', 'a;b']
    """
    bare = raw.replace("{;}", LINE_SEPARATOR)
    parts = bare.split(";") if ";" in bare else bare.split(",") if "," in bare else [bare]
    if LINE_SEPARATOR in bare or "\\" in bare or "{" in bare or "\n" in bare or "~" in bare or "$" in bare:
        parts = [plain(part).replace(LINE_SEPARATOR, ";") for part in parts]
    elif "  " in bare or "\t" in bare or "}" in bare:
        parts = list(map(plain, parts))
    return list(map(str.strip, parts))


def date_of(year: str, month: str) -> str | None:
    """The date that a year and what stands in ``month`` make.

    >>> date_of("2019", "4"), date_of("2019", "APR 1"), date_of("", "4") is None
    ('2019-04', '2019 APR 1', True)
    """
    if not year.isdigit() or len(month) > 20:
        return None
    if month.isdigit():
        return f"{year}-{int(month):02d}"
    return f"{year} {month}" if month[0].isalpha() and "\n" not in month else None


def page_range(value: str) -> str:
    """Pages with a plain hyphen, for BibTeX's two and Scopus's spaced dash.

    >>> page_range("12--19"), page_range("12 \u2013 19")
    ('12-19', '12-19')
    """
    return value.replace("--", "-").replace(" \u2013 ", "-")


def names(raw: str) -> list[str]:
    r"""Names separated by ``and`` outside braces, in characters.

    >>> names(r"M{\"u}ller, A. and {Pain and Balm Group}")
    ['Müller, A.', 'Pain and Balm Group']
    """
    text = (_BLANKS.sub(" ", raw) if "\n" in raw or "  " in raw or "\t" in raw else raw).strip()
    text = text.removesuffix(" and others")  # BibTeX's et al. is nobody
    parts = text.split(" and ")
    if "{" not in text and "\\" not in text:
        return parts
    if len(parts) == 1:
        return [_in_characters(text)]
    whole = list(map(_whole_name, parts))
    if None not in whole:
        return cast(list[str], whole)
    parts, depth, begin = [], 0, 0
    for mark in re.finditer(r"[{}]| and ", text):
        if mark[0] == "{":
            depth += 1
        elif mark[0] == "}":
            depth -= 1
        elif depth <= 0:
            parts.append(text[begin : mark.start()])
            begin = mark.end()
    return list(map(_in_characters, [*parts, text[begin:]]))


#: The same people write many papers: their names are turned into characters once.
_in_characters = lru_cache(maxsize=20_000)(plain)


@lru_cache(maxsize=20_000)
def _whole_name(part: str) -> str | None:
    """The name in characters; ``None`` for a part of one whose braces hold an ``and``."""
    return None if "{" in part and part.count("{") != part.count("}") else plain(part)
