"""What RIS tags mean, dialect by dialect: from (tag, values) to a :class:`~balm.vocabulary.record.Record`.

A tag whose value found no field, or lost to a better one, stays in ``Record.other``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from balm.review.records.identifiers import (
    find_doi,
    find_pmcid,
    find_pmid,
    find_year,
    may_name_pmid,
    serial_numbers,
)
from balm.review.records.kinds import RIS_TYPES, refined, ris_code, type_in_notes
from balm.review.records.labels import decisions_in_notes
from balm.review.records.receipt import Tally
from balm.vocabulary.record import Record, Vote

#: Tags that start a field: the RIS specification, and what databases and tools add. A line that looks like a tag but is
#: not here goes on with the field before it where that is running text (``IN  - vitro``).
_TAGS_TEXT = (
    "TY ER A1 A2 A3 A4 AB AD AI AN AU AV BT C1 C2 C3 C4 C5 C6 C7 C8 CA CC CI CL CN CP CR CT CY DA DB DE DI DL DO DP DS "
    "ED EM EP ET FX H1 H2 ID IS J1 J2 JA JF JI JO J9 K1 KW L1 L2 L3 L4 LA LB LK LL LP LS M1 M2 M3 MI MS N1 N2 NO NS "
    "NL NV OL OP PA PB PD PI PM PP PT PU PY Q1 RD RI RN RP RS SE SF SI SL SN SO SP SR ST T1 T2 T3 TA TI TT U1 U2 U3 "
    "U4 U5 U6 U7 U8 U9 UI UK UN UR US VL VO VN WE WP WT WV XT Y1 Y2 YR PMID"
)
TAGS = frozenset(_TAGS_TEXT.split())
#: Tags of the fast branch: neither the start nor the end of a record.
PLAIN_TAGS = TAGS - {"TY", "ER", "PMID"}
#: Tags of running text, whose wrapped lines may begin with anything.
TEXT_TAGS = frozenset({"AB", "N2", "N1", "XT"})

#: Two fields on one line, the second with its tag (Rayyan turns line ends inside a field into blanks).
_TWO_IN_ONE = re.compile(r"\s{3,}([A-Z][A-Z0-9])  - ")
PMID_IN_NOTE = re.compile(r"^\s*PMID\s*[:=]\s*(\d{1,8})\s*$", re.I)
DOI_IN_NOTE = re.compile(r"\bDOI\s*[:=]?\s*(?:https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S+)", re.I)
#: Stands for a line end inside a value where a line end of the file would mean another thing.
LINE_SEPARATOR = "\u2028"
_GAPS = re.compile(r"\n{3,}")
_NAMES = re.compile(r";\s*")
#: EBSCO's journals carry their ISSN: ``Pain (03043959)``.
ISSN_BEHIND = re.compile(r"\s*\(\d{4}-?\d{3}[\dXx]\)$")

_NONE: tuple[str, ...] = ()

#: A line that may be a tag, if not at its usual place.
LOOSE = re.compile(r"[ \t\u00a0]{0,6}(PMID|[A-Z][A-Z0-9])([ \t\u00a0]{0,4})[-\u2013\u2014](?:[ \t\u00a0]+(.*))?$")
Fields = dict[str, list[str]]
Others = list[tuple[str, str]]
Repairs = list[str]

#: Tags that may carry the record's DOI when DO does not, in the order they are asked.
_DOI_TAGS = ("DI", "L3", "M3", "UR", "LK", "L2", "N1", "AN", "ID", "C7", "L1", "L4")
_PMID_TAGS = ("AN", "ID", "C7", "C5", "C3", "C2", "UI", "U2", "M1", "M2", "UR", "L2", "LK")
_PMCID_TAGS = ("C2", "C7", "UR", "L1", "L2", "L4")


def build(fields: Fields, tally: Tally, start: int, end: int, *, ended: bool, head: bool) -> Iterator[Record]:
    """The record of ``fields``, read from line ``start`` to ``end``; if it is empty, a line in the receipt alone."""
    other: Others = []
    repairs: Repairs = []
    pop = fields.pop
    code = pop("TY", [""])[0].strip()
    if not head:
        if not ("TI" in fields or "T1" in fields or "AU" in fields or "A1" in fields):
            raw = "; ".join(f"{t}  - {v}" for t, values in fields.items() for v in values)
            tally.repair(start or None, "text between records left out", repr(raw[:60]))
            return
        repairs.append("the record has no TY line")
    if not ended:
        repairs.append("the record has no ER line")
    if "UR" in fields or "DO" in fields:
        _untangle(fields, repairs)

    notes: tuple[str, ...] = ()
    if "N1" in fields or "RN" in fields or "NO" in fields:
        notes = _texts(pop("N1", ())) + _texts(pop("RN", ())) + _texts(pop("NO", ()))
        notes = tuple([paragraphs(note) for note in notes])
    doi, pmid, pmcid = _identifiers(fields, notes, other, repairs)
    title = _title(fields, other)
    authors, editors = _people(fields, code, repairs)
    year, date = when(fields, other, repairs)
    journal, short = journal_of(fields, other)
    if journal is None and "C3" in fields and RIS_TYPES.get(code.upper()) == "conference":
        journal = _proceedings(fields)
    pages = _pages(fields, other)
    if pages is None and "C7" in fields and len(fields["C7"]) == 1 and ARTICLE.fullmatch(fields["C7"][0].strip()):
        pages = pop("C7")[0].strip()
    abstract = _abstract(fields, other)
    keywords = _keywords(fields, repairs)
    number = _single(fields, "AN", other)
    own = _single(fields, "ID", other)
    accession: tuple[str, ...] = (number,) if number else ()
    if "C3" in fields:
        accession = _unique(accession + _registered(fields))
    for tag in ("U2", "UI"):
        if tag in fields:
            accession = _unique(accession + _texts(pop(tag)))
    issn, isbn, neither = serial_numbers(pop("SN", ())) if "SN" in fields else ((), (), [])
    if neither:
        other += [("SN", value) for value in neither]
    urls = _urls(fields)
    types = _unique(_texts(pop("M3", ())) + _texts(pop("PT", ()))) if "M3" in fields or "PT" in fields else ()
    volume = _single(fields, "VL", other) or _single(fields, "VO", other)
    issue = _single(fields, "IS", other)
    issue = issue or _single(fields, "CP", other)
    decision: str | None = None
    votes: tuple[Vote, ...] = ()
    told: str | None = None
    if notes:
        decision, votes, notes = decisions_in_notes(notes)
        told, notes = type_in_notes(notes)
    kind = told or refined(RIS_TYPES.get(code.upper(), "article" if not code else "other"), types)
    if code and code != ris_code(kind):
        other.insert(0, ("TY", code))
    for tag, usual in (("PU", "PB"), ("PI", "CY")):  # as Web of Science writes it
        if tag in fields and usual not in fields:
            fields[usual] = pop(tag)
    language = _single(fields, "LA", other)
    publisher = _single(fields, "PB", other)
    place = _single(fields, "CY", other) or _single(fields, "PP", other)
    original = _single(fields, "TT", other)
    database = _single(fields, "DB", other)
    affiliations = _lines(pop("AD")) if "AD" in fields else ()
    if fields:
        other += [(tag, text) for tag, values in fields.items() for value in values if (text := value.strip())]
    if not (
        title or authors or abstract or doi or pmid or journal or year or notes or urls or other or accession or own
    ):
        tally.reject(start or None, "the record holds no field", f"TY  - {code}")
        return
    if repairs:
        for why in dict.fromkeys(repairs):
            tally.repair(start or None, why)
    name = tally.name(own or number, start)
    if own and name != own:
        other.append(("ID", own))
    record = Record(
        name,
        kind,
        title,
        original,
        authors,
        editors,
        year,
        date,
        journal,
        short,
        volume,
        issue,
        pages,
        doi,
        pmid,
        pmcid,
        accession,
        issn,
        isbn,
        abstract,
        keywords,
        language,
        urls,
        types,
        publisher,
        place,
        affiliations,
        notes,
        database,
        decision,
        votes,
        tally.file,
        tally.ordinal,
        (start, end),
        tuple(other),
    )
    tally.read += 1
    yield record


#: Numbers of other databases and registers in Cochrane CENTRAL: ``PUBMED 28697043,EMBASE 617305812``.
REGISTERED = re.compile(r"(?:PUBMED|EMBASE|CTgov|ICTRP|CINAHL|AMED|CRS|KoreaMed)\s\S+(?:,\s*(?=[A-Z])|$)", re.I)


def registered_in(text: str) -> tuple[str, ...] | None:
    """The numbers in a value of ``C3``, of PubMed's own left out; ``None`` where it holds anything else.

    >>> registered_in("PUBMED 28697043,EMBASE 617305812"), registered_in("Journal of Pain")
    (('EMBASE 617305812',), None)
    """
    if not text or REGISTERED.sub("", text):
        return None
    parts = [part.strip() for part in text.split(",")]
    return tuple([part.removeprefix("CTgov ") for part in parts if part and part[:6].upper() != "PUBMED"])


def _proceedings(fields: Fields) -> str | None:
    """The title of the proceedings, which Scopus gives in ``C3`` and nowhere else; it is taken out of ``fields``."""
    for value in fields["C3"]:
        if (text := value.strip()) and registered_in(text) is None:
            fields["C3"].remove(value)
            return text.replace("\n", " ")
    return None


def _registered(fields: Fields) -> tuple[str, ...]:
    """The numbers in the values of ``C3`` that hold nothing else, which are taken out."""
    found: list[str] = []
    left: list[str] = []
    for value in fields["C3"]:
        numbers = registered_in(value.strip())
        if numbers is None:
            left.append(value)
        else:
            found += numbers
    if left:
        fields["C3"] = left
    else:
        del fields["C3"]
    return tuple(found)


def _single(fields: Fields, tag: str, other: Others) -> str | None:
    """The first value of a tag that holds one; further, different values are kept among the others."""
    if tag not in fields:
        return None
    values = fields.pop(tag)
    if len(values) == 1:
        text = values[0].strip()
        return (text.replace("\n", " ") if "\n" in text else text) or None
    texts = _unique(_texts(values))
    if not texts:
        return None
    other += [(tag, text) for text in texts[1:]]
    return texts[0].replace("\n", " ")


def _texts(values: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        return ()
    return tuple([text for value in values if (text := value.strip())])


def _lines(values: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """One value a line: exports put several into one field, one below the other."""
    return tuple(dict.fromkeys(text for value in values for line in value.split("\n") if (text := line.strip())))


def paragraphs(text: str) -> str:
    """Text of several lines without blanks at their ends and with at most one empty line between two.

    >>> paragraphs("Aims \\n\\n\\n  To compare")
    'Aims\\n\\nTo compare'
    """
    if LINE_SEPARATOR in text:
        text = text.replace(LINE_SEPARATOR, "\n")
    if "\t" in text:
        text = text.replace("\t", " ")
    if "\n" not in text:
        return text.strip()
    lines = "\n".join([line.strip() for line in text.split("\n")])
    return (_GAPS.sub("\n\n", lines) if "\n\n\n" in lines else lines).strip()


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    return values if len(values) < 2 else tuple(dict.fromkeys(values))


def _untangle(fields: Fields, repairs: Repairs) -> None:
    """Split fields that stand on one line behind an address or a DOI."""
    for tag in ("UR", "DO"):
        for at, value in enumerate(fields.get(tag, ())):
            if "  - " in value:
                parts = _TWO_IN_ONE.split(value.lstrip())
                if len(parts) > 1:
                    fields[tag][at] = parts[0]
                    for name, text in zip(parts[1::2], parts[2::2], strict=True):
                        fields.setdefault(name, []).append(text)
                    repairs.append("several fields stood on one line")


def _identifiers(
    fields: Fields, notes: tuple[str, ...], other: Others, repairs: Repairs
) -> tuple[str | None, str | None, str | None]:
    doi = pmid = pmcid = None
    given = fields.pop("DO", None)
    if given is not None and len(given) == 1 and given[0]:
        doi = find_doi(given[0])
        if doi is None and given[0].strip():
            other.append(("DO", given[0].strip()))
        given = None
    for value in _unique(_texts(given)) if given else ():
        found = find_doi(value)
        if doi is None and found:
            doi = found
        elif found is None or found != doi:
            other.append(("DO", value))
    if doi is None:
        for tag in _DOI_TAGS:
            values = notes if tag == "N1" else fields.get(tag)
            if not values:
                continue
            for value in values:
                if "10." not in value:
                    continue
                if tag == "N1":
                    told = DOI_IN_NOTE.search(value)
                    doi = find_doi(told[1]) if told else None
                else:
                    doi = find_doi(value)
                if doi:
                    repairs.append(f"DOI found in {tag}")
                    if tag in ("DI", "M3") and " " not in value.strip():  # M3 is a type of work elsewhere
                        fields[tag] = [v for v in values if v is not value]
                    break
            if doi:
                break
    elif "DI" in fields:
        fields["DI"] = [v for v in fields["DI"] if find_doi(v) != doi]
    if "PMID" in fields or "PM" in fields:
        for value in _texts(fields.pop("PMID", ()) or fields.pop("PM", ())):
            if pmid is None and (found := find_pmid(value, alone=True)):
                pmid = found
            else:
                other.append(("PMID", value))
    if pmid is None:
        pmid = _odd_pmid(fields, notes, repairs)
    for tag in _PMCID_TAGS:
        for value in fields.get(tag, _NONE):
            if "PMC" in value and (pmcid := find_pmcid(value)):
                if tag in ("C2", "C7") and value.strip().upper() == pmcid:
                    fields[tag].remove(value)
                return doi, pmid, pmcid
    return doi, pmid, pmcid


MISCELLANEOUS = ("M1", "M2")
SAYS_PMID = re.compile(r"\s*(?:PMID|PUBMED|MEDLINE|https?://\S*ncbi\.nlm)", re.I)
_ADDRESSES = frozenset({"UR", "L2", "LK"})
_MEDLINE = re.compile(r"medline|pubmed", re.I)
#: How EndNote names the provider of what it fetched from PubMed.
PROVIDER_OF_PUBMED = "NLM"


def _of_medline(fields: Fields) -> bool:
    return any(_MEDLINE.search(v) for tag in ("DB", "DP") for v in fields.get(tag, ())) or any(
        v.strip() == PROVIDER_OF_PUBMED for v in fields.get("DP", ())
    )


def _odd_pmid(fields: Fields, notes: tuple[str, ...], repairs: Repairs) -> str | None:
    for tag in _PMID_TAGS:
        values = fields.get(tag)
        if not values:
            continue
        if tag in _ADDRESSES:
            for value in values:
                if may_name_pmid(value) and (found := find_pmid(value)):
                    repairs.append(f"PMID found in {tag}")
                    return found
            continue
        bare = (
            (tag in ("AN", "UI") and _of_medline(fields))
            # A short number is the place in somebody's library, not in PubMed.
            or (tag == "ID" and len(values[0].strip()) >= 7 and _of_medline(fields))
            or (tag == "C5" and any("embase" in v.lower() for v in fields.get("DB", ())))
            or (tag == "C7" and len(values[0].strip()) == 8)
        )
        for value in values:
            if tag in MISCELLANEOUS and not SAYS_PMID.match(value):
                continue  # Ovid's PsycINFO keeps the cited references there
            if found := find_pmid(value, alone=bare):
                if tag in ("C7", "C5", "U2"):
                    values.remove(value)
                repairs.append(f"PMID found in {tag}")
                return found
    for note in notes:
        if told := PMID_IN_NOTE.match(note):
            repairs.append("PMID found in N1")
            return told[1].lstrip("0") or None
    return None


def _title(fields: Fields, other: Others) -> str | None:
    title = None
    for tag in ("TI", "T1", "CT", "BT", "ST"):
        if tag not in fields or (title and tag not in ("T1", "TI", "ST")):
            continue
        values = fields.pop(tag)
        for value in values:
            text = value.strip()
            if "\n" in text:
                text = " ".join(text.split("\n"))
            if not text or text == title:
                continue
            if title is None:
                title = text
            else:
                other.append((tag, text))
    return title


def _people(fields: Fields, code: str, repairs: Repairs) -> tuple[tuple[str, ...], tuple[str, ...]]:
    given = fields.pop("AU", None)
    first = fields.pop("A1", None)
    names = given or ()
    if first:
        names = first if not given else [*given, *first]
    authors = names_in(names, repairs)
    editors: tuple[str, ...] = ()
    if "A2" in fields or "ED" in fields:
        second, editors = fields.get("A2", []), names_in(fields.pop("ED", []), repairs)
        cited = [value for value in second if surnames_alone(value.strip())]
        if cited:
            second = [value for value in second if value not in cited]
            fields["A2"] = cited
        else:
            fields.pop("A2", None)
        if second:
            people = names_in(second, repairs)
            if not authors and code.upper() in ("JOUR", "CONF", "CPAPER", "ABST", "EJOUR", ""):
                if people:
                    repairs.append("authors found in A2")
                return people, editors
            editors = tuple(dict.fromkeys((*people, *editors)))
    return authors, editors


def surnames_alone(text: str) -> bool:
    """Whether ``text`` is a row of family names, as Ovid's PsycINFO gives those of the cited authors."""
    return (
        text.count(",") > 2 and ";" not in text and all(len(part.strip().rstrip(".")) > 2 for part in text.split(","))
    )


