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


#: A blank before a per cent sign, and the blanks around a sign of relation between a name and a number.
_TIED = re.compile(r"(?<=\d) (?=%)|(?<=[=<>≤≥]) (?=[\d.−-])| (?=[=<>≤≥] [\d.−-])")
_SIGNS = (" %", "= ", "< ", "> ", "≤ ", "≥ ")


def together(text: str) -> str:
    """``text`` in which no line ends between a number and its per cent sign, or within "P < 0.001" and "n = 12".

    >>> together("high 12 %, 5%; P < 0.001")
    'high 12\\xa0%, 5%; P\\xa0<\\xa00.001'
    """
    if " " not in text or not any(sign in text for sign in _SIGNS):
        return text
    return _TIED.sub("\u00a0", text)


#: A hyphen that stands for minus: before a number, and behind neither a letter nor a digit.
_MINUS = re.compile(r"(?<![\w.)-])-(?=[\d.])")


def with_minus(text: str) -> str:
    """``text`` as print sets it; a page keeps the hyphen, which a spreadsheet reads as a number.

    >>> with_minus("-1.05 (-1.72 to -0.39)"), with_minus("3.2e-9"), with_minus("5-22")
    ('−1.05 (−1.72 to −0.39)', '3.2e-9', '5-22')
    """
    return _MINUS.sub("−", text) if "-" in text else text


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
