"""A search export as rows of the package: one search, one row a record, in text that every database can hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from balm.review.records.collection import Records
from balm.review.records.receipt import LISTED, Entry, Receipt
from balm.review.schema import TABLE_BY_FILE
from balm.review.tables import MAX_CELL
from balm.vocabulary.record import Record

#: Kinds of source a search can be of (PRISMA 2020: databases and registers apart from other methods).
KINDS = TABLE_BY_FILE["searches.csv"].column("kind").allowed

_NOT_ID = re.compile(r"[^A-Za-z0-9._-]+")
#: NUL, which no text table holds, and halves of surrogate pairs, which are no characters.
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


def search_row(
    name: str, records: Records, *, about: Mapping[str, str | None], searches: set[str], stored: str
) -> dict[str, object]:
    """The row of ``searches.csv`` for the export ``name``, kept as ``stored``; its id is new among ``searches``.

    ``about`` holds what a person says of the search (PRISMA-S). A ``kind`` not given is told from the records:
    ``register`` where all of them are registrations, else ``database``; a ``source`` is the database they name.
    """
    told = {r.database for r in records if r.database}
    registered = len(records) > 0 and all(r.type == "registration" for r in records)
    return {
        "search": free(as_id(name.split(".")[0]) or "search", searches),
        "kind": about.get("kind") or ("register" if registered else "database"),
        "source": about.get("source") or (told.pop() if len(told) == 1 else name),
        "interface": about.get("interface"),
        "date": about.get("date"),
        "strategy": about.get("strategy"),
        "limits": about.get("limits"),
        "retrieved": records.receipt.held,
        "person": about.get("person"),
        "file": f"searches/{stored}",
    }


def record_rows(records: Iterable[Record], search: str, ids: set[str]) -> list[dict[str, object]]:
    """The rows of ``records.csv`` for the records of one search; their ids are new among ``ids``, which grows."""
    return [_row(record, search, ids) for record in records]


def without_no_text(records: Records) -> Records:
    """The records without characters that are no text (NUL, lone surrogates); the receipt lists each as a repair.

    >>> cleaned = without_no_text(Records([Record(id="a", title="Keta\\x00mine")]))
    >>> cleaned[0].title, cleaned.receipt.problems[0].why
    ('Ketamine', 'characters that are no text were taken out of: title')
    """
    held: list[Record] = []
    entries: list[Entry] = []
    count: dict[str, int] = {}
    for record in records:
        changed: dict[str, object] = {}
        for name in ("id", "title", "authors", "journal", "doi", "pmid", "abstract", "database"):
            value = getattr(record, name)
            text = "\x1f".join(value) if isinstance(value, tuple) else value
            if text and _NO_TEXT.search(text):
                text = clean(text)
                changed[name] = (
                    tuple(text.split("\x1f")) if isinstance(value, tuple) else text if name == "id" else text or None
                )
        if changed:
            count[record.source_file] = count.get(record.source_file, 0) + 1
            if count[record.source_file] <= LISTED:
                why = f"characters that are no text were taken out of: {', '.join(changed)}"
                line = record.lines[0] if record.lines else None
                entries.append(Entry(record.source_file, line, "repaired", why))
            record = replace(record, **changed)  # type: ignore[arg-type]
        held.append(record)
    if not count:
        return records
    receipt = records.receipt
    files = tuple(replace(f, repaired=f.repaired + count.get(f.file, 0)) for f in receipt.files)
    return Records(held, Receipt(files, (*receipt.problems, *entries)))


def clean(text: str) -> str:
    """The text without NUL and lone surrogates."""
    return _NO_TEXT.sub("", text)


def as_id(text: str) -> str:
    """A text as an id of the package: letters, digits, points, lines."""
    return _NOT_ID.sub("-", text).strip("-._")[:120]


def free(name: str, taken: set[str]) -> str:
    """``name``, or ``name-2`` and so on where it is taken; it is taken from now on."""
    made, number = name, 2
    while made in taken:
        made, number = f"{name}-{number}", number + 1
    taken.add(made)
    return made


def free_file(name: str, taken: set[str]) -> str:
    """A safe name of a file, ``stem-2.ending`` and so on where it is taken; it is taken from now on."""
    stem, dot, ending = (_NOT_ID.sub("-", name).lstrip("-.") or "export").partition(".")
    made, number = stem + dot + ending, 2
    while made in taken:
        made, number = f"{stem}-{number}{dot}{ending}", number + 1
    taken.add(made)
    return made


def _row(record: Record, search: str, ids: set[str]) -> dict[str, object]:
    year = record.year if record.year is not None and 1800 <= record.year < 2200 else None
    texts = {
        "title": record.title,
        "authors": "; ".join(record.authors) or None,
        "journal": record.journal,
        "doi": record.doi,
        "pmid": record.pmid,
        "abstract": record.abstract,
    }
    cells: dict[str, object] = {
        name: None if text is None else clean(text)[: MAX_CELL - 1].strip() for name, text in texts.items()
    }
    return {"record": free(as_id(record.id) or "record", ids), "search": search, "year": year, **cells}
