"""Words of GRADE: domains, ratings, levels of certainty, and what each is worth."""

from __future__ import annotations

#: Levels of certainty, lowest first; a level's place is its number less one.
LEVELS = ("very low", "low", "moderate", "high")
#: What is printed beside the word.
SYMBOLS = {"high": "⊕⊕⊕⊕", "moderate": "⊕⊕⊕◯", "low": "⊕⊕◯◯", "very low": "⊕◯◯◯"}

#: Domains that lower certainty, in the order of an evidence profile.
DOWN = ("risk of bias", "inconsistency", "indirectness", "imprecision", "publication bias")
#: Domains that raise it.
UP = ("large effect", "dose-response", "opposing confounding")
OVERALL = "overall"
DOMAINS = (*DOWN, *UP, OVERALL)

#: Domains of the direct evidence of a comparison in a network; its imprecision is that of the network estimate.
OF_DIRECT = ("risk of bias", "inconsistency", "indirectness", "publication bias")
#: Domains of the network estimate.
OF_NETWORK = ("intransitivity", "incoherence", "imprecision")
NETWORK_DOMAINS = (*OF_DIRECT, *OF_NETWORK, OVERALL)

#: Ratings of a domain that lowers certainty -> levels.
SERIOUSNESS = {"not serious": 0, "serious": -1, "very serious": -2, "extremely serious": -3}
#: Ratings of a domain that raises it -> levels.
RAISING = {"none": 0, "large": 1, "very large": 2, "present": 1}
NOT_RATED = "not rated"
RATINGS = (*LEVELS[::-1], *SERIOUSNESS, *RAISING, NOT_RATED)

NETWORK_RATINGS = (*LEVELS[::-1], *SERIOUSNESS, NOT_RATED)

#: The only domain that may lower certainty by three levels.
THREE_LEVELS = ("imprecision",)


def allowed_ratings(domain: str) -> tuple[str, ...]:
    """The ratings that a domain can have.

    >>> allowed_ratings("inconsistency")
    ('not serious', 'serious', 'very serious', 'not rated')
    >>> allowed_ratings("dose-response")
    ('none', 'present', 'not rated')
    """
    if domain == OVERALL:
        return (*LEVELS[::-1], NOT_RATED)
    if domain in DOWN or domain in OF_NETWORK:
        return (*(r for r, n in SERIOUSNESS.items() if n > -3 or domain in THREE_LEVELS), NOT_RATED)
    if domain == "large effect":
        return ("none", "large", "very large", NOT_RATED)
    return ("none", "present", NOT_RATED)


def levels_of(rating: str) -> int:
    """How many levels a rating moves certainty: 0 for one that is not rated.

    >>> levels_of("very serious"), levels_of("large"), levels_of("not rated")
    (-2, 1, 0)
    """
    return SERIOUSNESS.get(rating, RAISING.get(rating, 0))


def serious(levels: int) -> str:
    """The rating that lowers by so many levels.

    >>> serious(-1)
    'serious'
    """
    return next(word for word, n in SERIOUSNESS.items() if n == levels)


def level_after(start: str, moves: int) -> str:
    """The level of certainty from where it starts and the sum of the moves; it ends at the ends of the scale.

    >>> level_after("high", -2), level_after("low", -3), level_after("high", 1)
    ('low', 'very low', 'high')
    """
    return LEVELS[min(3, max(0, LEVELS.index(start) + moves))]
