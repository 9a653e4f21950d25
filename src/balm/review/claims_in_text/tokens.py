"""A text cut into words, numbers and signs, each with a kind of one letter (see :mod:`lexicon`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from balm.review.claims_in_text.lexicon import (
    ABBREVIATIONS,
    MULTIPLIERS,
    NUMBER_WORDS,
    PHRASE_VALUES,
    PHRASES,
    UPPER_ONLY,
    WORDS,
    phrase_key,
)
from balm.review.claims_in_text.plain_text import THIN
from balm.review.claims_in_text.units import UNIT, Unit, read_unit


@dataclass(frozen=True, slots=True)
class Printed:
    """A number as printed: every number stands for the values that round to it, ``half`` a unit either side."""

    value: float
    half: float
    word: bool = False

    @property
    def low(self) -> float:
        """The least value that is printed so."""
        return self.value - self.half

    @property
    def high(self) -> float:
        """The largest value that is printed so."""
        return self.value + self.half

    @property
    def whole(self) -> bool:
        """Printed without decimals."""
        return self.half in (0.0, 0.5)

    def negative(self) -> Printed:
        """The same figures with the other sign."""
        return Printed(-self.value, self.half, self.word)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The pieces of a text: ``kinds[i]`` is the letter of piece ``i``, which stands at ``starts[i]:ends[i]``."""

    text: str
    kinds: str
    starts: list[int]
    ends: list[int]
    #: A :class:`Printed` for ``n``, a :class:`Unit` for ``u``, hours for ``T``, else the word's value.
    values: list[object]

    def number(self, i: int) -> Printed:
        """The number of piece ``i``."""
        value = self.values[i]
        assert isinstance(value, Printed)
        return value

    def word(self, i: int) -> str:
        """The value of a word: a measure's code, the plain form of a relation."""
        value = self.values[i]
        return value if isinstance(value, str) else ""

    def unit(self, i: int) -> Unit:
        """The unit of piece ``i``."""
        value = self.values[i]
        assert isinstance(value, Unit)
        return value

    def hours(self, i: int) -> float:
        """The hours of the unit of time at ``i``."""
        value = self.values[i]
        assert isinstance(value, float)
        return value

    def printed(self, i: int, j: int) -> str:
        """The plain text from piece ``i`` to piece ``j``, both included."""
        return self.text[self.starts[i] : self.ends[j]]


Put = Callable[..., None]
_EXPONENT = r"(?:\s?[×x*]\s?10\s?[\^(]{0,2}\s?(?P<power>[-⁻+]?[0-9⁰¹²³⁴-⁹]{1,3})\)?|[eE](?P<e>[-+][0-9]{1,3}))?"
_POINT = re.compile(
    rf"(?P<number>(?:[1-9][0-9]{{0,2}}(?:(?:,[0-9]{{3}})+(?![0-9])|(?:[{THIN}'][0-9]{{3}})+(?![0-9])|(?:[ ][0-9]{{3}})+(?=[ ](?:[a-z]|\()))|(?:(?<=[nN]=)|(?<=[nN] = ))[1-9][0-9]{{0,2}}(?:[ ][0-9]{{3}})+(?![0-9.])|(?:(?<=to )|(?<=[€£$])|(?<=[€£$] ))[1-9][0-9]{{0,2}}(?:[ ][0-9]{{3}})+(?![0-9.])|(?<=-)[1-9][0-9]{{0,2}}(?:[ ][0-9]{{3}})+(?=[);,])|0,[0-9]{{3,6}}(?![0-9,])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)"  # noqa: E501
    + _EXPONENT
)
_COMMA = re.compile(
    rf"(?P<number>(?:[1-9][0-9]{{0,2}}(?:(?:[.{THIN}'][0-9]{{3}})+(?![0-9])|(?:[ ][0-9]{{3}})+(?=[ ]?[a-z]))|[0-9]+)(?:,[0-9]+)?|[0-9]+\.[0-9]+|[.,][0-9]+)"  # noqa: E501
    + _EXPONENT
)
_COMMA_DECIMALS = re.compile(
    r"(?<![0-9.,\[])(?<!\([0-9])(?<!\([0-9]{2})(?:[0-9]+,[0-9]{1,2}|0,[0-9]{1,6})(?![0-9]|,[0-9])"
)
_PAIR = re.compile(r"[(\[][0-9]+,[0-9]+[)\]]")
_POINT_DECIMALS = re.compile(r"[0-9]\.[0-9]")

