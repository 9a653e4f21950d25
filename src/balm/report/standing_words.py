"""A result and a certainty then and now in words, and the trials that moved it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from balm.report.result_sentence import short_name
from balm.report.rounding import digits_for, number
from balm.review.living.moved import Move
from balm.review.living.network_changed import ComparisonMove
from balm.review.living.standing import CertaintyChange, Estimated, Standing
from balm.stats.measures import MEASURES
from balm.vocabulary.numbers import fixed, plain
from balm.vocabulary.scale import IDENTITY


def standing_text(standing: Standing | None, measure: str) -> str:
    """A result in one line.

    >>> standing_text(Standing(2, 120.0, -1.25, -2.0, -0.5, 0.01), "MD")
    'MD -1.25 [-2.00, -0.50], 2 studies, 120 people'
    >>> standing_text(Standing(0, 0.0, None, None, None, None), "MD"), standing_text(None, "MD")
    ('no study with usable numbers', 'not planned')
    """
    if standing is None:
        return "not planned"
    if standing.k == 0:
        return "no study with usable numbers"
    studies = "1 study" if standing.k == 1 else f"{standing.k} studies"
    known = standing.participants
    people = (
        "number of people not known"
        if known is None
        else f"{plain(round(known))} {'person' if round(known) == 1 else 'people'}"
    )
    return f"{short_name(measure)} {estimate_text(standing, measure)}, {studies}, {people}"


def estimate_text(standing: Estimated, measure: str) -> str:
    """Estimate and interval as shown; what cannot be estimated says so."""
    if standing.estimate is None:
        return "not estimable"
    low = math.nan if standing.low is None else standing.low
    high = math.nan if standing.high is None else standing.high
    digits = digits_for([high - low])
    ratio = _ratio(measure)
    said = (number(x, digits, ratio=ratio) if math.isfinite(x) else "not estimable" for x in (low, high))
    return f"{number(standing.estimate, digits, ratio=ratio)} [{', '.join(said)}]"


def _ratio(measure: str) -> bool:
    return measure in MEASURES and MEASURES[measure].scale.ratio


def moved_words(moves: Sequence[Move | ComparisonMove], measure: str) -> list[str]:
    """Each new trial with the result without it; the first is the one that moved it most."""
    lines = []
    name = MEASURES[measure].scale.name if measure in MEASURES else ""
    scale = "" if name in ("", IDENTITY.name) else f" on the scale of pooling ({name})"
    for i, m in enumerate(moves):
        lead = "the trial that moved it" if i == 0 else "next"
        if m.standing is None:
            lines.append(f"{lead}: {m.label}; without it nothing can be estimated")
            continue
        if m.by == 0:
            lines.append(f"{m.label} did not move it")
            continue
        by = fixed(m.by, digits_for([abs(m.by)]))
        without = f"{short_name(measure)} {estimate_text(m.standing, measure)}"
        lines.append(f"{lead}: {m.label}, by {by}{scale}; without it {without}")
    return lines


def certainty_words(one: CertaintyChange) -> str:
    """The certainty then and now, as decided and as proposed, where they differ."""
    decided = "" if one.before == one.after else f"{one.before} then, {one.after} now"
    proposed = (
        ""
        if one.proposed_before == one.proposed_after
        else (f"proposed {one.proposed_before} then, {one.proposed_after} now")
    )
    return "; ".join(part for part in (decided, proposed) if part)
