"""Percentages and the counts beside them: "23/45 (51.1 %)", "23 (51.1%) of 45 patients", "51.1% of 45 patients"."""

from __future__ import annotations

import math
import re

from balm.review.claims_in_text.claim import CONSISTENT, INCONSISTENT, NOT_CHECKABLE, FoundClaim
from balm.review.claims_in_text.tokens import Printed, Tokens
from balm.vocabulary.numbers import plain

_OF = r"(?:/|ow{0,2})"
_WHO = r"[wNS]{0,5}"
#: Each form of the same claim; ``part``, ``whole`` and ``percent`` are the numbers' places.
FORMS = (
    re.compile(rf"(?P<part>n)N?{_OF}(?P<whole>n){_WHO}[L,:;=-]?[(,:;]*(?P<percent>n)%"),
    re.compile(rf"(?P<part>n){_WHO}[(](?P<percent>n)%[)]N?{_OF}(?P<whole>n)"),
    # "Of 120 participants, 58 (48.3%) were women"
    re.compile(r"(?:(?<=^)|(?<=[.,;:)]))o(?P<whole>n)[wd]{0,3}N[wL]{0,4},(?P<part>n)[wN]{0,3}[(](?P<percent>n)%[);,]"),
    re.compile(rf"(?P<part>n){_WHO}[(](?P<percent>n)%{_OF}(?P<whole>n)"),
    re.compile(rf"(?P<percent>n)%[NSwLd]{{0,3}}[,:;]?[(]+[w]?(?:E=?)?(?P<part>n)N?{_OF}(?P<whole>n)"),
    re.compile(rf"(?P<percent>n)%[,:;](?:E=?)?(?P<part>n){_OF}(?P<whole>n)"),
    re.compile(r"(?P<percent>n)%[,;:(]{1,2}w?(?P<part>n)N?o(?P<whole>n)"),
)
#: A percentage of a number of people: whole people have to give it.
_OF_PEOPLE = re.compile(r"(?P<percent>n)%ow{0,2}(?P<whole>n)w{0,2}N")
_COUNT_AND_PERCENT = re.compile(r"(?P<part>n)(?P<who>(?:ow)?[wNS]{0,4})[(](?P<percent>n)%[);,]")
_PERCENT_AND_COUNT = re.compile(r"(?P<percent>n)%(?P<who>[wNS]{0,2})[(](?:E=?)?(?P<part>n)(?P<tail>[wNS]{0,3})[);,]")
#: "analgesics (n = 284, 11.97%)"
_NUMBER_AND_PERCENT = re.compile(r"E[=:]?(?P<part>n)(?P<who>)[,;:](?P<percent>n)%[);,]")
_PARTS = re.compile(rf"(?P<part>n)N?{_OF}(?P<whole>n)")
_PERCENT = re.compile(r"(?P<percent>n)%")
#: "29.6 and 7.0%, respectively", "60.7 vs. 20.7%": the sign is printed once.
_ONE_SIGN = re.compile(r"(?P<list>n(?:,n)*,?[av])n%")


def find_proportions(tokens: Tokens, used: set[int]) -> list[FoundClaim]:
    """Every percentage and every "a of b" that is no part of an estimate; their numbers are added to ``used``."""
    kinds = tokens.kinds
    found: list[FoundClaim] = []
    if "%" in kinds:
        for form in FORMS:
            for match in form.finditer(kinds):
                if _free(match, used):
                    claim = _compared(tokens, match)
                    if claim is not None:
                        found.append(claim)
                        _use(match, used)
        for match in _OF_PEOPLE.finditer(kinds):
            if _free(match, used) and not _change(tokens, match.start()):
                found.append(_of_people(tokens, match))
                _use(match, used)
        for form in (_COUNT_AND_PERCENT, _PERCENT_AND_COUNT, _NUMBER_AND_PERCENT):
            for match in form.finditer(kinds):
                part = match.start("part")
                if (
                    _free(match, used)
                    and tokens.number(part).whole
                    and tokens.number(part).value >= 0
                    and not _behind_level(kinds, match)
                ):
                    if form is _PERCENT_AND_COUNT and not (
                        kinds[part - 2 : part] == "E=" or "N" in match["tail"] or kinds[part - 1] == "E"
                    ):
                        continue
                    found.append(_implied_total(tokens, match))
                    _use(match, used)
    for match in _PARTS.finditer(kinds):
        if _free(match, used):
            claim = _uncounted(tokens, match)
            if claim is not None:
                found.append(claim)
                _use(match, used)
    for match in _ONE_SIGN.finditer(kinds) if "%" in kinds else ():
        places = [i for i in range(match.start("list"), match.end("list")) if kinds[i] == "n"]
        if any(i in used for i in (*places, match.end("list"))) or not _shares_sign(tokens, match, places):
            continue
        for i in places:
            why = "neither counts nor an interval are printed with it"
            found.append(_claim(tokens, i, i, NOT_CHECKABLE, why, percent=tokens.number(i).value))
            used.add(i)
    for match in _PERCENT.finditer(kinds):
        at = match.start()
        if (
            at not in used
            and (kinds[at + 2 : at + 3] not in ("C", "g") or tokens.word(at + 2) == "aged")
            and kinds[at - 1 : at] not in ("C",)
            and not _heterogeneity(kinds, at)
        ):
            value = tokens.number(at)
            why = "neither counts nor an interval are printed with it"
            found.append(_claim(tokens, at, at + 1, NOT_CHECKABLE, why, percent=value.value))
            used.add(at)
    return found