_WORD = re.compile(
    r"""(?P<glued>(?:95%)?(?:CI|[aA]?OR|[aA]?RR|[aA]?HR|IRR|PR|MD|SMD|WMD|P|p)(?=[0-9]?\.[0-9])|(?:CI|IC|KI)(?=9[059](?![0-9.,])))
      | (?P<abbreviation>[Cc]\.\s?[Ii]\.|[Ss]\.\s?[DdEe]\.)
      | (?P<elided>[LlDd]'(?=[^\W\d_]))
      | (?P<het>[Ii](?:2|\(2\)|²|\^2|\s2(?=\s?[=:,(<>]))|(?:[Cc]hi|[Tt]au|χ|τ)[-\s]?(?:2|²|\^2|squared?)(?:\[?df)?)
      | (?P<word>[^\W\d_](?:[^\W_]|[_'](?=[^\W\d_])|-(?=[^\W\d_]))*)
    """,
    re.VERBOSE,
)
_LEVEL_GLUED = re.compile(r"9[059](?![0-9.,])")
_STEM = re.compile(r"-(?!to\b)(?P<word>[A-Za-z][A-Za-z-]*)")
_SKIP = re.compile(rf"[ {THIN}]+")
_BREAK = re.compile(r"[ \t]*\r?\n[ \t\r\n]*")
_SIGNS = "=<>≤≥~≈"
#: Numbers from ten to this power on are no results.
LARGEST = 15
_DIGITS = "0123456789"
_DIGIT_SET = frozenset(_DIGITS)
#: A word whose kind depends on nothing around it, and what was found for those met so far.
_SIMPLE = re.compile(r"[A-Za-z]+(?=[ ,;:)\n.])")
MOST_KNOWN = 100_000
_known: dict[str, tuple[str, str]] = {}
_LETTER = re.compile(rf"[{THIN} ]?=")
#: Behind a single letter with "=": what it stands for.
_LETTERS = {"r": "COR", "ρ": "COR", "rs": "COR", "d": "SMD", "g": "SMD", "b": "B", "B": "B", "β": "B"}
_TIMES = re.compile(rf"[ {THIN}](?P<word>million|thousand)\b", re.I)
_DOSE_BEHIND = re.compile(rf"[ {THIN}](?=(?:mg|μg|mcg|g)(?:/kg|\b))")
#: Capitals behind a number make it a name: "6MWT".
_LABEL_OF_CAPITALS = re.compile(r"[A-Z]{2,}[a-z]?(?![a-z])")
_LOST_POWER = re.compile(r"-(?P<power>[1-9][0-9]?)(?![0-9.])")
#: A number of a name ("IL-6", "SF-36") or the power of a unit ("kg m-2", "min-1 kg-1").
_NAME_OR_POWER = re.compile(r"-(?:[1-3](?![0-9.,%]*[0-9%])|[0-9]{1,3}(?![A-Za-z]|[0-9.,]*[0-9%]|-[0-9]))")
_CLOSERS = ")]}"
_OPENERS = "([{"
#: Before a dash, these leave it a sign even with a space behind it.
_SIGN_AFTER = "([=,;:CtfM<>"


