"""Ordinary RIS records, read at once: every line a known tag at its place, nothing wrapped, the DOI in ``DO``.

Some nine records in ten are of this kind. :func:`ordinary` gives exactly what :mod:`balm.review.records.ris` and
:func:`~balm.review.records.ris_fields.build` give (a test compares them on every sample), or ``None`` for a record
that is not ordinary and has to go through them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from balm.review.records.identifiers import find_doi, serial_numbers
from balm.review.records.kinds import RIS_TYPES, refined, ris_code
from balm.review.records.receipt import Tally
from balm.review.records.ris_fields import paragraphs
from balm.review.records.slots import filled
from balm.vocabulary.record import Record

_SINGLE = ("TI", "ID", "AN", "PY", "DA", "T2", "JF", "JO", "JA", "J2", "VL", "IS", "SP", "EP", "SN", "AB", "DO", "UR")
_CORE = frozenset(("TY", *_SINGLE, "LA", "DB", "PB", "CY", "M3", "AU", "KW"))
#: Tags without a field of the model, and those that may stand several times in any order.
_FREE = "ST DP Y2 U1 U3 U4 ET SE L1 C1 C6 WE PU PI T3 A3 CN NV SI PA FU FX PD PG NS NL LB OP AI"
#: Tags in which an identifier of PubMed's may stand: without a field where none does.
_MAY_HOLD = ("M1", "M2", "C3", "C7")
_FURTHER = frozenset((*_FREE.split(), *_MAY_HOLD, "N1", "AD", "L2"))
#: The tags that an ordinary record may have.
_TAGS = _CORE | _FURTHER
#: Another dialect's tag for the same field, where the usual one is missing.
_SAME = (("T1", "TI"), ("A1", "AU"), ("N2", "AB"))
_SAYS_PUBMED = re.compile("pmid|pubmed|medline", re.I)
#: Notes that are more than notes, or that need their lines put in order.
_NOTE_SAYS = re.compile("ASReview|RAYYAN|balm_|pmid|[\t\u2028\x0b]", re.I)
_IDENTIFIER = re.compile(r"pmid|pubmed|medline|pmc|10\.|^\d+$", re.I)
#: A line that may be a tag, if not at its usual place.
LOOSE = re.compile(r"[ \t\u00a0]{0,6}(PMID|[A-Z][A-Z0-9])([ \t\u00a0]{0,4})[-\u2013\u2014](?:[ \t\u00a0]+(.*))?$")


def ordinary(
    keys: list[str],
    values: list[str],
    start: int,
    end: int,
    tally: Tally,
    wrapped: bool = False,
    foreign: bool = False,
) -> Record | None:
    """The record of the tags ``keys`` and their ``values``, or ``None`` when it is not ordinary.

    ``wrapped`` says that a value may hold several lines; ``foreign`` that names longer than tags (``file``) may be
    among the keys, which are no field of the model.
    """
    held = dict(zip(keys, values, strict=True))
    if not _TAGS.issuperset(held):
        for tag, usual in _SAME:
            if tag in held and usual not in held:
                keys = [usual if key == tag else key for key in keys]
        held = dict(zip(keys, values, strict=True))
        strange = held.keys() - _TAGS
        if strange and not (foreign and min(map(len, strange)) > 4):
            return None
    if wrapped and "\n" in "".join(values) and any("\n" in v for k, v in zip(keys, values, strict=True) if k != "AB"):
        return None
    authors: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    repeated, size = 0, len(keys)
    if "AU" in held:
        count = keys.count("AU")
        first = keys.index("AU")
        found_names = values[first : first + count]
        if keys[first : first + count].count("AU") != count:
            return None
        authors = tuple(dict.fromkeys(found_names))
        if ";" in "".join(authors) or "" in authors:
            return None
        repeated = count - 1
    if "KW" in held:
        count = keys.count("KW")
        first = keys.index("KW")
        if keys[first : first + count].count("KW") != count:
            return None
        keywords = tuple(dict.fromkeys(values[first : first + count]))
        if "" in keywords or (count == 1 and ";" in keywords[0]):
            return None
        repeated += count - 1
    other: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    affiliations: tuple[str, ...] = ()
    links: list[str] = []
    if not _CORE.issuperset(held):
        groups: dict[str, list[str]] = {}
        for key, value in zip(keys, values, strict=True):
            if key not in _CORE:
                if key in groups:
                    groups[key].append(value)
                    repeated += 1
                else:
                    groups[key] = [value]
        links = groups.pop("L2", links)
        found_notes = groups.pop("N1", None)
        if found_notes:
            text = "|".join(found_notes)
            if _NOTE_SAYS.search(text):
                return None
            notes = tuple(note for note in found_notes if note)
        if "AD" in groups:
            affiliations = tuple(dict.fromkeys(name for name in groups.pop("AD") if name))
        short_titles = groups.pop("ST", ())
        told_title = held.get("TI")
        if short_titles and not told_title:
            return None
        pairs = [("ST", text) for text in short_titles if text and text != told_title]
        pairs += [(key, text) for key, texts in groups.items() for text in texts if text]
        if any("PMC" in text for tag, text in pairs if tag == "L1"):
            return None
        if any(tag in _MAY_HOLD and _IDENTIFIER.search(text) for tag, text in pairs):
            return None
        other = tuple(pairs)
    if len(held) + repeated != size:
        return None
    get = held.get
    year, doi = get("PY"), get("DO")
    if not year or len(year) != 4 or not year.isascii() or not year.isdigit() or not "1500" <= year < "2200":
        return None
    url = get("UR")
    found = find_doi(doi) if doi else None
    if found is None and (doi or "10." in "|".join([url or "", *links, *notes, get("AN", ""), get("ID", "")])):
        return None
    if found is None and other and any(tag == "L1" and "10." in text for tag, text in other):
        return None
    if url and (";" in url or "ncbi.nlm" in url or "PMC" in url or "  -" in url):
        return None
    if doi and "  -" in doi:
        return None
    urls = (url,) if url else ()
    if links:
        text = "|".join(links)
        if ";" in text or "ncbi.nlm" in text or "PMC" in text:
            return None
        urls = tuple(dict.fromkeys([*urls, *(link for link in links if link)]))
    own, number, database = get("ID") or None, get("AN") or None, get("DB") or None
    # A number of PubMed's may stand in AN or ID; the slow branch knows when.
    if number and not _no_pmid(number, database, 0):
        return None
    if own and not _no_pmid(own, database, 7):
        return None
    journals = [name for tag in ("JF", "T2", "JO", "JA", "J2") if (name := get(tag))]
    short: str | None = None
    if len(journals) > 1:
        different = dict.fromkeys(journals)
        if len(different) > 2:
            return None
        if len(different) == 2:
            short = tuple(different)[1]
            if short not in (get("JA"), get("J2"), get("JO")):
                return None
    pages, last = get("SP") or None, get("EP")
    if last and last != pages:
        if pages and ("-" in pages or "\u2013" in pages):
            return None
        pages = f"{pages}-{last}" if pages else last
    issn: tuple[str, ...] = ()
    isbn: tuple[str, ...] = ()
    if serial := get("SN"):
        issn, isbn, neither = _serials(serial)
        if neither:
            return None
    date = get("DA") or None
    if date is not None and date.rstrip("/") == year:
        date = None
    code = held["TY"]
    told = get("M3") or ""
    if told.startswith("10.") or "PMID" in told:
        return None
    kind, kept = _kind(code, told)
    if kept:
        other = kept + other
    abstract = get("AB") or None
    if abstract and ("\u2028" in abstract or "\n" in abstract):
        abstract = paragraphs(abstract)
    given = tally.name(own or number, start)
    if own and given != own:
        other = (*other, ("ID", own))
    record = filled(
        given,
        kind,
        get("TI") or None,
        None,
        authors,
        (),
        int(year),
        date,
        journals[0] if journals else None,
        short,
        get("VL") or None,
        get("IS") or None,
        pages,
        found,
        None,
        None,
        (number,) if number else (),
        issn,
        isbn,
        abstract,
        keywords,
        get("LA") or None,
        urls,
        (told,) if told else (),
        get("PB") or None,
        get("CY") or None,
        affiliations,
        notes,
        database,
        None,
        (),
        tally.file,
        tally.read + tally.rejected + 1,
        (start, end),
        other,
    )
    tally.read += 1
    return record


@lru_cache(maxsize=20_000)
def _serials(text: str) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """:func:`serial_numbers`; a journal's stand in all of its records."""
    return serial_numbers((text,))


@lru_cache(maxsize=4096)
def _kind(code: str, told: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    kind = refined(RIS_TYPES.get(code.upper(), "article" if not code else "other"), (told,) if told else ())
    return kind, (("TY", code),) if code and code != ris_code(kind) else ()


def _no_pmid(number: str, database: str | None, least: int) -> bool:
    """Whether an identifier is certainly none of PubMed's; bare digits of ``least`` or more may be one."""
    if len(number) >= least and database is not None and _of_medline(database):
        return False
    return number.isdigit() or not _SAYS_PUBMED.search(number)


@lru_cache(maxsize=256)
def _of_medline(database: str) -> bool:
    return "medline" in database.lower() or "pubmed" in database.lower()
