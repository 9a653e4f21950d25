"""Estimates with their intervals and p values: found from the interval outwards, and each judged."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from balm.review.claims_in_text.arithmetic import PrintedP
from balm.review.claims_in_text.lexicon import SCALES
from balm.review.claims_in_text.slips import Beside
from balm.review.claims_in_text.tokens import Printed, Tokens

_UNITS = "[%uT]{0,2}"
#: Level and the words for an interval: "95% CI", "CI 95 %", "(95% confidence interval [CI])".
_CI = r"(?:(?P<level>n)(?:%-?w?|-?))?C(?:[(]C[)])?(?:[(]?-?(?P<level2>n)%[)]?)?"
_RANGE = rf"f?(?P<low>n){_UNITS}(?P<sep>,?t|[-,;/:]|(?<=n)a|(?<=[%uT])a)(?P<high>n)(?P<unit>{_UNITS})"
#: An interval that is named; between its name and its limits an estimate may stand: "OR (95% CI) 1.42 (0.84-2.39)".
_NAMED = re.compile(
    rf"{_CI}(?P<gap>[()=:,;LfodwMN±-]{{0,9}}?)(?:(?P<estimate>n){_UNITS}[,:;=]?w{{0,2}}(?:[(]|[,;:](?=n{_UNITS}[-t])))?[(]?{_RANGE}"
)
#: An interval in brackets behind its estimate: "1.42 (0.84 to 2.39)".
_BRACKETED = re.compile(
    rf"(?P<estimate>n){_UNITS}[,:]?[(]{_RANGE.replace('/:', '').replace('|(?<=n)a|(?<=[%uT])a', '')}(?=[);,P])"
)
#: The same with words between, where the measure is named: "MD -1.83 on 0-10 (-2.35, -1.31)".
_MEASURED = re.compile(
    _BRACKETED.pattern.replace("[,:]?[(]", "[wod]{1,4}[(]", 1).replace("(?P<estimate>", "M[=:oL]{0,2}(?P<estimate>", 1)
)
#: An interval behind a comma: "relative risk 1.42, 0.84 to 2.39".
_TRAILED = re.compile(
    rf"M[=:oL(]{{0,3}}(?P<estimate>n){_UNITS}[,;(](?P<low>n){_UNITS}(?P<sep>[-t])(?P<high>n)(?P<unit>{_UNITS})"
)
#: Once an interval has been named, one in brackets with its estimate: "(4.2, 1.5 to 12.2)", "(0.84, 0.76-0.93; P".
_TOGETHER = re.compile(
    rf"[(](?P<estimate>n){_UNITS}[,;](?P<low>n){_UNITS}(?P<sep>[-t])(?P<high>n)(?P<unit>{_UNITS})(?=[);,])"
)
#: The same for percentages with words between: "30% for rizatriptan (16%, 45%)".
_OF_PERCENT = re.compile(r"(?P<estimate>n)%[wo]{1,3}[(](?P<low>n)%(?P<sep>[-t,])(?P<high>n)(?P<unit>%)(?=[)])")
#: An estimate with its standard error: "-1.05 (SE 0.34)", "-1.05 ± 0.34".
_WITH_ERROR = re.compile(rf"(?P<estimate>n){_UNITS}(?:[,(]*(?P<word>e)[=:]?|±)(?P<error>n)")
#: An estimate with neither: "OR = 2.3", "SMD of 0.45 (p = .03)".
_ALONE = re.compile(rf"M[)]?[=:,oL(w]{{0,3}}?(?P<estimate>n)(?P<unit>{_UNITS})")
#: "2.6 times the odds".
_TIMES_THE_ODDS = re.compile(r"(?P<estimate>n)M")
_P = re.compile(r"P[()wL:]{0,2}(?P<relation>=?)[:,oL]?(?P<value>n)")
_OTHER_P = re.compile(r"[qP][()wL:]{0,2}=?[:,oL]?n")

_P_LEADS = re.compile(r"(?<=[(])P[(w]?(?P<relation>=?)(?P<value>n)[;,]$")

#: Farthest, in pieces, that an estimate stands before its interval, and a p value behind it.
FARTHEST_ESTIMATE, FARTHEST_P, FARTHEST_MEASURE = 16, 18, 40


@dataclass(frozen=True, slots=True)
class FoundEstimate:
    """Where an estimate and what belongs to it stand (pieces ``first`` to ``last``), and its figures."""

    first: int
    last: int
    measure: str | None
    #: Whether the measure is named, or read from a word such as "reduction".
    named: bool
    estimate: Printed | None
    low: Printed | None = None
    high: Printed | None = None
    level: float = 0.95
    percent: bool = False
    credible: bool = False
    error: Printed | None = None
    error_is_deviation: bool | None = None
    p: PrintedP | None = None
    p_of_heterogeneity: bool = False
    beside: Beside = field(default_factory=Beside)
    #: The other reading of the upper limit, where a dash may be its sign.
    other_high: Printed | None = None
    interval_first: int = -1


def find_estimates(tokens: Tokens) -> tuple[list[FoundEstimate], set[int]]:
    """Every estimate, in order, and the pieces (numbers) they are made of."""
    kinds = tokens.kinds
    found: list[FoundEstimate] = []
    used: set[int] = set()
    anchors = _anchors(tokens)
    limits = sorted(a.first for a in anchors)
    for anchor in anchors:
        one = _around(tokens, anchor, limits, used)
        if one is not None:
            found.append(one)
    for match in _WITH_ERROR.finditer(kinds):
        at = match.start("estimate")
        if at in used:
            continue
        one = _with_error(tokens, match, used)
        if one is not None:
            found.append(one)
    for match in _TIMES_THE_ODDS.finditer(kinds):
        at = match.start("estimate")
        if at not in used and tokens.printed(at + 1, at + 1).lower().startswith("times") and tokens.number(at).value:
            used.add(at)
            found.append(FoundEstimate(at, at + 1, tokens.word(at + 1), True, tokens.number(at)))
    for match in _ALONE.finditer(kinds):
        at = match.start("estimate")
        if at in used or not _names_an_effect(tokens, match):
            continue
        one = _alone(tokens, match, used)
        if one is not None:
            found.append(one)
    found.sort(key=lambda f: f.first)
    return found, used


@dataclass(frozen=True, slots=True)
class _Anchor:
    match: re.Match[str]
    named: bool

    @property
    def first(self) -> int:
        return self.match.start()


def _anchors(tokens: Tokens) -> list[_Anchor]:
    kinds = tokens.kinds
    anchors = [_Anchor(m, True) for m in _NAMED.finditer(kinds) if _plausible(tokens, m)]
    taken = [(a.match.start(), a.match.end()) for a in anchors]
    for pattern in (_BRACKETED, _MEASURED, _TRAILED, _TOGETHER, _OF_PERCENT):
        for match in pattern.finditer(kinds):
            if any(s < match.end() and match.start() < e for s, e in taken):
                continue
            if _plausible(tokens, match) and _reads_as_interval(tokens, match):
                anchors.append(_Anchor(match, False))
                taken.append((match.start(), match.end()))
    return sorted(anchors, key=lambda a: a.first)


def _plausible(tokens: Tokens, match: re.Match[str]) -> bool:
    low, high = tokens.number(match.start("low")), tokens.number(match.start("high"))
    if low.word or high.word or (1900 <= low.value <= 2100 and 1900 <= high.value <= 2100 and low.whole):
        return False
    if match.re is not _NAMED and tokens.kinds[match.start("low") - 1] == "f":  # "prolonged by 50% (from 521 to 781)"
        return False
    if "." in tokens.kinds[match.start() : match.start("low")]:
        return False
    if tokens.kinds[match.end() : match.end() + 2] in ("-n", "/n"):  # "0.66-0-83": a decimal point was lost on the way
        return False
    if match.re in (_TOGETHER, _OF_PERCENT) or (match.re is _TRAILED and match["sep"] == "-"):
        return _named_before(tokens, match, low, high)
    groups = match.groupdict()
    if match.re is _NAMED and groups.get("estimate") is None and _limits_set(tokens, match):
        return False
    level = groups.get("level") or groups.get("level2")
    if level is None and match.re is _NAMED and tokens.word(_c_of(tokens, match)) in ("ci", "cis", "cl", "ic", "ki"):
        # "cardiac index (CI) 2.5-4.0": without a level, a measure has to stand before it
        if tokens.kinds[match.start() - 2 : match.start()] == "%(" and _LEVEL.search(tokens.kinds, 0, match.start()):
            return True  # "12% (95% CI -12 to 37) and 47% (CI 21 to 73)"
        return _measure_before(tokens, match.start(), 14) is not None
    return True


_LEVEL = re.compile("n%-?C")
#: "the 90% CIs satisfied the bioequivalence limits of (0.80, 1.25)": no interval that was estimated.
_SET_LIMITS = frozenset(["limit", "limits", "range", "margin", "margins", "bounds", "criteria", "criterion", "region"])


def _limits_set(tokens: Tokens, match: re.Match[str]) -> bool:
    low_at = match.start("low")
    return any(
        tokens.text[tokens.starts[i] : tokens.ends[i]].lower() in _SET_LIMITS
        for i in range(max(match.start("gap"), low_at - 4), low_at)
    )


def _named_before(tokens: Tokens, match: re.Match[str], low: Printed, high: Printed) -> bool:
    """Whether figures read as an estimate inside its interval, where a measure or an interval was named before."""
    value = tokens.number(match.start("estimate"))
    inside = min(low.low, high.low) < value.value < max(low.high, high.high)
    whole = low.whole and high.whole and match["unit"][:1] != "%"
    return inside and not whole and (match.re is _TRAILED or "C" in tokens.kinds[: match.start()])


def _c_of(tokens: Tokens, match: re.Match[str]) -> int:
    return tokens.kinds.index("C", match.start())


def _reads_as_interval(tokens: Tokens, match: re.Match[str]) -> bool:
    """Whether "a (b to c)" is an estimate with its interval: the sentence has to speak of one."""
    if match.re in (_TOGETHER, _OF_PERCENT):
        return True
    kinds, at = tokens.kinds, match.start("estimate")
    start = _sentence_start(kinds, at)
    before = kinds[start:at]
    if "g" in before[-6:] or "e" in before[-3:] or tokens.number(at).word:
        return False
    low, high = tokens.number(match.start("low")), tokens.number(match.start("high"))
    value = tokens.number(at)
    inside = min(low.low, high.low) <= value.high and value.low <= max(low.high, high.high)
    if match["sep"] == "-" and low.whole and high.whole and "C" not in before:
        # ages and pages: "45 (23-67)", unless the measure stands right before
        measured = re.search(r"M[=:oL(]{0,3}$", before) is not None and tokens.starts[at + 1] > tokens.ends[at]
        return measured or match["unit"][:1] == "%" or kinds[at + 1 : at + 2] == "%"
    if _measure_before(tokens, at, FARTHEST_MEASURE) is not None and "M" in before:
        return True
    if "C" in before or "C" in kinds[match.end() : match.end() + 6]:
        return True
    if kinds[at + 1 : at + 2] == "%":
        return True
    if not inside:
        return False
    p_behind = re.match(r"[%uT);,:]{0,4}P", kinds[match.end() :]) is not None
    return ("C" in kinds[:at] or p_behind) and ("d" in before[-8:] or not low.whole) and "g" not in before


def _sentence_start(kinds: str, at: int) -> int:
    return kinds.rfind(".", 0, at) + 1


def _measure_before(tokens: Tokens, at: int, farthest: int) -> int | None:
    kinds = tokens.kinds
    start = max(_sentence_start(kinds, at), at - farthest)
    found = kinds.rfind("M", start, at)
    return found if found >= 0 else None


def _around(tokens: Tokens, anchor: _Anchor, limits: list[int], used: set[int]) -> FoundEstimate | None:
    match, kinds = anchor.match, tokens.kinds
    groups = match.groupdict()
    low_at, high_at = match.start("low"), match.start("high")
    if low_at in used or high_at in used:
        return None
    low, high = tokens.number(low_at), tokens.number(high_at)
    p_before: tuple[PrintedP, int] | None = None
    if groups.get("estimate") is not None:
        at: int | None = match.start("estimate")
    else:
        # "95% CI for difference -18 to -2" is no interval of the mean before it
        of_another = anchor.named and re.search("[wdM]", groups.get("gap") or "") is not None
        if kinds[low_at - 1] == "-" and low.value > 0:  # "CI - 1.72 to - 0.39": a dash with a space may be a sign
            at, p_before = _estimate_before(tokens, match.start(), low.negative(), high, used, True)
            if at is not None and (
                tokens.number(at).value < low.value or _nearer_middle(tokens.number(at), low.negative(), low, high)
            ):
                low = low.negative()
        at, p_before = _estimate_before(tokens, match.start(), low, high, used, of_another)
    level = _level(tokens, match)
    if level is None:
        return None
    first = match.start() if at is None else min(at, match.start())
    measure, named, measure_at = _measure_of(tokens, first if at is None else at, match)
    if match.re is _TOGETHER and low.value <= 0 and SCALES.get(measure or "", ("",))[0] == "log":
        measure, named, measure_at = None, False, None  # "(relative risk 0.63 ...) and length of stay (-0.35, ...)"
    if at is None and measure is None and level == 0.95 and groups.get("level") is None:
        return None
    credible = anchor.named and any(
        w in tokens.word(_c_of(tokens, match)) for w in ("cr", "bci", "hdi", "eti", "posterior")
    )
    end = _closing(kinds, match.end())
    p, het, last_p, beside = _p_behind(tokens, match.end(), [x for x in limits if x > match.start()])
    used.update(i for i in range(match.start(), match.end()) if kinds[i] == "n")
    said_at = at if at is not None else match.start()
    if measure_at is not None and 0 <= said_at - measure_at <= 6:
        said_at = measure_at
    leading = _P_LEADS.search(kinds, max(0, said_at - 8), said_at)
    if leading is not None:  # "(p=0.31; RR 1.49; 95% CI 0.69-3.25)"
        p, last_p = _printed_p(tokens, leading), -1
    if (
        p is not None
        and at is not None
        and (_of_both_arms(kinds, at) or (not named and not _adjoins(kinds, match.end(), last_p)))
    ):
        p, last_p = None, -1  # a p value between the arms, not of one of them
    last = max(end, last_p)
    if p is None and p_before is not None:
        p = p_before[0]
    percent = False
    estimate = None
    if at is not None:
        used.add(at)
        estimate = tokens.number(at)
        percent = kinds[at + 1 : at + 2] == "%"
    percent = percent or kinds[high_at + 1 : high_at + 2] == "%" or kinds[low_at + 1 : low_at + 2] == "%"
    if measure_at is not None and first - measure_at <= 8:
        first = min(first, measure_at)
    if (
        percent
        and at is not None
        and low.value >= 0
        and high.value <= 1 < tokens.number(at).value
        and "%" not in kinds[low_at : high_at + 2]
    ):
        low, high = (Printed(100 * x.value, 100 * x.half) for x in (low, high))  # "92% (0.89 to 0.95)"
    double = (
        kinds[low_at + 1 : high_at].count("-") == 1 and low.value >= 0 and high.value < 0 and -high.value > low.value
    )
    if double:  # "0.67--1.76": a long dash typed as two short ones
        high = high.negative()
    other = high.negative() if tokens.values[high_at - 1] == "- " and low.value < 0 < high.value else None
    whole = kinds[first : last + 1]
    if whole[-1] == ")" and whole.count(")") > whole.count("("):
        last -= 1
    return FoundEstimate(
        first, last, measure, named, estimate, low, high, level, percent, credible, p=p, p_of_heterogeneity=het,
        beside=beside, other_high=other, interval_first=match.start(),
    )  # fmt: skip


def _nearer_middle(value: Printed, one: Printed, other: Printed, high: Printed) -> bool:
    """Whether a value lies in the middle of the interval from ``one``, and at the edge of that from ``other``."""

    def off(low: Printed) -> float:
        half = (high.value - low.value) / 2
        return abs(value.value - low.value - half) / half if half > 0 else 1.0

    return off(one) < 0.25 and off(other) > 0.75


def _of_both_arms(kinds: str, at: int) -> bool:
    """Whether the number at ``at`` is the second of "a versus b"."""
    return "v" in kinds[max(0, at - 3) : at]


def _adjoins(kinds: str, end: int, last_p: int) -> bool:
    """Whether a p value stands in the bracket of the interval, or right behind it."""
    between = kinds[end : last_p + 1].split("P")[0]
    return ")" not in between or re.fullmatch(r"[%uT]{0,2}[)][,;:(]{0,2}w?", between) is not None


def _closing(kinds: str, end: int) -> int:
    """The last piece of an interval: the bracket that closes it, if it does."""
    return end if kinds[end : end + 1] == ")" else end - 1


def _level(tokens: Tokens, match: re.Match[str]) -> float | None:
    groups = match.groupdict()
    for name in ("level", "level2"):
        if groups.get(name) is not None:
            printed = tokens.number(match.start(name)).value
            if 50 <= printed < 100:
                return printed / 100
            return 0.95 if name == "level" else None
    return 0.95


#: A p value behind one of these tests something else than no effect.
_OTHER_TESTS = frozenset({"noninferiority", "non-inferiority", "equivalence", "interaction", "trend", "subgroup", "superiority", "nonlinearity", "linearity", "overall", "logrank", "group-by-time"})  # fmt: skip  # noqa: E501
#: "a median of 48.5 months with a 95% CI"
_TIME_WITH_INTERVAL = re.compile(r"T[w,(;]{0,2}(?:n%-?)?C")
_WEAK = set("wdMNSLofatv,;:()[]%uTEg=eI±x/C")


def _estimate_before(
    tokens: Tokens, start: int, low: Printed, high: Printed, used: set[int], of_another: bool
) -> tuple[int | None, tuple[PrintedP, int] | None]:
    """The number that an interval is of, to its left: the nearest that lies inside it, or stands right before it."""
    kinds = tokens.kinds
    floor = max(_sentence_start(kinds, start), start - FARTHEST_ESTIMATE)
    p_before: tuple[PrintedP, int] | None = None
    candidates: list[int] = []
    i = start - 1
    least, most = min(low.low, high.low), max(low.high, high.high)
    while i >= floor:
        kind = kinds[i]
        if kind == "n":
            back = kinds[max(0, i - 5) : i]
            p_match = next((m for m in _P.finditer(kinds, max(0, i - 5), i + 1) if m.end() == i + 1), None)
            other_p = next((m for m in _OTHER_P.finditer(kinds, max(0, i - 5), i + 1) if m.end() == i + 1), None)
            if p_match is not None:
                if p_before is None and not candidates:
                    p_before = (_printed_p(tokens, p_match), p_match.start())
                i = p_match.start() - 1
                continue
            if other_p is not None:
                i = other_p.start() - 1
                continue
            if i in used:
                break
            ahead = kinds[i + 1 : i + 2]
            if (
                ahead == "T"
                and _TIME_WITH_INTERVAL.match(kinds, i + 1)
                and least <= tokens.number(i).value <= most
                and not tokens.number(i).word
            ):
                candidates.append(i)
                i -= 1
                continue
            if (
                ahead in ("T", "N", "S", "±")
                or kinds[i + 1 : i + 3] in ("wN", "wS", "%C")
                or back.endswith(("E=", "E", "I=", "x", "±", "e", "e,", "e=", "e:"))
                or tokens.number(i).word
            ):
                i -= 1
                continue
            candidates.append(i)
            if len(candidates) == 4:
                break
        elif kind not in _WEAK and kind not in "P=qva-±":
            break
        i -= 1
    if not candidates:
        return None, p_before
    if of_another:
        inside = [c for c in candidates if least <= tokens.number(c).high and tokens.number(c).low <= most]
        return (inside[0] if inside else None), p_before
    measured = [c for c in candidates if re.search(r"[Md][=:oL(),w]{0,2}$", kinds[max(0, c - 4) : c])]
    inside = [c for c in candidates if least <= tokens.number(c).high and tokens.number(c).low <= most]
    both = [c for c in measured if c in inside]
    if both:
        return both[0], p_before
    near = candidates[0]
    if measured and measured[0] == near:
        return near, p_before
    if start - near <= 3 and kinds[near - 1 : near] not in ("v", "-", "t"):
        return near, p_before
    if inside:
        return inside[0], p_before
    if measured:
        return measured[0], p_before
    return (near, p_before) if start - near <= 5 and kinds[near - 1 : near] not in ("v", "-", "t") else (None, p_before)


def _measure_of(tokens: Tokens, at: int, match: re.Match[str]) -> tuple[str | None, bool, int | None]:
    """The measure of the number at ``at``: the nearest named one, or a word that says what kind of number it is."""
    kinds = tokens.kinds
    start = max(_sentence_start(kinds, at), at - FARTHEST_MEASURE)
    strong = kinds.rfind("M", start, at)
    if strong < 0:  # named between the words for the interval and its limits, or behind
        strong = kinds.find("M", at, match.start("low"))
    loose = kinds.rfind("d", start, at)
    if strong >= 0:
        closer = loose > strong and at - strong > 8 and at - loose <= 4
        if not closer:
            return tokens.word(strong), True, strong
    behind = kinds.find("M", match.end(), match.end() + 4)
    if behind >= 0 and kinds[behind - 1] in "wx)o%":
        return tokens.word(behind), True, None
    if loose >= 0 and at - loose <= 14:
        words = [tokens.word(i) for i in range(loose, max(start, loose - 4) - 1, -1) if kinds[i] == "d"]
        return words[0], False, loose
    behind = kinds.find("d", at, min(at + 4, match.start("low")))
    if behind >= 0:
        return tokens.word(behind), False, None
    return None, False, None


def _printed_p(tokens: Tokens, match: re.Match[str]) -> PrintedP:
    relation = "="
    at = match.start("relation")
    if match["relation"]:
        sign = tokens.word(at)
        relation = sign if sign in ("<", ">", "≤", "≥") else "="
    return PrintedP(relation, tokens.number(match.start("value")))


def _p_behind(tokens: Tokens, start: int, limits: list[int]) -> tuple[PrintedP | None, bool, int, Beside]:
    """The p value behind an interval, whether only one of heterogeneity stands there, and what else does."""
    kinds = tokens.kinds
    stop = kinds.find(".", start)
    stop = len(kinds) if stop < 0 else stop
    stop = min(stop, start + FARTHEST_P, *(limits[:1] or [stop]))
    effect: PrintedP | None = None
    het, last = False, -1
    n = k = q = None
    i2: Printed | None = None
    in_heterogeneity = False
    depth = 0
    i = start
    while i < stop:
        kind = kinds[i]
        if kind == "(":
            depth += 1
        elif kind == ")":
            depth -= 1
            if depth < 0 and effect is not None:
                break
        elif kind == "I":
            in_heterogeneity = True
            beside = _value_behind(tokens, i, stop)
            if beside is not None:
                name = tokens.printed(i, i).lower()
                if name.startswith("i"):
                    i2 = tokens.number(beside)
                elif name.startswith(("q", "c", "χ")):
                    q = tokens.number(beside).value
                i = beside
        elif kind == "M" or kind == "C":
            if depth <= 0 or kind == "C":
                break
        elif kind == "q":
            other = _OTHER_P.match(kinds, i)
            i = other.end() - 1 if other else i
        elif kind == "P":
            match = _P.match(kinds, i)
            if match is None or match.end() > stop + 1:
                i += 1
                continue
            if kinds[i - 1] == "w" and tokens.word(i - 1) in _OTHER_TESTS:
                i = match.end()
                continue
            back = kinds[max(start, i - 2) : i]
            if re.match(r"P[(]?[wof]{0,2}I", kinds[i : i + 5]) or "I" in back or in_heterogeneity:
                if effect is None:
                    het = True
            elif effect is None:
                effect = _printed_p(tokens, match)
                last = match.end() - 1
                if kinds[last + 1 : last + 2] == ")":
                    last += 1
            i = match.end() - 1
        elif kind == "n":
            ahead = kinds[i + 1 : i + 3]
            value = tokens.number(i)
            if kinds[i - 2 : i] == "E=" or ahead[:1] == "N" or (ahead[:1] in "wo" and ahead[1:] == "N"):
                n = value.value
            elif (
                ahead[:1] == "S"
                or ahead == "wS"
                or tokens.text[max(0, tokens.starts[i] - 4) : tokens.starts[i]].replace(" ", "").endswith("k=")
            ):
                k = value.value
            elif kinds[i - 2 : i] == "w=":  # "Z = 3.27", "t = 2.1": the test whose p value follows
                pass
            elif depth <= -1 and ahead[:1] not in ("T", "%") and effect is None:
                break
        elif (kind == "v" and effect is None and depth <= 0) or (
            kind == "a" and depth <= 0 and effect is None and kinds[i + 1 : i + 2] in ("n", "w") and kinds[i - 1] == ")"
        ):
            break
        i += 1
    return effect, het, last, Beside(n, k, i2, q, in_heterogeneity)


def _value_behind(tokens: Tokens, at: int, stop: int) -> int | None:
    match = re.compile(r"[wL(:o]{0,2}=?[oL:]?n").match(tokens.kinds, at + 1, stop)
    return match.end() - 1 if match else None


def _with_error(tokens: Tokens, match: re.Match[str], used: set[int]) -> FoundEstimate | None:
    at, kinds = match.start("estimate"), tokens.kinds
    measure_at = _measure_before(tokens, at, 8)
    if measure_at is None or not re.fullmatch(r"M[=:oLwN(),]{0,6}", kinds[measure_at:at]):
        return None
    error = tokens.number(match.start("error"))
    if error.value <= 0:
        return None
    word = tokens.word(match.start("word")) if match["word"] else ""
    deviation = None if not word else word.startswith("s") and "d" in word and "error" not in word
    p, het, last, beside = _p_behind(tokens, match.end(), [])
    used.update((at, match.start("error")))
    return FoundEstimate(
        measure_at, max(match.end() - 1, last), tokens.word(measure_at), True, tokens.number(at), error=error,
        error_is_deviation=deviation, p=p, p_of_heterogeneity=het, beside=beside, percent=kinds[at + 1 : at + 2] == "%",
    )  # fmt: skip


#: Above these an abbreviation is something else: a heart rate, a respiratory rate.
_MOST = {"HR": 40.0, "RR": 40.0, "OR": 2000.0, "COR": 1.0}


def _names_an_effect(tokens: Tokens, match: re.Match[str]) -> bool:
    kinds, at = tokens.kinds, match.start("estimate")
    measure = tokens.word(match.start())
    value = tokens.number(at)
    if (
        value.word
        or value.value > _MOST.get(measure, 1e9)
        or (measure in _MOST and value.value < 0 and measure != "COR")
    ):
        return False
    between = kinds[match.start() + 1 : at]
    if value.whole and ("(" in between or "," in between):  # "John Smith, MD (2004)"
        return False
    if any(kinds[i] == "=" and tokens.word(i) not in ("=", ":") for i in range(match.start(), at)):  # "RR < 1"
        return False
    if measure in ("HR", "RR", "OR") and value.whole and kinds[match.start() + 1 : match.start() + 2] == "n":
        return False
    if kinds[at + 1 : at + 2] in ("N", "S", "T", "C") or kinds[at + 1 : at + 3] == "%C":
        return False
    return measure not in ("AUC", "KAPPA", "NNT", "LR") or kinds[match.start() + 1 : at] in (
        "=",
        ":",
        "L",
        "o",
        "oL",
        "",
    )


def _alone(tokens: Tokens, match: re.Match[str], used: set[int]) -> FoundEstimate | None:
    at = match.start("estimate")
    p, het, last, beside = _p_behind(tokens, match.end(), [])
    used.add(at)
    unit = bool(match["unit"]) and match["unit"][0] == "%"
    end = match.end() - 1
    return replace(
        FoundEstimate(match.start(), max(end, last), tokens.word(match.start()), True, tokens.number(at)),
        p=p, p_of_heterogeneity=het, beside=beside, percent=unit,
    )  # fmt: skip
