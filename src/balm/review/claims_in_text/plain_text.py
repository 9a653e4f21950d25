"""A text with one spelling for every minus, space and sign, and the way back to where a character stood."""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from dataclasses import dataclass

#: Every dash is one character here; whether it is a sign or a range is decided where it stands (``tokens``).
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u207b"
#: Spaces that group digits ("1 080"); kept apart from the plain one, which may stand between two numbers.
THIN = "\u2009"
_THIN_SPACES = "\u00a0\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f"
_WIDE_SPACES = "\u2000\u2001\u2002\u2003\u205f\u3000\t"

_ONE_TO_ONE = str.maketrans(
    {
        **dict.fromkeys(_DASHES, "-"),
        **dict.fromkeys(_THIN_SPACES, THIN),
        **dict.fromkeys(_WIDE_SPACES, " "),
        **dict.fromkeys("⩽≦⪯", "≤"),
        **dict.fromkeys("⩾≧⪰", "≥"),
        **dict.fromkeys("‘’ʼ′", "'"),
        **dict.fromkeys("“”„″", '"'),
        **dict.fromkeys("∕⁄", "/"),
        **dict.fromkeys("µ", "μ"),
        **dict.fromkeys("＜‹", "<"),
        **dict.fromkeys("＞›", ">"),
        "＝": "=",
        "（": "(",
        "）": ")",
        "，": ",",
        "；": ";",
        "：": ":",
        "％": "%",
        "٪": "%",
        "．": ".",
        "～": "-",
        "∓": "±",
        "×": "×",
        "✕": "×",
        "⨯": "×",
        **{chr(0xFF10 + d): str(d) for d in range(10)},
    }
)

#: What takes more or fewer characters in plain form.
_LONGER = re.compile(
    r"""(?P<none>[\u00ad\u200b-\u200d\u2060\ufeff]|</?[A-Za-z][^<>]{0,80}>)
      | (?P<entity>&(?:\#[0-9]{1,6}|\#[xX][0-9a-fA-F]{1,5}|[A-Za-z]{2,8});)
      | (?P<latex>\\text(?P<word>less|greater|pm|endash|minus)\b(?:\{\})?|\\(?=[%&]))
      | (?P<least>[<>]\s?(?:or|/|\\)\s?(?:=|equal\ to)(?:\s?to\b)?|[<>]=)
      | (?P<plusminus>\+\s?/\s?[-\u2212\u2013]|\(\+/-\))
      | (?P<broken>(?<=[a-z])[-\u2010\u00ad][ ]?\r?\n[ \t]*(?=[a-z]))
    """,
    re.VERBOSE,
)
_NEEDS_LONGER = re.compile(r"[\u00ad\u200b-\u200d\u2060\ufeff<>&\\+\n]")
_LATEX = {"less": "<", "greater": ">", "pm": "±", "endash": "-", "minus": "-"}
#: The raised point of some journals ("0·84") and the one of dictionaries.
_RAISED_POINT = re.compile(r"(?<=[0-9])[·∙⋅‧•](?=[0-9])|(?<![0-9])[·∙⋅‧](?=[0-9])")


#: "0.10~0.25" is a range, "~0.25" is about.
_TILDE_RANGE = re.compile(
    r"(?<=[0-9%])[~\u223c](?=[-\u2212\u2013+]?[0-9.])|(?<=[0-9%] )[~\u223c](?= [-\u2212\u2013]?[0-9.])"
)
#: A tab before a dash is the edge of a cell, and the dash the sign of its number.
_CELL_WITH_SIGN = re.compile(rf"\t(?=[-{_DASHES}][0-9.])")


@dataclass(frozen=True, slots=True)
class PlainText:
    """``text`` in plain spelling; :meth:`original` gives the offset in the text it was made from."""

    text: str
    #: Where in ``text`` the distance to the original changes, and the distance from there on.
    places: tuple[int, ...]
    distances: tuple[int, ...]

    def original(self, at: int) -> int:
        """The offset, in the original, of the character at ``at`` of the plain text.

        >>> plain = plain_text("RR 1&middot;42")
        >>> plain.text, plain.original(7)
        ('RR 1.42', 14)
        """
        if not self.places:
            return at
        return at + self.distances[bisect_right(self.places, at) - 1]


def plain_text(text: str) -> PlainText:
    """``text`` with its typography made plain.

    >>> plain_text("\u22121\u00b705 (95\u2009% CI)").text.replace(THIN, "_")
    '-1.05 (95_% CI)'
    """
    places, distances = [0], [0]
    if _NEEDS_LONGER.search(text):
        parts: list[str] = []
        done = length = 0
        for match in _LONGER.finditer(text):
            instead = _instead(match)
            parts += (text[done : match.start()], instead)
            length += match.start() - done + len(instead)
            done = match.end()
            places.append(length)
            distances.append(done - length)
        if parts:
            text = "".join(parts) + text[done:]
    if "~" in text or "\u223c" in text:
        text = _TILDE_RANGE.sub("-", text)
    if "\t" in text:
        text = _CELL_WITH_SIGN.sub("|", text)
    text = text.translate(_ONE_TO_ONE)
    if "·" in text or "∙" in text or "⋅" in text or "‧" in text or "•" in text:
        text = _RAISED_POINT.sub(".", text)
    if len(places) == 1:
        return PlainText(text, (), ())
    return PlainText(text, tuple(places), tuple(distances))


def _instead(match: re.Match[str]) -> str:
    if match["none"] is not None or match["broken"] is not None:
        return ""
    if match["entity"] is not None:
        return html.unescape(match[0])
    if match["least"] is not None:
        return "≤" if match[0][0] == "<" else "≥"
    if match["plusminus"] is not None:
        return "±"
    return _LATEX[match["word"]] if match["word"] else ""
