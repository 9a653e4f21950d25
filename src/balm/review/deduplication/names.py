"""Authors as exports write them (``Smith, J. A.``, ``Smith JA``, ``JA Smith``, run together) in comparable words."""

from __future__ import annotations

import re

from balm.review.deduplication.titles import folded

#: Names past this one say nothing more, and some exports stop after three.
COMPARED = 12
_RUN_TOGETHER = re.compile(r"(?<=[A-Z]\.)(?=[A-Z][a-z'’\-]+|[a-z]{2,4} [A-Z])|\s+and\s+|\s*;\s*")
_INITIALS = re.compile(r"^(?:[A-Z](?:[.\-]|$)){1,4}$|^[A-Z]{1,3}$")
_NO_NAME = frozenset({"anonymous", "anon", "no authors listed", "et al", "unknown", "none", "null", "na", ""})
_LETTERS = re.compile(r"[\W\d_]+")
#: The same for ASCII text; an apostrophe and a hyphen join the parts of a name.
_BLANKED = {code: " " for code in range(128) if not chr(code).isalpha()} | {ord("'"): None, ord("-"): None}


def surname(name: str) -> str:
    """The family name in lower-case letters without blanks; a corporate author gives its last word.

    >>> [surname(n) for n in ("Smith, J. A.", "Smith JA", "J. A. Smith", "van der Berg J", "O'Neil, C")]
    ['smith', 'smith', 'smith', 'vanderberg', 'oneil']
    """
    if "," in name:
        family = name.partition(",")[0]
    else:
        parts = name.split()
        full = [p for p in parts if not _INITIALS.match(p)]
        if not full:
            family = parts[-1] if parts else ""
        elif len(full) == len(parts):
            family = full[-1]
        else:
            family = " ".join(full)
    family = folded(family)
    return family if family.isalpha() else _LETTERS.sub("", family)


def read_authors(authors: tuple[str, ...]) -> tuple[str, str, int]:
    """``(first family name, words of all names, how many)``.

    >>> read_authors(("Adeli K.Lewis G. F.",))
    ('adeli', 'adeli lewis', 2)
    >>> read_authors(("Deng, Chaoqun", "Ravichandran, T."))
    ('deng', 'deng chaoqun ravichandran', 2)
    """
    if len(authors) == 1 and len(authors[0]) > 12:
        authors = tuple(_RUN_TOGETHER.split(authors[0]))
    kept = [n for n in authors[: COMPARED + 1] if len(n) > 20 or n.strip(" .[]").lower() not in _NO_NAME][:COMPARED]
    if not kept:
        return "", "", 0
    first = next((found for n in kept if (found := surname(n))), "")
    text = folded(" ".join(kept))
    text = text.translate(_BLANKED) if text.isascii() else _LETTERS.sub(" ", text.replace("'", "").replace("-", ""))
    return first, " ".join([w for w in text.split() if len(w) > 1]), len(authors)