def names_in(values: list[str] | tuple[str, ...], repairs: Repairs) -> tuple[str, ...]:
    if not values:
        return ()
    together = "|".join(values)
    if ";" not in together and "\n" not in together:
        return tuple(dict.fromkeys([text for value in values if (text := value.strip())]))
    names: dict[str, None] = {}
    for value in values:
        text = value.strip()
        if "\n" in text:
            text = text.replace("\n", "; ")
        if ";" in text:
            parts = [p for p in _NAMES.split(text) if p]
            if len(parts) > 1:
                repairs.append("several names stood in one field")
            for part in parts:
                names[part.strip()] = None
        elif text:
            names[text] = None
    return tuple(names)


def when(fields: Fields, other: Others, repairs: Repairs) -> tuple[int | None, str | None]:
    """The year and the date, taken out of ``fields``; what is neither goes to ``other``."""
    year: int | None = None
    date: str | None = None
    for tag in ("PY", "Y1", "YR", "DA"):
        if tag not in fields:
            continue
        values = fields.pop(tag)
        for value in values:
            text = value.strip()
            if not text:
                continue
            found = find_year(text)
            if found is None:
                if tag != "DA" and not (tag == "Y1" and year):
                    repairs.append("the year cannot be read and is kept among the other fields")
            elif year is None:
                year = found
            if text.rstrip("/") == str(year):
                continue
            if date is None and (found == year or tag == "DA") and (found or tag == "DA"):
                date = text.replace("\n", " ")
            elif text != date:
                other.append((tag, text))
    return year, date


