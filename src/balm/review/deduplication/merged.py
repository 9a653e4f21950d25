"""One record laid over the records of one report: the best of each field, and which record each came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any

from balm.review.deduplication.places import CENTRAL, JSTOR, read_pages
from balm.vocabulary.record import Record

#: Never merged: they say which record it is and where it was read.
_OWN = frozenset({"id", "source_file", "ordinal", "lines", "decision"})
#: Lists of which every member counts.
_UNIONS = frozenset(
    {
        "keywords", "urls", "accession_numbers", "issn", "isbn", "publication_types", "notes", "affiliations", "votes",
        "other",
    }
)  # fmt: skip


_NAMES = tuple(f.name for f in fields(Record) if f.name not in _OWN)
_values = attrgetter(*_NAMES)


def _title_quality(title: str) -> tuple[bool, bool, int]:
    return not title.isupper(), not title.rstrip().endswith(("...", "…")), -abs(len(title) - 120)


def _pages_quality(pages: str) -> tuple[bool, bool, int]:
    first, last, _ = read_pages(pages)
    return first > 0, last > 0, len(pages)


#: How good a value of a field is; the other fields take the value most records give.
_QUALITY: dict[str, Callable[[Any], Any]] = {
    "title": _title_quality,
    "abstract": len,
    "authors": lambda names: (len(names), sum(len(n) for n in names)),
    "editors": lambda names: (len(names), sum(len(n) for n in names)),
    "journal": lambda name: (not name.isupper(), len(name.split("(")[0])),
    "journal_abbreviation": lambda name: -len(name),
    "pages": _pages_quality,
    "date": len,
}


def kept_first(records: Sequence[Record]) -> list[Record]:
    """The records, the most complete first: the one kept where one has to be named."""
    return sorted(records, key=lambda r: (-_filled(r), r.source_file, r.ordinal, r.id))


def _filled(record: Record) -> int:
    given = (
        record.title, record.authors, record.year, record.journal, record.volume, record.issue, record.pages,
        record.doi, record.pmid, record.abstract,
    )  # fmt: skip
    return sum(bool(v) for v in given) + (2 if record.doi else 0) + (3 if record.abstract else 0)


def merge_records(records: Sequence[Record]) -> tuple[Record, dict[str, tuple[str, ...]]]:
    """``(merged, provenance)``: the merged record keeps the id of the most complete one, and ``provenance`` names for
    each field the records its value came from. Lists of identifiers, keywords and notes hold what any record gives, and
    ``database`` names every one.

    >>> a = Record(id="1", title="KETAMINE", doi="10.1/x")
    >>> b = Record(id="2", title="Ketamine", abstract="A trial.")
    >>> merged, source = merge_records([a, b])
    >>> merged.title, merged.doi, source["title"]
    ('Ketamine', '10.1/x', ('2',))
    """
    ranked = kept_first(records)
    values: dict[str, Any] = {}
    provenance: dict[str, tuple[str, ...]] = {}
    ids = [r.id for r in ranked]
    for name, column in zip(_NAMES, zip(*map(_values, ranked), strict=True), strict=True):
        given = [pair for pair in zip(ids, column, strict=True) if pair[1]]
        if not given:
            continue
        if name in _UNIONS:
            union = tuple(dict.fromkeys(v for _, many in given for v in many))
            values[name], provenance[name] = union, tuple(record_id for record_id, _ in given)
            continue
        if name == "database":
            each = dict.fromkeys(part for _, text in given for part in text.split("; "))
            values[name], provenance[name] = "; ".join(each), tuple(record_id for record_id, _ in given)
            continue
        quality = _QUALITY.get(name)
        if quality is None:
            if name == "doi":  # the publisher's before that of a database
                given = [g for g in given if not g[1].startswith((JSTOR, CENTRAL))] or given
            count = Counter(v for _, v in given)
            if name == "type" and len(count) > 1:
                count.pop("other", None)
            most = max(count.values())
            best = next(v for _, v in given if count.get(v) == most)
        else:
            best = max((v for _, v in given), key=quality)
        values[name] = best
        provenance[name] = tuple(record_id for record_id, v in given if v == best)
    return replace(ranked[0], **values), provenance
