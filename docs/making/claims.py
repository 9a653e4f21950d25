"""The table of how many labelled claims of published abstracts are found."""

from __future__ import annotations

from tests.unit.review.claims_in_text.labelled import scores


def table() -> str:
    """Precision and recall by kind of claim."""
    lines = ["| claims | labelled | found | of them right | precision | recall |", "|---|---|---|---|---|---|"]
    for name, score in scores().items():
        lines.append(
            f"| {name} | {score.labelled} | {score.found} | {score.both} | {score.precision:.1%} | {score.recall:.1%} |"
        )
    return "\n".join(lines)
