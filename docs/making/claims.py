"""The table of how many labelled claims of published abstracts are found."""

from __future__ import annotations

from tests.unit.review.claims_in_text.fresh import SECOND, fresh_scores
from tests.unit.review.claims_in_text.labelled import Score, scores


def table() -> str:
    """Precision and recall by kind of claim on the sentences."""
    return _table(scores())


def fresh_table() -> str:
    """The same on the whole abstracts that were labelled first."""
    return _table(fresh_scores()[0])


def second_table() -> str:
    """The same on the second set of abstracts."""
    return _table(fresh_scores(SECOND)[0])


def _table(scored: dict[str, Score]) -> str:
    lines = ["| claims | labelled | found | of them right | precision | recall |", "|---|---|---|---|---|---|"]
    for name, score in scored.items():
        lines.append(
            f"| {name} | {score.labelled} | {score.found} | {score.both} | {score.precision:.1%} | {score.recall:.1%} |"
        )
    return "\n".join(lines)
