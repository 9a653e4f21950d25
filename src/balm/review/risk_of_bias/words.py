"""Words of judgement: every instrument's, in one order from best to worst, and how other programs spell them."""

from __future__ import annotations

import re

#: Every judgement there is, best first; ``no information`` and ``not applicable`` are no degrees of bias.
JUDGEMENTS = (
    "low",
    "yes",
    "some concerns",
    "unclear",
    "moderate",
    "high",
    "no",
    "serious",
    "very high",
    "critical",
    "no information",
    "not applicable",
)

#: The judgement over all domains, as `domain`.
OVERALL = "Overall"

#: Judgements that a sensitivity analysis "without high risk of bias" leaves out.
AT_HIGH_RISK = ("high", "serious", "very high", "critical")

#: Predicted directions of bias (RoB 2 and ROBINS-I guidance).
DIRECTIONS = (
    "favours intervention",
    "favours comparator",
    "towards null",
    "away from null",
    "unpredictable",
)

_SAME = {
    "some": "some concerns",
    "some concern": "some concerns",
    "unclear risk": "unclear",
    "ni": "no information",
    "none": "no information",
    "na": "not applicable",
    "n/a": "not applicable",
}


def judgement_word(text: str) -> str | None:
    """The judgement that ``text`` says, or ``None`` where it says none.

    ROBINS-I V2 words its best judgement of confounding "Low (except for concerns about ...)": that is ``low`` here.

    >>> judgement_word("Low risk of bias"), judgement_word("Some concerns"), judgement_word("fine")
    ('low', 'some concerns', None)
    """
    word = re.sub(r"[\s_.\-]+", " ", text.strip().lower())
    word = re.sub(r"^(low.*?),? \(?except (for )?concerns .*$", r"\1", word)
    word = word.removesuffix(" of bias").removesuffix(" risk")
    word = _SAME.get(word, word)
    return word if word in JUDGEMENTS else None
