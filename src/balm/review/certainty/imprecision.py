"""Imprecision: the interval against the target's threshold; the information size for large effects (Core GRADE 2)."""

from __future__ import annotations

import math
from dataclasses import replace

from balm.review.certainty.body import ODDS, Body, Proposal
from balm.review.certainty.information_size import events_for_hazards, size_for_difference, size_for_risks
from balm.review.certainty.target import IMPORTANT, Target
from balm.review.certainty.words import serious
from balm.vocabulary.numbers import figures

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
#: What only a person can say about a difference that has no threshold but no effect.
NO_DIFFERENCE = (
    "No minimal important difference is stated on this scale: would either end of the interval matter to people? Where "
    "both would, it is very serious."
)
TWO_STUDIES = (
    "With two studies the interval is wide because it has one degree of freedom; look at the two studies, and decide "
    "by which interval."
)
#: Said where inconsistency and imprecision are both lowered and the studies vary beyond chance.
TWICE = "The results vary, which widens the interval too: do not lower twice for one reason."
NO_SIZE = "Would one trial with enough power need more people or events than these?"
#: Width of the interval of a single-arm proportion, per 1000, that leaves open what to expect. balm's own cut-off.
WIDE_SHARE = 200


def imprecision(body: Body, target: Target) -> Proposal:
    """Propose a rating: one level when the interval crosses the threshold, more when it holds important effects.

    Two levels: important effects both ways. Three: both ends at least three times the important difference. Where no
    threshold is crossed and the effect is implausibly large, one level if the participants (the events, of a hazard
    ratio) are fewer than the optimal information size, two if the interval of the ratio is also very wide (3 times for
    a risk ratio, 2.5 for an odds ratio). The size guards against chance in small trials; a large ratio of studies
    without randomisation is what may raise certainty, and is lowered only for a very wide interval (balm's reading).
    """
    if not body.controlled:
        return _by_width(body)
    numbers = [f"{body.named}: {body.said(body.estimate)} ({body.between(body.low, body.high)})",
               f"target: {target.words}"]  # fmt: skip
    levels, rule, ask = _by_interval(body, target)
    asked = [ask] if ask else []
    if not rule:
        levels, rule, more, ask = _information_size(body)
        numbers += more
        asked += [ask] if ask else []
    elif body.wald is not None:
        numbers.append(f"two studies, one degree of freedom; Wald's interval is {body.between(*body.wald)}")
        asked.append(TWO_STUDIES)
        low, high = body.wald
        least = _by_interval(replace(body, low=low, high=high), target)[0] - 1
        if levels < least:
            levels, rule = least, f"{rule}; one level more than Wald's interval gives, as there are two studies"
    numbers.append(body.people)
    return Proposal("imprecision", serious(levels), rule, tuple(numbers), SOURCE, " ".join(asked))


def _by_interval(body: Body, target: Target) -> tuple[int, str, str]:
    """Levels, rule and what is left to a person by the interval alone; no rule where it crosses no threshold."""
    both, extreme = _both_ways(body)
    crossed = target.crossed(body.low, body.high)
    if extreme and body.important is not None:
        return -3, f"the interval reaches {EXTREME:g} times an important effect in both directions", ""
    if extreme:
        return -3, f"the interval of the ratio reaches from below 1/{EXTREME:g} to above {EXTREME:g}", ""
    if both:
        return -2, "the interval holds important effects in both directions", ""
    if not crossed:
        return 0, "", ""
    rule = f"the interval crosses {_threshold(body, crossed)}"
    if target.kind == IMPORTANT and body.low < 0 < body.high:
        rule += " and no effect"
    return -1, rule, NO_DIFFERENCE if body.important is None and body.ratio is None else ""


def _threshold(body: Body, crossed: tuple[float, ...]) -> str:
    """The thresholds crossed, in words."""
    if crossed == (0.0,):
        return "no effect"
    return f"the threshold ({', '.join(body.said(t) for t in crossed)})"


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
        body.people,
    )
    return Proposal("imprecision", serious(levels), rule, numbers, "balm's own cut-off; GRADE states none")


