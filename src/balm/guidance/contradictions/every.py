"""Every comparison at once, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence

from balm.guidance.contradictions.found import SEVERITIES, Contradiction
from balm.guidance.contradictions.rates import rates
from balm.guidance.contradictions.totals import totals
from balm.guidance.contradictions.words import forms, omissions, positions, safety, settings
from balm.guidance.rules import Rule
from balm.guidance.therapy import Therapy
from balm.guidance.units import Quantity


def contradictions(rules: Sequence[Rule], therapy: Therapy, weight: Quantity) -> tuple[Contradiction, ...]:
    """What the rules say against each other at ``weight``; where none is asked for, at the therapy's own."""
    found = [
        *totals(rules, weight),
        *rates(rules, weight),
        *settings(rules),
        *forms(rules, therapy),
        *omissions(rules, therapy),
        *safety(rules, therapy),
        *positions(rules),
    ]
    return tuple(sorted(found, key=lambda c: SEVERITIES.index(c.severity)))
