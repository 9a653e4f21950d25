"""LaTeX in bibliographies: accents and symbols to characters, and characters back to what LaTeX accepts."""

from __future__ import annotations

import re
import unicodedata

_COMBINING = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    "u": "\u0306",
    ".": "\u0307",
    '"': "\u0308",
    "r": "\u030a",
    "H": "\u030b",
    "v": "\u030c",
    "d": "\u0323",
    "c": "\u0327",
    "k": "\u0328",
    "b": "\u0331",
}
_SYMBOLS = {
    "ss": "ß",
    "ae": "æ",
    "AE": "Æ",
    "oe": "œ",
    "OE": "Œ",
    "o": "ø",
    "O": "Ø",
    "l": "ł",
    "L": "Ł",
    "aa": "å",
    "AA": "Å",
    "i": "ı",
    "j": "ȷ",
    "dh": "ð",
    "th": "þ",
    "textbackslash": "\\",
    "textbraceleft": "{",
    "textbraceright": "}",
    "textasciitilde": "~",
    "textasciicircum": "^",
    "textendash": "–",
    "textemdash": "—",
    "textquoteright": "’",
    "textquoteleft": "‘",
    "textquotedblleft": "“",
    "textquotedblright": "”",
    "textregistered": "®",
    "texttrademark": "™",
    "textcopyright": "©",
    "textdegree": "°",
    "textmu": "µ",
    "ldots": "…",
    "dots": "…",
    "par": "\n",
    "newline": "\n",
}
_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
_SYMBOLS |= {
    name: unicodedata.lookup(f"GREEK SMALL LETTER {'LAMDA' if name == 'lambda' else name.upper()}")
    for name in _GREEK.split()
}
_ACCENT = re.compile(
    r"\\([`'^~=.\"])\s*(?:\{\s*(\\[ij]|[^\W\d_])\s*\}|(\\[ij](?![A-Za-z])|[^\W\d_]))"
    r"|\\([uvHcdbkr])(?:\s*\{\s*(\\[ij]|[^\W\d_])\s*\}|\s+([^\W\d_]))"
)
_COMMAND = re.compile(r"\\([A-Za-z]+)(?:\s*\{\}|\s+|(?![A-Za-z]))")
_ESCAPED = re.compile(r"\\([&%$#_{} ,;!/\-])")
_STYLE = re.compile(
    r"\\(?:emph|textit|textbf|textsc|textrm|texttt|textsuperscript|textsubscript|mathrm|it|bf|em|url)(?![a-z])"
)
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "\n": r"\newline{}",
}
_TO_ESCAPE = re.compile(r"[\\{}~^&%$#_\n]")
# Characters that must outlive the removal of braces, while that is done.
_HELD = {"{": "\ue000", "}": "\ue001", "\\": "\ue002", "\n": "\ue003", "$": "\ue004", "~": "\ue005", " ": "\ue006"}
#: Blanks that are more than one space.
_BLANKS = re.compile(r"[\t\r\n][ \t\r\n]*+| [ \t\r\n]++")


def plain(text: str) -> str:
    r"""LaTeX as characters, groups opened, blanks single.

    >>> plain(r"{Sch\"afer}, {\'E}. {\&} M{\o}ller")
    'Schäfer, É. & Møller'
    """
    if "\\" not in text and "$" not in text:
        if "{" in text or "}" in text:
            text = text.replace("{", "").replace("}", "")
        if "~" in text:
            text = text.replace("~", "\u00a0")
        return _spaced(text)
    if "\\" in text:
        text = _ACCENT.sub(_accented, text)
        text = _STYLE.sub("", text)
        text = _ESCAPED.sub(lambda m: _HELD.get(m[1], m[1] if m[1] in "&%#_ " else "-" if m[1] == "-" else ""), text)
        text = _COMMAND.sub(_command, text)
    if "$" in text:
        text = re.sub(r"\$([^$]*)\$", r"\1", text)
    text = text.replace("{", "").replace("}", "").replace("~", "\u00a0")
    text = _spaced(text)
    for real, held in _HELD.items():  # ``str.translate`` asks a table for every character
        if held in text:
            text = text.replace(held, real)
    return text


def _spaced(text: str) -> str:
    if "\n" in text or "  " in text or "\t" in text or "\r" in text:
        text = _BLANKS.sub(" ", text)
    return text.strip(" ")


def escaped(text: str) -> str:
    r"""Characters as LaTeX that :func:`plain` reads back.

    >>> escaped("50 % of {all} & more"), plain(escaped("50 % of {all} & more"))
    ('50 \\% of \\textbraceleft{}all\\textbraceright{} \\& more', '50 % of {all} & more')
    """
    text = _TO_ESCAPE.sub(lambda m: _SPECIAL[m[0]], text)
    return text.replace("  ", " \\ ").replace("  ", " \\ ") if "  " in text else text


def _accented(found: re.Match[str]) -> str:
    mark, letter = (found[1], found[2] or found[3]) if found[1] else (found[4], found[5] or found[6])
    return unicodedata.normalize("NFC", letter.removeprefix("\\") + _COMBINING[mark])


def _command(found: re.Match[str]) -> str:
    symbol = _SYMBOLS.get(found[1])
    if symbol is None:
        return found[0].replace("\\", "\ue002")
    return _HELD.get(symbol, symbol)
