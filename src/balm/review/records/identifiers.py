"""Identifiers and years, found in whatever a field wraps them in.

A DOI is taken from the fields that may hold the record's own; abstracts and cited references are never searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

_DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/[^\s\"]+")
_PMID = re.compile(r"(?:PMID|PUBMED|MEDLINE)\s*[:=]?\s*(?:NLM)?(\d{1,8})\b", re.I)
#: PubMed's own address of a record, and Ovid's address of one in its MEDLINE, which counts by PubMed's numbers.
_PMID_URL = re.compile(
    r"(?:(?:pubmed\.ncbi\.nlm\.nih\.gov|ncbi\.nlm\.nih\.gov/(?:pubmed|m/pubmed))/"
    r"|ovidweb\.cgi\?(?=\S*\bD=(?:med|mes|prem|pmnm|ppez|cmed))\S*\bAN=)(\d{1,8})\b",
    re.I,
)
_PMCID = re.compile(r"\bPMC\d{3,9}\b", re.I)
_ISSN = re.compile(r"(?<![\dXx-])(\d{4})[-\u2010-\u2015]?(\d{3}[\dXx])(?![\d-])")
_ISBN = re.compile(r"(?<![\d-])(?:97[89][- ]?)?(?:\d[- ]?){9}[\dXx](?![\d-])")
_PLAIN_ISSN = re.compile(r"\d{4}-\d{3}[\dX]", re.ASCII)
_YEAR = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d|21\d\d)(?!\d)")
_DIGITS = re.compile(r"\d{1,8}", re.ASCII)
_PLAIN_DOI = re.compile(r"10\.\d{4,9}/[a-z0-9./_()\-]*[a-z0-9]", re.ASCII)


def find_doi(text: str) -> str | None:
    """The first DOI in ``text``, bare and in lower case.

    >>> find_doi("https://doi.org/10.1016/J.PAIN.2009.06.023.")
    '10.1016/j.pain.2009.06.023'
    >>> find_doi("S0304-3959(09)00362-0 [pii]") is None
    True
    """
    lower = text.lower()
    if _PLAIN_DOI.fullmatch(lower) and ")" not in lower:
        return lower
    found = _DOI.search(lower)
    if found is None and "%2f" in lower:
        found = _DOI.search(unquote(lower))
    if found is None:
        return None
    doi = found[0]
    if "%" in doi:
        doi = unquote(doi)
    if "http" in lower or "www." in lower:
        doi = re.split(r"[?&#]", doi, maxsplit=1)[0]
    while doi:
        last = doi[-1]
        if last in ".,;:'\u201d\u2019\"" or (last in ")]>}" and doi.count(last) > doi.count(_OPEN[last])):
            doi = doi[:-1]
        else:
            break
    return doi if "/" in doi and not doi.endswith("/") else None


_OPEN = {")": "(", "]": "[", ">": "<", "}": "{"}


def find_pmid(text: str, *, alone: bool = False) -> str | None:
    """A PubMed identifier that says it is one (``PMID: 123``, a PubMed address); with ``alone`` also bare digits.

    >>> find_pmid("PUBMED 21314913"), find_pmid("21314913"), find_pmid("21314913", alone=True)
    ('21314913', None, '21314913')
    """
    stripped = text.strip()
    if alone and _DIGITS.fullmatch(stripped):
        return stripped.lstrip("0") or None
    found = _PMID.search(stripped) or _PMID_URL.search(stripped)
    return found[1].lstrip("0") or None if found else None


def may_name_pmid(link: str) -> bool:
    """Whether an address is of PubMed or of Ovid, so that :func:`find_pmid` may find something."""
    return "ncbi.nlm" in link or "ovidweb" in link


def find_pmcid(text: str) -> str | None:
    """A PubMed Central identifier: ``PMC`` and digits."""
    found = _PMCID.search(text)
    return found[0].upper() if found else None


def serial_numbers(values: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """``(issn, isbn, what is neither)`` in fields that hold either, several, and remarks such as ``(Print)``.

    >>> serial_numbers(["0304-3959 (Print) 1872-6623", "978-0-306-40615-7", "none"])
    (('0304-3959', '1872-6623'), ('9780306406157',), ['none'])
    """
    issn: dict[str, None] = {}
    values = tuple(values)
    if len(values) == 1 and _PLAIN_ISSN.fullmatch(values[0]):
        return values, (), []
    isbn: dict[str, None] = {}
    rest: list[str] = []
    for value in values:
        books = _ISBN.findall(value)
        for book in books:
            isbn[re.sub(r"[^0-9Xx]", "", book).upper()] = None
        left = _ISBN.sub(" ", value) if books else value
        serials = _ISSN.findall(left)
        for a, b in serials:
            issn[f"{a}-{b.upper()}"] = None
        if not books and not serials and value.strip():
            rest.append(value.strip())
    return tuple(issn), tuple(isbn), rest


def find_year(text: str) -> int | None:
    """The first year from 1500 to 2199 in ``text``.

    >>> find_year("2014/03//"), find_year("4-8 Aug. 2020"), find_year("10 15")
    (2014, 2020, None)
    """
    start = text[:4]
    if start.isdigit() and start.isascii() and 1500 <= int(start) < 2200 and not text[4:5].isdigit():
        return int(start)
    found = _YEAR.search(text)
    return int(found[1]) if found else None