def _both_ways(body: Body) -> tuple[bool, bool]:
    """Whether the interval holds important effects both ways, and far beyond."""
    if body.important is not None:
        mid = body.important
        return body.low <= -mid and body.high >= mid, body.low <= -EXTREME * mid and body.high >= EXTREME * mid
    if body.ratio is None or body.risk_ratio is None:
        return False, False
    _, low, high = body.risk_ratio
    far = body.ratio[1] <= 1 / EXTREME and body.ratio[2] >= EXTREME
    return low <= 1 - APPRECIABLE and high >= 1 + APPRECIABLE, far


def _information_size(body: Body) -> tuple[int, str, list[str], str]:
    """Levels, rule, numbers and what is left to a person where the interval crosses no threshold."""
    clear = "the interval does not cross the threshold"
    width = limit = 0.0
    unit = "participants"
    have = body.participants
    if body.ratio is not None and body.risk_ratio is not None:
        ratio, _, high = body.ratio
        relative = body.risk_ratio[0]
        told = f"{body.ratio_kind} {figures(ratio)}"
        if relative != ratio:
            told += f", a risk ratio of {figures(relative)} at the baseline risk"
        if LARGE_LOW <= relative <= LARGE_HIGH:
            return 0, f"{clear} and the relative effect is modest", [told], ""
        width = high / body.ratio[1] if body.ratio[1] > 0 else float("inf")
        limit = WIDE.get("OR" if body.ratio_kind in ODDS else body.ratio_kind, WIDE["RR"])
        more = [f"{told}, beyond a relative effect of 30%; upper over lower end {figures(width)}"]
        if not body.randomised:
            if width > limit:
                return -1, "the interval of a large effect is very wide", more, ""
            return 0, f"{clear} and is not very wide; the information size is asked of randomised trials", more, ""
        if body.events is not None:
            needed, have, unit = events_for_hazards(), body.events, "events"
            more.append(f"optimal information size {needed:.0f} events (hazard ratio {1 - APPRECIABLE:g}); the "
                        f"intervals imply about {have:.0f}")  # fmt: skip
        elif body.baseline:
            needed = size_for_risks(body.baseline)
            more.append(
                f"optimal information size {needed:.0f} (baseline risk {figures(body.baseline)}, reduction of 25%)"
            )
        elif width > limit:
            return -2, "the effect is implausibly large and the interval very wide for a ratio", more, NO_SIZE
        else:
            return 0, f"{clear}; the effect is implausibly large, and the information size is not known", more, NO_SIZE
    elif body.unit == "per 1000" and body.baseline:
        ratio = 1 + body.estimate / (1000 * body.baseline)
        if LARGE_LOW <= ratio <= LARGE_HIGH:
            return 0, f"{clear} and the relative effect is modest", [f"risk in the ratio {figures(ratio)}"], ""
        needed = size_for_risks(body.baseline)
        more = [f"risk in the ratio {figures(ratio)}; optimal information size {needed:.0f} (reduction of 25%)"]
    elif body.sd:
        standardised = abs(body.estimate) / body.sd
        told = f"{standardised:.2g} standard deviation{'' if f'{standardised:.2g}' == '1' else 's'}"
        if standardised < LARGE_SD:
            return 0, f"{clear} and the effect is not implausibly large", [told], ""
        needed = size_for_difference(body.sd, body.important or SMALL_SD * body.sd)
        more = [f"{told}; optimal information size {needed:.0f}"]
    else:
        return 0, clear, [], ""
    if have >= needed:
        return 0, f"{clear} and the optimal information size is met", more, ""
    if math.isnan(have):
        return 0, f"{clear}; the effect is implausibly large, and the number of {unit} is not known", more, NO_SIZE
    if width > limit > 0:
        return (
            -2,
            "the effect is implausibly large, the information size is not met and the interval is very wide",
            more,
            "",
        )
    return -1, "the effect is implausibly large and the optimal information size is not met", more, ""
