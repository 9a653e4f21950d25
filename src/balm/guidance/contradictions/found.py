"""One contradiction, and how severe it is."""

from __future__ import annotations

from dataclasses import dataclass

from balm.guidance.rules import ADVISING, TRIAL, Rule

SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Rules that cannot all be followed, the arithmetic that shows it, and how much it matters."""

    kind: str
    rules: tuple[Rule, ...]
    arithmetic: str
    severity: str
    meaning: str = ""


def severity_against(limit: Rule, other: Rule) -> str:
    """How severe it is that ``other`` passes ``limit``.

    Critical where a source contradicts itself or a guideline's general rule; high where trials did otherwise; else
    medium. What was not compared with its source weighs least.
    """
    if not (limit.verified and other.verified):
        return "low"
    if limit.source.title == other.source.title:
        return "critical"
    if other.basis in ADVISING:
        return "critical" if other.population is None else "medium"
    return "high" if other.basis == TRIAL else "medium"
