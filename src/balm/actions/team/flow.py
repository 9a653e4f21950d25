"""The PRISMA flow of a review on the server, at any moment: from the package, and from decisions that are revealed."""

from __future__ import annotations

from balm.actions.team.synthesis import current_synthesis
from balm.review.flow import Flow
from balm.review.flow_counts import flow_of
from balm.store.reviews.models import Review
from balm.store.reviews.package_rows import package_of
from balm.store.synthesis.current import kept_for, last_event


def current_flow(review: Review) -> Flow:
    """The flow as it stands now; what nobody knows stays not known."""
    found: Flow = kept_for(("flow", review.key), last_event(review), lambda: _flow(review))
    return found


def _flow(review: Review) -> Flow:
    pooled = {row.study for a in current_synthesis(review).analyses if a.fit is not None for row in a.rows}
    return flow_of(package_of(review), pooled)
