"""The report of a review on the server: live from the database, and published where its lead says so."""

from __future__ import annotations

from django.db import transaction

from balm.actions.report_out import report_bytes
from balm.actions.team.acting import Acting
from balm.actions.team.changes import changes_since_last
from balm.actions.team.flow import current_flow, earlier, state_of
from balm.actions.team.synthesis import current_synthesis
from balm.actions.team.who_extracted import extracted_in
from balm.report.review_report import build_report
from balm.store.events.chain import append_event, lock_chain
from balm.store.reviews.models import Review
from balm.store.synthesis.current import kept_for


@transaction.atomic
def publish_report(acting: Acting, public: bool, *, reason: str = "") -> Review:
    """Let anybody read the report of the review (``public=True``), or members only again.

    The decision is the server's: an archive brought elsewhere starts as members only. Saying it twice is one event.
    """
    acting.check("publish")
    lock_chain(acting.review.key)
    review = Review.objects.get(pk=acting.review.pk)
    if review.public == public:
        return review
    review.public = public
    review.save(update_fields=["public"])
    action = "publish report" if public else "withdraw report"
    append_event(
        review.key, acting.actor, action, "review", review.key,
        before={"public": not public}, after={"public": public}, reason=reason,
    )  # fmt: skip
    return review


def report_of(review: Review) -> str:
    """The report as it stands now, as one HTML page; the same text until the review changes.

    It holds what the package holds: agreed values and revealed decisions, never a judgement still under blinding.
    """
    extracted = extracted_in(review)
    text: str = kept_for(
        ("report", review.key),
        (state_of(review), extracted),
        lambda: build_report(
            current_synthesis(review),
            current_flow(review),
            contradictions="show",
            extracted=extracted,
            earlier=earlier(review),
            changes=changes_since_last(review),
        ),
    )
    return text


def report_file(review: Review, ending: str) -> bytes:
    """The report as it stands now as the bytes of a Word file or a PDF; the same bytes until the review changes.

    It says what the page says, with the flow of every version as the server knows it.
    """
    made: bytes = kept_for(
        ("report", review.key, ending),
        state_of(review),
        lambda: report_bytes(
            current_synthesis(review),
            current_flow(review),
            f".{ending}",
            contradictions="show",
            earlier=earlier(review),
            changes=changes_since_last(review),
        ),
    )
    return made


def public_reviews() -> list[Review]:
    """Reviews whose report anybody may read, by title."""
    return list(Review.objects.filter(public=True).order_by("title", "slug"))