#: Where journals stand, the fullest first; and where abbreviations do.
_FULL = ("JF", "T2", "JO", "SO", "BT", "JA", "J2", "J1", "JI", "J9")
_SHORT = ("JA", "J2", "J1", "JI", "JO", "J9")


def journal_of(fields: Fields, other: Others) -> tuple[str | None, str | None]:
    """The journal and its abbreviation, taken out of ``fields``; further names go to ``other``."""
    there = [tag for tag in _FULL if tag in fields]
    full: str | None = None
    source = ""
    for tag in there:
        if text := fields[tag][0].strip():
            full, source = ISSN_BEHIND.sub("", text.replace("\n", " ")) or text, tag
            break
    if full is None:
        return None, None
    short: str | None = None
    for tag in _SHORT if len(there) > 1 else ():
        if tag in fields and tag != source:
            text = fields[tag][0].strip().replace("\n", " ")
            if text and text != full:
                short = text
                break
    for tag in there:
        for value in fields.pop(tag):
            text = value.strip().replace("\n", " ")
            if text and text not in (full, short) and ISSN_BEHIND.sub("", text) != full:
                other.append((tag, text))
    return full, short


#: What Ovid writes for none, in one tag or in two.
NO_PAGES = re.compile(r"No(?:\.? Pagination)? Specified\s?|Specified No Pagination", re.I)
#: The number of an article in a volume without pages: ``101823``, ``e0123456``.
ARTICLE = re.compile(r"(?!PMC)[A-Za-z]{0,5}[-.]?\d[\w.-]{0,14}", re.ASCII)


