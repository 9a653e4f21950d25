"""One outcome on another scale: 0-100 mm to 0-10, direction turned round, an area under the curve to a mean."""

from __future__ import annotations

import math
from typing import Any

from balm.stats.convert import checks
from balm.stats.convert.converted import Found, Number, conversion, found
from balm.stats.convert.sources import handbook
from balm.vocabulary.problems import refuse

TOPIC = "Scales"


def _ends(name: str, scale: Any) -> tuple[float, float]:
    if not isinstance(scale, list) or len(scale) != 2:
        refuse(f"{name} must be a pair (lowest score, highest score); got {scale!r}")
    low, high = checks.number(f"{name}[0]", scale[0]), checks.number(f"{name}[1]", scale[1])
    if low >= high:
        refuse(f"{name} must run from lower to higher; got {scale!r}: write it so, and say flip=True to turn it round")
    return low, high


def _on_scale(name: str, value: Any, low: float, high: float) -> float:
    x = checks.number(name, value)
    if not low <= x <= high:
        refuse(
            f"{name} must lie on the scale {low:g} to {high:g}; got {value!r}: check from_scale, or "
            "give a change as difference"
        )
    return x


@conversion(
    topic=TOPIC,
    formula="mean' = to_low + k(mean − from_low), or to_high − k(mean − from_low) when flipped; SD' = k·SD; "
    "SE' = k·SE; difference' = ±k·difference; k = (to_high − to_low)/(from_high − from_low)",
    source=handbook("6.5.1.2") + "; the rules for mean and SD of a linear function",
    sequences=("from_scale", "to_scale"),
)
def rescale(
    *,
    from_scale: Number,
    to_scale: Number,
    mean: Number = None,
    sd: Number = None,
    se: Number = None,
    difference: Number = None,
    flip: bool = False,
) -> Found:
    """Mean, SD, SE and difference on another scale, with the direction turned round when ``flip`` is true.

    ``from_scale``, ``to_scale``: (lowest, highest) possible score. Give any of ``mean``, ``sd``, ``se`` and
    ``difference`` (also for a change score or the ends of its interval); the same ones come back, with ``factor`` and
    ``offset`` (new = offset + factor × old) for the audit. Refused: a mean off its scale, an SD no sample
    on that scale has.

    >>> found = rescale(mean=62.0, sd=21.0, from_scale=(0, 100), to_scale=(0, 10))
    >>> found.mean, found.sd
    (6.2, 2.1)
    >>> rescale(mean=2.0, difference=-1.5, from_scale=(0, 10), to_scale=(0, 100), flip=True).values["difference"]
    15.0
    """
    if not isinstance(flip, bool):
        refuse(f"flip must be True or False; got {flip!r}")
    low, high = _ends("from_scale", from_scale)
    to_low, to_high = _ends("to_scale", to_scale)
    span, to_span = high - low, to_high - to_low
    sign = -1.0 if flip else 1.0
    start = to_high if flip else to_low
    values: dict[str, float] = {}
    cautions = []
    if mean is not None:
        values["mean"] = start + sign * (_on_scale("mean", mean, low, high) - low) * to_span / span
    if sd is not None:
        sd = checks.standard_deviation("sd", sd)
        if sd > span / math.sqrt(2):
            refuse(
                f"sd must not exceed {span / math.sqrt(2):g} on a scale of width {span:g}; got {sd:g}: check from_scale"
            )
        if sd > span / 2:
            cautions.append(f"an SD of {sd:g} on a scale of width {span:g} is possible only in a very small sample")
        values["sd"] = sd * to_span / span
    if se is not None:
        values["se"] = checks.standard_deviation("se", se) * to_span / span
    if difference is not None:
        difference = checks.number("difference", difference)
        if abs(difference) > span:
            refuse(
                f"difference must not exceed the width of its scale ({span:g}); got {difference:g}: check from_scale"
            )
        values["difference"] = sign * difference * to_span / span
    if not values:
        refuse("mean, sd, se or difference is needed; got none of them")
    factor = sign * to_span / span
    assumptions = ["both scales measure the same thing, at equal steps"]
    if flip:
        assumptions.append("the direction is turned round: a high score on one scale is a low score on the other")
    return found(values | {"factor": factor, "offset": start - factor * low}, assumes=assumptions, cautions=cautions)


@conversion(
    topic=TOPIC,
    formula="mean score = AUC / duration; SD = SD_AUC / duration",
    source="Matthews, Altman, Campbell & Royston (1990), BMJ 300:230",
)
def mean_score_from_auc(*, auc: Number, duration: Number, sd: Number = None) -> Found:
    """Average score over a period from the area under the score-time curve.

    ``auc`` in score × time (such as NRS × days), ``duration`` in the same unit of time, ``sd`` the SD of the areas.

    >>> found = mean_score_from_auc(auc=35, duration=7, sd=10.5)
    >>> found.mean, found.sd
    (5.0, 1.5)
    """
    auc, duration = checks.number("auc", auc), checks.positive("duration", duration, "the length of the period")
    values = {"mean": auc / duration}
    if sd is not None:
        values["sd"] = checks.standard_deviation("sd", sd) / duration
    assumptions = ["everyone was followed for the whole period", "duration is in the unit of time of the area"]
    return found(values, assumes=assumptions)


@conversion(topic=TOPIC, formula="difference = SMD × SD; SE = SE_SMD × SD", source=handbook("15.5.3.2"))
def difference_from_smd(
    *, smd: Number, sd: Number, se: Number = None, low: Number = None, high: Number = None
) -> Found:
    """A standardised mean difference in the units of a familiar scale.

    ``sd``: a typical standard deviation on that scale, such as the pooled baseline SD of a representative trial. ``se``
    or the ends of the interval (``low``, ``high``) come along.

    >>> found = difference_from_smd(smd=-0.5, sd=2.4, low=-0.8, high=-0.2)
    >>> found.difference, round(found.low, 2), round(found.high, 2)
    (-1.2, -1.92, -0.48)
    """
    smd, sd = checks.number("smd", smd), checks.positive("sd", sd)
    values = {"difference": smd * sd}
    if se is not None:
        values["se"] = checks.positive("se", se) * sd
    if low is not None or high is not None:
        a, b = checks.interval(low, high)
        checks.inside("smd", smd, a, b)
        values |= {"low": a * sd, "high": b * sd}
    return found(
        values, assumes=["the SD is that of the population the result is read for; it carries no uncertainty here"]
    )
