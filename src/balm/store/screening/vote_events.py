"""Events of votes that a member may see, found without passing over those that they may not.

A lead may screen, and has a clock: a walk along the chain takes longer with each hidden vote of another. So one's own
votes are found by their actor and others' by what is revealed, each in an index that holds nothing between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush, merge

from balm.store.events.chain import latest_first
from balm.store.events.models import VOTE, Event
from balm.store.reviews.models import Review
from balm.store.screening.models import Reveal

#: Reveals looked up at once: their votes fill a page of the trail.
AT_ONCE = 100


def votes_shown(review: Review, code: str, *, before: str = "") -> Iterator[tuple[int, str]]:
    """Number and actor of each event about a vote of ``code`` or about a revealed one, the latest first."""
    own = Event.objects.filter(chain=review.key, entity=VOTE, actor=code)
    if before:
        own = own.filter(at__lt=before)
    revealed = ((seq, actor) for seq, actor, at in _revealed(review) if actor != code and (not before or at < before))
    return merge(((seq, actor) for seq, _, _, actor in latest_first(own)), revealed, reverse=True)


def _revealed(review: Review) -> Iterator[tuple[int, str, str]]:
    """Number, actor and time of each event about a vote on a revealed record, the latest first.

    A record is revealed by its last vote, so all votes on records revealed before it stand before that one.
    """
    reveals = Reveal.objects.filter(review=review).order_by("-pk").values_list("pk", "stage", "record")
    waiting: list[tuple[int, str, str]] = []
    some = list(reveals[:AT_ONCE])
    while some:
        ids = [f"{stage}/{record}" for _, stage, record in some]
        about = Event.objects.filter(chain=review.key, entity=VOTE, entity_id__in=ids).order_by()
        last = 0
        for seq, actor, at, entity_id in about.values_list("seq", "actor", "at", "entity_id"):
            heappush(waiting, (-seq, actor, at))
            last = max(last, seq) if entity_id == ids[-1] else last
        while waiting and -waiting[0][0] >= last:
            seq, actor, at = heappop(waiting)
            yield -seq, actor, at
        some = list(reveals.filter(pk__lt=some[-1][0])[:AT_ONCE])
    while waiting:
        seq, actor, at = heappop(waiting)
        yield -seq, actor, at
