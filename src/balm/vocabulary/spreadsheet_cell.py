"""Texts in cells that a spreadsheet would run as a formula: one rule for every CSV that is written.

The apostrophe is what spreadsheets themselves show before a cell that is text. Two forms: :func:`safe_cell` with its
inverse :func:`unsafe_cell` for tables that are read back, where everything comes back as it was; :func:`harmless` for
tables that people look at, where a negative number stays a number.
"""

from __future__ import annotations

import re

#: What a spreadsheet takes for the start of a formula, in the wide letters of East Asian keyboards too.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: A number is no formula, whatever its sign, nor is a number with its interval.
_NUMBERS = re.compile(r"[-+]?[.\d](?:[\d\s.,;:()%\u2013\u2212-]|to|[eE][-+]?\d)*", re.ASCII)


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet evaluates; the apostrophe keeps the escape itself readable.

    >>> safe_cell("=cmd|' /C calc'!A0"), safe_cell("plain"), safe_cell("'=x")
    ("'=cmd|' /C calc'!A0", 'plain', "''=x")
    """
    return "'" + text if text.startswith(FORMULA) or (text[:1] == "'" and text[1:2] in ("'", *FORMULA)) else text


def unsafe_cell(text: str) -> str:
    """The text before :func:`safe_cell`.

    >>> [unsafe_cell(safe_cell(text)) for text in ("=1", "'=1", "-1.5", "plain", "'80s")]
    ['=1', "'=1", '-1.5', 'plain', "'80s"]
    """
    return text[1:] if text[:1] == "'" and len(text) > 1 and text[1] in ("'", *FORMULA) else text


def harmless(text: str) -> str:
    """A cell that no spreadsheet evaluates, in a table to look at: numbers stay as they are, and their intervals.

    >>> harmless("@SUM(1)"), harmless("-1.5 (-2 to -1)"), harmless("-2+cmd|' /C calc'!A0")
    ("'@SUM(1)", '-1.5 (-2 to -1)', "'-2+cmd|' /C calc'!A0")
    """
    return "'" + text if text.startswith(FORMULA) and not _NUMBERS.fullmatch(text) else text
