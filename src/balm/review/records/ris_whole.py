"""The optional compiled way to one RIS record: ``whole.c`` and ``record.c``, built where a compiler is.

It takes the records that need no judgement, in whatever order their tags stand; the others, and all of them where it
is missing or switched off with ``BALM_KERNEL=off``, go through Python alone and come out the same. A test compares the
two on every sample and on made-up files.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from balm.review.records.identifiers import find_doi, find_pmcid, find_pmid, serial_numbers
from balm.review.records.kinds import RIS_TYPES, refined, ris_code, type_in_notes
from balm.review.records.labels import decisions_in_notes
from balm.review.records.receipt import Tally
from balm.review.records.ris_between import left_out
from balm.review.records.ris_fields import (
    DOI_IN_NOTE,
    ISSN_BEHIND,
    NO_PAGES,
    PLAIN_TAGS,
    PMID_IN_NOTE,
    SAYS_PMID,
    TEXT_TAGS,
    apart,
    names_in,
    registered_in,
)
from balm.vocabulary.record import Record

#: What ``whole.c`` calls them.
_KNOWN, _TEXT = 1, 2
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#: The compiled function; :func:`take` says what it gives.
Take = Callable[[bytes, int, bytes, Tally, int], Any]


@lru_cache(maxsize=1)
def take() -> Take | None:
    """The compiled function, or ``None``.

    ``take()(data, at, TABLE, tally, number)`` is ``(record, None, end, first line, last line)`` of the record behind
    the line end ``data[at]``, which ends line ``number``, up to the line end ``data[end]``; ``(None, fields, ...)`` of
    one that needs judgement, and ``None`` where there is no whole record to take without it. ``data`` is UTF-8.
    """
    found = compiled()
    taken: Take | None = None if found is None else found.take
    return taken


@lru_cache(maxsize=1)
def compiled() -> Any:
    """The compiled module, told what it needs of this package; ``None`` where it is missing, older or switched off."""
    if os.environ.get("BALM_KERNEL", "").lower() in ("off", "0", "no"):
        return None
    try:
        found = import_module("balm.review.records._whole")
        found.record_parts(Record, TWIN)
    except (ImportError, AttributeError, TypeError):
        return None
    return found


def _tested(matches: Callable[[str], object]) -> Callable[[str], bool]:
    return lambda text: matches(text) is not None


def _doi_in_note(note: str) -> str | None:
    told = DOI_IN_NOTE.search(note)
    return find_doi(told[1]) if told else None


def _pmid_in_note(note: str) -> str | None:
    told = PMID_IN_NOTE.match(note)
    return told[1].lstrip("0") if told else None


@lru_cache(maxsize=4096)
def _kind(code: str, types: tuple[str, ...], told: str | None) -> tuple[str, bool]:
    """The kind of a record, and whether its code is another one than is written for it."""
    kind = told or refined(RIS_TYPES.get(code.upper(), "article" if not code else "other"), types)
    return kind, bool(code) and code != ris_code(kind)


#: What ``record.c`` asks where it takes more than looking at letters, in its order.
TWIN: tuple[Callable[..., Any], ...] = (
    lru_cache(maxsize=20_000)(find_doi),
    find_pmid,
    find_pmcid,
    _doi_in_note,
    _pmid_in_note,
    _tested(SAYS_PMID.match),
    lru_cache(maxsize=20_000)(lambda text: ISSN_BEHIND.sub("", text)),
    names_in,
    _tested(NO_PAGES.fullmatch),
    registered_in,
    lru_cache(maxsize=20_000)(serial_numbers),  # a journal's stand in all of its records
    apart,
    decisions_in_notes,
    type_in_notes,
    _kind,
    left_out,
)


def place(tag: str) -> int:
    """Where a tag stands in :data:`TABLE`."""
    return 936 if tag == "PMID" else _LETTERS.index(tag[0]) * 36 + (_LETTERS + "0123456789").index(tag[1])


def _rights(tag: str) -> int:
    return (_KNOWN if tag in PLAIN_TAGS else 0) | (_TEXT if tag in TEXT_TAGS else 0)


#: What each tag is, a byte for each two letters or letter and digit, and one for ``PMID``.
TABLE = bytes([*(_rights(first + second) for first in _LETTERS for second in _LETTERS + "0123456789"), _KNOWN])
