"""What an estimate, its interval and its p value say of each other: the verdict, by how much, and the likely slip."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from balm.review.claims_in_text.arithmetic import OTHER_TEST, Figures, Implied, PrintedP, apart, from_z, interval_from_p
from balm.review.claims_in_text.claim import CONSISTENT, INCONSISTENT, NOT_CHECKABLE
from balm.review.claims_in_text.estimates import FoundEstimate
from balm.review.claims_in_text.lexicon import SCALES
from balm.review.claims_in_text.slips import EVEN, of_heterogeneity, slip_of_interval, slip_of_p
from balm.review.claims_in_text.tokens import Printed
from balm.stats.distributions import norm_ppf, t_sf
from balm.vocabulary.numbers import plain

#: An estimate further than this from the middle of its interval, in half widths, is no accident of method: of 1,100
#: intervals of published abstracts 98 in 100 stay within 0.2, and most beyond 0.3 read as misprints.
UNEVEN = 0.25
#: Measures whose intervals are even on no known scale, or that have no value of no effect.
NO_TEST = ("proportion", "mean", "median", "NNT", "AUC", "KAPPA", "RRR", "LR", "DOR")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reason; ``p`` recomputed where an interval or standard error gives one."""

    verdict: str
    why: str
    p: float | None = None
    slip: str = ""


def judge(found: FoundEstimate) -> Judgement:
    """The verdict on one estimate."""
    if found.p is not None and found.p.relation == "=" and found.p.figure.low > 1:
        return Judgement(INCONSISTENT, f"a p value lies between 0 and 1; {found.p.figure.value:g} is printed")
    if found.low is None or found.high is None:
        return _without_interval(found)
    low, high = found.low, found.high
    note = ""
    if found.one_sided and found.p is not None:
        doubled = Printed(min(1.0, 2 * found.p.figure.value), 2 * found.p.figure.half)
        found = replace(found, p=replace(found.p, figure=doubled), one_sided=False)
        note = "the p value is one-sided, and compared doubled; "
    if low.value > high.value:
        low, high = high, low
        note += "the limits are printed in reverse; "
    if found.of_arms is not None and found.estimate is not None:
        if math.isnan(found.of_arms.value):
            return Judgement(NOT_CHECKABLE, "the interval is of neither arm before it, nor of their difference")
        found = replace(found, estimate=found.of_arms, measure="difference", named=False, points=True, of_arms=None)
        note = (
            f"the interval is of the difference of the arms ({_short(found.estimate.value)}); "
            if found.estimate
            else ""
        )
    if found.estimate is None:
        return Judgement(NOT_CHECKABLE, "no estimate is printed beside the interval")
    if found.other_high is not None and low.value < found.other_high.value:
        other = Figures("linear", 0.0, found.estimate, low, found.other_high, found.level)
        plain_reading = Figures("linear", 0.0, found.estimate, low, high, found.level)
        if other.contains() and other.shift() < EVEN <= plain_reading.shift():
            high = found.other_high
    if low.value == high.value == found.estimate.value:
        return Judgement(NOT_CHECKABLE, "estimate and limits are printed equal: nothing can be computed from them")
    readings = _readings(found, low, high)
    judged = [_judge_reading(found, figures, strict, note) for figures, strict in readings]
    # of several readings the kindest is the verdict: a slip has to be one under all of them
    order = {CONSISTENT: 0, NOT_CHECKABLE: 1, INCONSISTENT: 2}
    return min(judged, key=lambda j: order[j.verdict])


def _readings(found: FoundEstimate, low: Printed, high: Printed) -> list[tuple[Figures, bool]]:
    assert found.estimate is not None
    scale = SCALES.get(found.measure or "")
    linear = Figures("linear", 0.0, found.estimate, low, high, found.level)
    if found.skewed and found.measure not in NO_TEST and (scale is None or scale[0] == "linear"):
        return [(linear, False)]
    if found.measure == "COR" and abs(found.estimate.value) > 1:  # "positively correlated (2.40, 1.66-3.47)"
        return [(linear.on("log"), False)]
    if found.percent and found.measure == "difference":
        # "reduced by 24% (95% CI 0 to 42%)" is the ratio 0.76 (0.58 to 1), "higher by 45%" the ratio 1.45
        relative = (
            [] if found.points else [(f, True) for f in (_as_ratio(linear, 1), _as_ratio(linear, -1)) if f is not None]
        )
        return [(linear, True), *relative]
    if found.named and linear.low.value > 0 and (found.measure == "B" or (found.measure == "RD" and high.value > 1)):
        told = _told_as_ratio(found, linear)
        if told is not None:
            return [(linear, True), (told, True)]
    if found.named and scale is not None and not (found.percent and scale[0] == "log"):
        return [(Figures(*scale, found.estimate, low, high, found.level), True)]
    if found.measure in NO_TEST or _only_percent(found):
        return [(linear, False)]
    log = linear.on("log")
    if not log.possible() or low.value <= 0:
        return [(linear, found.measure == "difference")]
    even = sorted((linear, log), key=lambda f: f.shift())
    return [(figures, False) for figures in even]


