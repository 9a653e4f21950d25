"""Who took the archive home knows what is hidden in it: they do not judge beside those whose work that is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from balm.actions.team.acting import Acting
from balm.review.members.taken_home import why_not_begin, why_not_screen
from balm.store.events.models import SERVER, Event
from balm.store.reviews.models import Review
from balm.store.screening.models import Batch, Reveal
from balm.vocabulary.problems import InputError, Problem

#: The action under which the server's audit trail notes that somebody took a review home.
TAKE_HOME = "take review home"


def taken_home(review: Review, codes: Iterable[str]) -> dict[str, str]:
    """Member -> when they last took the archive of the review home from this server; nobody else is in it."""
    taken = Event.objects.filter(chain=SERVER, entity="review", entity_id=review.key, action=TAKE_HOME)
    return dict(taken.filter(actor__in=list(codes)).order_by("seq").values_list("actor", "at"))


def check_screeners_know_nothing(review: Review, stage: str, screeners: Iterable[str]) -> None:
    """Refuse screeners who may know hidden votes of the stage."""
    taken = taken_home(review, screeners)
    if not taken:
        return
    revealed = set(Reveal.objects.filter(review=review, stage=stage).values_list("record", flat=True))
    batches = Batch.objects.filter(review=review, stage=stage)
    dealt = ((_stamp(b.at), record) for b in batches for record in b.records if record not in revealed)
    if why := why_not_screen(stage, taken, dealt):
        raise InputError(Problem(why, column="screeners"))


def check_knows_nothing_of(acting: Acting, study: str, others: Iterable[datetime]) -> None:
    """Refuse a member who took home what others had done by then; ``others``: when they did it."""
    when = taken_home(acting.review, [acting.member.code]).get(acting.member.code)
    if when is not None and (why := why_not_begin(study, when, map(_stamp, others))):
        raise InputError(why)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
