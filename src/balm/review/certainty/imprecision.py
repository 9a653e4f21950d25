"""Imprecision: the interval against the target's threshold; the information size for large effects (Core GRADE 2)."""

from __future__ import annotations

from balm.review.certainty.body import Body, Proposal
from balm.review.certainty.information_size import size_for_difference, size_for_risks
from balm.review.certainty.target import IMPORTANT, Target
from balm.review.certainty.words import serious

SOURCE = "Core GRADE 2 (BMJ 2025;389:e081904); width of ratios: GRADE guidance 34 (J Clin Epidemiol 2022;150:216-224)"
#: A relative effect beyond 30 % is the cue that it may be implausibly large (Core GRADE 2).
LARGE_LOW, LARGE_HIGH = 0.7, 1 / 0.7
#: The cue for means, in standard deviations (Cohen's "large").
LARGE_SD = 0.8
#: Upper over lower end of the interval from which the information size is far from met (GRADE guidance 34).
WIDE = {"RR": 3.0, "OR": 2.5}
#: Without a stated difference, an important relative effect either way (Guyatt et al. 2011, GRADE guidelines 6).
APPRECIABLE = 0.25
#: Both ends so many times beyond the important difference: nothing is excluded. balm's own cut-off.
EXTREME = 3.0
#: A standardised difference that would be small, to size a trial where no important difference is stated.
SMALL_SD = 0.2
#: Width of the interval of a single-arm proportion, per 1000, that leaves open what to expect. balm's own cut-off.
WIDE_SHARE = 200


def imprecision(body: Body, target: Target) -> Proposal:
    """Propose a rating: one level when the interval crosses the threshold, more when it holds important effects.

    Two levels: important effects both ways. Three: both ends at least three times the important difference. Where no
    threshold is crossed and the effect is implausibly large, one level if the participants are fewer than the optimal
    information size, two if the interval of the ratio is also very wide (3 times for a risk ratio, 2.5 for an odds
    ratio).
    """
    if not body.controlled:
        return _by_width(body)
    numbers = [f"{body.rated_on}: {body.estimate:.3g} ({body.low:.3g} to {body.high:.3g})", f"target: {target.words}"]
    both, extreme = _both_ways(body)
    crossed = target.crossed(body.low, body.high)
    if extreme:
        levels, rule = -3, f"the interval reaches {EXTREME:g} times an important effect in both directions"
    elif both:
        levels, rule = -2, "the interval holds important effects in both directions"
    elif crossed:
        levels = -1
        rule = f"the interval crosses the threshold ({', '.join(f'{t:g}' for t in crossed)})"
        if target.kind == IMPORTANT and body.low < 0 < body.high:
            rule += " and no effect"
    else:
        levels, rule, more = _information_size(body)
        numbers += more
    numbers.append(f"{body.participants:.0f} participants")
    return Proposal("imprecision", serious(levels), rule, tuple(numbers), SOURCE)


def _by_width(body: Body) -> Proposal:
    """A proportion in one group has no threshold of no effect: the width of its interval is what can be seen."""
    width = body.high - body.low
    levels = -2 if width >= 2 * WIDE_SHARE else -1 if width >= WIDE_SHARE else 0
    rule = (
        f"single-arm evidence, by the width of the interval: one level from {WIDE_SHARE} per 1000, two from twice that"
    )
    numbers = (
        f"{body.rated_on}: {body.estimate:.0f} ({body.low:.0f} to {body.high:.0f})",
        f"width {width:.0f}",
        f"{body.participants:.0f} participants",
    )
    return Proposal("imprecision", serious(levels), rule, numbers, "balm's own cut-off; GRADE states none")


def _both_ways(body: Body) -> tuple[bool, bool]:
    """Whether the interval holds important effects both ways, and far beyond."""
    if body.important is not None:
        mid = body.important
        return body.low <= -mid and body.high >= mid, body.low <= -EXTREME * mid and body.high >= EXTREME * mid
    if body.ratio is None:
        return False, False
    _, low, high = body.ratio
    far = 1 / EXTREME
    return low <= 1 - APPRECIABLE and high >= 1 + APPRECIABLE, low <= far and high >= EXTREME


def _information_size(body: Body) -> tuple[int, str, list[str]]:
    """Levels, rule and numbers where the interval crosses no threshold."""
    clear = "the interval does not cross the threshold"
    if body.ratio is not None:
        ratio, low, high = body.ratio
        if LARGE_LOW <= ratio <= LARGE_HIGH:
            return 0, f"{clear} and the relative effect is modest", [f"{body.ratio_kind} {ratio:.3g}"]
        width = high / low if low > 0 else float("inf")
        limit = WIDE.get(body.ratio_kind, WIDE["RR"])
        more = [f"{body.ratio_kind} {ratio:.3g}, beyond a relative effect of 30 %; upper over lower end {width:.3g}"]
        if not body.baseline:
            needed = float("inf")
        else:
            needed = size_for_risks(body.baseline)
            more.append(f"optimal information size {needed:.0f} (baseline risk {body.baseline:.3g}, reduction of 25 %)")
    elif body.unit == "per 1000" and body.baseline:
        ratio = 1 + body.estimate / (1000 * body.baseline)
        if LARGE_LOW <= ratio <= LARGE_HIGH:
            return 0, f"{clear} and the relative effect is modest", [f"risk in the ratio {ratio:.3g}"]
        needed, width, limit = size_for_risks(body.baseline), 0.0, 0.0
        more = [f"risk in the ratio {ratio:.3g}; optimal information size {needed:.0f} (reduction of 25 %)"]
    elif body.sd:
        standardised = abs(body.estimate) / body.sd
        if standardised < LARGE_SD:
            return 0, f"{clear} and the effect is not implausibly large", [f"{standardised:.2g} standard deviations"]
        needed = size_for_difference(body.sd, body.important or SMALL_SD * body.sd)
        width = limit = 0.0
        more = [f"{standardised:.2g} standard deviations; optimal information size {needed:.0f}"]
    else:
        return 0, clear, []
    if body.participants >= needed:
        return 0, f"{clear} and the optimal information size is met", more
    if width > limit:
        return (
            -2,
            "the effect is implausibly large, the information size is not met and the interval is very wide",
            more,
        )
    return -1, "the effect is implausibly large and the optimal information size is not met", more
