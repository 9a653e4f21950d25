"""Ordinary RIS records, read at once: every line a known tag at its place, nothing wrapped, the DOI in ``DO``.

Some nine records in ten are of this kind. :func:`ordinary` gives exactly what :mod:`balm.review.records.ris` and
:func:`~balm.review.records.ris_fields.build` give (a test compares them on every sample), or ``None`` for a record
that is not ordinary and has to go through them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from balm.review.records.identifiers import find_doi, find_pmcid, find_pmid, may_name_pmid, serial_numbers
from balm.review.records.kinds import RIS_TYPES, refined, ris_code
from balm.review.records.receipt import Tally
from balm.review.records.ris_fields import (
    ARTICLE,
    MISCELLANEOUS,
    PMID_IN_NOTE,
    PROVIDER_OF_PUBMED,
    SAYS_PMID,
    apart,
    journal_of,
    paragraphs,
    surnames_alone,
    when,
)
from balm.review.records.slots import filled
from balm.vocabulary.record import Record

#: Tags of one value, in the order in which a plan hands them over.
_SINGLE = (
    *("TY", "TI", "ID", "AN", "PY", "Y1", "DA", "VL", "IS", "SP", "EP", "SN", "AB", "DO", "UR"),
    *("LA", "DB", "PB", "CY", "M3"),
)
_JOURNALS = ("JF", "T2", "JO", "SO", "BT", "JA", "J2", "J1", "JI", "J9")
#: Those of them that may stand several times.
_SEVERAL = ("SN", "AB", "UR", "DB", "DO", "PB", "CY")
_CORE = frozenset((*_SINGLE, *_JOURNALS, "AU", "KW"))
#: Tags without a field of the model, and those that may stand several times in any order.
_FREE = (
    "ST DP Y2 U1 U3 U4 U5 U6 U7 U8 U9 ET SE L1 C1 C4 C6 C8 WE WT WP WV T3 A3 A4 CN NV SI PA FU FX PD PG NS NL LB "
    "OP AI CA CC EM LS RP XT UK UN US SF SL SR H1 H2"
)
#: Tags in which an identifier of PubMed's may stand: without a field where none does.
_MAY_HOLD = ("M1", "M2", "C2", "C3", "C7")
_LINKS = ("L2", "LK", "L3")
_PEOPLE = ("A2", "ED")
_FURTHER = frozenset((*_FREE.split(), *_MAY_HOLD, "N1", "AD", *_LINKS, "U2", "C5", "L4", *_PEOPLE))
#: The tags that an ordinary record may have.
_TAGS = _CORE | _FURTHER
#: Another dialect's tag for the same field, where the usual one is missing.
SAME = (("T1", "TI"), ("A1", "AU"), ("N2", "AB"), ("PU", "PB"), ("PI", "CY"))
#: Tags that stand once for each author and keyword.
RUNS = frozenset(("AU", "A1", "KW"))
#: Tags that may stand several times beside one another.
SEVERAL = frozenset(
    (*_SEVERAL, "PU", "PI", "N2", "N1", "AD", *_LINKS, "U2", "L4", *_PEOPLE, *_FREE.split(), *_MAY_HOLD)
) - {"C7"}
#: Tags whose values of several lines are put on one.
ON_ONE_LINE = frozenset(("TI", "T1", "ID", "AN", "VL", "IS", "SP", "EP", "LA", *_JOURNALS))
#: Tags whose values may not be of several lines.
IN_ONE_LINE = frozenset(
    (
        "TY",
        "AU",
        "A1",
        "PY",
        "Y1",
        "DA",
        "DO",
        "M3",
        "PB",
        "PU",
        "CY",
        "PI",
        *_LINKS,
        "U2",
        "ST",
        "C5",
        *_MAY_HOLD,
        *_PEOPLE,
    )
)
_SAYS_PUBMED = re.compile("pmid|pubmed|medline|ovidweb", re.I)
#: Notes that are more than notes, or that need their lines put in order.
_NOTE_SAYS = ("ASReview_", "RAYYAN-INCLUSION", "balm_", "\t", "\u2028", "\x0b")
#: How an identifier of PubMed's is announced, in lower case.
_ANNOUNCED = (
    "pmid",
    "pubmed",
    "ovidweb",
    "medline",
    "pmc",
    "embase ",
    "ctgov ",
    "ictrp ",
    "cinahl ",
    "amed ",
    "crs ",
    "koreamed ",
)
#: Between the values of a tag that stands several times: half a character, of which decoding leaves none in the text.
AND = "\udcff"
_YEARS = {str(year): year for year in range(1500, 2200)}


class Plan(NamedTuple):
    """Where the values of a record stand whose tags come in a certain order; databases repeat a few hundred orders.

    ``single`` and ``journals`` pick the values of :data:`_SINGLE` and :data:`_JOURNALS` (that of a missing tag is the
    last, an empty one); the rest are places among the values.
    """

    single: Callable[[Sequence[str]], tuple[str, ...]]
    journals: Callable[[Sequence[str]], tuple[str, ...]]
    further: bool  # whether any of the following is not empty
    serials: tuple[int, ...]
    abstracts: tuple[int, ...]
    notes: tuple[int, ...]
    affiliations: tuple[int, ...]
    addresses: tuple[int, ...]
    shelves: tuple[int, ...]
    links: tuple[int, ...]
    doi_links: tuple[int, ...]
    registered: tuple[int, ...]
    databases: tuple[int, ...]
    fifth: tuple[int, ...]
    short_titles: tuple[int, ...]
    providers: tuple[int, ...]
    others: tuple[tuple[str, int], ...]
    may_hold: tuple[int, ...]
    cited: tuple[int, ...]
    dois: tuple[int, ...]
    pmids: tuple[int, ...]
    publishers: tuple[int, ...]
    places: tuple[int, ...]
    second: tuple[int, ...]
    editors: tuple[int, ...]
    seventh: tuple[int, ...]
    files: tuple[int, ...]


@lru_cache(maxsize=4096)
def plan_of(tags: tuple[str, ...], foreign: bool = False) -> Plan | None:
    """The plan for ``tags``, of which authors and keywords are one each; ``None`` where they are not ordinary.

    ``foreign`` says that names longer than tags (``file``) may be among them, which are no field of the model.
    """
    for tag, usual in SAME:
        if tag in tags and usual not in tags:
            tags = tuple(usual if each == tag else each for each in tags)
    strange = set(tags) - _TAGS
    if strange and not (foreign and min(map(len, strange)) > 2):
        return None
    at: dict[str, int] = {}
    groups: dict[str, list[int]] = {}
    for place, tag in enumerate(tags):
        if tag not in _CORE or (tag in at and tag in _SEVERAL):
            groups.setdefault(tag, []).append(place)
        elif tag in at:
            return None
        else:
            at[tag] = place

    def places(*names: str) -> tuple[int, ...]:
        return tuple(place for name in names for place in groups.get(name, ()))

    if len(groups.get("C7", ())) > 1 or len(groups.get("C5", ())) > 1 or len(groups.get("PMID", ())) > 1:
        return None
    elsewhere = ("N1", "AD", "L2", "LK", "U2", "ST", "ED", "PMID", *_SEVERAL)
    return Plan(
        single=itemgetter(*(at.get(tag, -1) for tag in _SINGLE)),
        journals=itemgetter(*(at.get(tag, -1) for tag in _JOURNALS)),
        further=bool(groups),
        serials=places("SN"),
        abstracts=places("AB"),
        notes=places("N1"),
        affiliations=places("AD"),
        addresses=places("UR"),
        shelves=places("LK"),
        links=places("L2"),
        doi_links=places("L3"),
        registered=places("U2"),
        databases=places("DB"),
        fifth=places("C5"),
        short_titles=places("ST"),
        providers=places("DP"),
        others=tuple((tag, place) for tag, there in groups.items() if tag not in elsewhere for place in there),
        may_hold=places(*(tag for tag in _MAY_HOLD if tag not in MISCELLANEOUS)),
        cited=places(*MISCELLANEOUS),
        dois=places("DO"),
        pmids=places("PMID"),
        publishers=places("PB"),
        places=places("CY"),
        second=places("A2"),
        editors=places("ED"),
        seventh=places("C7"),
        files=places("L1", "L4"),
    )


def with_plan() -> frozenset[str]:
    """The tags that an ordinary record may have."""
    return _TAGS | {tag for tag, _ in SAME}


def without_plan(tags: Iterable[str]) -> frozenset[str]:
    """Those of ``tags`` with which no record is ordinary."""
    return frozenset(tags) - with_plan()


def ordinary(
    tags: list[str], values: list[str], start: int, end: int, tally: Tally, *, foreign: bool = False
) -> Record | None:
    """The record of ``tags`` and their ``values``, or ``None`` when it is not ordinary.

    ``foreign`` says that names longer than tags (``file``) may be among them, which are no field of the model.
    """
    tags, values = tags[:], values[:]
    if "\n" in "".join(values):
        for at, value in enumerate(values):
            if "\n" in value:
                if (tag := tags[at]) in IN_ONE_LINE or (tag == "KW" and tags.count(tag) > 1):
                    return None
                if tag in ON_ONE_LINE:
                    values[at] = value.replace("\n", " ")
    runs: list[list[str]] = []
    for tag in ("AU" if "AU" in tags else "A1", "KW"):
        count = tags.count(tag)
        first = tags.index(tag) if count else 0
        if tags[first : first + count].count(tag) != count:
            return None
        runs.append(values[first : first + count])
        if count > 1:
            del tags[first + 1 : first + count], values[first + 1 : first + count]
    plan = plan_of(tuple(tags), foreign)
    return None if plan is None else follow(plan, values, runs[0], runs[1], start, end, tally)


_NONE: list[str] = []


def follow(
    plan: Plan, values: list[str], authors: list[str], keywords: list[str], start: int, end: int, tally: Tally
) -> Record | None:
    """The record that ``plan`` finds in ``values``, or ``None`` where one of them is not ordinary."""
    values.append("")
    # fmt: off
    (
        code, title, own, number, told_year, first_date, date, volume, issue, pages, last, serial, abstract, doi, url,
        language, database, publisher, place, told,
    ) = plan.single(values)
    # fmt: on
    if not title:
        return None
    other: tuple[tuple[str, str], ...] = ()
    year = None if first_date or date else _YEARS.get(told_year)
    if year is None:
        when = _dates(told_year, first_date, date)
        if when is None:
            return None
        year, date, other = when
    if authors:
        if ";" in "".join(authors) or "" in authors:
            return None
        names = tuple(dict.fromkeys(authors))
    else:
        names = ()
    if keywords:
        if len(keywords) == 1:
            if ";" in keywords[0]:
                return None
            if "\n" in keywords[0]:
                keywords = [word for part in keywords[0].split("\n") if (word := part.strip())]
        if "" in keywords:
            return None
        words = tuple(dict.fromkeys(keywords))
    else:
        words = ()
    if plan.dois:
        doi = AND.join([doi, *[values[at] for at in plan.dois]])
    if AND in doi:
        doi, *odd = dict.fromkeys([each for each in doi.split(AND) if each]) or ("",)
        if odd:
            return None
    found = find_doi(doi) if doi else None
    if doi and (found is None or "  -" in doi):
        return None
    pmid: str | None = None
    for at in plan.pmids:
        if text := values[at]:
            pmid = text.lstrip("0")
            if not (pmid.isdecimal() and text.isascii() and len(text) < 9):
                return None
    repairs: tuple[str, ...] = ()
    links = ""
    if plan.further:
        if plan.addresses:
            url = AND.join([url, *[values[at] for at in plan.addresses]])
        if plan.links:
            links = _of(plan.links, values)
    if "  -" in url:
        return None
    pmcid: str | None = None
    if "PMC" in url or "PMC" in links:
        in_order = [*url.split(AND), *links.split(AND)]
        pmcid = next((told_id for link in in_order if "PMC" in link and (told_id := find_pmcid(link))), None)
    if found is None:
        text = _of(plan.doi_links, values) if plan.doi_links else ""
        if "10." in text or "10." in url:
            held = text or url
            if AND in held or "10." in told or (found := find_doi(held)) is None:
                return None
            repairs = ("DOI found in L3" if text else "DOI found in UR",)
        elif "10." in links or "10." in number or "10." in own:
            return None
    urls = (_several_links(url) if AND in url or ";" in url or "\n" in url else (url,)) if url else ()
    journal, short, further_names = _journals(plan.journals(values))
    if not journal and plan.may_hold and RIS_TYPES.get(code.upper()) == "conference":
        return None  # C3 may hold the proceedings
    if further_names:
        other += further_names
    if last and last != pages:
        if last == "Specified":
            return None
        if not pages:
            pages = last
        elif "-" not in pages and "\u2013" not in pages:
            pages = f"{pages}-{last}"
        elif not pages.endswith(last):
            other += (("EP", last),)
    elif not pages and plan.seventh and ARTICLE.fullmatch(text := values[plan.seventh[0]]):
        if len(text) != 8 or not text.isdigit():
            pages, values[plan.seventh[0]] = text, ""
    elif pages[-9:] == "Specified":
        return None
    issn: tuple[str, ...] = ()
    isbn: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    affiliations: tuple[str, ...] = ()
    if plan.publishers:
        publisher = AND.join([publisher, *[values[at] for at in plan.publishers]])
    if AND in publisher:
        publisher, *more = dict.fromkeys([each for each in publisher.split(AND) if each]) or ("",)
        other += tuple([("PB", each) for each in more])
    if plan.places:
        place = AND.join([place, *[values[at] for at in plan.places]])
    if AND in place:
        place, *more = dict.fromkeys([each for each in place.split(AND) if each]) or ("",)
        other += tuple([("CY", each) for each in more])
    if plan.databases:
        database = AND.join([database, *[values[at] for at in plan.databases]])
    source = database
    if AND in database:
        database, *second = dict.fromkeys([each for each in database.split(AND) if each]) or ("",)
        other += tuple([("DB", each) for each in second])
    if "\n" in database:
        database = database.replace("\n", " ")
    registered = editors = _NO_TEXTS
    if plan.further:
        if plan.serials:
            serial = AND.join([serial, *[values[at] for at in plan.serials]])
        if plan.abstracts:
            abstract = AND.join([abstract, *[values[at] for at in plan.abstracts]])
        if plan.notes and (text := _of(plan.notes, values)):
            if found is None and "10." in text and "doi" in text.lower():
                return None
            for word in _NOTE_SAYS:
                if word in text:
                    return None
            notes = tuple([note for note in text.split(AND) if note])
            if any(map(PMID_IN_NOTE.match, notes)):
                return None
            if "\n" in text:
                notes = tuple(map(paragraphs, notes))
        if plan.affiliations and (text := _of(plan.affiliations, values)):
            lines = text.replace("\n", AND).split(AND)
            affiliations = tuple(dict.fromkeys([name for line in lines if (name := line.strip())]))
        if plan.shelves and (text := _of(plan.shelves, values)):
            if may_name_pmid(text) or (found is None and "10." in text):
                return None
            urls += _several_links(text)
        if links:
            urls += _several_links(links)
        if len(urls) > 1:
            urls = tuple(dict.fromkeys(urls))
        if plan.short_titles and (text := _of(plan.short_titles, values)):
            other = (*[("ST", each) for each in text.split(AND) if each and each != title], *other)
        for at in plan.fifth:
            if text := values[at]:
                if not (text.isdecimal() and text.isascii() and len(text) < 9):
                    return None
                if pmid is None and ("embase" in database.lower() or "embase" in source.lower()):
                    pmid, values[at] = text.lstrip("0") or None, ""
                    repairs += ("PMID found in C5",)
        if plan.registered:
            text = _of(plan.registered, values)
            if text and _SAYS_PUBMED.search(text):
                return None
            registered = tuple([each for each in text.split(AND) if each])
        if plan.second or plan.editors:
            people = [each for at in (*plan.second, *plan.editors) for each in values[at].split(AND) if each]
            if not names or ";" in "".join(people):
                return None
            cited = [surnames_alone(each) for at in plan.second for each in values[at].split(AND) if each]
            if not any(cited):
                for at in plan.second:
                    values[at] = ""
            elif not all(cited) or plan.editors:
                return None
            else:
                people = []
            editors = tuple(dict.fromkeys(people))
        for tag, at in plan.others:
            if text := values[at]:
                other += tuple([(tag, each) for each in text.split(AND) if each]) if AND in text else ((tag, text),)
        for at in plan.providers:
            source += AND + ("pubmed" if values[at] == PROVIDER_OF_PUBMED else values[at])
        for at in plan.files:
            if text := values[at]:
                if found is None and "10." in text:
                    return None
                if pmcid is None and "PMC" in text:
                    if links:
                        return None
                    pmcid = next((told_id for each in text.split(AND) if (told_id := find_pmcid(each))), None)
        for at in plan.may_hold:
            if text := values[at].lower():
                for word in _ANNOUNCED:
                    if word in text:
                        return None
        for at in plan.cited:
            if (text := values[at]) and any(map(SAYS_PMID.match, text.split(AND))):
                return None
        for at in plan.seventh:
            text = values[at]
            if (len(text) == 8 and text.isdigit()) or (found is None and "10." in text):
                return None
    # A number of PubMed's may stand in AN or ID; the slow branch knows when.
    if number and not _no_pmid(number, source, 0):
        return None
    if own and not _no_pmid(own, source, 7):
        return None
    if pmid is None and (may_name_pmid(url) or may_name_pmid(links)):
        for tag, text in (("UR", url), ("L2", links)):
            pmid = next((told_id for link in text.split(AND) if (told_id := _pmid_of(link))), None)
            if pmid:
                repairs += (f"PMID found in {tag}",)
                break
    if serial:
        issn, isbn, neither = _serials(serial)
        if neither:
            return None
    if told and (told.startswith("10.") or "PMID" in told):
        return None
    kind, kept = _kind(code, told)
    if kept:
        other = kept + other
    if AND in abstract:
        abstract = "\n".join([text for text in abstract.split(AND) if text])
    if "\n" in abstract or "\t" in abstract or "\u2028" in abstract:
        abstract = paragraphs(abstract)
    given = tally.name(own or number, start)
    if own and given != own:
        other = (*other, ("ID", own))
    accession = (number, *registered) if number else registered
    if registered:
        accession = tuple(dict.fromkeys(accession))
    for why in repairs:
        tally.repair(start or None, why)
    record = filled(
        given,
        kind,
        title,
        None,
        names,
        editors,
        year,
        date or None,
        journal,
        short,
        volume or None,
        issue or None,
        pages or None,
        found,
        pmid,
        pmcid,
        accession,
        issn,
        isbn,
        abstract or None,
        words,
        language or None,
        urls,
        (told,) if told else (),
        publisher or None,
        place or None,
        affiliations,
        notes,
        database or None,
        None,
        (),
        tally.file,
        tally.read + tally.rejected + 1,
        (start, end),
        other,
    )
    tally.read += 1
    return record


_NO_TEXTS: tuple[str, ...] = ()


def _several_links(text: str) -> tuple[str, ...]:
    """The addresses in several values with :data:`AND` between, some of which hold several."""
    links = text.split(AND)
    if ";" in text or "\n" in text:
        links = [part for link in links for part in apart(link)]
    return tuple(dict.fromkeys([link for link in links if link]))


def _pmid_of(link: str) -> str | None:
    return find_pmid(link) if may_name_pmid(link) else None


def _of(places: tuple[int, ...], values: list[str]) -> str:
    """What stands at ``places``, with :data:`AND` between."""
    return AND.join([values[at] for at in places]) if len(places) > 1 else values[places[0]]


@lru_cache(maxsize=20_000)
def _journals(names: tuple[str, ...]) -> tuple[str | None, str | None, tuple[tuple[str, str], ...]]:
    """The journal, its abbreviation and what else stands in the tags :data:`_JOURNALS`."""
    other: list[tuple[str, str]] = []
    fields = {tag: [name] for tag, name in zip(_JOURNALS, names, strict=True) if name}
    return *journal_of(fields, other), tuple(other)


@lru_cache(maxsize=20_000)
def _dates(*texts: str) -> tuple[int | None, str, tuple[tuple[str, str], ...]] | None:
    """Year, date and what is neither, told by the tags PY, Y1 and DA; ``None`` where that needs a repair."""
    other: list[tuple[str, str]] = []
    repairs: list[str] = []
    year, date = when(
        {tag: [text] for tag, text in zip(("PY", "Y1", "DA"), texts, strict=True) if text}, other, repairs
    )
    return None if repairs else (year, date or "", tuple(other))


@lru_cache(maxsize=20_000)
def _serials(text: str) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """:func:`serial_numbers`; a journal's stand in all of its records."""
    return serial_numbers([number for number in text.split(AND) if number])


@lru_cache(maxsize=4096)
def _kind(code: str, told: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    kind = refined(RIS_TYPES.get(code.upper(), "article" if not code else "other"), (told,) if told else ())
    return kind, (("TY", code),) if code and code != ris_code(kind) else ()


def _no_pmid(number: str, database: str, least: int) -> bool:
    """Whether an identifier is certainly none of PubMed's; bare digits of ``least`` or more may be one."""
    if len(number) >= least and database and _of_medline(database):
        return False
    return number.isdigit() or not _SAYS_PUBMED.search(number)


@lru_cache(maxsize=256)
def _of_medline(database: str) -> bool:
    return "medline" in database.lower() or "pubmed" in database.lower()
