"""The optional compiled way to one BibTeX entry: ``entry.c``, in the module of :mod:`~balm.review.records.ris_whole`.

It takes the entries that close and whose values are of one piece; the others, and all of them where it is missing, go
through Python alone and come out the same. A test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from balm.review.records.bibtex_fields import (
    ARTICLE,
    BY_ITSELF,
    EARLY,
    KEYWORDS,
    RIS,
    SEVERAL,
    date_of,
    keywords_in,
    names,
)
from balm.review.records.kinds import BIBTEX_TYPES, ris_code
from balm.review.records.latex import plain
from balm.review.records.receipt import Tally
from balm.review.records.ris_whole import compiled, place

#: What becomes of a field, beside the place of its tag, as ``entry.c`` calls it.
_OTHER, _AUTHOR, _EDITOR, _ARTICLE, _MONTH, _ID, _PAGES, _KEYWORDS, _ACCESSION, _EARLY, _RARE = range(-1, -12, -1)
_TAG = re.compile("[A-Z][A-Z0-9]")
_BY_NAME = {"author": _AUTHOR, "editor": _EDITOR, "month": _MONTH, "id": _ID, "pages": _PAGES, EARLY: _EARLY}

#: The compiled function; :func:`entry` says what it gives.
Entry = Callable[[str, int, int, dict[str, str], Tally, int], Any]


@lru_cache(maxsize=1)
def entry() -> Entry | None:
    """The compiled function, or ``None``.

    ``entry()(text, at, end, strings, tally, number)`` is ``(record, lines)`` of the entry ``text[at:end]``, which
    begins with the line end before its ``@``, behind line ``number``; ``None`` for one that needs judgement.
    """
    found = compiled()
    try:
        if found is None:
            return None
        found.entry_parts(_CODES, _TWIN)
    except (AttributeError, TypeError):
        return None
    taken: Entry = found.entry
    return taken


def _action(name: str) -> int:
    low = name.lower()
    if low in _BY_NAME:
        return _BY_NAME[low]
    if low in ARTICLE:
        return _ARTICLE
    if low in KEYWORDS:
        return _KEYWORDS
    tag = "UR" if low in ("url", "urls") else RIS.get(low)
    if tag == "AN":
        return _ACCESSION
    if tag is None and low not in BY_ITSELF and _TAG.fullmatch(name):
        return _RARE if name in ("TY", "AN", "U2") else place(name)
    if tag is None:
        return _RARE if low in BY_ITSELF else _OTHER
    return _RARE if low in BY_ITSELF - SEVERAL else place(tag)


_CODES = {kind: ris_code(word) for kind, word in BIBTEX_TYPES.items()}
#: What ``entry.c`` asks where it takes more than looking at letters, in its order.
_TWIN: tuple[Callable[..., Any], ...] = (_action, plain, names, keywords_in, lru_cache(maxsize=4096)(date_of))
