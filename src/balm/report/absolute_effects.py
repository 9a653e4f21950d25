"""A relative effect, or a risk difference, as so many of 1000 people at a baseline risk, in words for a table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from balm.report.summary_of_findings_words import WHOLE, difference, per_thousand_digits, risk
from balm.review.synthesis import PER
from balm.stats import convert
from balm.stats.convert.converted import Found
from balm.vocabulary.problems import InputError

NOT_AT_THIS_RISK = "not estimable at this baseline risk"


@dataclass(frozen=True, slots=True)
class AbsoluteEffects:
    """Risk without and with the intervention and their difference, printed; ``rd`` is the difference with its interval
    (low, value, high) as proportions, ``None`` where there is none."""

    control: str
    risk: str
    difference: str
    rd: tuple[float, float, float] | None


def absolute_effects(measure: str, value: float, low: float, high: float, baseline: float) -> AbsoluteEffects:
    """Absolute effects of ``value`` (``low`` to ``high``), as displayed, where ``baseline`` have the event without it.

    A risk difference needs no baseline to be told: where it would leave no risk at this one, it stands alone. An end
    that is too small or too large for a number still is a ratio.

    >>> absolute_effects("OR", 0.5, 0.2, 0.9, 0.3).risk
    '176 per 1000 (79 to 278)'
    >>> absolute_effects("RD", -0.05, -0.09, -0.01, 0.02).difference
    '50 fewer per 1000 (90 fewer to 10 fewer)'
    >>> absolute_effects("RR", 0.63, 0.4, 0.99, 0.0007).control
    '0.70 per 1000'
    """
    control = f"{PER * baseline:.0f} per 1000"
    if measure != "RD":
        low, high = max(low, sys.float_info.min), min(high, sys.float_info.max)
    try:
        found = _RISKS.get(measure, _from_odds)(value, baseline, low, high)
    except InputError:
        if measure != "RD":
            return AbsoluteEffects(control, NOT_AT_THIS_RISK, "–", None)
        told = difference(PER * low, PER * value, PER * high)
        return AbsoluteEffects(control, NOT_AT_THIS_RISK, told, (low, value, high))
    v = {name: float(x) for name, x in found.values.items()}
    ends = (PER * v["risk_low"], PER * v["risk"], PER * v["risk_high"])
    if PER * baseline < WHOLE:
        control = f"{PER * baseline:.{per_thousand_digits(ends[0], ends[2])}f} per 1000"
    return AbsoluteEffects(
        control,
        risk(*ends),
        difference(v["per_1000_low"], v["per_1000"], v["per_1000_high"]),
        (v["risk_difference_low"], v["risk_difference"], v["risk_difference_high"]),
    )


def _from_odds(ratio: float, baseline: float, low: float, high: float) -> Found:
    return convert.absolute_risk_from_odds_ratio(odds_ratio=ratio, baseline_risk=baseline, low=low, high=high)


#: From an effect to risks at a baseline; odds ratios, Peto's too, are the rest.
_RISKS: Mapping[str, Callable[[float, float, float, float], Found]] = {
    "RR": lambda x, baseline, low, high: convert.absolute_risk_from_risk_ratio(
        risk_ratio=x, baseline_risk=baseline, low=low, high=high
    ),
    "RD": lambda x, baseline, low, high: convert.absolute_risk_from_risk_difference(
        risk_difference=x, baseline_risk=baseline, low=low, high=high
    ),
    "HR": lambda x, baseline, low, high: convert.absolute_risk_from_hazard_ratio(
        hazard_ratio=x, baseline_risk=baseline, low=low, high=high
    ),
}