def _as_ratio(figures: Figures, sign: int) -> Figures | None:
    """Relative changes in per cent as the ratios they stand for."""

    def ratio(x: Printed) -> Printed:
        return Printed(1 + sign * x.value / 100, x.half / 100)

    low, high = sorted((ratio(figures.low), ratio(figures.high)), key=lambda x: x.value)
    if low.low <= 0:
        return None
    return Figures("log", 1.0, ratio(figures.estimate), low, high, figures.level)


def _told_as_ratio(found: FoundEstimate, figures: Figures) -> Figures | None:
    """The figures as a ratio: a coefficient beside the interval of its exponential; ARR for an adjusted risk ratio."""
    if found.measure == "B":
        value = figures.estimate.value
        if abs(value) > 20:
            return None
        estimate = Printed(math.exp(value), figures.estimate.half * math.exp(value))
        told = replace(figures.on("log"), estimate=estimate)
    else:
        told = figures.on("log")
    return told if told.contains() and told.shift() < EVEN else None


def _only_percent(found: FoundEstimate) -> bool:
    """A percentage of which nothing says that it is a difference: no value of it means no effect."""
    ratio = SCALES.get(found.measure or "", ("",))[0] == "log"
    return found.percent and (ratio or (not found.named and found.measure in (None, "proportion")))


def _judge_reading(found: FoundEstimate, figures: Figures, strict: bool, note: str) -> Judgement:
    ratio = figures.scale == "log"
    if not figures.possible():
        return _impossible(found, figures)
    if not figures.contains():
        mirrored = replace(figures, estimate=figures.estimate.negative())
        if (not found.named or found.lessened) and not ratio and mirrored.contains() and mirrored.shift() < UNEVEN:
            figures, note = mirrored, f"{note}the word before the estimate stands for its sign; "
        else:
            return _outside(figures, ratio, note)
    if (
        found.credible
        or _only_percent(found)
        or (found.measure in NO_TEST and (found.named or found.measure in NO_TEST[:3]))
    ):
        if found.credible and found.p is None:
            return Judgement(CONSISTENT, f"{note}the credible interval holds the estimate")
        verdict = CONSISTENT
        behind = "" if found.p is None else "; a p value does not follow from these figures"
        return Judgement(verdict, f"{note}the interval holds the estimate{behind}")
    implied, z = figures.p(), figures.z()
    if implied is None or z is None or (math.isinf(z[2]) and z[1] == 0):
        return Judgement(
            NOT_CHECKABLE,
            f"{note}the printed figures are too coarse to compute a p value from",
            implied.p if implied is not None else None,
        )
    shift = figures.shift()
    if shift > UNEVEN and strict:
        slip = slip_of_interval(figures, ratio)
        where = f"{note}the estimate lies {shift:.0%} of a half width from the middle of its interval"
        middle = f"{where} on the {'log' if ratio else 'natural'} scale; {_short(figures.middle())} would lie in it"
        return Judgement(INCONSISTENT, middle + (f"; likely: {slip}" if slip else ""), implied.p, slip)
    if found.p is None:
        if found.p_of_heterogeneity:
            note += "the p value beside it is one of heterogeneity; "
        uneven = "" if shift < EVEN else f", {shift:.0%} of a half width off its middle"
        return Judgement(
            CONSISTENT, f"{note}the interval holds the estimate{uneven}; it implies p = {_p(implied.p)}", implied.p
        )
    return _judge_p(found, figures, implied, z, strict, note)