def _pages(fields: Fields, other: Others) -> str | None:
    first = _single(fields, "SP", other)
    last = _single(fields, "EP", other)
    if NO_PAGES.fullmatch(f"{first or ''} {last or ''}"):
        return None
    if first and last and last != first:
        if "-" in first or "\u2013" in first:
            if not first.endswith(last):
                other.append(("EP", last))
            return first
        return f"{first}-{last}"
    return first or last


def _abstract(fields: Fields, other: Others) -> str | None:
    abstract: str | None = None
    for tag in ("AB", "N2"):
        if tag not in fields:
            continue
        values = fields.pop(tag)
        text = values[0].strip() if len(values) == 1 else "\n".join(_texts(values))
        if not text:
            continue
        if "\n" in text or "\t" in text or LINE_SEPARATOR in text:
            text = paragraphs(text)
        if abstract is None:
            abstract = text
        elif text != abstract:
            other.append((tag, text))
    return abstract


def _keywords(fields: Fields, repairs: Repairs) -> tuple[str, ...]:
    values = fields.pop("KW", None)
    if "K1" in fields or "DE" in fields:
        values = (values or []) + fields.pop("K1", []) + fields.pop("DE", [])
    if not values:
        return ()
    if len(values) == 1:
        value = values[0]
        if ";" in value:
            repairs.append("several keywords stood in one field")
            value = value.replace(";", "\n")
        return tuple(dict.fromkeys([text for part in value.split("\n") if (text := part.strip())]))
    values = [text for value in values if (text := value.strip())]
    if "\n" not in "|".join(values):
        return tuple(dict.fromkeys(values))
    words: dict[str, None] = {}
    for value in values:
        if "\n" in value:
            repairs.append("several keywords stood in one field")
            for part in value.split("\n"):
                if text := part.strip():
                    words[text] = None
        elif text := value.strip():
            words[text] = None
    return tuple(words)


_NEXT_LINK = re.compile(r"[;\s]+(?=https?://|www\.)|\n+")


def apart(text: str) -> list[str]:
    """The addresses in one value.

    >>> apart("https://a.org; https://b.org/x;y")
    ['https://a.org', 'https://b.org/x;y']
    """
    if ";" not in text and "\n" not in text:
        return [text]
    return [link for part in _NEXT_LINK.split(text) if (link := part.strip())]


def _urls(fields: Fields) -> tuple[str, ...]:
    links = [link for tag in ("UR", "LK", "L2") for value in fields.pop(tag, ()) for link in apart(value.strip())]
    return tuple(dict.fromkeys([link for link in links if link]))
