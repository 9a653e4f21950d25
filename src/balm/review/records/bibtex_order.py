"""The order in which a file writes the fields of its entries, learnt from them and made one pattern of a whole entry.

A database or a tool writes its fields in one order, each between the same marks, and leaves out those an entry lacks.
Some entries show that order; from then on one match of a regular expression finds every field. An entry in another
order does not match, goes the general way (:mod:`balm.review.records.bibtex`) and teaches the order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from balm.review.records.bibtex_fields import (
    ARTICLE,
    BY_ITSELF,
    EARLY,
    MARKS,
    MORE_KEYWORDS,
    RIS,
    WHOLE,
    date_of,
    names,
    page_range,
)
from balm.review.records.kinds import BIBTEX_TYPES, ris_code
from balm.review.records.latex import plain
from balm.review.records.receipt import Tally
from balm.review.records.ris_fast import Plan, follow, plan_of
from balm.review.records.ris_fields import LINE_SEPARATOR
from balm.review.records.ris_order import LEARNT_FROM, STEP, TRIED, merged
from balm.vocabulary.record import Record

#: Between braces of at most two levels; quantifiers never give back, as in :data:`~.bibtex_fields.WHOLE`.
_BRACED = r"[^{}]*+(?:\{[^{}]*+(?:\{[^{}]*+\}[^{}]*+)*+\}[^{}]*+)*+"
#: What a value stands between -> the pattern of one, its value a group. The first three are taken up to the first mark
#: that may end them, three times as fast as counting braces; a value with a mark inside then goes the general way.
_STYLES = {
    "{}": r"\{([^}]*+)\}",
    "{{}}": r"\{\{([^}]*+)\}\}",
    '"': r'"([^"]*+)"',
    "{": rf"\{{({_BRACED})\}}",
    "": r"([^\s,#{}\"]++)",
    "mixed": rf"(\{{{_BRACED}\}}|\"[^\"{{}}\\]*+\"|[^\s,#{{}}\"]++)",
}
#: Fields whose braces mean something: a name, a keyword that holds a separator.
_KEPT_BRACES = frozenset(("author", "keywords", *MORE_KEYWORDS))
_NEVER = re.compile("(?!)")
_CODES = {kind: ris_code(word) for kind, word in BIBTEX_TYPES.items()}


class _Learnt(NamedTuple):
    """What a pattern finds: the style of every field, the plan of its record, where some fields stand (0: nowhere)."""

    styles: tuple[str, ...]
    plan: Plan
    odd: tuple[int, ...]
    author: int
    keywords: tuple[int, ...]
    month: int
    year: int
    date: int
    pages: int


class Order:
    """What is known of the order of fields in one file.

    ``match(text, at, end)`` is the match of the entry ``text[at:end]``, which begins with the line end before its
    ``@``; its groups are type, key, what stands in each of ``learnt.fields``, and the blanks behind it.
    """

    def __init__(self) -> None:
        self._order = ["TY"]  # as :func:`~balm.review.records.ris_order.merged` wants it; fields from the second on
        self._styles: dict[str, set[str]] = {}
        self._new = False
        self._met = self._left = LEARNT_FROM
        self._tried = 0
        self.match = _NEVER.fullmatch
        self.learnt: _Learnt | None = None

    def learn(self, whole: str, at: int) -> None:
        """Take in the order of an entry that did not match; its fields begin at ``whole[at]``."""
        self._tried += 1
        if self._tried > TRIED:
            return
        styles: list[tuple[str, str]] = []
        while found := WHOLE.match(whole, at, len(whole) - 1):
            styles.append((found[1], _style(found)))
            at = found.end()
        fields = [name for name, _ in styles]
        if not _one_each(fields):
            return
        for name, style in styles:
            if style not in self._styles.setdefault(name, set()):
                self._styles[name].add(style)
                self._new = True
        order = merged(self._order, ["TY", *fields])
        if order is not None and _one_each(order) and _plan(order[1:]) is not None:
            self._order, self._new = order, True
        self._left -= 1
        if self._left <= 0 and self._new:
            self._make()
            self._met += STEP
            self._left, self._new = self._met, False

    def _make(self) -> None:
        fields = tuple(self._order[1:])
        place = {name.lower(): at for at, name in enumerate(fields, 1)}  # behind the type
        styles = tuple(map(self._style, fields))
        parts = [
            rf"(?:\s*+,[\s,]*+{re.escape(name)}\s*+=\s*+{_STYLES[style]})?+"
            for name, style in zip(fields, styles, strict=True)
        ]
        head = r"\n@([A-Za-z]++)\{\s*+([^\s,={}\"]*+)"
        self.match = re.compile("".join([head, *parts, r"[ \t\r\n,]*+\}(\s*+)"])).fullmatch
        plan = _plan(fields)
        assert plan is not None
        odd = tuple(at for at, name in enumerate(fields, 1) if _odd(name))
        words = tuple(at for name, at in place.items() if name == "keywords" or name in MORE_KEYWORDS)
        at = (place.get(name, 0) for name in ("month", "year", "date", "pages"))
        self.learnt = _Learnt(styles, plan, odd, place.get("author", 0), words, *at)

    def _style(self, name: str) -> str:
        """The style that takes all values of a field met so far."""
        styles = self._styles[name]
        braced = styles <= {"{", "{}", "{{}}"}
        if braced and (len(styles) > 1 or (name.lower() in _KEPT_BRACES and styles != {"{}"})):
            return "{"
        (style,) = styles if len(styles) == 1 else ("mixed",)
        return style

    def record(
        self, match: re.Match[str], strings: dict[str, str], start: int, end: int, tally: Tally
    ) -> Record | None:
        """The record of a match; ``None`` where it is not ordinary and has to go the general way."""
        learnt = self.learnt
        assert learnt is not None
        given = match.groups("")
        code = _CODES.get(given[0].lower())
        if code is None:
            return None
        values = [code]
        author, words, at = "", [], 0
        for value, style in zip(given[2:-1], learnt.styles, strict=True):
            at += 1
            if not value:
                values.append(value)
                continue
            if style == "mixed":
                value = _bare(value, strings)
            elif not style and not value.isdigit():
                value = strings.get(value.lower(), value)
            if at == learnt.author:
                author, value = value, ""
            elif at in learnt.keywords:
                words.append(value)
                value = ""
            elif "\\" in value or "{" in value or "}" in value or "\n" in value or "  " in value:
                opened = _opened(value, style)
                if opened is None:
                    return None
                value = opened
            elif style == "{{}}" and ("~" in value or "\t" in value or "$" in value):
                value = plain(f"{{{value}}}")
            if LINE_SEPARATOR in value:
                return None
            values.append(value.strip())
        values += ("", given[1])
        authors: list[str] = []
        if author:
            if learnt.styles[learnt.author - 1] in _FLAT and ("{" in author or "}" in author or "\\" in author):
                return None
            authors = list(map(str.strip, names(author)))
        keywords: list[str] = []
        for word in words:
            if not word.isalnum() and MARKS.search(word):
                return None
            keywords += map(str.strip, word.split(";" if ";" in word else ","))
        for at in learnt.odd:
            if values[at]:
                return None
        if learnt.pages and ("--" in (value := values[learnt.pages]) or " \u2013 " in value):
            values[learnt.pages] = page_range(value)
        if learnt.month and (month := values[learnt.month]):
            values[learnt.month] = ""
            if not (learnt.date and values[learnt.date]):
                date = date_of(values[learnt.year] if learnt.year else "", month)
                if date is None:
                    return None
                values[learnt.date or -2] = date
        return follow(learnt.plan, values, authors, keywords, start, end, tally)


#: Styles whose values are taken up to the first mark.
_FLAT = frozenset(("{}", "{{}}", '"'))


def _opened(value: str, style: str) -> str | None:
    """A value in characters; ``None`` for one with marks inside that its style does not count, or of several lines."""
    if style in _FLAT and ("{" in value or "}" in value or (style == '"' and "\\" in value)):
        return None
    value = plain(f"{{{value}}}" if style == "{{}}" else value)
    return None if "\n" in value else value


def _style(found: re.Match[str]) -> str:
    """What the value of a whole field stands between: a row of :data:`_STYLES`."""
    _, braced, quoted, _ = found.groups()
    if braced is None:
        return "" if quoted is None else '"'
    if "{" not in braced and "}" not in braced:
        return "{}"
    inside = braced[1:-1]
    return "{{}}" if braced[0] == "{" and braced[-1] == "}" and "{" not in inside and "}" not in inside else "{"


def _bare(value: str, strings: dict[str, str]) -> str:
    """A value without the marks it stands between; a word may be a macro."""
    return value[1:-1] if value[0] in '{"' else strings.get(value.lower(), value)


def _one_each(fields: Sequence[str]) -> bool:
    """Whether no field stands twice, be it in capitals."""
    return len({name.lower() for name in fields}) == len(fields)


def _odd(name: str) -> bool:
    """Whether a field has no place in an ordinary record: its entries go the general way when it is not empty."""
    low = name.lower()
    if low in ("author", "keywords", "month", "url") or low in MORE_KEYWORDS:
        return False
    if tag := RIS.get(low):
        return tag == "AN" or (tag == "SP" and low != "pages")
    return low in BY_ITSELF or low in ARTICLE or low in ("editor", EARLY) or len(name) < 3


_TAGS = {**RIS, "author": "AU", "keywords": "KW", "url": "UR", "month": "the month"}


def _plan(fields: Sequence[str]) -> Plan | None:
    """The plan of an entry with all of ``fields``; ``None`` where two of them are one field of the model."""
    tags = ["TY"]
    for name in fields:
        tags.append(f"odd field {name}" if _odd(name) else _TAGS.get(name.lower(), name))
    return plan_of((*tags, "another date" if "DA" in tags else "DA", "ID"), True)
