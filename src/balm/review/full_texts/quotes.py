"""Where a quote stands in a report: the page, found although the PDF breaks lines, words and letters in its own way."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

#: Left out on both sides: spaces of every kind, hyphens and dashes (of broken words, and minus signs), quotation marks.
_DROPPED: Final = frozenset(
    "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad\"'`´\u2018\u2019\u201a\u201c\u201d\u201e«»"
)
#: Decimal points as some journals print them.
_SAME: Final = {"·": ".", "\u2219": ".", "\u22c5": "."}
#: Shorter quotes are found everywhere.
SHORTEST: Final = 3


@dataclass(frozen=True, slots=True)
class Found:
    """One place: ``page`` from 1, and the words around it."""

    page: int
    before: str
    words: str
    after: str


def find_quote(pages: Sequence[str], quote: str, *, most: int = 30, around: int = 80) -> list[Found]:
    """Every place of ``quote`` in the text of ``pages``, in order, at most ``most`` of them.

    Case, line breaks, hyphens and kinds of quotation marks make no difference, nor does the sign of a number; a quote
    that runs over to the next page is found on the page on which it begins.

    >>> [f.page for f in find_quote(["The pri-\\nmary outcome", "was pain (0·5)."], "primary outcome was pain (0.5)")]
    [1]
    """
    wanted = "".join(letter for letter, _ in _letters(quote))
    if len(wanted) < SHORTEST:
        return []
    text, starts = "", []
    for page in pages:
        starts.append(len(text))
        text += page + "\n"
    folded = _letters(text)
    plain = "".join(letter for letter, _ in folded)
    found: list[Found] = []
    at = plain.find(wanted)
    while at >= 0 and len(found) < most:
        begin, end = folded[at][1], folded[at + len(wanted) - 1][1] + 1
        number = sum(start <= begin for start in starts)
        found.append(
            Found(
                number,
                _line(text[max(0, begin - around) : begin]),
                _line(text[begin:end]),
                _line(text[end : end + around]),
            )
        )
        at = plain.find(wanted, at + len(wanted))
    return found


def _letters(text: str) -> list[tuple[str, int]]:
    """What is compared, each letter with its place in ``text``."""
    out = []
    for place, given in enumerate(text):
        for letter in unicodedata.normalize("NFKD", _SAME.get(given, given)).casefold():
            if not letter.isspace() and letter not in _DROPPED and not unicodedata.combining(letter):
                out.append((letter, place))
    return out


def _line(text: str) -> str:
    return " ".join(text.split())
