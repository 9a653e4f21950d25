"""Inconsistency: whether the studies disagree about the side of the threshold, not only about size (Core GRADE 3)."""

from __future__ import annotations

import math

from balm.review.certainty.body import Body, Proposal
from balm.review.certainty.target import Target
from balm.review.certainty.words import serious
from balm.vocabulary.numbers import figures, p_value

SOURCE = "Core GRADE 3 (BMJ 2025;389:e081905); Cochrane Handbook 10.10.2. The cut-offs are balm's"
#: From here heterogeneity "may represent substantial", then "considerable" (Handbook 10.10.2), per cent.
SUBSTANTIAL, CONSIDERABLE = 50.0, 75.0
#: The Q test has little power with few studies, hence .10 (Handbook 10.10.2).
Q_LEVEL = 0.10
#: Weight, per cent, that must lie on another side of the threshold before the studies count as disagreeing.
DISAGREEING = 10.0
#: A prediction interval of fewer studies says more about their number than about their results.
PREDICTION_K = 5
SUBGROUP_LEVEL = 0.05
#: Proportions of single-arm studies this far apart, per 1000, tell readers different things. balm's own cut-off.
SPREAD_SHARE = 200


def inconsistency(body: Body, target: Target) -> Proposal:
    """Propose a rating from the studies' estimates, I2, the Q test and the prediction interval against the threshold.

    Serious: heterogeneity (I2 >= 50 %, Q p < .10 or intervals that do not overlap) with at least a tenth of the weight
    on another side of the threshold; or, from five studies, a prediction interval that crosses a threshold the
    confidence interval does not cross. Very serious: I2 >= 75 % with important effects in both directions.
    """
    if body.k < 2:
        return Proposal(
            "inconsistency",
            "not serious",
            "one study: agreement between studies cannot be seen, so nothing is taken off here",
            ("k = 1",),
            SOURCE,
        )
    sides: dict[int, float] = {}
    for s in body.studies:
        sides[target.side(s.estimate)] = sides.get(target.side(s.estimate), 0.0) + s.weight
    other = max(0.0, 100.0 - max(sides.values()))
    overlap = min(s.high for s in body.studies) >= max(s.low for s in body.studies)
    varied = body.i2 >= SUBSTANTIAL or body.q_p < Q_LEVEL or not overlap
    numbers = [
        f"k = {body.k}; I2 {body.i2:.0f}%; tau2 {figures(body.tau2)}; Q {p_value(body.q_p, name='p')}",
        f"{other:.0f}% of the weight on another side of the threshold",
        "the studies' intervals overlap" if overlap else "the studies' intervals do not all overlap",
    ]
    wider = False
    if body.prediction is not None and all(map(math.isfinite, body.prediction)):
        numbers.append(f"prediction interval {body.between(*body.prediction)}")
        beyond = set(target.crossed(*body.prediction)) - set(target.crossed(body.low, body.high))
        wider = body.k >= PREDICTION_K and body.tau2 > 0 and bool(beyond)
    mid = body.important or 0.0
    opposed = any(s.estimate <= -mid and s.estimate < 0 for s in body.studies) and any(
        s.estimate >= mid and s.estimate > 0 for s in body.studies
    )
    spread = max(s.estimate for s in body.studies) - min(s.estimate for s in body.studies)
    if not body.controlled:
        numbers[1] = f"the studies' proportions differ by up to {spread:.0f} per 1000"
        apart = varied and spread >= SPREAD_SHARE
        levels = -1 if apart else 0
        rule = (
            f"single-arm evidence: heterogeneity with proportions {SPREAD_SHARE} per 1000 or more apart lowers by one"
        )
    elif body.i2 >= CONSIDERABLE and opposed:
        levels, rule = -2, "I2 is 75% or more and studies show important effects in both directions"
    elif varied and other >= DISAGREEING:
        levels, rule = -1, "the results vary and studies lie on different sides of the threshold"
    elif wider:
        levels, rule = -1, "a new study could well lie on the other side of the threshold (prediction interval)"
    elif varied:
        levels, rule = 0, "the results vary in size, on the same side of the threshold"
    else:
        levels, rule = 0, "the results do not vary more than chance explains"
    ask = ""
    if body.subgroup_p is not None:
        by = f"by {body.subgroup_by.replace('_', ' ')}" if body.subgroup_by else "of the plan"
        numbers.append(f"subgroups {by}: {p_value(body.subgroup_p, name='p')}")
        if body.subgroup_p < SUBGROUP_LEVEL and levels:
            ask = "Subgroups may explain it: if this is credible (ICEMAN), rate each subgroup on its own instead."
    return Proposal("inconsistency", serious(levels), rule, tuple(numbers), SOURCE, ask)
