"""Decisions of ``certainty.csv``: what contradicts GRADE in them, and the one that stands for each domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from balm.review.certainty.target import TARGETS
from balm.review.certainty.words import OVERALL, allowed_ratings
from balm.vocabulary.evidence import CertaintyJudgement
from balm.vocabulary.problems import Problem

FILE = "certainty.csv"


def certainty_problems(rows: Iterable[CertaintyJudgement]) -> list[Problem]:
    """Rows that GRADE contradicts: a rating the domain does not have, a change of the proposal without a reason,
    a baseline risk without its source, a target or a place on a row that is not the overall one."""
    problems: list[Problem] = []
    rows = list(rows)
    last = {r.analysis: r for r in rows if r.domain == OVERALL}
    places: dict[int, str] = {}
    for r in rows:

        def wrong(column: str, reason: str, row: CertaintyJudgement = r) -> None:
            problems.append(Problem(f"analysis {row.analysis}: {reason}", file=FILE, row=row.row, column=column))

        allowed = allowed_ratings(r.domain)
        if r.rating not in allowed:
            wrong("rating", f"{r.domain} is rated {', '.join(allowed)}; got {r.rating!r}")
        if r.proposed is not None and r.proposed not in allowed:
            wrong("proposed", f"{r.domain} is rated {', '.join(allowed)}; got {r.proposed!r}")
        if r.proposed is not None and r.proposed != r.rating and not r.reason:
            wrong("reason", f"{r.rating!r} was decided where {r.proposed!r} is proposed; say why")
        if (r.baseline_risk is None) != (r.baseline_source is None):
            wrong("baseline_source", "a baseline risk and its source come together")
        for column in ("target", "place", "baseline_risk", "basis"):
            if r.domain != OVERALL and getattr(r, column) is not None:
                wrong(column, f"belongs to the row of the domain {OVERALL!r}")
        stands = last.get(r.analysis) is r  # an earlier decision keeps its place on record, and takes none
        if stands and r.place is not None and places.setdefault(r.place, r.analysis) != r.analysis:
            wrong("place", f"place {r.place} is taken by analysis {places[r.place]}")
    return problems


def standing(rows: Sequence[CertaintyJudgement], analysis: str) -> dict[str, CertaintyJudgement]:
    """Domain -> the decision that stands: the last one on record. Earlier ones are kept, never changed."""
    return {r.domain: r for r in rows if r.analysis == analysis}


__all__ = ["FILE", "TARGETS", "certainty_problems", "standing"]
