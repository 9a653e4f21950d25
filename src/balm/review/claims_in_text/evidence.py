"""A claim beside the evidence base: pooled results of a review and of others, on the same comparison."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from balm.review.claims_in_text.claim import FoundClaim

AGREES, CONTRADICTS, SAME, COMPATIBLE = "agrees", "contradicts", "the same result", "compatible"

#: Words of a text -> the outcome of a review they speak of; the last one before an estimate counts.
TOPICS: tuple[tuple[str, str], ...] = (
    ("pain-intensity", r"\bpain\b|\bNRS\b|\bVAS\b|analges"),
    ("responder", r"\brespon(?:ders?|se)\b|\b(?:30|50)\s?%\s+(?:pain\s+)?(?:relief|reduction)"),
    ("psychotomimetic", r"psychotomimetic|psychedelic|hallucinat|dissociat"),
    ("sedation", r"\bsedat|drows|somnolen"),
    ("dizziness", r"dizz"),
    ("gastrointestinal", r"nausea|vomit|gastrointestinal|\bGI\b"),
    ("any-adverse-event", r"adverse\s+(?:event|effect)|side\s+effect"),
    ("sleep", r"\bsleep\b"),
)
_TOPICS = tuple((name, re.compile(pattern, re.I)) for name, pattern in TOPICS)


@dataclass(frozen=True, slots=True)
class Known:
    """A pooled result that claims are compared with; figures on the printed scale."""

    source: str
    year: int | None
    outcome: str
    measure: str
    estimate: float
    low: float
    high: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    """A claim and a known result of the same outcome and measure: how they stand to each other."""

    start: int
    end: int
    relation: str
    known: Known
    newer: bool

    def to_dict(self) -> dict[str, Any]:
        """Every field under its name."""
        k = self.known
        return {
            "start": self.start, "end": self.end, "relation": self.relation, "newer": self.newer, "source": k.source, "year": k.year,  # noqa: E501
            "outcome": k.outcome, "measure": k.measure, "estimate": k.estimate, "ci_low": k.low, "ci_high": k.high, "note": k.note,  # noqa: E501
        }  # fmt: skip

    def sentence(self) -> str:
        """In words."""
        k = self.known
        newer = "newer: " if self.newer else ""
        return (
            f"{newer}{k.source} ({k.outcome}): {k.measure} {k.estimate:g} ({k.low:g} to {k.high:g}), {self.relation}"
            + (f"; {k.note}" if k.note else "")
        )


def topic_of(text: str, claim: FoundClaim) -> str | None:
    """The outcome a claim speaks of: the topic named last before it, in its own sentence or the one before.

    >>> from balm.review.claims_in_text.check import check_claims
    >>> text = "Pain fell, and nausea (RR 1.42, 95% CI 0.84 to 2.39) was not more frequent."
    >>> topic_of(text, check_claims(text)[0])
    'gastrointestinal'
    """
    before = text[max(0, claim.start - 200) : claim.end]
    best: tuple[int, str] | None = None
    for name, pattern in _TOPICS:
        for match in pattern.finditer(before):
            if best is None or match.start() > best[0]:
                best = (match.start(), name)
    return best[1] if best is not None else None


def beside_evidence(
    text: str, claims: Iterable[FoundClaim], known: Iterable[Known], year: int | None = None
) -> list[Beside]:
    """What is known beside each estimate of ``text``: the same outcome and measure, agreeing or contradicting.

    Two results contradict each other where their intervals share no value, or where one excludes no effect and the
    other estimate lies on the other side of it; they agree where each interval holds the other estimate; anything else
    is compatible. ``year``: of the text, so that results published later are marked as newer.
    """
    rows = list(known)
    found: list[Beside] = []
    for claim in claims:
        if claim.kind != "estimate" or claim.estimate is None or claim.ci_low is None or claim.ci_high is None:
            continue
        topic = topic_of(text, claim)
        for row in rows:
            if row.outcome == topic and row.measure == claim.measure:
                newer = year is not None and row.year is not None and row.year > year
                found.append(Beside(claim.start, claim.end, relation_of(claim, row), row, newer))
    return found


def relation_of(claim: FoundClaim, row: Known) -> str:
    """How two results stand to each other."""
    assert claim.estimate is not None and claim.ci_low is not None and claim.ci_high is not None
    if (claim.estimate, claim.ci_low, claim.ci_high) == (row.estimate, row.low, row.high):
        return SAME
    if claim.ci_high < row.low or row.high < claim.ci_low:
        return CONTRADICTS
    null = 1.0 if row.measure in ("RR", "OR", "HR", "IRR", "ROM") else 0.0
    for low, high, other in ((claim.ci_low, claim.ci_high, row.estimate), (row.low, row.high, claim.estimate)):
        if (low > null and other < null) or (high < null and other > null):
            return CONTRADICTS
    if row.low <= claim.estimate <= row.high and claim.ci_low <= row.estimate <= claim.ci_high:
        return AGREES
    return COMPATIBLE
