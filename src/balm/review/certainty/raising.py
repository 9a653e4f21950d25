"""Rating up: a large effect, a dose-response, confounding that would oppose the effect (Core GRADE 4)."""

from __future__ import annotations

from balm.review.certainty.body import ODDS, Body, Proposal
from balm.vocabulary.numbers import figures

SOURCE = "Core GRADE 4 (BMJ 2025;389:e083864); Guyatt et al. 2011, GRADE guidelines 9"
#: Relative effects that raise by one level, and by two.
LARGE, VERY_LARGE = 2.0, 5.0


def large_effect(body: Body, lowered: int) -> Proposal:
    """Propose raising for a ratio beyond 2 (5 for two levels), for studies without randomisation not rated down.

    The nearer end of the interval must not cross no effect. An odds ratio counts as the risk ratio that it gives at the
    baseline risk; where no such risk is known it is taken for one, and a person has to see whether the outcome is rare.
    """

    def none(rule: str, *numbers: str) -> Proposal:
        return Proposal("large effect", "none", rule, numbers, SOURCE)

    if body.randomised:
        return none("randomised studies begin at high: nothing is raised")
    if not body.controlled:
        return none("without a control group there is no effect that could be large")
    if lowered < 0:
        many = f"{-lowered} level{'' if lowered == -1 else 's'} down"
        return none("certainty was lowered: it is not raised again", many)
    if body.risk_ratio is None or body.ratio is None:
        return none("no relative effect")
    ratio, low, high = body.risk_ratio
    size, nearer = (ratio, low) if ratio >= 1 else (1 / ratio, 1 / high)
    numbers: tuple[str, ...] = (
        f"{body.ratio_kind} {figures(body.ratio[0])} ({figures(body.ratio[1])} to {figures(body.ratio[2])})",
    )
    ask = ""
    if body.risk_ratio != body.ratio:
        numbers += (f"risk ratio {figures(ratio)} ({figures(low)} to {figures(high)}) at the baseline risk",)
    elif body.ratio_kind in ODDS:
        ask = "Is the outcome rare? Otherwise the risk ratio is nearer to 1 than this odds ratio."
    if nearer <= 1 or size <= LARGE:
        return none("the relative effect is not beyond 2 (or 0.5) with an interval clear of no effect", *numbers)
    word, rule = ("very large", "beyond 5 (or 0.2)") if size > VERY_LARGE else ("large", "beyond 2 (or 0.5)")
    return Proposal("large effect", word, f"the relative effect is {rule}", numbers, SOURCE, ask)


def by_a_person(domain: str) -> Proposal:
    """Dose-response and opposing confounding: no number here shows them."""
    return Proposal(
        domain, "none", "the tables hold nothing that would show it", (), SOURCE, "A person has to judge this."
    )
