"""A record as a reference in Vancouver style, by ``vancouver.csl`` and the citation processor citeproc-py."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from balm.vocabulary.record import Record

STYLE = Path(__file__).with_name("vancouver.csl")
#: What a record can index -> the type in the language of citation styles; all else is set like an article.
_TYPES = {
    "article": "article-journal", "book": "book", "chapter": "chapter", "conference": "paper-conference",
    "data set": "dataset", "patent": "patent", "report": "report", "thesis": "thesis", "web page": "webpage",
}  # fmt: skip
_GENRES = {
    "preprint": "preprint",
    "thesis": "dissertation",
    "data set": "dataset",
    "registration": "trial registration",
}
_INITIALS = re.compile(r"(?:[^\W\d_a-z]\.?-?){1,4}")
_ET_AL = re.compile(r",?\s*\b(et al)\b\.?")
_SUFFIX = re.compile(r"(?:Jr|Sr|2nd|3rd|4th|II|III|IV)\.?")
_GROUP = re.compile(
    r"\b(?:groups?|study|trials?|collaborat\w+|consorti\w+|network|investigators|committee|society|association|"
    r"institute|university|agency|department|organi[sz]ation|team|centre|center|program(?:me)?)\b",
    re.IGNORECASE,
)


def vancouver(record: Record) -> str:
    """Authors (six, then et al.), title, journal, year, volume(issue) and pages, in one line; what is not known is left
    out. Journals stand under their abbreviation where the record gives one.

    Needs ``citeproc-py`` (``pip install 'balm[app]'``). Source: ICMJE Recommendations, "Samples of Formatted
    References"; Patrias K. Citing Medicine. 2nd ed. NLM; 2007.

    >>> vancouver(Record("a", title="Ketamine for pain.", authors=("Sigtermans, Marnix J.", "van Hilten JJ"), year=2009,
    ...     journal="Pain", volume="145", issue="3", pages="304-311"))
    'Sigtermans MJ, van Hilten JJ. Ketamine for pain. Pain. 2009;145(3):304-11.'
    """
    from citeproc import Citation, CitationItem, CitationStylesBibliography, formatter
    from citeproc.source.json import CiteProcJSON

    source = CiteProcJSON([_item(record)])
    bibliography = CitationStylesBibliography(_style(), source, formatter.plain)
    bibliography.register(Citation([CitationItem("it")]))
    text = " ".join(" ".join(map(str, bibliography.bibliography())).split())
    return re.sub(r"([.?!])\.(?=\s|$)", r"\1", text)


@cache
def _style() -> Any:
    from citeproc import CitationStylesStyle

    return CitationStylesStyle(str(STYLE), validate=False)


def _item(record: Record) -> dict[str, Any]:
    kind = _TYPES.get(record.type, "article-journal")
    if record.type == "conference" and record.volume:  # an abstract in a journal, or in its supplement
        kind = "article-journal"
    title = (record.title or record.original_title or "").strip()
    texts = {
        "title": title[:-1] if title.endswith(".") and not title.endswith("..") else title,
        "genre": _GENRES.get(record.type),
        "container-title": record.journal or record.journal_abbreviation,
        "container-title-short": (record.journal_abbreviation or record.journal or "").rstrip("."),
        "volume": record.volume, "issue": record.issue, "page": _pages(record.pages),
        "publisher": record.publisher, "publisher-place": record.place if record.publisher else None,
    }  # fmt: skip
    item: dict[str, Any] = {"id": "it", "type": kind} | {name: text for name, text in texts.items() if text}
    if record.year:
        item["issued"] = {"date-parts": [[record.year]]}
    for role, names in (("author", record.authors), ("editor", record.editors)):
        if read := [_name(name) for one in names for name in _ET_AL.split(one) if name.strip(" ,;")]:
            item[role] = read
    return item


def _pages(pages: str | None) -> str | None:
    """The last page without the digits that it shares with the first.

    >>> _pages("304-311"), _pages("304-5"), _pages("S1-S110"), _pages("98-102"), _pages("100-102")
    ('304-11', '304-5', 'S1-S110', '98-102', '100-2')
    """
    found = re.fullmatch(r"(\d+)\s*[-\u2013]+\s*(\d+)", pages or "")
    if not found or len(found[1]) != len(found[2]) or found[1] >= found[2]:
        return pages
    same = next(i for i, (a, b) in enumerate(zip(found[1], found[2], strict=True)) if a != b)
    return f"{found[1]}-{found[2][same:]}"


def _name(name: str) -> dict[str, str]:
    """A name in its parts; a group, and what cannot be told apart, as it stands.

    >>> _name("Smith JA Jr"), _name("Smith, John A."), _name("J. A. Smith"), _name("OKAPI Study Group")
    ({'family': 'Smith', 'given': 'J. A.', 'suffix': 'Jr'}, {'family': 'Smith', 'given': 'John A.'}, \
{'family': 'Smith', 'given': 'J. A.'}, {'literal': 'OKAPI Study Group'})
    """
    name = " ".join(name.split()).rstrip(";,")
    if name == "et al":
        return {"literal": name}
    family, comma, rest = (part.strip() for part in name.partition(","))
    if comma and family and rest:
        given, _, suffix = (part.strip() for part in rest.partition(","))
        return _parts(family, given, suffix)
    words = name.split()
    suffix = words.pop() if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) else ""
    if len(words) < 2 or _GROUP.search(name):
        return {"literal": name}
    if _INITIALS.fullmatch(words[-1]):
        return _parts(" ".join(words[:-1]), words[-1], suffix)
    if _INITIALS.fullmatch(words[0]) or len(words) == 2:
        lead = next((i for i, word in enumerate(words) if i and not _INITIALS.fullmatch(word)), 1)
        return _parts(" ".join(words[lead:]), " ".join(words[:lead]), suffix)
    return {"literal": name}


def _parts(family: str, given: str, suffix: str) -> dict[str, str]:
    words = [
        " ".join(f"{letter}." for letter in word if letter.isalpha()) if _INITIALS.fullmatch(word) else word
        for word in given.split()
    ]
    parts = {"family": family, "given": " ".join(words), "suffix": suffix.rstrip(".")}
    return {key: value for key, value in parts.items() if value}
