"""Publication bias: registers, silent studies, industry money, and a test from ten studies (Core GRADE 4)."""

from __future__ import annotations

import math

from balm.review.certainty.body import Body, Proposal
from balm.review.certainty.words import serious
from balm.vocabulary.numbers import p_value

SOURCE = (
    "Core GRADE 4 (BMJ 2025;389:e083864); Cochrane Handbook 13.3.5.3 (tests need ten studies). The cut-offs are balm's"
)
TEST_K = 10
#: Tests of asymmetry have little power, hence .10 (Handbook 13.3.5.4).
TEST_LEVEL = 0.10
#: Share of the eligible studies that give no usable number from which results may well be missing by choice.
SILENT = 0.5
#: A study this small with industry money raises suspicion where all are such.
SMALL = 100


def publication_bias(body: Body) -> Proposal:
    """Propose a rating from a small-study test (ten studies or more), missing results and funding.

    Serious: the test has p < .10; half or more of the eligible studies give no usable number for this outcome; or all
    studies are small and paid by industry.
    """
    eligible = body.k + body.silent
    share = body.silent / eligible if eligible else 0.0
    numbers = [
        "the one eligible study gives a usable number for this outcome"
        if eligible == 1 and not body.silent
        else f"{body.silent} of {eligible} eligible studies give{'s' if body.silent == 1 else ''} no usable number for "
        "this outcome"
    ]
    if body.silent_n:
        who = "it" if body.silent == 1 else "they"
        within = "" if math.isnan(body.participants) else f"; {body.participants:.0f} are in the analysis"
        numbers.append(f"{who} randomised {body.silent_n:.0f} people{within}")
    if body.unpublished:
        numbers.append(f"ongoing or awaiting assessment: {', '.join(body.unpublished)}")
    if body.k >= TEST_K and body.small_study_p is not None:
        numbers.append(f"small-study test {p_value(body.small_study_p, name='p')}")
    else:
        numbers.append(f"k = {body.k}: no small-study test below ten studies")
    paid = bool(body.studies) and all(s.industry and s.n < SMALL for s in body.studies)
    if body.k >= TEST_K and body.small_study_p is not None and body.small_study_p < TEST_LEVEL:
        levels, rule = -1, "small studies show other results than large ones"
    elif share >= SILENT:
        levels, rule = (
            -1,
            "half or more of the eligible studies give no usable number, so results may be missing by choice",
        )
    elif paid:
        levels, rule = -1, "every study is small and paid by industry"
    else:
        levels, rule = 0, "nothing here shows that results are missing by choice"
    ask = "Were these outcomes measured and not reported, or never measured?" if body.silent else ""
    return Proposal("publication bias", serious(levels), rule, tuple(numbers), SOURCE, ask)
