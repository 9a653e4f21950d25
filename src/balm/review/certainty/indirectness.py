"""Indirectness: the question beside what the studies are (Core GRADE 5)."""

from __future__ import annotations

from balm.review.certainty.body import Body, Proposal
from balm.review.certainty.words import serious

SOURCE = "Core GRADE 5 (BMJ 2025;389:e083865)"
#: "Most of the information", as a share of the weight in per cent.
MOST = 50.0


def indirectness(body: Body) -> Proposal:
    """Propose a rating from the studies the review itself set apart, and lay question and studies side by side.

    A rule can see that pooled studies are outside the review's own limits (scope other than ``included``); it cannot
    read whether people, regimens, comparators and outcomes are those of the question. So it shows them and asks.
    """
    apart = [s for s in body.studies if s.scope != "included" and body.controlled]
    weight = sum(s.weight for s in apart)
    numbers = [f"{weight:.0f}% of the weight from studies outside the review's own limits"]
    if apart:
        numbers[0] += f" ({', '.join(s.label for s in apart)})"
    numbers += [f"{aspect}: asked {asked}; studied {studied}" for aspect, asked, studied in body.compared]
    levels = -1 if weight >= MOST else 0
    rule = (
        "half or more of the weight is from studies outside the review's own limits"
        if levels
        else "the studies are within the review's own limits"
    )
    return Proposal(
        "indirectness",
        serious(levels),
        rule,
        tuple(numbers),
        SOURCE,
        "Are people, intervention, comparator, outcome and follow-up those of the question? A person has to compare.",
    )
