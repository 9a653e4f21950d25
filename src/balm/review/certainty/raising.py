"""Rating up: a large effect, a dose-response, confounding that would oppose the effect (Core GRADE 4)."""

from __future__ import annotations

from balm.review.certainty.body import Body, Proposal

SOURCE = "Core GRADE 4 (BMJ 2025;389:e083864); Guyatt et al. 2011, GRADE guidelines 9"
#: Relative effects that raise by one level, and by two.
LARGE, VERY_LARGE = 2.0, 5.0


def large_effect(body: Body, lowered: int) -> Proposal:
    """Propose raising for a ratio beyond 2 (5 for two levels), for studies without randomisation not rated down.

    The nearer end of the interval must not cross no effect. Odds ratios are taken as risk ratios only where the
    outcome is rare; a person has to see to that.
    """

    def none(rule: str, *numbers: str) -> Proposal:
        return Proposal("large effect", "none", rule, numbers, SOURCE)

    if body.randomised:
        return none("randomised studies begin at high: nothing is raised")
    if not body.controlled:
        return none("without a control group there is no effect that could be large")
    if lowered < 0:
        return none("certainty was lowered: it is not raised again", f"{lowered} levels")
    if body.ratio is None:
        return none("no relative effect")
    ratio, low, high = body.ratio
    size, nearer = (ratio, low) if ratio >= 1 else (1 / ratio, 1 / high)
    numbers = (f"{body.ratio_kind} {ratio:.3g} ({low:.3g} to {high:.3g})",)
    if nearer <= 1 or size <= LARGE:
        return none("the relative effect is not beyond 2 (or 0.5) with an interval clear of no effect", *numbers)
    word, rule = ("very large", "beyond 5 (or 0.2)") if size > VERY_LARGE else ("large", "beyond 2 (or 0.5)")
    return Proposal("large effect", word, f"the relative effect is {rule}", numbers, SOURCE)


def by_a_person(domain: str) -> Proposal:
    """Dose-response and opposing confounding: no number here shows them."""
    return Proposal(
        domain, "none", "the tables hold nothing that would show it", (), SOURCE, "A person has to judge this."
    )
