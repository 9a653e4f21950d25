"""Where a report stands: volume, issue and pages as numbers, ``0`` where the record does not say or is damaged."""

from __future__ import annotations

import re

_DASHES = re.compile(r"\s*[\u2010-\u2015\u2212\-]+\s*")
_NUMBER = re.compile(r"\d+")
_IN_PARENTHESES = re.compile(r"^\s*([^()]+?)\s*\(([^()]+)\)\s*$")
_MONTHS = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*"
#: Pages a spreadsheet took for a date, or of which only a remark is left.
_DAMAGED = re.compile(
    rf"\d{{1,4}}[\-/ ]?{_MONTHS}$|{_MONTHS}[\-/ ]?\d{{1,4}}$|suppl|^[a-z]-\d{{1,2}}$|^\d+-\d+-\d+|\?|unpaginated|no pag"
)
_PLAIN_PAGES = re.compile(r"(\d{1,9})(?:-{1,2}(\d{1,9}))?")
_PAGES_WORD = re.compile(r"^(?:pp?|pages?|pg)\.?\s+")
_ROMAN = re.compile(r"^[ivxlc]+$")
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
#: Roman pages and numbers of supplements live in ranges of their own.
ROMAN_PAGES = 1 << 40
SUPPLEMENT_ISSUES = 1 << 20
_LARGEST = 1 << 39
#: DOIs of a database beside that of the publisher: of JSTOR's copy of a paper, and of an entry in Cochrane CENTRAL.
JSTOR, CENTRAL = "10.2307/", "10.1002/central/"


def _roman(text: str) -> int:
    values = [_ROMAN_VALUES[c] for c in text]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))


def read_pages(text: str | None) -> tuple[int, int, bool]:
    """``(first, last, supplement)``; ``221-8`` ends on 228, ``S12`` is page 12 of a supplement.

    >>> read_pages("221-8"), read_pages("S12–S15"), read_pages("01-Jun"), read_pages("e0123"), read_pages("")
    ((221, 228, False), (12, 15, True), (0, 0, False), (123, 0, False), (0, 0, False))
    """
    if not text:
        return 0, 0, False
    if plain := _PLAIN_PAGES.fullmatch(text):
        begin, finish = plain[1], plain[2]
        if finish is None:
            return int(begin), 0, False
        a, b = int(begin), int(begin[: max(len(begin) - len(finish), 0)] + finish)
        return a, b if b >= a else 0, False
    lower = _PAGES_WORD.sub("", text.lower().strip())
    lower = _DASHES.sub("-", lower)
    if _DAMAGED.search(lower):
        return 0, 0, "suppl" in lower
    first, _, last = lower.partition("-")
    first = first.strip()
    start = _NUMBER.search(first)
    supplement = first[:1] == "s" and first[1:2].isdigit()
    if start is None:
        return (ROMAN_PAGES + _roman(first) if first and _ROMAN.match(first) else 0), 0, False
    a = int(start[0])
    if a >= _LARGEST:
        return 0, 0, False
    end = _NUMBER.search(last)
    if end is None or "reply" in last or "discussion" in last:  # letters and their answers, printed together
        return a, 0, supplement
    digits = end[0]
    if len(digits) < len(start[0]):
        digits = start[0][: len(start[0]) - len(digits)] + digits
    b = int(digits)
    return a, (b if a <= b < _LARGEST else 0), supplement


def read_volume(volume: str | None, issue: str | None) -> tuple[int, int, bool]:
    """``(volume, issue, supplement)``; ``12(3)`` in the field of the volume is volume 12, issue 3.

    >>> read_volume("12(3)", None), read_volume("XII", "Suppl 1"), read_volume(None, "3-4")
    ((12, 3, False), (12, 1048577, True), (0, 3, False))
    """
    v = i = 0
    supplement = False
    if volume and volume.isascii() and volume.isdigit():
        v = int(volume[:11])
    elif volume:
        found = _IN_PARENTHESES.match(volume)
        if found:
            volume, issue = found[1], issue or found[2]
        lower = volume.lower()
        if ")" in lower and "(" not in lower:
            lower = ""  # the rest of "16 (Suppl. 1)": the number is that of the supplement
        if "suppl" in lower:
            supplement = True
        number = _NUMBER.search(lower)
        if number:
            v = int(number[0][:11])
        elif _ROMAN.match(lower.strip()):
            v = _roman(lower.strip())
    if issue and issue.isascii() and issue.isdigit():
        i = int(issue[:6])
    elif issue:
        lower = issue.lower().strip()
        number = _NUMBER.search(lower)
        i = int(number[0][:6]) if number else 0
        if "sup" in lower or (lower[:1] == "s" and lower[1:].isdigit()):
            supplement = True
            i += SUPPLEMENT_ISSUES
        elif re.match(_MONTHS, lower):
            i = 0
    return v, i, supplement


def read_month(volume: int, issue: int) -> int:
    """The issue of the Cochrane Database: given as issue or as volume, beside the year or the number of the review.

    >>> read_month(2012, 11), read_month(11, 0), read_month(1, 3351), read_month(2012, 0)
    (11, 11, 1, 0)
    """
    return next((number for number in (issue, volume) if 0 < number <= 12), 0)
