"""Risk of bias: by the weight of the studies at high risk, and by what is left without them (Core GRADE 4)."""

from __future__ import annotations

from balm.review.certainty.body import Body, Proposal
from balm.review.certainty.target import Target
from balm.review.certainty.words import serious

SOURCE = "Core GRADE 4 (BMJ 2025;389:e083864); Cochrane Handbook 14.2.2. The share of half is balm's reading of 'most'"
#: "Most of the information" (Handbook, table 14.2.a), as a share of the weight in per cent.
MOST = 50.0
#: Core GRADE 4 weighs the share of the weight and whether studies at high and low risk give the same result.
APART = "Core GRADE takes the result of the studies at low risk where the two differ; decide which one is rated."
ALIKE = "The other studies give much the same result; where they are enough to stand alone, a person may not lower."

NOT_ASSESSED = "Assess the studies that nobody has assessed; until then this stands for what is not known."
CONCERNS = (
    "Core GRADE sorts studies into low and high risk: where the concerns leave the result credible, do not lower."
)


def risk_of_bias(body: Body, target: Target) -> Proposal:
    """Propose a rating from the weight of the studies by their risk of bias.

    Most weight from high risk: serious; from critical risk, or serious risk under ROBINS-I, or without a control
    group: very serious. Less weight: serious only if the result without these studies lies elsewhere. Most weight not
    known to be at low risk: serious, as nothing shows that it is low.
    """
    high, some, not_known = body.share("high"), body.share("some"), body.share("not assessed")
    critical = sum(s.weight for s in body.studies if s.critical)
    numbers = [
        f"weight at low risk {body.share('low'):.0f}%, some concerns or unclear {some:.0f}%, high {high:.0f}%, "
        f"not assessed {not_known:.0f}%"
    ]
    ask = ""
    if not body.controlled:
        levels, rule = -2, "no study has a control group: change over time and effect cannot be told apart"
    elif critical >= MOST or (body.robins and high >= MOST):
        levels, rule = -2, "half or more of the weight is at critical risk of bias (serious, under ROBINS-I)"
    elif high >= MOST:
        levels, rule = -1, "half or more of the weight is at high risk of bias"
        if body.without_high is not None:
            ask = APART if _elsewhere(body, target) else ALIKE
    elif high > 0 and _elsewhere(body, target):
        levels, rule = -1, "without the studies at high risk the result lies elsewhere"
        ask = APART
    elif high + some + not_known >= MOST:
        levels, rule = -1, "half or more of the weight is not known to be at low risk of bias"
        ask = NOT_ASSESSED if not_known else CONCERNS
    else:
        levels, rule = 0, "most weight is at low risk, and the result holds without the studies at high risk"
        if high == 0:
            rule = "most weight is at low risk of bias"
    if body.without_high is not None:
        e, low, high_end = body.without_high
        numbers.append(
            f"without high risk {body.said(e)} ({body.between(low, high_end)}); all {body.said(body.estimate)}"
        )
    return Proposal("risk of bias", serious(levels), rule, tuple(numbers), SOURCE, ask)


def _elsewhere(body: Body, target: Target) -> bool:
    """Whether the estimate without high risk is on another side of the threshold, or outside the whole interval."""
    if body.without_high is None:
        return False
    estimate = body.without_high[0]
    return target.side(estimate) != target.side(body.estimate) or not body.low <= estimate <= body.high
