"""Analyses of a review on the server: the same synthesis as the package's report, from the rows as they stand."""

from __future__ import annotations

from balm.review.synthesis import Synthesis, synthesise
from balm.store.reviews.models import Review
from balm.store.synthesis.current import current_package, data_stamp, kept_for


def current_synthesis(review: Review) -> Synthesis:
    """Every planned analysis of the review as it stands now; carried out once for each state of its data."""
    found: Synthesis = kept_for(
        ("synthesis", review.key), data_stamp(review), lambda: synthesise(current_package(review))
    )
    return found
