"""The PRISMA flow of a review on the server, at any moment: the package's, whose votes are those that are revealed.

A vote stands in ``screening.csv`` from the reveal of its record on, never before; so no count here tells one person
what another has decided while it is hidden.
"""

from __future__ import annotations

from balm.actions.team.synthesis import current_synthesis
from balm.review.flow import Flow
from balm.review.living.update import earlier_flows, living_flow
from balm.store.full_texts.standing import not_retrieved
from balm.store.reviews.models import Review
from balm.store.synthesis.current import current_package, data_stamp, kept_for, search_stamp, with_search


def current_flow(review: Review) -> Flow:
    """The flow as it stands now; what nobody knows stays not known, and counts that do not add up are left as they
    are: :meth:`balm.review.flow.Flow.problems` names them."""
    found: Flow = kept_for(("flow", review.key), state_of(review), lambda: _flow(review))
    return found


def state_of(review: Review) -> tuple[object, ...]:
    """What tells one state of the flow from the next; nothing of it moves with what is hidden."""
    return data_stamp(review), search_stamp(review), frozenset(not_retrieved(review))


def earlier(review: Review) -> tuple[Flow, ...]:
    """The flow of each version before the one at hand."""
    package = with_search(review, current_package(review))
    return earlier_flows(package, _pooled(review), not_retrieved(review), by_record=True)


def _pooled(review: Review) -> set[str]:
    return current_synthesis(review).pooled_studies


def _flow(review: Review) -> Flow:
    package = with_search(review, current_package(review))
    return living_flow(package, _pooled(review), not_retrieved(review), by_record=True)