def tokenise(text: str) -> Tokens:
    """The pieces of a plain text.

    >>> tokenise("RR 1.42 (95% CI 0.84-2.39), p=.19").kinds
    'Mn(n%Cn-n),P=n'
    """
    number = _COMMA if _decimal_comma(text) else _POINT
    comma = number is _COMMA
    kinds: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    values: list[object] = []
    at, size = 0, len(text)
    spaced = True  # white space stands before the piece
    match_number = number.match

    def put(kind: str, start: int, end: int, value: object = "") -> None:
        kinds.append(kind)
        starts.append(start)
        ends.append(end)
        values.append(value)

    while at < size:
        char = text[at]
        if char == " " or char == THIN:
            at += 1
            spaced = True
            continue
        start = at
        if "0" <= char <= "9" or (
            char == "." and at + 1 < size and text[at + 1] in _DIGITS and _starts_number(text, at)
        ):
            stop = _ends_of_scale(text, at, values[-1] if values else "") if char in "01" else -1
            if stop > 0:
                put("w", at, stop, "scale")
                at, spaced = stop, False
                continue
            found = match_number(text, at)
            assert found is not None
            number_end = found.end()
            printed = _printed(found, comma)
            label = _LABEL_OF_CAPITALS.match(text, number_end) if found[0].isdigit() else None
            if label is not None and label[0].lower() not in WORDS and UNIT.match(text, number_end) is None:
                put("w", start, label.end(), text[start : label.end()].lower())  # "6MWT", "3MSCT"
                at, spaced = label.end(), False
                continue
            lost = _LOST_POWER.match(text, number_end) if found[0] == "10" and kinds[-2:] == ["P", "="] else None
            if lost is not None:  # "p = 10-11", its power no more raised
                value = 10.0 ** -int(lost["power"])
                printed, number_end = Printed(value, value / 2), lost.end()
            if (times := _TIMES.match(text, number_end)) is not None:  # "3.5 million"
                by = MULTIPLIERS[times["word"].lower()]
                printed, number_end = Printed(printed.value * by, printed.half * by), times.end()
            put("n", start, number_end, printed)
            if len(kinds) > 1 and _only_a_label(text, start, found, kinds[-2], values[-2]):
                kinds[-1], values[-1] = "w", "per"
                at = found.end()
                spaced = False
                continue
            at = _unit_behind(text, number_end, kinds, starts, ends, values)
        elif (simple := _SIMPLE.match(text, at)) is not None and (known := _known.get(simple[0])) is not None:
            kinds.append(known[0])
            starts.append(at)
            at = simple.end()
            ends.append(at)
            values.append(known[1])
        elif char.isalpha() or char in "χτβ":
            at = _word(text, at, kinds, put)
        elif (
            char == "-"
            and not spaced
            and kinds
            and kinds[-1] in "wuT"
            and text[at - 1].isalpha()
            and (named := _NAME_OR_POWER.match(text, at)) is not None
            and _of_a_name(text, named.end(), kinds[-1])
        ):
            ends[-1] = at = named.end()
        elif char == "-":
            at = _dash(text, at, spaced, kinds, put, comma, ends, values, starts)
        elif char in _SIGNS:
            if kinds and kinds[-1] == "=":
                values[-1] = char if char != "=" else values[-1]
                ends[-1] = at + 1
            else:
                put("=", start, at + 1, "=" if char in "~≈" else char)
            at += 1
        elif char in _OPENERS:
            put("(", start, at + 1, char)
            at += 1
        elif char in _CLOSERS:
            put(")", start, at + 1, char)
            at += 1
            if kinds[-2:-1] == ["n"] and (dose := _DOSE_BEHIND.match(text, at)) is not None:
                at = _unit_behind(text, dose.end(), kinds, starts, ends, values)  # "33.2 (SD 16.9) mg"
        elif char == "%":
            put("%", start, at + 1, "%")
            at += 1
        elif char == "|":  # between the cells of a table
            put(";", start, at + 1, ";")
            at += 1
        elif char in ",;:/±×":
            put("x" if char == "×" else char, start, at + 1, char)
            at += 1
        elif char in ".!?":
            at += 1
            if at >= size or text[at] in " \n\r" or text[at] in _CLOSERS or (text[at].isupper() and at > 1):
                put(".", start, at)
        elif char in "\n\r":
            gap = _BREAK.match(text, at)
            at = gap.end() if gap else at + 1
            if gap and gap[0].count("\n") > 1:
                put(".", start, at)
            spaced = True
            continue
        elif char == "&":
            put("a", start, at + 1)
            at += 1
        elif char == "+":
            at += 1
        else:
            at += 1
        spaced = False
    return Tokens(text, "".join(kinds), starts, ends, values)