def _judge_p(
    found: FoundEstimate, figures: Figures, implied: Implied, z: tuple[float, float, float], strict: bool, note: str
) -> Judgement:
    assert found.p is not None
    p, ratio = found.p, figures.scale == "log"
    fits = f"{note}the interval implies p = {_p(implied.p)}, as printed"
    if implied.fits(p):
        return Judgement(CONSISTENT, fits, implied.p)
    holds, (least, most) = figures.holds_none(), p.range()
    opposed = (holds is True and most < 1 - figures.level - 1e-9) or (
        holds is False and least > 1 - figures.level + 1e-9
    )
    one_sided = p.relation == "=" and least <= implied.p / 2 <= most
    if not opposed and not one_sided:
        if not ratio and p.relation == "=" and (found.beside.n is None or found.beside.n < 200):
            small = figures.p_of_t()
            if (
                small is not None
                and min(small.lowest, implied.lowest) <= most
                and max(small.highest, implied.highest) >= least
            ):
                why = f"{note}the interval implies p = {_p(implied.p)}; {p} fits a t distribution with few degrees of freedom"  # noqa: E501
                return Judgement(CONSISTENT, why, implied.p)
        if apart(z, p) <= _other_test(implied.p, p) and not of_heterogeneity(p, found.beside):
            why = (
                f"{note}the interval implies p = {_p(implied.p)}; {p} is as near as another test of the same data comes"
            )
            return Judgement(CONSISTENT, why, implied.p)
    slip = slip_of_p(figures, p, found.beside, ratio)
    if not strict and not opposed and not slip:
        return Judgement(NOT_CHECKABLE, f"{note}what the p value ({p}) tests is not said", implied.p)
    side = ""
    if opposed:
        side = f"; the interval {'holds' if holds else 'excludes'} no effect ({figures.null:g})"
    span = f" ({_p(implied.lowest)} to {_p(implied.highest)} by rounding)"
    why = f"{note}the interval implies p = {_p(implied.p)}{span}, {_times(p, implied.p)}{side}"
    return Judgement(INCONSISTENT, why + (f"; likely: {slip}" if slip else ""), implied.p, slip)


def _other_test(implied: float, p: PrintedP) -> float:
    """How far another test of the same data may lie off, as a normal deviate.

    Far from the level at which anything is decided, tests differ more: where both p values are above 0.1, and by a
    share of the deviate where both are small.
    """
    if p.relation == "=" and implied > 0.1 and p.figure.value > 0.1:
        return 2 * OTHER_TEST
    return max(OTHER_TEST, 0.06 * norm_ppf(1 - max(implied, 1e-15) / 2))


def _times(p: PrintedP, recomputed: float) -> str:
    value = p.figure.value
    if p.relation != "=" or value <= 0 or recomputed <= 0:
        return f"not {p}"
    ratio = max(value, recomputed) / min(value, recomputed)
    by = f"{ratio:.2g} times" if ratio < 1000 else "more than 1000 times"
    return f"not {p}: {by} {'larger' if value > recomputed else 'smaller'}"


def _impossible(found: FoundEstimate, figures: Figures) -> Judgement:
    linear = figures.on("linear")
    if figures.scale == "atanh":
        return Judgement(INCONSISTENT, "a correlation lies between -1 and 1")
    slip = slip_of_interval(figures, True)
    even = linear.contains() and linear.shift() < UNEVEN
    why = "a ratio is positive, and a figure here is not"
    if even:
        slip = "log and natural scale are mixed: these are logarithms, or a difference"
    return Judgement(INCONSISTENT, why + (f"; likely: {slip}" if slip else ""), None, slip)


def _outside(figures: Figures, ratio: bool, note: str) -> Judgement:
    below = figures.estimate.value < figures.low.value
    limit = figures.low.value if below else figures.high.value
    by = abs(figures.estimate.value - limit)
    slip = slip_of_interval(figures, ratio)
    why = f"{note}the interval does not hold the estimate, which lies {_short(by)} {'below' if below else 'above'} it"
    return Judgement(INCONSISTENT, why + (f"; likely: {slip}" if slip else ""), None, slip)


def _without_interval(found: FoundEstimate) -> Judgement:
    scale = SCALES.get(found.measure or "")
    if found.measure == "mean" and found.error is not None and found.estimate is not None:
        reach = 1.959963984540054 * found.error.value
        ends = f"{_short(found.estimate.value - reach)} to {_short(found.estimate.value + reach)}"
        return Judgement(
            NOT_CHECKABLE, f"a mean with its standard error, which implies {ends}; nothing is printed to compare with"
        )
    if found.estimate is None or scale is None:
        return Judgement(NOT_CHECKABLE, "neither an interval nor a standard error is printed with it")
    if found.error is not None:
        return _with_error(found, scale)
    if found.p is None:
        return Judgement(NOT_CHECKABLE, "neither an interval nor a p value is printed with it")
    if scale[0] == "log" and found.estimate.value <= 0:
        return Judgement(INCONSISTENT, "a ratio is positive", None)
    if scale[0] == "atanh" and found.beside.n and found.beside.n > 3:
        return _correlation(found, found.estimate, found.p, found.beside.n)
    interval = interval_from_p(*scale, found.estimate.value, found.p)
    if interval is None:
        return Judgement(NOT_CHECKABLE, "no interval is printed with it")
    return Judgement(
        NOT_CHECKABLE, f"no interval is printed; {found.p} implies {_short(interval[0])} to {_short(interval[1])}"
    )


