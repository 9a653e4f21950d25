"""Why an estimate, its interval and its p value may not fit: each likely slip is tried, and named if it fits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from balm.review.claims_in_text.arithmetic import Figures, PrintedP, apart, from_z
from balm.review.claims_in_text.tokens import Printed
from balm.stats.distributions import chi2_sf, norm_ppf

#: Half widths: an estimate no further than this from the middle of its interval lies evenly in it.
EVEN = 0.12


@dataclass(frozen=True, slots=True)
class Beside:
    """What else the sentence prints that may explain a slip: people, studies, I² in per cent, heterogeneity."""

    n: float | None = None
    k: float | None = None
    i2: Printed | None = None
    q: float | None = None
    heterogeneity: bool = False


def slip_of_p(figures: Figures, p: PrintedP, beside: Beside, ratio: bool) -> str:
    """The likely slip behind a p value that does not follow from the interval; "" when none explains it."""
    return next(_slips_of_p(figures, p, beside, ratio), "")


def _slips_of_p(figures: Figures, p: PrintedP, beside: Beside, ratio: bool) -> Iterator[str]:
    implied, z = figures.p(), figures.z()
    if implied is None or z is None:
        return
    if of_heterogeneity(p, beside):
        yield "the p value is that of heterogeneity, not of the effect"
    low, high = p.range()
    if p.relation == "=" and implied.highest < p.figure.value and p.figure.value in (0.05, 0.01, 0.001, 0.0001):
        yield f"= printed for <: p < {p.figure.value:g} would fit"
    if p.relation == "=" and implied.lowest <= 2 * high and implied.highest >= 2 * low and high <= 0.5:
        yield "a one-sided p value, half the two-sided one"
    for level, name in ((0.90, "90%"), (0.99, "99%"), (0.95, "95%")):
        if level != figures.level:
            at_level = replace(figures, level=level).p()
            if at_level is not None and at_level.fits(p) and p.relation == "=":
                yield f"the interval is a {name} interval"
    one = norm_ppf(0.5 + figures.level / 2)
    if p.relation == "=" and _fits(z, 1 / one, p):
        yield "the limits are one standard error either side of the estimate, no confidence interval"
    if beside.n and beside.n > 3 and p.relation == "=":
        for root in (math.sqrt(beside.n), math.sqrt(beside.n / 2), math.sqrt(beside.n) / 2):
            if _fits(z, root, p):
                yield "a standard deviation was read as a standard error: the interval is too wide for the p value"
            if _fits(z, 1 / root, p):
                yield "a standard error was read as a standard deviation: the interval is too narrow for the p value"
    if ratio:
        other = figures.on("linear")
        natural = Figures("linear", 1.0, figures.estimate, figures.low, figures.high, figures.level).p()
        if natural is not None and natural.fits(p):
            yield "computed on the natural scale; a ratio is tested on the log scale"
        log_as_natural = other.p()
        if log_as_natural is not None and log_as_natural.fits(p):
            yield "computed as a difference from 0; no effect of a ratio is 1, tested on the log scale"
    for times, name in ((0.1, "one place too many"), (10.0, "a place lost")):
        moved = PrintedP(p.relation, Printed(p.figure.value * times, p.figure.half * times))
        if p.relation == "=" and moved.range()[1] <= 1 and implied.fits(moved):
            yield f"the decimal point of the p value is misplaced ({name})"
    for name, changed in _with_other_sign(figures):
        p_changed = changed.p()
        if changed.contains() and changed.shift() < EVEN and p_changed is not None and p_changed.fits(p):
            yield f"a minus sign is lost or added in the {name}"
    if p.relation == "=" and apart(z, p) < 0.25:
        yield "rounding of figures that went into it"
    if beside.heterogeneity:
        yield "perhaps the p value of heterogeneity, which is reported beside it"


def _fits(z: tuple[float, float, float], times: float, p: PrintedP) -> bool:
    return from_z(z[0] * times, z[1] * times, z[2] * times).fits(p)


def of_heterogeneity(p: PrintedP, beside: Beside) -> bool:
    """Whether I² (or Q) and the number of studies give just this p value."""
    if not beside.k or beside.k < 2:
        return False
    df = beside.k - 1
    if beside.q is not None:
        ends = [beside.q]
    elif beside.i2 is not None and 0 < beside.i2.value < 100:
        ends = [df / (1 - min(max(x, 0.0), 99.9) / 100) for x in (beside.i2.low, beside.i2.high)]
    else:
        return False
    low, high = p.range()
    found = [chi2_sf(q, df) for q in ends]
    return min(found) <= high and max(found) >= low


def slip_of_interval(figures: Figures, ratio: bool) -> str:
    """The likely slip behind an interval that does not hold its estimate, or does not lie evenly about it."""
    return next(_slips_of_interval(figures, ratio), "")


def _slips_of_interval(figures: Figures, ratio: bool) -> Iterator[str]:
    for name, changed in _with_other_sign(figures):
        if changed.low.value < changed.high.value and changed.contains() and changed.shift() < EVEN:
            yield f"a minus sign is lost or added in the {name}"
    if ratio:
        for name, way in (("the estimate is a logarithm", math.exp), ("the limits are logarithms", _log)):
            value = way(figures.estimate.value) if figures.estimate.value < 100 else math.inf
            if not math.isfinite(value):
                continue
            changed = replace(figures, estimate=Printed(value, figures.estimate.half * max(1.0, value)))
            on = changed if way is math.exp else changed.on("linear")
            if on.possible() and on.contains() and on.shift() < EVEN:
                yield f"{name}; log and natural scale are mixed"
        other = figures.on("linear")
        if other.contains() and other.shift() < EVEN:
            yield "even on the natural scale; the interval of a ratio is even on the log scale"
    elif (
        figures.scale == "linear" and figures.low.value > 0 and figures.on("log").shift() < EVEN and figures.contains()
    ):
        yield "even on the log scale, as the interval of a ratio is"
    for times in (0.1, 10.0, 0.01, 100.0):
        for name in ("estimate", "low", "high"):
            was: Printed = getattr(figures, name)
            changed = _with(figures, name, Printed(was.value * times, was.half * times))
            if changed.low.value < changed.high.value and changed.contains() and changed.shift() < EVEN:
                yield f"the decimal point of the {_NAMES[name]} is misplaced"
    for name in ("estimate", "low", "high"):
        for typed in _typed(getattr(figures, name)):
            changed = _with(figures, name, typed)
            if changed.low.value < changed.high.value and changed.contains() and changed.shift() < EVEN / 2:
                yield f"digits of the {_NAMES[name]} are swapped ({typed.value:g} would fit)"


_NAMES = {"estimate": "estimate", "low": "lower limit", "high": "upper limit"}


def _with(figures: Figures, name: str, value: Printed) -> Figures:
    """The figures with one of them changed."""
    given = {"estimate": figures.estimate, "low": figures.low, "high": figures.high} | {name: value}
    return Figures(figures.scale, figures.null, given["estimate"], given["low"], given["high"], figures.level)


def _log(x: float) -> float:
    return math.log(x) if x > 0 else math.nan


def _with_other_sign(figures: Figures) -> Iterator[tuple[str, Figures]]:
    if figures.scale == "log":
        return
    for name, words in _NAMES.items():
        changed = _with(figures, name, getattr(figures, name).negative())
        if changed.low.value > changed.high.value:
            changed = replace(changed, low=changed.high, high=changed.low)
        yield words, changed


def _typed(figure: Printed) -> Iterator[Printed]:
    """The number with two neighbouring digits swapped."""
    decimals = max(0, round(-math.log10(2 * figure.half))) if figure.half else 0
    text = f"{abs(figure.value):.{decimals}f}"
    sign = -1 if figure.value < 0 else 1
    digits = [i for i, c in enumerate(text) if c.isdigit()]
    for i, j in pairwise(digits):
        if text[i] != text[j]:
            swapped = list(text)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            yield Printed(sign * float("".join(swapped)), figure.half)
