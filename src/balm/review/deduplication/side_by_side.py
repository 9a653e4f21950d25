"""Two records side by side: which fields differ, and which words in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from balm.vocabulary.record import Record

#: The fields a person compares, in the order they are read, with their names.
FIELDS = {
    "title": "Title",
    "authors": "Authors",
    "year": "Year",
    "journal": "Journal",
    "volume": "Volume",
    "issue": "Issue",
    "pages": "Pages",
    "doi": "DOI",
    "pmid": "PubMed id",
    "type": "Type",
    "language": "Language",
    "accession_numbers": "Accession numbers",
    "database": "Database",
    "abstract": "Abstract",
}
SAME, DIFFERENT, ONE_SIDE = "same", "differs", "only one says it"
#: Words compared one by one; two whole books in a field are shown as different, not compared.
MOST_WORDS = 1500

_WORD = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Compared:
    """One field of two records: each side as runs of ``(text, whether it differs)``, and how the two relate."""

    field: str
    name: str
    state: str
    left: tuple[tuple[str, bool], ...]
    right: tuple[tuple[str, bool], ...]


def side_by_side(left: Record, right: Record) -> list[Compared]:
    """Every field that at least one of the two has.

    >>> a = Record(id="1", title="Ketamine for pain", year=2015)
    >>> b = Record(id="2", title="Ketamine for PAIN.", year=2016)
    >>> [(c.name, c.state) for c in side_by_side(a, b)]
    [('Title', 'same'), ('Year', 'differs'), ('Type', 'same')]
    """
    out = []
    for field, name in FIELDS.items():
        one, two = _text(getattr(left, field)), _text(getattr(right, field))
        if not one and not two:
            continue
        if one and two and _bare(one) != _bare(two):
            out.append(Compared(field, name, DIFFERENT, *_runs(one, two)))
        else:
            out.append(Compared(field, name, SAME if one and two else ONE_SIDE, _whole(one), _whole(two)))
    return out


def _whole(text: str) -> tuple[tuple[str, bool], ...]:
    return ((text, False),) if text else ()


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(str(one) for one in value)
    return "" if value is None else str(value)


def _bare(text: str) -> str:
    """What counts as the same: letters and digits, whatever their case."""
    return re.sub(r"[\W_]+", "", text).casefold()


def _runs(one: str, two: str) -> tuple[tuple[tuple[str, bool], ...], tuple[tuple[str, bool], ...]]:
    a, b = _WORD.findall(one), _WORD.findall(two)
    if len(a) > MOST_WORDS or len(b) > MOST_WORDS:
        return ((one, True),), ((two, True),)
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    matcher = SequenceMatcher(None, [w.casefold() for w in a], [w.casefold() for w in b], autojunk=False)
    for how, a0, a1, b0, b1 in matcher.get_opcodes():
        if a1 > a0:
            left.append(("".join(a[a0:a1]), how != "equal"))
        if b1 > b0:
            right.append(("".join(b[b0:b1]), how != "equal"))
    return tuple(left), tuple(right)