def _of_a_name(text: str, end: int, kind: str) -> bool:
    """Whether a number behind a hyphen is no amount: no unit follows, and behind a unit nothing but a power."""
    gap = _SKIP.match(text, end)
    behind = gap.end() if gap else end
    if gap is None and kind != "w" and text[end : end + 1].isalpha():
        return True  # "min-1kg-1"
    return UNIT.match(text, behind) is None and text[behind : behind + 1] != "%"


#: A whole number behind one of these is its label: "group 2", "week 12", "type 2 diabetes".
_LABELLED = frozenset(["group", "type", "grade", "phase", "class", "stage", "level", "arm", "week", "day", "month", "year", "step", "table", "figure", "part", "experiment", "visit", "category", "protocol", "type-2", "aged"])  # fmt: skip  # noqa: E501


def _only_a_label(text: str, start: int, found: re.Match[str], before: str, value: object) -> bool:
    """Whether a number counts nothing: the label of a group or week, the "1000" of "per 1000"."""
    if before not in "wSNTdg" or text[start - 1] not in " -" + THIN:
        return False
    word = value if isinstance(value, str) else ""
    if word == "per":
        return True
    if text[found.end() : found.end() + 2].strip()[:1] == "%":  # "in the treated group 13%"
        return False
    return word in _LABELLED and found["number"].isdigit() and len(found["number"]) < 3


#: "on a 0-10 scale", "0 to 100 mm": the ends of a scale, no range of values.
_SCALE = re.compile(
    r"[01]\s?(?:-|to)\s?(?:10|100|3|4|5|6|7|20|21|24|27|42|50|52|63)(?![0-9.,%]*[0-9%])"
    r"(?P<behind>[-\s]?(?:point|scale|mm\b|cm\b|numeric|nrs|vas|visual|range|rating|likert)s?)?",
    re.I,
)


def _ends_of_scale(text: str, at: int, value: object) -> int:
    """Where the ends of a scale that begin at ``at`` stop; -1 where there are none."""
    found = _SCALE.match(text, at)
    if found is None or (found["behind"] is None and value not in ("on", "scale", "range", "nrs", "vas")):
        return -1
    return found.end()


def _decimal_comma(text: str) -> bool:
    """Whether the text writes "0,84" for 0.84: more such numbers than numbers with a point."""
    if "," not in text:
        return False
    commas = len(_COMMA_DECIMALS.findall(text)) - len(_PAIR.findall(text))
    return commas > 0 and commas > len(_POINT_DECIMALS.findall(text))


def _starts_number(text: str, at: int) -> bool:
    return at == 0 or not (text[at - 1].isdigit() or text[at - 1].isalpha())


def _printed(found: re.Match[str], comma: bool) -> Printed:
    raw = found["number"]
    if raw.startswith("0,"):
        raw = raw.replace(",", ".")
    if comma and "," in raw:
        for mark in (".", THIN, "'", " "):
            raw = raw.replace(mark, "")
        raw = raw.replace(",", ".")
    elif comma and raw.count(".") == 1 and len(raw.split(".")[1]) == 3 and raw[0] != "0" and len(raw) <= 7:
        raw = raw.replace(".", "")
    else:
        if comma and raw.count(".") > 1:
            raw = raw.replace(".", "")
        for mark in (",", THIN, "'", " "):
            raw = raw.replace(mark, "")
    decimals = len(raw.split(".")[1]) if "." in raw else 0
    value, half = float(raw), 0.5 * 10.0**-decimals
    power = found["power"] or found["e"]
    if power:
        times = 10.0 ** min(max(int(power.translate(_RAISED)), -300), LARGEST)
        value, half = value * times, half * times
    # a row of digits longer than any result is a code: it keeps its place and claims nothing
    return Printed(value, half) if value < 10.0**LARGEST else Printed(0.0, 0.0, word=True)


