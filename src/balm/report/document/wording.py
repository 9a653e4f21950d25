"""Small sentences that stay grammatical for none, one and many."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def many(n: int, one: str, several: str | None = None) -> str:
    """A count with its noun; small numbers as words.

    >>> many(0, "study", "studies"), many(1, "study", "studies"), many(12, "record")
    ('no studies', 'one study', '12 records')
    """
    noun = one if n == 1 else several or f"{one}s"
    return f"{_WORDS[n] if n < len(_WORDS) else n} {noun}"


_PER_CENT = re.compile(r"(?<=\d) %")


def together(text: str) -> str:
    """``text`` in which no line ends between a number and its per cent sign.

    >>> together("high 12 %, 5%")
    'high 12\\xa0%, 5%'
    """
    return _PER_CENT.sub("\u00a0%", text) if " %" in text else text


def was(n: int) -> str:
    """The verb of :func:`many`: ``was`` for one, ``were`` for none and many."""
    return "was" if n == 1 else "were"


def listed(texts: Sequence[str]) -> str:
    """Texts as they stand in a sentence.

    >>> listed([]), listed(["A"]), listed(["A", "B"]), listed(["A", "B", "C"])
    ('', 'A', 'A and B', 'A, B and C')
    """
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def ended(text: str | None) -> str:
    """``text`` as a sentence: a capital first and one full stop; empty stays empty.

    >>> ended("adults with pain"), ended("Done."), ended("pH was low"), ended(" ")
    ('Adults with pain.', 'Done.', 'pH was low.', '')
    """
    said = " ".join((text or "").split())
    if not said:
        return ""
    first = said.split()[0]
    plain = first.islower() and first.strip(",;:").isalpha()
    said = said[:1].upper() + said[1:] if plain else said
    return said if said.endswith((".", "?", "!")) else f"{said}."
