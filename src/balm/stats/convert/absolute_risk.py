"""From a relative effect and a baseline risk to absolute risk, risk difference and number needed to treat."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from balm.stats.convert import checks
from balm.stats.convert.converted import Found, Number, conversion, found
from balm.stats.convert.sources import ALTMAN, handbook
from balm.vocabulary.problems import refuse

TOPIC = "Absolute risk"
SAME_EFFECT = "the effect holds at this baseline risk; the baseline risk carries no uncertainty here"


def _nnt(difference: float) -> float:
    return 1 / abs(difference) if difference else math.inf


def _absolute(
    estimate: float,
    low: Any,
    high: Any,
    base: float,
    risk_of: Callable[[float], float],
    check: Callable[[str, Any], float],
) -> Found:
    risk = risk_of(estimate)
    if not 0 <= risk <= 1:
        refuse(
            f"the effect {estimate:g} at baseline_risk {base:g} gives a risk of {risk:g}: "
            "use an odds ratio, or a lower baseline risk"
        )
    rd = risk - base
    values = {"risk": risk, "risk_difference": rd, "per_1000": 1000 * rd, "nnt": _nnt(rd)}
    cautions = []
    if low is not None or high is not None:
        a, b = checks.interval(check("low", low), check("high", high))
        checks.inside("the effect", estimate, a, b)
        for end, x in (("low", a), ("high", b)):
            r = risk_of(x)
            if not 0 <= r <= 1:
                beyond, limit = ("above", 1) if r > 1 else ("below", 0)
                cautions.append(f"the {end} end gives a risk {beyond} {limit}; it was set to {limit}")
                r = min(1.0, max(0.0, r))
            d = r - base
            values |= {
                f"risk_{end}": r,
                f"risk_difference_{end}": d,
                f"per_1000_{end}": 1000 * d,
                f"nnt_{end}": _nnt(d),
            }
        if values["risk_difference_low"] < 0 < values["risk_difference_high"]:
            cautions.append(
                f"the interval holds no effect: the NNT runs from {values['nnt_low']:.3g} (one event fewer) "
                f"through infinity to "
                f"{values['nnt_high']:.3g} (one event more)"
            )
    return found(values, assumes=[SAME_EFFECT], cautions=cautions)


RESULT = "RD = risk − baseline; NNT = 1/|RD|"


@conversion(topic=TOPIC, formula="risk = RR × baseline; " + RESULT, source=handbook("15.4.4"))
def absolute_risk_from_risk_ratio(
    *, risk_ratio: Number, baseline_risk: Number, low: Number = None, high: Number = None
) -> Found:
    """Risk, risk difference, events per 1000 and number needed to treat from a risk ratio and a baseline risk.

    ``low``, ``high``: the interval of the ratio; each result then has ``_low`` and ``_high`` too, at those ends.
    ``nnt`` has no sign (the risk difference has it) and is infinite at no effect; round it up when you print it.

    >>> found = absolute_risk_from_risk_ratio(risk_ratio=0.92, baseline_risk=0.3)
    >>> round(found.per_1000, 1), round(found.nnt, 1)
    (-24.0, 41.7)
    """
    base = checks.share("baseline_risk", baseline_risk)
    ratio = checks.positive("risk_ratio", risk_ratio, "give the risk ratio, not its log")
    return _absolute(ratio, low, high, base, lambda x: x * base, checks.positive)


@conversion(
    topic=TOPIC, formula="risk = OR·baseline/(1 − baseline + OR·baseline); " + RESULT, source=handbook("15.4.4")
)
def absolute_risk_from_odds_ratio(
    *, odds_ratio: Number, baseline_risk: Number, low: Number = None, high: Number = None
) -> Found:
    """Risk, risk difference, events per 1000 and number needed to treat from an odds ratio and a baseline risk.

    >>> found = absolute_risk_from_odds_ratio(odds_ratio=0.73, baseline_risk=0.3)
    >>> round(found.per_1000, 1), round(found.nnt, 1)
    (-61.7, 16.2)
    """
    base = checks.share("baseline_risk", baseline_risk)
    ratio = checks.positive("odds_ratio", odds_ratio, "give the odds ratio, not its log")
    return _absolute(ratio, low, high, base, lambda x: x * base / (1 - base + x * base), checks.positive)


@conversion(topic=TOPIC, formula="risk = 1 − (1 − baseline)^HR; " + RESULT, source=ALTMAN)
def absolute_risk_from_hazard_ratio(
    *, hazard_ratio: Number, baseline_risk: Number, low: Number = None, high: Number = None
) -> Found:
    """Risk, risk difference, events per 1000 and number needed to treat from a hazard ratio and a baseline risk.

    The baseline risk is that of an event up to one point in time, and the results are for that time; hazards are taken
    to be proportional until then.

    >>> found = absolute_risk_from_hazard_ratio(hazard_ratio=0.72, baseline_risk=0.33)
    >>> round(found.per_1000, 1), round(found.nnt, 1)
    (-79.5, 12.6)
    """
    base = checks.share("baseline_risk", baseline_risk)
    ratio = checks.positive("hazard_ratio", hazard_ratio, "give the hazard ratio, not its log")
    return _absolute(ratio, low, high, base, lambda x: 1 - (1 - base) ** x, checks.positive)


@conversion(topic=TOPIC, formula="risk = baseline + RD; " + RESULT, source=handbook("15.4.4"))
def absolute_risk_from_risk_difference(
    *, risk_difference: Number, baseline_risk: Number, low: Number = None, high: Number = None
) -> Found:
    """Risk, events per 1000 and number needed to treat from a risk difference and a baseline risk.

    >>> round(absolute_risk_from_risk_difference(risk_difference=-0.11, baseline_risk=0.4).nnt, 2)
    9.09
    """
    base, rd = checks.share("baseline_risk", baseline_risk), checks.number("risk_difference", risk_difference)
    return _absolute(rd, low, high, base, lambda x: base + x, checks.number)


def _ratio_from_odds(odds_ratio: float, base: float) -> float:
    return odds_ratio / (1 - base + odds_ratio * base)


@conversion(topic=TOPIC, formula="RR = OR/(1 − baseline·(1 − OR))", source=handbook("15.4.4.4"))
def risk_ratio_from_odds_ratio(
    *, odds_ratio: Number, baseline_risk: Number, low: Number = None, high: Number = None
) -> Found:
    """Risk ratio from an odds ratio at a baseline risk, with the ends of its interval when given.

    >>> round(risk_ratio_from_odds_ratio(odds_ratio=0.5, baseline_risk=0.4).risk_ratio, 3)
    0.625
    """
    base = checks.share("baseline_risk", baseline_risk)
    ratio = checks.positive("odds_ratio", odds_ratio, "give the odds ratio, not its log")
    values = {"risk_ratio": _ratio_from_odds(ratio, base)}
    if low is not None or high is not None:
        a, b = checks.interval(checks.positive("low", low), checks.positive("high", high))
        checks.inside("odds_ratio", ratio, a, b)
        values |= {"low": _ratio_from_odds(a, base), "high": _ratio_from_odds(b, base)}
    return found(values, assumes=[SAME_EFFECT])


@conversion(topic=TOPIC, formula="OR = RR(1 − baseline)/(1 − RR·baseline)", source=handbook("6.4.1"))
def odds_ratio_from_risk_ratio(*, risk_ratio: Number, baseline_risk: Number) -> Found:
    """Odds ratio from a risk ratio at a baseline risk.

    >>> round(float(odds_ratio_from_risk_ratio(risk_ratio=0.625, baseline_risk=0.4)), 3)
    0.5
    """
    base = checks.open_share("baseline_risk", baseline_risk)
    ratio = checks.positive("risk_ratio", risk_ratio, "give the risk ratio, not its log")
    if ratio * base >= 1:
        refuse(f"risk_ratio {ratio:g} at baseline_risk {base:g} gives a risk of {ratio * base:g}; it must stay below 1")
    return found(odds_ratio=ratio * (1 - base) / (1 - ratio * base))