_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def _unit_behind(text: str, at: int, kinds: list[str], starts: list[int], ends: list[int], values: list[object]) -> int:
    """Take the unit behind a number; "12-week" and "10-point" become one word."""
    behind = at
    gap = _SKIP.match(text, behind)
    if gap:
        behind = gap.end()
    elif behind < len(text) and text[behind] == "\n":
        behind += 1
    if behind < len(text) and text[behind] in "-":
        stem = _STEM.match(text, behind)
        if stem is None or gap:
            return at
        unit = UNIT.match(text, behind + 1)
        if unit is not None and unit["amount"] is not None and not text.startswith("-", unit.end()):
            kinds.append("u")
            starts.append(behind + 1)
            ends.append(unit.end())
            values.append(read_unit(unit))
            return unit.end()
        if WORDS.get(stem["word"].lower(), ("", ""))[0] in ("t", "C"):
            return at
        kinds[-1], values[-1] = "w", text[starts[-1] : stem.end()]
        ends[-1] = stem.end()
        return stem.end()
    if behind < len(text) and text[behind].isalpha():
        unit = UNIT.match(text, behind)
        if unit is not None:
            found = read_unit(unit)
            kinds.append("u" if isinstance(found, Unit) else "T")
            starts.append(behind)
            ends.append(unit.end())
            values.append(found)
            return unit.end()
    return at


def _word(text: str, at: int, kinds: list[str], put: Put) -> int:
    found = _WORD.match(text, at)
    if found is None:
        return at + 1
    if found["het"] is not None:
        put("I", at, found.end(), "heterogeneity")
        return found.end()
    if found["elided"] is not None:  # "l'odds ratio"
        return found.end()
    if found["glued"] is not None and found[0] in ("CI", "IC", "KI") and _LEVEL_GLUED.match(text, found.end()):
        # "CI95 -2.2 to -0.4", but not "95%CI1.08-1.15"
        level = found.end() + 2
        put("C", at, found.end(), found[0].lower())
        if not text.startswith(("%", " %"), level):
            put("n", found.end(), level, Printed(float(text[found.end() : level]), 0.5))
            put("%", level, level, "%")
            return level
        return found.end()
    if found[0] == "a" and kinds and kinds[-1] == "n" and _A_NUMBER.match(text, found.end()):
        put("t", at, found.end(), "to")  # "IC 95 %: 0,55 a 0,94"
        return found.end()
    whole = found[0]
    lower = whole.lower()
    phrases = PHRASES.get(lower)
    if phrases is not None:
        longer = phrases.match(text, at)
        if longer is not None:
            kind, value = PHRASE_VALUES[phrase_key(longer[0])]
            put(kind, at, longer.end(), value)
            return longer.end()
    if lower in NUMBER_WORDS:
        return _number_words(text, at, put)
    if whole in _LETTERS and _LETTER.match(text, found.end()):
        put("M", at, found.end(), _LETTERS[whole])
        return found.end()
    known = WORDS.get(lower)
    end = found.end()
    alone = phrases is None and lower not in ABBREVIATIONS and (known is None or known[0] != "E") and "-" not in whole
    if known is None and "-" in whole:
        head = whole.split("-")[0].lower()
        if head in NUMBER_WORDS:
            return _number_words(text, at, put)
        known = WORDS.get(lower.replace("-", " ")) or WORDS.get(lower.replace("-", ""))
        if known is None:  # "patient-years" and "odds-based" are no patients and no odds
            tail = WORDS.get(whole.rsplit("-", 1)[1].lower())
            known = tail if tail is not None and tail[0] in "MdN" else None
    if known is not None and known[1] == "B" and text[end : end + 1] in ("-", "1", "2"):  # "interferon beta-1a"
        known, alone = None, False
    if alone and lower != "a" and whole not in _LETTERS and len(_known) < MOST_KNOWN and found["word"] is not None:
        _known[whole] = ("w", lower) if known is None or (lower in UPPER_ONLY and whole == lower) else known
    if known is None or (lower in UPPER_ONLY and whole == lower) or (known[0] == "E" and not _sample_size(text, end)):
        put("w", at, end, lower)
    else:
        put(known[0], at, end, known[1])
    if end < len(text) and text[end] == "." and lower in ABBREVIATIONS:
        end += 1
    return end


_A_NUMBER = re.compile(rf"[ {THIN}]-?[0-9]")
_EQUALS = re.compile(rf"[{THIN} ]?(?:=|of|was|[0-9])")


