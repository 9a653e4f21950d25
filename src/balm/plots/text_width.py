"""How wide a text is, without a font: advance widths of the Helvetica, Arial and Liberation Sans family.

The three faces share their metrics, so a figure laid out with this table keeps its columns apart in a browser
(Helvetica or Arial) and in our own PNG and PDF (Liberation Sans, bundled in ``plots/fonts``). Layout therefore needs no
font and gives the same bytes on every machine.

Widths are in thousandths of the font size. Characters outside the table (Chinese, emoji, ...) are counted as one em,
which is never too narrow; combining marks are counted as nothing.

>>> round(text_width("Total (95% CI)", 10, bold=True), 2)
66.12
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

ELLIPSIS = "…"

# Characters by width, read from the horizontal metrics of Liberation Sans 2; a test reads them again and compares.
_REGULAR = {
    188: "′",
    191: "'",
    200: "\u202f",
    222: "ijlįĵĺļłſΐίιϊіјỉị‘’‚‛",
    260: "|¦",
    278: " !,./:;I[\\]ft\u00a0ÌÍÎÏìíîïĨĩĪīĬĭĮİıţŧț·ΙΪІЇїỈỊ",
    292: "ľ",
    328: "ₓ",
    333: "()-`r¡¨²³´·¸¹ŕŗř΄΅‐“”„‟‹›",
    334: "{}ŀ",
    337: "₁",
    344: "₇",
    350: "•",
    354: "″‴",
    355: '"',
    362: "⁷",
    365: "ºгѓⁿ",
    370: "ª",
    372: "ₐₑₔ",
    375: "ť",
    377: "ₒ",
    384: "Ί",
    388: "₂",
    389: "*",
    395: "τ",
    396: "₉",
    400: "°",
    403: "₅₆",
    407: "₃",
    408: "₄",
    411: "ґ",
    412: "⁶",
    413: "‖",
    415: "⁵₀₈",
    422: "⁸",
    428: "⁹",
    430: "⁴",
    438: "кќ",
    441: "ζ",
    444: "ĳ",
    446: "έε",
    448: "ξ",
    458: "зт",
    469: "^",
    482: "ς",
    489: "Ґ",
    494: "∂◊",
    500: "JcksvxyzçýÿćĉċčĴķĸśŝşšŷźżžșγκλνЈсухѕўỳỵỷỹ↑↓",
    510: "эє",
    521: "чь",
    525: "χ",
    531: "в",
    537: "¶",
    542: "ЃГпя",
    547: "ΰυϋύ",
    549: "±÷√≈≠≤≥",
    551: "Γ",
    552: "¯нџ‗",
    556: (
        "#$0123456789?L_abdeghnopqu¢£¤¥§«»àáâãäåèéêëðñòóôõöùúûüþāăąđēĕėęěĝğġģĥħĹĻĽĿŁńņňŋōŏőũūŭůűųήηθοόаеорѐёђ"
        "ћạảấầẩẫậắằẳẵặẹẻẽếềểễệọỏốồổỗộụủ‒–†‡€"
    ),
    557: "δ",
    559: "ийѝ",
    569: "ρ",
    573: "бц",
    575: "β",
    576: "µμ",
    578: "άα",
    583: "ЌКдл",
    584: "+<=>~¬×−",
    604: "ŉЗ■□○●",
    611: "FTZ¿ßøŢŤŦŹŻŽȚΖΤТ",
    612: "∆",
    615: "ď",
    617: "σ",
    618: "Σ",
    625: "ъ",
    635: "ЎУ",
    648: "φ",
    650: "Ξ",
    656: "БЛЬớờởỡợ",
    667: "&ABEKPSVXYÀÁÂÃÄÅÈÉÊËÝÞĀĂĄĒĔĖĘĚĶŚŜŞŠŶŸȘΆΑΒΕΚΡΥΧΫЀЁЅАВЕРХЧẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỲỴỶỸ",
    668: "ΔΛ",
    669: "жứừửữự",
    677: "Д",
    688: "м",
    690: "π",
    713: "ψ∑∞",
    719: "ЄЍЏИЙПЭы",
    722: "CDHNRUwÇÐÑÙÚÛÜĆĈĊČĎĐĤĦŃŅŇŔŖŘŨŪŬŮŰŲŵΗΝΠНСЯỤỦ",
    723: "Ŋ",
    735: "Ĳ",
    737: "©®",
    740: "Ц",
    748: "Ω",
    750: "ю",
    752: "ƏΏ",
    760: "Ф",
    774: "Ό",
    778: "GOQÒÓÔÕÖØĜĞĠĢŌŎŐΘΟОỌỎỐỒỔỖỘ",
    781: "ωώ",
    784: "Έ",
    792: "Ъ",
    798: "Φ",
    802: "ш",
    812: "њ",
    823: "фщ∏",
    833: "MmΜМ",
    834: "¼½¾",
    835: "Ψ",
    838: "Ή",
    854: "ЋỨỪỬỮỰ",
    855: "Ύ",
    857: "ỚỜỞỠỢ",
    865: "Ђ",
    885: "Ы",
    889: "%æ",
    906: "љ",
    917: "Ш",
    923: "Ж",
    938: "Щ",
    944: "WœŴ",
    990: "▲►▼◄",
    1000: "ÆŒ—―…‰™←→",
    1010: "ЊЮ",
    1015: "@",
    1057: "Љ",
    1073: "№",
}

_BOLD = {
    200: "\u202f",
    238: "'",
    240: "′",
    276: "Ї",
    278: " ,./I\\ijl\u00a0ÌÍÎÏìíîïĨĩĪīĬĭĮįİıĵĺļłſΐΙΪίιϊІіјỈỉỊị‘’‚‛",
    280: "|¦",
    281: "ї",
    333: "!()-:;[]`ft¡¨²³´·¸¹ţŧț΄·‐‹›",
    350: "•",
    365: "º",
    366: "ₓ",
    370: "ª",
    376: "ₑₔ",
    377: "ₐ",
    385: "ľ",
    389: "*r{}ŕŗř",
    396: "ⁿ",
    400: "°₇",
    410: "ₒ",
    413: "⁷",
    414: "₁",
    417: "гѓ",
    444: "₂",
    445: "ξ",
    446: "τ",
    447: "ґ",
    450: "₉",
    451: "έ₀",
    454: "₆",
    458: "₅",
    460: "ζ⁶",
    462: "₃",
    465: "΅",
    468: "₈",
    470: "⁵",
    473: "⁸",
    474: '"Ί',
    475: "ε⁹",
    477: "₄",
    479: "ŀť″‴",
    487: "Ґ",
    490: "т",
    494: "∂◊",
    495: "⁴",
    497: "з",
    498: "‖",
    500: "zźżžкќ“”„‟↑↓",
    520: "ς",
    541: "θ",
    549: "±÷√≈≠≤≥",
    552: "¯эє‗",
    556: (
        "#$0123456789J_aceksvxy¢£¤¥§«¶»àáâãäåçèéêëýÿāăąćĉċčēĕėęěĳĴķĸśŝşšŷșγλνЈаесухѐёѕўạảấầẩẫậắằẳẵặẹẻẽếềểễệỳỵỷỹ‒–†‡€"
    ),
    558: "κ",
    567: "ЃГ",
    576: "µχ",
    581: "ч",
    582: "ΰυϋύ",
    583: "я",
    584: "+<=>^~¬×−",
    600: "Σ",
    601: "Γ",
    604: "нпџ■□○●",
    606: "δ",
    610: "βЌК",
    611: "?FLTZbdghnopqu¿ßðñòóôõöøùúûüþđĝğġģĥħĹĻĽĿŁńņňŋōŏőŢŤŦũūŭůűųŹŻŽȚΖΤήηοόТорђћọỏốồổỗộụủ",
    612: "μ∆",
    615: "άαвийцьѝ",
    618: "б",
    619: "ρ",
    622: "ЎУ",
    626: "З",
    635: "дл",
    644: "Ξ",
    667: "EPSVXYÈÉÊËÝÞĒĔĖĘĚŚŜŞŠŶŸȘΕΛΡΥΧΫЀЅЕРХẸẺẼẾỀỂỄỆỲỴỶỸ",
    669: "Ё",
    684: "σ",
    702: "Л",
    703: "Ч",
    708: "ŉ",
    709: "ж",
    711: "ЄЭớờởỡợ",
    712: "Д",
    713: "∑∞",
    715: "φ",
    719: "ďΔЍЏБИЙПЬЯ",
    722: "&ABCDHKNRUÀÁÂÃÄÅÇÐÑÙÚÛÜĀĂĄĆĈĊČĎĐĤĦĶŃŅŇŔŖŘŨŪŬŮŰŲΆΑΒΗΚΝΠАВНСẠẢẤẦẨẪẬẮẰẲẴẶỤỦ",
    723: "Ŋ",
    724: "ứừửữự",
    726: "Ə",
    729: "ъ",
    730: "Ц",
    737: "©®",
    740: "м",
    753: "ψ",
    766: "π",
    778: "GOQwÒÓÔÕÖØĜĞĠĢŌŎŐŵΘΟОỌỎỐỒỔỖỘ",
    785: "Ĳ",
    802: "Ω",
    809: "Ψ",
    821: "Φ",
    823: "∏",
    825: "Ό",
    830: "ỨỪỬỮỰ",
    833: "MΜМш",
    834: "¼½¾",
    838: "Ώ",
    844: "щ",
    845: "ωώ",
    853: "ΈỚỜỞỠỢ",
    854: "Фыю",
    870: "Ъ",
    875: "Ћф",
    885: "Ђ",
    889: "%mæ",
    904: "Ж",
    906: "Ήњ",
    927: "Ύ",
    944: "WœŴ",
    969: "љ",
    975: "@",
    979: "Ы",
    990: "▲►▼◄",
    1000: "ÆŒ—―…‰™←→",
    1005: "Ш",
    1019: "Щ",
    1031: "Ю",
    1062: "Њ",
    1094: "Љ",
    1115: "№",
}


class _Widths(dict[str, int]):
    """Character -> width; a character met for the first time is judged once and remembered."""

    def __init__(self, table: dict[int, str]) -> None:
        super().__init__()
        for width, characters in table.items():
            self.update(dict.fromkeys(characters, width))

    def __missing__(self, character: str) -> int:
        zero_wide = unicodedata.category(character) in ("Mn", "Me", "Cf", "Cc")
        width = 0 if zero_wide else 1000
        self[character] = width
        return width


REGULAR = _Widths(_REGULAR)
BOLD = _Widths(_BOLD)
_regular = REGULAR.__getitem__
_bold = BOLD.__getitem__
#: The digits are equally wide, and so are the minus and the plus, which unlike the minus is a single byte.
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_MINUS = "\N{MINUS SIGN}"
_FEW = 4
#: The characters that the bundled font draws; others ask for a font of the machine.
COVERED = frozenset(REGULAR)


def text_width(text: str, size: float = 10.0, *, bold: bool = False) -> float:
    """Width of ``text`` on one line, in the unit of ``size`` (pixels for pixels)."""
    return _units(text, bold) * size * 0.001


def widest(texts: Sequence[str], size: float = 10.0, *, bold: bool = False) -> float:
    """Width of the widest of ``texts``; 0 for none.

    Digits are equally wide, so a column of numbers has few different shapes and only those are measured.
    """
    if len(texts) <= _FEW:
        return max([_units(text, bold) for text in texts], default=0) * size * 0.001
    try:
        joined = "\n".join(texts).replace(_MINUS, "+").encode("latin-1")
    except UnicodeEncodeError:  # names in other scripts: no shortcut
        return max([_units(text, bold) for text in set(texts)]) * size * 0.001
    shapes = set(joined.translate(_DIGITS).split(b"\n"))
    return max([_units_of_bytes(shape, bold) for shape in shapes]) * size * 0.001


@lru_cache(4096)  # headings, lines and the shapes of numbers come back in every figure
def _units(text: str, bold: bool) -> int:
    return sum(map(_bold if bold else _regular, text))


@lru_cache(4096)
def _units_of_bytes(text: bytes, bold: bool) -> int:
    return sum(map(_bold if bold else _regular, text.decode("latin-1")))


def fit(text: str, width: float, size: float = 10.0, *, bold: bool = False) -> str:
    """``text`` if it fits in ``width``, else as much of it as fits and an ellipsis.

    >>> fit("Borckardt 2019 (tinnitus cohort)", 80)
    'Borckardt 2019…'
    """
    if text_width(text, size, bold=bold) <= width:
        return text
    advance = _bold if bold else _regular
    room = width / size * 1000 - advance(ELLIPSIS)
    used, count = 0, 0
    for character in text:
        used += advance(character)
        if used > room:
            break
        count += 1
    return text[:count].rstrip(" ,;:(-") + ELLIPSIS


def wrap(text: str, width: float, size: float = 10.0, *, bold: bool = False, lines: int = 2) -> list[str]:
    """``text`` broken at spaces into at most ``lines`` lines of ``width``; the last one ends in an ellipsis if cut.

    A word wider than the line is cut within the word.

    >>> wrap("Anaesthesia and Intensive Care Unit Study Group 2004", 120)
    ['Anaesthesia and Intensive', 'Care Unit Study Group 2…']
    """
    if _units(text, bold) * size * 0.001 <= width:
        return [text]
    if lines <= 1:
        return [fit(text, width, size, bold=bold)]
    words = text.split(" ")
    for count in range(len(words) - 1, 0, -1):
        first = " ".join(words[:count])
        if text_width(first, size, bold=bold) <= width:
            return [first, *wrap(" ".join(words[count:]), width, size, bold=bold, lines=lines - 1)]
    return [fit(text, width, size, bold=bold)]
