"""Estimates with their intervals and p values: found from the interval outwards, and each judged."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from itertools import pairwise

from balm.review.claims_in_text.arithmetic import Figures, PrintedP
from balm.review.claims_in_text.lexicon import SCALES
from balm.review.claims_in_text.slips import Beside
from balm.review.claims_in_text.tokens import Printed, Tokens

_UNITS = "[%uT]{0,2}"
#: Level and the words for an interval: "95% CI", "CI 95 %", "(95% confidence interval [CI])".
_CI = r"(?:(?P<level>n)(?:%-?w?|-?))?C(?:[(]C[)])?(?:[(]?-?(?P<level2>n)%[)]?)?"
_RANGE = rf"f?(?P<low>n){_UNITS}(?P<sep>,?t|[-,;/:]|(?<=n)a|(?<=[%uT])a|(?<=n)L)(?P<high>n)(?P<unit>{_UNITS})"
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
#: "7.8 versus 8.3 years, 95% CI 7.4-8.1 versus 8.0-8.4": each arm with its own interval.
_BOTH_ARMS = re.compile(
    rf"(?P<one>n){_UNITS}[wNoLf]{{0,6}}(?:,?v|a)[wNoLf]{{0,4}}(?P<two>n){_UNITS}[TwNoLf]{{0,6}}[,;:(]{{0,2}}"
    rf"(?:(?P<level>n)(?:%-?|-?))?C(?:[(]C[)])?[(=:,;Lw]{{0,2}}(?P<low>n){_UNITS}[-t,](?P<high>n){_UNITS}"
    rf"(?:,?v|[,;]?a|[,;])(?P<low2>n){_UNITS}[-t,](?P<high2>n){_UNITS}"
)
_MEAN_WITH_ERROR = re.compile(rf"(?P<estimate>n){_UNITS}±(?P<error>n)")
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
    #: The interval is of this difference between two arms, not of the number before it; nan: of neither.
    of_arms: Printed | None = None
    one_sided: bool = False
    #: In points of per cent, so that it is no relative change.
    points: bool = False
    #: The sentence speaks of a median, a bootstrap, costs: no even interval, another test.
    skewed: bool = False
    #: The sentence speaks of a reduction, whose size may be printed without its sign.
    lessened: bool = False


def find_estimates(tokens: Tokens) -> tuple[list[FoundEstimate], set[int]]:
    """Every estimate, in order, and the pieces (numbers) they are made of."""
    kinds = tokens.kinds
    found: list[FoundEstimate] = []
    used: set[int] = set()
    for match in _BOTH_ARMS.finditer(kinds):
        found += _of_each_arm(tokens, match, used)
    if "±" in kinds:
        found += _means_with_errors(tokens, used)
    anchors = _anchors(tokens)
    limits = sorted({a.first for a in anchors})
    following = dict(pairwise(limits))
    for anchor in anchors:
        one = _around(tokens, anchor, following.get(anchor.first), used)
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


def _of_each_arm(tokens: Tokens, match: re.Match[str], used: set[int]) -> list[FoundEstimate]:
    """Two estimates and their two intervals, in the same order."""
    figures = {name: tokens.number(match.start(name)) for name in ("one", "two", "low", "high", "low2", "high2")}
    one, two, low, high, low2, high2 = figures.values()
    if any(x.word for x in figures.values()):
        return []
    if not (low.low <= one.high and one.low <= high.high and low2.low <= two.high and two.low <= high2.high):
        return []
    level = _level_of(tokens, match)
    measure, named, measure_at = _measure_of(tokens, match.start("one"), match)
    if level is None or (named and SCALES.get(measure or "", ("",))[0] == "linear"):
        measure, named = None, False
    measure = measure or "mean"
    used.update(i for i in range(match.start(), match.end()) if tokens.kinds[i] == "n")
    percent = "%" in tokens.kinds[match.start("one") : match.start("two") + 2]
    first = match.start("one") if measure_at is None or match.start("one") - measure_at > 6 else measure_at
    shared = {"level": level or 0.95, "percent": percent, "interval_first": match.start("low")}
    return [
        FoundEstimate(first, match.start("high"), measure, named, one, low, high, **shared),  # type: ignore[arg-type]
        FoundEstimate(match.start("two"), match.end() - 1, measure, named, two, low2, high2, **shared),  # type: ignore[arg-type]
    ]


def _level_of(tokens: Tokens, match: re.Match[str]) -> float | None:
    if match["level"] is None:
        return 0.95
    printed = tokens.number(match.start("level")).value
    return printed / 100 if 50 <= printed < 100 else None


#: Said of what stands behind "±".
_ERRORS = frozenset(
    ["sem", "s.e.m.", "se", "ses", "s.e.", "standard error", "standard errors", "standard error of the mean"]
)


def _means_with_errors(tokens: Tokens, used: set[int]) -> list[FoundEstimate]:
    """ "3.2 ± 0.3", where the sentence says that its "±" are standard errors and the text nowhere has deviations."""
    errors = [i for i, kind in enumerate(tokens.kinds) if kind == "e"]
    if not errors or not {tokens.word(i) for i in errors} <= _ERRORS:
        return []
    said = {_sentence_start(tokens.kinds, i) for i in errors}
    found = []
    for match in _MEAN_WITH_ERROR.finditer(tokens.kinds):
        at, error_at = match.start("estimate"), match.start("error")
        if at in used or error_at in used or _measure_before(tokens, at, 8) is not None:
            continue
        error = tokens.number(error_at)
        slashed = tokens.kinds[at - 1 : at] == "/" or tokens.kinds[error_at + 1 : error_at + 2] == "/"
        if error.value <= 0 or tokens.number(at).word or slashed or _sentence_start(tokens.kinds, at) not in said:
            continue
        used.update((at, error_at))
        percent = tokens.kinds[at + 1 : at + 2] == "%" or tokens.kinds[error_at + 1 : error_at + 2] == "%"
        found.append(
            FoundEstimate(
                at, error_at, "mean", False, tokens.number(at), error=error, error_is_deviation=False, percent=percent
            )
        )
    return found


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
    taken = bytearray(len(kinds))  # the places of those found so far
    for anchor in anchors:
        _take(taken, anchor.match)
    for pattern in (_BRACKETED, _MEASURED, _TRAILED, _TOGETHER, _OF_PERCENT):
        for match in pattern.finditer(kinds):
            if taken.find(1, match.start(), match.end()) >= 0:
                continue
            if _plausible(tokens, match) and _reads_as_interval(tokens, match):
                anchors.append(_Anchor(match, False))
                _take(taken, match)
    return sorted(anchors, key=lambda a: a.first)


def _take(taken: bytearray, match: re.Match[str]) -> None:
    taken[match.start() : match.end()] = b"\x01" * (match.end() - match.start())


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
        if tokens.kinds[match.start() - 2 : match.start()] in ("%(", "n(") and _LEVEL.search(
            tokens.kinds, 0, match.start()
        ):
            return True  # "12% (95% CI -12 to 37) and 47% (CI 21 to 73)"
        return _measure_before(tokens, match.start(), 14) is not None
    return True


_LEVEL = re.compile("n%-?C")
#: "the 90% CIs satisfied the bioequivalence limits of (0.80, 1.25)": no interval that was estimated.
_SET_LIMITS = frozenset(
    [
        "fell",
        "falls",
        "fall",
        "lie",
        "lies",
        "lay",
        "contained",
        "within",
        "pre-specified",
        "prespecified",
        "predefined",
        "limit",
        "limits",
        "range",
        "margin",
        "margins",
        "bounds",
        "criteria",
        "criterion",
        "region",
    ]
)


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
    if before[-1:] == "±":  # "36.88 ± 8.42 (16-50%)": a spread and a range
        return False
    if "g" in before[-6:] or "e" in before[-3:] or tokens.number(at).word:
        return False
    if before[-1:] in ("-", "t") and before[-2:-1] in ("n", "%"):  # "HbA1c 7.5-9.5% (58-80 mmol/mol)"
        return False
    low, high = tokens.number(match.start("low")), tokens.number(match.start("high"))
    value = tokens.number(at)
    inside = min(low.low, high.low) <= value.high and value.low <= max(low.high, high.high)
    if kinds[at + 1 : at + 2] == "%" and not inside and "C" not in kinds[:at] and "M" not in before:
        return False  # "increased by 10.6% (78-89%)": from one to the other
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


def _around(tokens: Tokens, anchor: _Anchor, following: int | None, used: set[int]) -> FoundEstimate | None:
    """The estimate of an interval; ``following``: where the next interval begins."""
    match, kinds = anchor.match, tokens.kinds
    groups = match.groupdict()
    low_at, high_at = match.start("low"), match.start("high")
    if low_at in used or high_at in used:
        return None
    low, high = tokens.number(low_at), tokens.number(high_at)
    p_before: tuple[PrintedP, int] | None = None
    arms: Printed | None = None
    if groups.get("estimate") is not None:
        at: int | None = match.start("estimate")
    elif groups.get("level") is not None and not 50 <= tokens.number(match.start("level")).value < 100:
        at = match.start("level")  # "OR 2.17 CI 1.63-2.89": no level of confidence
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
    behind = (
        _BEHIND.match(kinds, match.end()) if anchor.named and kinds[match.start() - 1 : match.start()] == "(" else None
    )
    if behind is not None:
        value = tokens.number(behind.start("estimate"))
        behind = behind if min(low.low, high.low) <= value.value <= max(low.high, high.high) else None
    if behind is not None and (at is None or not low.low <= tokens.number(at).value <= high.high):
        at = behind.start("estimate")
    else:
        behind = None
        at, arms = _arm_and_difference(tokens, at, match.start(), low, high, used)
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
    p, het, last_p, beside = _p_behind(tokens, match.end(), following)
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
        and arms is None
        and (_of_both_arms(kinds, at) or (not named and not _adjoins(kinds, match.end(), last_p)))
    ):
        p, last_p = None, -1  # a p value between the arms, not of one of them
    last = max(end, last_p)
    if p is None and p_before is not None:
        p = p_before[0]
    percent = False
    estimate = None
    if at is not None:
        if not _with_counts(kinds, at) and arms is None:
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
        beside=beside, other_high=other, interval_first=match.start(), of_arms=arms,
        one_sided=_one_sided(tokens, last_p),
        points="point" in tokens.text[tokens.starts[first] : tokens.ends[last]].lower(),
        skewed=_skewed(tokens, match), lessened=_LESSENED.search(_clause(tokens, match)) is not None,
    )  # fmt: skip


#: Estimates whose intervals need not be even about them, and whose p values come from other tests.
_SKEWED = re.compile(
    r"median|hodges|bootstrap|wilcoxon|mann|quantile|\bcosts?\b|[€£$]|\beur\b|\busd\b|bayes|posterior|back-?transform",
    re.I,
)
_LESSENED = re.compile(
    r"reduc|decreas|lower|\bless|fewer|\bfell\b|declin|shorter|\bloss|\blost|worse|smaller|drop|advantage|favou?r", re.I
)
_ONE_SIDED = re.compile(r"\b(?:one|1)[-\s]?(?:sided|tailed)\b", re.I)


def _clause(tokens: Tokens, match: re.Match[str]) -> str:
    """The text of the sentence up to the interval, no more than some words of it."""
    start = max(_sentence_start(tokens.kinds, match.start()), match.start() - FARTHEST_MEASURE)
    return tokens.text[tokens.starts[start] : tokens.starts[match.start("low")]]


def _skewed(tokens: Tokens, match: re.Match[str]) -> bool:
    return _SKEWED.search(_clause(tokens, match)) is not None


def _one_sided(tokens: Tokens, last_p: int) -> bool:
    """Whether the p value that ends at ``last_p`` is said to be one-sided."""
    if last_p < 0:
        return False
    end = tokens.ends[last_p]
    return _ONE_SIDED.search(tokens.text, max(0, end - 45), min(len(tokens.text), end + 14)) is not None


def _with_counts(kinds: str, at: int) -> bool:
    """Whether the percentage at ``at`` has its counts behind it, which are checked with it: "13% (20/152, 95% CI"."""
    return re.match(r"n%[,:;]?[(]{1,2}(?:E=?)?n(?:/|o)n", kinds[at : at + 10]) is not None


#: The other arm: "29.3 l/min and 32.0", "45% v", "1.35 (SD 0.4) versus 1.82".
_OTHER_ARM = re.compile(
    r"(?P<other>n)[%uT]{0,2}(?:[(][^.()]{1,8}[)])?(?:[wNoLtf()T]{0,8}),?(?P<join>[va]|,v)[wNoLtf(]{0,5}$"
)


def _arm_and_difference(
    tokens: Tokens, at: int | None, start: int, low: Printed, high: Printed, used: set[int]
) -> tuple[int | None, Printed | None]:
    """The number before an interval and, where it is one arm of two, the difference that the interval is of."""
    kinds = tokens.kinds
    floor = max(_sentence_start(kinds, start), start - FARTHEST_ESTIMATE)
    later = [
        i
        for i in range(at if at is not None else floor, start if at is None else max(start, at + 1))
        if kinds[i] == "n" and i not in used
    ]
    for i in reversed(later):
        if kinds[i - 1] in "=/±" or kinds[i + 1 : i + 2] in ("/", "±", "N", "T") or tokens.number(i).word:
            continue
        arms = _between_arms(tokens, i, low, high, used)
        if arms is not None and (at is not None or not math.isnan(arms.value)):
            return i, arms
    return at, None


def _between_arms(tokens: Tokens, at: int, low: Printed, high: Printed, used: set[int]) -> Printed | None:
    """The difference between the number at ``at`` and the arm before it, where the interval can only be of that."""
    kinds = tokens.kinds
    start = max(_sentence_start(kinds, at), at - 18)
    found = _OTHER_ARM.search(kinds, start, at)
    if found is None:
        return None
    other, value = tokens.number(found.start("other")), tokens.number(at)
    if (
        found.start("other") in used
        or other.word
        or kinds[found.start("other") - 1] in "=/E"
        or low.value >= high.value
    ):
        return None
    here = Figures("linear", 0.0, value, low, high)
    said = found["join"] != "a" or kinds[at - 1] in "v"
    fits = here.contains() and here.shift() < UNEVEN_ARM
    if fits or (here.contains() and not said):
        return None
    gap = abs(value.value - other.value)
    for difference in (Printed(gap, value.half + other.half), Printed(-gap, value.half + other.half)):
        there = Figures("linear", 0.0, difference, low, high)
        if there.contains() and there.shift() < UNEVEN_ARM:
            return difference
    return Printed(math.nan, 0.0) if said and not here.contains() else None


#: An arm further than this from the middle of the interval, in half widths, is not what it is of.
UNEVEN_ARM = 0.3


def _nearer_middle(value: Printed, one: Printed, other: Printed, high: Printed) -> bool:
    """Whether a value lies in the middle of the interval from ``one``, and at the edge of that from ``other``."""

    def off(low: Printed) -> float:
        half = (high.value - low.value) / 2
        return abs(value.value - low.value - half) / half if half > 0 else 1.0

    return (off(one) < 0.25 and off(other) > 0.75) or (off(one) < 0.1 and off(other) > 0.3)


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


#: What a rate is per.
_PER = frozenset([100.0, 1000.0, 10_000.0, 100_000.0, 1e6])
#: Before a number of hours or weeks these make it a time point, no result.
_TIMES_OF = frozenset(
    ["at", "after", "for", "over", "during", "within", "by", "until", "every", "week", "month", "day"]
)
_MARGINS = frozenset(["margin", "margins", "threshold", "cutoff", "cut-off"])


_STATISTICS = frozenset(["wald", "z", "t", "f", "df", "u", "w", "x2"])


def _set_before(tokens: Tokens, at: int) -> bool:
    """Whether a number was set beforehand: "the non-inferiority margin of 0.19 mm"."""
    return any(tokens.word(i) in _MARGINS for i in range(max(0, at - 3), at) if tokens.kinds[i] == "w")


_SPREAD_BETWEEN = re.compile(r"n±n[%uTw]{0,3}[(,;]{0,2}")
#: "[..., (95% CI 0.38, 1.49, odds ratio = 0.75)]": the estimate stands behind its interval, with its name.
_BEHIND = re.compile(r"[,;]M[=:oL]{1,2}(?P<estimate>n)(?=[);,])")


def _bound(tokens: Tokens, at: int) -> bool:
    """Whether a number is the bound of a group: "a score ≥ 7", but not "OR > 3"."""
    kinds = tokens.kinds
    sign = tokens.word(at - 1) if kinds[at - 1 : at] == "=" else ""
    before = kinds[at - 2 : at - 1]
    return (sign in ("≥", "≤") and before != "M") or (sign in (">", "<") and before not in ("M", "d", "C", "("))


def _in_closed_bracket(kinds: str, at: int, start: int) -> bool:
    """Whether a number stands in a bracket that was closed well before the interval: that of another result."""
    close = kinds.find(")", at, start)
    return close >= 0 and "(" not in kinds[at:close] and "(" in kinds[close:start] and "a" in kinds[close:start]


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
            if kinds[i - 2 : i] == "n/":
                whole, part = tokens.number(i), tokens.number(i - 2)
                if whole.value in _PER and not tokens.word(i):  # "2.3/100 person-years"
                    if kinds[i - 2] == "n" and i - 2 not in used:
                        candidates.append(i - 2)
                    i -= 3
                    continue
                if part.whole and whole.whole and part.value <= whole.value:  # "20/152, 95% CI 9-20%"
                    i -= 3
                    continue
            if kinds[i - 2 : i] == "w=" and tokens.word(i - 2) in _STATISTICS:
                i -= 3
                continue
            if _set_before(tokens, i) or (_in_closed_bracket(kinds, i, start) and not candidates):
                i -= 1
                continue
            ahead = kinds[i + 1 : i + 2]
            if (
                ahead == "T"
                and _TIME_WITH_INTERVAL.match(kinds, i + 1)
                and (
                    tokens.text[tokens.starts[i - 1] : tokens.ends[i - 1]].lower() not in _TIMES_OF
                    or not tokens.number(i).whole  # "followed up for 15.78 months (95% CI 12.83-18.72)"
                )
                and least <= tokens.number(i).value <= most
                and not tokens.number(i).word
            ):
                candidates.append(i)
                i -= 1
                continue
            if _bound(tokens, i):  # "BBPS ≥ 7 (95% CI ...)": a limit of who was counted
                i -= 1
                continue
            if (
                ahead == "±" and _SPREAD_BETWEEN.fullmatch(kinds, i, start) and least <= tokens.number(i).value <= most
            ):  # "0.42 ± 0.05 mmHg (95% CI 0.32-0.52 mmHg)"
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
        if near not in inside and len(inside) == 1 and inside[0] > near:
            return inside[0], p_before
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


def _p_behind(tokens: Tokens, start: int, following: int | None) -> tuple[PrintedP | None, bool, int, Beside]:
    """The p value behind an interval, whether only one of heterogeneity stands there, and what else does."""
    kinds = tokens.kinds
    farthest = min(len(kinds), start + FARTHEST_P)
    stop = kinds.find(".", start, farthest)
    stop = farthest if stop < 0 else stop
    if following is not None:
        stop = min(stop, following)
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
            if (kinds[i - 1] == "w" and tokens.word(i - 1) in _OTHER_TESTS) or any(
                tokens.word(j) in _OTHER_TESTS for j in range(i + 1, match.start("value")) if kinds[j] == "w"
            ):
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
    p, het, last, beside = _p_behind(tokens, match.end(), None)
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
    if (
        measure == "NNT" and between in ("wo", "o", "=", "L") and kinds[at + 1 : at + 2] == "N"
    ):  # "an NNH of 85 patients"
        return True
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
    p, het, last, beside = _p_behind(tokens, match.end(), None)
    used.add(at)
    unit = bool(match["unit"]) and match["unit"][0] == "%"
    end = match.end() - 1
    return replace(
        FoundEstimate(match.start(), max(end, last), tokens.word(match.start()), True, tokens.number(at)),
        p=p, p_of_heterogeneity=het, beside=beside, percent=unit,
    )  # fmt: skip
