"""Strength of a recommendation: strong on low certainty only in a named situation (Core GRADE 7)."""

from __future__ import annotations

from balm.review.certainty.words import LEVELS
from balm.vocabulary.problems import check_option

STRENGTHS = ("strong", "conditional")
#: Situations in which a strong recommendation may rest on low or very low certainty.
EXCEPTIONS = {
    "life-threatening": "low certainty suggests benefit where life is threatened; certainty of harm may be very low",
    "uncertain benefit, certain harm": "low certainty suggests benefit; moderate or high certainty of harm or cost",
    "equal, one safer": "low certainty suggests that options are equal; high or moderate certainty that one harms less",
    "equivalent, one riskier": "high or moderate certainty that options are equal; low certainty that one harms more",
    "catastrophic harm": "high or moderate certainty of modest benefit; low certainty of possible catastrophic harm",
}
SOURCE = "Core GRADE 7 (BMJ 2025;389:e083867); the situations of Andrews et al. J Clin Epidemiol 2013;66:726-735"


def strength_problem(strength: str, certainty: str, exception: str | None = None) -> str | None:
    """Why this strength does not go with this certainty, or ``None``.

    >>> strength_problem("conditional", "very low")
    >>> strength_problem("strong", "low").split(";")[0]
    'a strong recommendation on low certainty needs a named exception'
    >>> strength_problem("strong", "low", "life-threatening")
    """
    check_option("strength", strength, STRENGTHS)
    check_option("certainty", certainty, LEVELS)
    if exception is not None:
        check_option("exception", exception, list(EXCEPTIONS))
    weak = LEVELS.index(certainty) < LEVELS.index("moderate")
    if strength == "strong" and weak and exception is None:
        return (
            f"a strong recommendation on {certainty} certainty needs a named exception; one of {', '.join(EXCEPTIONS)}"
        )
    if exception is not None and not (strength == "strong" and weak):
        return "an exception is named where none is needed; leave it out"
    return None