def _shares_sign(tokens: Tokens, match: re.Match[str], places: list[int]) -> bool:
    """Whether the numbers before a percentage are percentages too: no range, no ages, years or counts."""
    values = [tokens.number(i) for i in (*places, match.end("list"))]
    if any(v.word or not 0 <= v.value <= 100 for v in values):
        return False
    if tokens.kinds[match.start() - 1 : match.start()] in ("f", "±", "/", "-", "=", "P"):
        return False
    if match["list"].endswith("v"):
        return len({v.half for v in values}) == 1
    said = "respectively" in tokens.text[tokens.ends[match.end() - 1] : tokens.ends[match.end() - 1] + 40].lower()
    return said or all(not v.whole for v in values)


def _heterogeneity(kinds: str, at: int) -> bool:
    return re.search(r"I[wLo(]{0,2}=?[oL]?$", kinds[max(0, at - 5) : at]) is not None


def _behind_level(kinds: str, match: re.Match[str]) -> bool:
    return kinds[match.end("percent") + 1 : match.end("percent") + 2] == "C"


def _places(match: re.Match[str]) -> list[int]:
    return [match.start(name) for name in ("part", "whole", "percent") if match.groupdict().get(name) is not None]


def _free(match: re.Match[str], used: set[int]) -> bool:
    return not any(i in used for i in _places(match))


def _use(match: re.Match[str], used: set[int]) -> None:
    used.update(_places(match))


def _change(tokens: Tokens, at: int) -> bool:
    return "d" in tokens.kinds[max(0, at - 3) : at]


def _claim(
    tokens: Tokens,
    first: int,
    last: int,
    verdict: str,
    why: str,
    *,
    part: float | None = None,
    whole: float | None = None,
    percent: float | None = None,
    slip: str = "",
) -> FoundClaim:
    recomputed = 100 * part / whole if part is not None and whole else None
    return FoundClaim(
        tokens.printed(first, last),
        tokens.starts[first],
        tokens.ends[last],
        "proportion",
        verdict,
        why,
        measure="proportion",
        n=None if part is None else round(part),
        total=None if whole is None else round(whole),
        percent=percent,
        percent_recomputed=recomputed,
        slip=slip,
    )


def _compared(tokens: Tokens, match: re.Match[str]) -> FoundClaim | None:
    part, whole = tokens.number(match.start("part")), tokens.number(match.start("whole"))
    percent = _rounded(tokens.number(match.start("percent")))
    if not (part.whole and whole.whole) or whole.value < 1 or part.value < 0 or percent.value < 0:
        return None
    kinds = tokens.kinds
    behind = kinds[match.start("percent") + 2 : match.start("percent") + 3]
    if behind in ("C", "t", "-"):  # "23/45, 95% CI", "three of three (32% to 60%)"
        return None
    slash = kinds[match.start("part") + 1] == "/"
    if slash and _years(part, whole):
        return None
    if (
        slash
        and whole.value < 5
        and ("L" in kinds[match.start("whole") : match.start("percent")] or _graded(tokens, match))
    ):
        return None  # "grade 3/4 adverse events occurred in 28%"
    if "which" in tokens.printed(match.start(), match.end() - 1) or "whom" in tokens.printed(
        match.start(), match.end() - 1
    ):
        return None
    if slash and (
        kinds[match.start("part") - 1 : match.start("part")] == "/"
        or _pressure(tokens, match)
        or (whole.value >= 1000 and part.value == 1)
        or (tokens.text[tokens.starts[match.start("part")]] == "0" and part.value)
    ):
        return None
    last = match.end() - 1
    if kinds[match.end() : match.end() + 1] == ")" and kinds[match.start() : match.end()].count("(") > kinds[
        match.start() : match.end()
    ].count(")"):
        last += 1
    if kinds[match.start()] == "o":
        last = match.end() - 1
    if kinds[last + 1 : last + 2] == "N":
        last += 1
    verdict, why, slip = compare_percent(part.value, whole.value, percent)
    return _claim(
        tokens, match.start(), last, verdict, why, part=part.value, whole=whole.value, percent=percent.value, slip=slip
    )