def _correlation(found: FoundEstimate, r: Printed, p: PrintedP, n: float) -> Judgement:
    """A correlation, its p value and n: t = r sqrt((n - 2) / (1 - r²)) on n - 2 degrees of freedom."""
    if abs(r.value) >= 1:
        return Judgement(INCONSISTENT if abs(r.value) > 1 else NOT_CHECKABLE, "a correlation lies between -1 and 1")

    def p_of(x: float) -> float:
        x = min(max(abs(x), 0.0), 0.999999)
        return 2 * t_sf(x * math.sqrt((n - 2) / (1 - x * x)), n - 2)

    size = abs(r.value)
    implied = Implied(p_of(size), p_of(size + r.half), p_of(max(0.0, size - r.half)))
    said = f"r = {r.value:g} in {n:g} people implies p = {_p(implied.p)}"
    if implied.fits(p):
        return Judgement(CONSISTENT, f"{said}, as printed", implied.p)
    low, high = p.range()
    # rank correlations and people left out of one variable move p a little
    if low / 3 <= implied.p <= 3 * high and (implied.p < 0.05) == (p.figure.value <= 0.05):
        return Judgement(NOT_CHECKABLE, f"{said}; another kind of correlation may explain {p}", implied.p)
    return Judgement(INCONSISTENT, f"{said}, {_times(p, implied.p)}", implied.p)


def _with_error(found: FoundEstimate, scale: tuple[str, float]) -> Judgement:
    assert found.estimate is not None and found.error is not None
    if scale[0] == "log":
        return Judgement(NOT_CHECKABLE, "on which scale the standard error is, is not said")
    y, error = found.estimate, found.error
    nearest = max(0.0, abs(y.value) - y.half)
    z = (abs(y.value) / error.value, nearest / error.high, (abs(y.value) + y.half) / max(error.low, 1e-12))
    implied = from_z(*z)
    if found.p is None:
        if found.error_is_deviation is not False:
            return Judgement(NOT_CHECKABLE, "no p value is printed to compare with")
        reach = 1.959963984540054 * error.value
        ends = f"{_short(y.value - reach)} to {_short(y.value + reach)}"
        why = f"no p value is printed to compare with; the standard error implies {ends} and p = {_p(implied.p)}"
        return Judgement(NOT_CHECKABLE, why, implied.p)
    if implied.fits(found.p) or apart(z, found.p) <= OTHER_TEST:
        return Judgement(CONSISTENT, f"the standard error implies p = {_p(implied.p)}, as printed", implied.p)
    if found.error_is_deviation is not False:
        return Judgement(
            NOT_CHECKABLE,
            "the spread behind it is a standard deviation, or is not named",
            None,
        )
    slip = ""
    if found.beside.n and found.beside.n > 3:
        root = math.sqrt(found.beside.n)
        if any(from_z(z[0] * r, z[1] * r, z[2] * r).fits(found.p) for r in (root, root / 2, root / math.sqrt(2))):
            slip = "a standard deviation is printed as standard error"
    half = from_z(*z)
    low, high = found.p.range()
    if not slip and half.lowest <= 2 * high and half.highest >= 2 * low:
        slip = "a one-sided p value, half the two-sided one"
    why = f"the standard error implies p = {_p(implied.p)}, {_times(found.p, implied.p)}"
    return Judgement(INCONSISTENT, why + (f"; likely: {slip}" if slip else ""), implied.p, slip)


def _p(p: float) -> str:
    if p < 1e-6:
        return "<0.000001"
    if p < 0.001:
        return f"{p:.2g}" if p >= 1e-4 else f"{p:.1e}"
    return f"{p:.4f}" if p < 0.9995 else "1.0000"


def _short(x: float) -> str:
    if x != x:
        return "?"
    return plain(x, 3) if abs(x) >= 0.01 else f"{x:.2g}"