def _sample_size(text: str, end: int) -> bool:
    return _EQUALS.match(text, end) is not None


_NUMBER_WORD = re.compile(
    r"(?:(?P<join>(?:[\s-]+and)?[\s-]+))?\b(?P<word>"
    + "|".join([*NUMBER_WORDS, *(f"{word}s?" for word in MULTIPLIERS)])
    + r")\b",
    re.I,
)


def _number_words(text: str, at: int, put: Put) -> int:
    """ "forty eight", "one hundred and twenty-five"; a "one" that counts nothing stays a word."""
    total = current = 0
    end, last = at, ""
    first = True
    position = at
    while (found := _NUMBER_WORD.match(text, position)) is not None:
        word = found["word"].lower()
        word = word if word in NUMBER_WORDS else word.rstrip("s")  # "two hundreds"
        if not first:
            joined = "and" in (found["join"] or "").lower()
            if not found["join"]:
                break
            ten = last in NUMBER_WORDS and NUMBER_WORDS[last] >= 20
            small = word in NUMBER_WORDS and NUMBER_WORDS[word] < 10
            if not ((ten and small and not joined) or (word in MULTIPLIERS and not joined) or last in MULTIPLIERS):
                break
        if word in MULTIPLIERS:
            if MULTIPLIERS[word] == 100:
                current = max(current, 1) * 100
            else:
                total, current = total + max(current, 1) * MULTIPLIERS[word], 0
        else:
            current += NUMBER_WORDS[word]
        last, first, end = word, False, found.end()
        position = end
    if end == at:
        put("w", at, at + 1, "")
        return at + 1
    value = total + current
    tail = _STEM.match(text, end)
    if tail is not None and WORDS.get(tail["word"].lower(), ("", ""))[0] != "t":  # "two-sided", "three-arm"
        put("w", at, tail.end(), text[at : tail.end()].lower())
        return tail.end()
    if value == 1 and not _COUNTED.match(text, end):
        put("w", at, end, "one")
        return end
    put("n", at, end, Printed(float(value), 0.0, word=True))
    unit = UNIT.match(text, end + 1) if end < len(text) and text[end] in " \n" else None
    if unit is not None:
        read = read_unit(unit)
        put("u" if isinstance(read, Unit) else "T", end + 1, unit.end(), read)
        return unit.end()
    return end


_COUNTED = re.compile(
    r"\s+(?:(?:of|out of)\s+(?:the\s+)?[0-9a-z]|patient|study|trial|participant|subject|woman|man|rct)", re.I
)


def _dash(
    text: str,
    at: int,
    spaced: bool,
    kinds: list[str],
    put: Put,
    comma: bool,
    ends: list[int],
    values: list[object],
    starts: list[int],
) -> int:
    """A dash is the sign of the number behind it, or a range."""
    behind = at + 1
    before = kinds[-1] if kinds else "."
    while behind < len(text) and text[behind] in " \n" + THIN:
        behind += 1
    gap = behind > at + 1
    number = (_COMMA if comma else _POINT).match(text, behind) if behind < len(text) else None
    if number is None or (text[behind] == "." and text[behind + 1 : behind + 2] not in _DIGIT_SET):
        put("-", at, at + 1, "-")
        return at + 1
    touching = not spaced
    if spaced and not gap and "".join(kinds[-3:]) in ("Cn%", "(n%"):  # "CI 95% -0.27 to 1.69"
        before = "C"
    if before in "n%uT)" and (touching or gap):
        sign = False
    elif before in "n%uT":
        last = next((v for v in reversed(values) if isinstance(v, Printed)), None)
        sign = last is not None and last.value < 0 and float(number["number"].replace(",", ".") or 0) < -last.value
        if not sign:
            put("-", at, at + 1, "- ")
            return at + 1
    elif before == "-":
        sign = True
    elif gap:
        sign = before in "(,;:tf=Mv"
    elif touching and before not in "(,;:C=<>/ftM±%":
        sign = False
    else:
        sign = True
    if not sign:
        put("-", at, at + 1, "-")
        return at + 1
    put("n", at, number.end(), _printed(number, comma).negative())
    return _unit_behind(text, number.end(), kinds, starts, ends, values)