def _years(part: Printed, whole: Printed) -> bool:
    """ "in 2008/2009": a year and the next, or the one after it."""
    return 1900 <= part.value <= 2100 and 0 < whole.value - part.value <= 2


def _pressure(tokens: Tokens, match: re.Match[str]) -> bool:
    """ "140/90 mmHg" is no part of anything."""
    end = tokens.ends[match.start("whole")]
    return tokens.text[end : end + 4].lstrip(" -\n").lower().startswith("mm")


_GRADES = frozenset(["grade", "grades", "stage", "score", "subscore", "type", "class", "category", "ecog", "asa"])


def _graded(tokens: Tokens, match: re.Match[str]) -> bool:
    """Whether "3/4" are two grades."""
    at = match.start("part")
    near = [
        *range(max(0, at - 2), at),
        *range(match.start("whole") + 1, min(len(tokens.kinds), match.start("whole") + 3)),
    ]
    return any(tokens.text[tokens.starts[i] : tokens.ends[i]].lower() in _GRADES for i in near) or (
        tokens.kinds[at - 1 : at] == "="
    )


def _rounded(percent: Printed) -> Printed:
    """A percentage in words is rounded to a whole one."""
    return Printed(percent.value, 0.5) if percent.word else percent


def compare_percent(part: float, whole: float, percent: Printed) -> tuple[str, str, str]:
    """Verdict, reason and likely slip of ``part`` of ``whole`` printed as ``percent``.

    >>> compare_percent(23, 45, Printed(51.1, 0.05))[:2]
    ('consistent', '23/45 = 51.11%')
    >>> compare_percent(23, 45, Printed(53.1, 0.05))[:2]
    ('inconsistent', '23/45 = 51.11%, not 53.1%: 1.99 points apart')
    """
    exact = 100 * part / whole
    said = f"{part:g}/{whole:g} = {plain(exact, 2)}%"
    apart = abs(exact - percent.value)
    if apart <= percent.half * (1 + 1e-9):
        return CONSISTENT, said, ""
    why = f"{said}, not {plain(percent.value)}%: {plain(apart, 2)} points apart"
    slip = ""
    if part > whole:
        why = f"{part:g} is more than the {whole:g} it is a part of"
    if 0 <= exact - percent.value < 2 * percent.half:
        slip = "rounding: the percentage is cut off, not rounded"
    elif apart <= 2 * percent.half:
        slip = "rounding"
    elif abs(100 * (whole - part) / whole - percent.value) <= percent.half:
        slip = "the percentage of the others"
    elif any(abs(exact * t - percent.value) <= percent.half * max(t, 1) for t in (0.1, 10)):
        slip = "the decimal point is misplaced"
    elif percent.value > 0:
        low, high = 100 * part / percent.high, 100 * part / max(percent.low, 1e-9)
        if math.floor(high) >= math.ceil(low) and part:
            other = (
                f"{math.ceil(low)}" if math.ceil(low) == math.floor(high) else f"{math.ceil(low)} to {math.floor(high)}"
            )
            slip = f"another denominator ({part:g} is that part of {other})"
        count = round(percent.value * whole / 100)
        if count != part and abs(100 * count / whole - percent.value) <= percent.half:
            slip = f"another count ({count}/{whole:g})" + (f", or {slip}" if slip else "")
    return INCONSISTENT, why + (f"; likely: {slip}" if slip else ""), slip


