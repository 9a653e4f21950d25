"""A claim found in a text, with its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

KINDS = ("estimate", "proportion", "count", "dose", "statement")
VERDICTS = ("consistent", "inconsistent", "not checkable", "unsupported")
CONSISTENT, INCONSISTENT, NOT_CHECKABLE, UNSUPPORTED = VERDICTS


@dataclass(frozen=True, slots=True)
class FoundClaim:
    """One claim: ``text`` is ``source[start:end]``; figures are as printed, ``p_recomputed`` follows from the interval.

    ``verdict`` is ``consistent`` (every figure that can be computed again fits the printed ones, rounding allowed for),
    ``inconsistent`` (``why`` says by how much; ``slip`` names the likely cause), ``not checkable`` (nothing printed
    beside it to compute it from) or ``unsupported`` (a statement of effect with neither figures nor a source).

    ``n`` and ``total``: events and people of a proportion; the number of a count. ``percent`` is printed.
    ``low``, ``high``, ``unit``: a dose or a rate.
    """

    text: str
    start: int
    end: int
    kind: str
    verdict: str
    why: str
    measure: str | None = None
    estimate: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    level: float | None = None
    p_reported: float | None = None
    p_relation: str | None = None
    p_recomputed: float | None = None
    n: int | None = None
    total: int | None = None
    percent: float | None = None
    percent_recomputed: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    slip: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Every field under its name."""
        return {name: getattr(self, name) for name in FIELDS}


#: The order of JSON and of a table.
FIELDS = (
    "text", "start", "end", "kind", "measure", "estimate", "ci_low", "ci_high", "level", "p_reported", "p_relation", "p_recomputed",  # noqa: E501
    "n", "total", "percent", "percent_recomputed", "low", "high", "unit", "verdict", "why", "slip",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caution:
    """A phrase that a reader should know of; no verdict on what it says."""

    text: str
    start: int
    end: int
    kind: str
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Every field under its name."""
        return {"text": self.text, "start": self.start, "end": self.end, "kind": self.kind, "why": self.why}