def _of_people(tokens: Tokens, match: re.Match[str]) -> FoundClaim:
    percent, whole = _rounded(tokens.number(match.start("percent"))), tokens.number(match.start("whole"))
    count = round(percent.value * whole.value / 100)
    near = abs(100 * count / whole.value - percent.value) if whole.value >= 1 else 0.0
    fits = near <= percent.half * (1 + 1e-9)
    why = (
        f"{count} of {whole.value:g} are {plain(100 * count / max(whole.value, 1), 2)}%"
        if fits
        else f"no whole number of {whole.value:g} is {plain(percent.value)}%; {count} would be {plain(100 * count / whole.value, 2)}%"  # noqa: E501
    )
    verdict = CONSISTENT if fits else INCONSISTENT
    return _claim(
        tokens,
        match.start(),
        match.end() - 1,
        verdict,
        why,
        part=count if fits else None,
        whole=whole.value,
        percent=percent.value,
    )


def _implied_total(tokens: Tokens, match: re.Match[str]) -> FoundClaim:
    part, percent = tokens.number(match.start("part")), _rounded(tokens.number(match.start("percent")))
    last = match.end() - 1
    if tokens.kinds[last] != ")":
        last -= 1
    slip = ""
    verdict, why = NOT_CHECKABLE, "the number they are a part of is not printed beside it"
    if part.value > 0 and percent.low > 0:
        low, high = math.ceil(100 * part.value / percent.high - 1e-9), math.floor(100 * part.value / percent.low + 1e-9)
        people = "N" in match["who"] or "N" in (match.groupdict().get("tail") or "")
        earlier = _part_of_it(tokens, match, part, percent) if low > high else None
        if earlier is not None:  # "210 completed surveys from 260 residents (80.8%)"
            exact = 100 * earlier.value / part.value
            why = f"{earlier.value:g}/{part.value:g} = {plain(exact, 2)}%"
            return _claim(
                tokens,
                match.start(),
                last,
                CONSISTENT,
                why,
                part=earlier.value,
                whole=part.value,
                percent=percent.value,
            )
        if low > high and people:
            verdict, why = INCONSISTENT, f"no whole number has {part.value:g} as {plain(percent.value)}% of it"
            total = math.ceil(100 * part.value / (percent.value + 2 * percent.half))
            if percent.value <= 100 * part.value / total < percent.value + 2 * percent.half:
                slip = "rounding: the percentage is cut off, not rounded"
                why += f"; likely: {slip} ({part.value:g}/{total})"
        elif low <= high:
            why += f"; it would be {low}" if low == high else f"; it would be {low} to {high}"
    return _claim(tokens, match.start(), last, verdict, why, part=part.value, percent=percent.value, slip=slip)


def _part_of_it(tokens: Tokens, match: re.Match[str], whole: Printed, percent: Printed) -> Printed | None:
    """A number earlier in the sentence that is the printed percentage of the number it stands behind."""
    at = match.start("part")
    start = max(tokens.kinds.rfind(".", 0, at) + 1, at - 16)
    for i in range(at - 1, start - 1, -1):
        if tokens.kinds[i] != "n":
            continue
        value = tokens.number(i)
        if (
            value.whole
            and 0 < value.value <= whole.value
            and percent.low <= 100 * value.value / whole.value <= percent.high
        ):
            return value
    return None


def _uncounted(tokens: Tokens, match: re.Match[str]) -> FoundClaim | None:
    part, whole = tokens.number(match.start("part")), tokens.number(match.start("whole"))
    kinds, slash = tokens.kinds, tokens.kinds[match.start() + 1] == "/"
    if not (part.whole and whole.whole) or part.value > whole.value or whole.value < 2 or part.value < 0:
        return None
    if kinds[match.end() : match.end() + 1] in ("u", "T", "/", "%"):
        return None
    if slash and (_pressure(tokens, match) or (tokens.text[tokens.starts[match.start()]] == "0" and part.value)):
        return None
    if slash and _years(part, whole):
        return None
    if slash and (
        whole.value < 5
        or kinds[match.start() - 1 : match.start()] in ("/", "u")
        or tokens.text[match.end("whole") - 1 : match.end("whole")] == "/"
    ):
        return None
    outright = tokens.word(match.start() + 1).startswith("out of") and whole.word
    if (
        not slash
        and not outright
        and not ("N" in kinds[match.start() : match.end() + 3] or "S" in kinds[match.end() : match.end() + 3])
    ):
        return None
    last = match.end() - 1
    if kinds[last + 1 : last + 2] in ("N", "S"):
        last += 1
    exact = 100 * part.value / whole.value
    why = f"{part.value:g}/{whole.value:g} = {plain(exact, 2)}%; no percentage is printed to compare with"
    return _claim(tokens, match.start(), last, NOT_CHECKABLE, why, part=part.value, whole=whole.value)
