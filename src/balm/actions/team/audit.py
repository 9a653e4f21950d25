"""Read the audit trail of a review without seeing what one is blind to.

Votes, extractions and assessments of others are left out altogether until they are revealed: not shown with a blank,
not counted, not numbered. While such work may be under way the numbers of events and the anchor are not shown either,
because they move with every hidden act, and the chain is not walked, because the walk takes longer with each: the
server's operator does both with ``verify_events`` at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge

from django.db.models import QuerySet

from balm.actions.team.acting import Acting
from balm.actions.team.certainty import current_to_rate
from balm.review.plan import read_plan
from balm.review.screening.visibility import may_see_vote
from balm.store.certainty.standing import agreed_bases, revealed_ratings
from balm.store.events.chain import broken_links, latest_first
from balm.store.events.models import VOTE, ChainHead, Event
from balm.store.extraction.current import standings as extraction_standings
from balm.store.reviews.models import Review, Row, StoredFile
from balm.store.risk_of_bias.standing import standings as bias_standings
from balm.store.screening.standing import open_stages
from balm.store.screening.vote_events import votes_shown
from balm.vocabulary.problems import InputError

BATCH = "batch"
#: Events a page; the reader asks for earlier ones.
PAGE = 100


def _compared_studies(review: Review) -> set[str]:
    return {study for study, standing in extraction_standings(review).items() if standing.revealed}


def _compared_targets(review: Review) -> set[str]:
    return {target.key for target, standing in bias_standings(review).items() if standing.revealed}


def _dealt_openly(review: Review) -> set[str]:
    """Dealing out a batch tells how far somebody has read, also who did it oneself: shown once no stage is open."""
    if open_stages(review):
        return set()
    batches = Event.objects.filter(chain=review.key, entity=BATCH)
    return set(batches.values_list("entity_id", flat=True))


def _compared_ratings(review: Review) -> set[str]:
    return revealed_ratings(review, _raters(review))


def _raters(review: Review) -> int:
    """How many people the plan asks for; two where the plan cannot be read, so that nothing is shown too early."""
    file = StoredFile.objects.filter(review=review, path="review.toml").first()
    plan, _ = read_plan(bytes(file.content).decode("utf-8", "replace")) if file else (None, [])
    return 2 if plan is None else plan.certainty.raters


#: Entity -> the ids, or beginnings of ids up to a slash, that are revealed. What stands here is hidden until then, as
#: are votes, which are looked up apart.
BLIND: dict[str, Callable[[Review], set[str]]] = {
    BATCH: _dealt_openly,
    "extraction": _compared_studies,
    "assessment": _compared_targets,
    "certainty rating": _compared_ratings,
}


@dataclass(frozen=True, slots=True)
class Trail:
    """A page of events, the latest first, and where the earlier ones begin."""

    events: tuple[Event, ...]
    earlier: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a chain stands as it was written, its length and its anchor."""

    faults: tuple[str, ...]
    length: int
    anchor: str


def trail(acting: Acting, *, entity: str = "", who: str = "", before: str = "", page: int = PAGE) -> Trail:
    """The events that a member may see, of one kind or one person if asked, before a moment if asked."""
    acting.check("read audit trail")
    found: list[Event] = []
    for event in _visible(acting, entity, who, before):
        if len(found) >= page and event.at != found[-1].at:
            return Trail(tuple(found), found[-1].at)
        found.append(event)
    return Trail(tuple(found))


def entities(acting: Acting) -> list[str]:
    """The kinds of things there are events about; blind kinds always stand among them."""
    acting.check("read audit trail")
    plain = {kind for _, kind, _, _ in latest_first(_but_votes(acting.review), 2000)}
    return sorted({*plain, *BLIND, VOTE})


def numbers_shown(acting: Acting) -> bool:
    """Whether the member may see numbers of events and the anchor: nothing is hidden, nor about to be."""
    review = acting.review
    if open_stages(review) or not _assessed(review) or not _rated(review):
        return False
    under_way = (*extraction_standings(review).values(), *bias_standings(review).values())
    return all(standing.revealed for standing in under_way)


def _assessed(review: Review) -> bool:
    """Whether every included study has a judgement of bias: until then somebody may have begun one unseen."""
    studies = Row.objects.filter(review=review, table="studies.csv").values_list("cells", flat=True)
    judged = Row.objects.filter(review=review, table="risk_of_bias.csv").values_list("cells", flat=True)
    included = {cells["study"] for cells in studies if cells.get("scope") == "included"}
    return included <= {cells.get("study") for cells in judged}


def _rated(review: Review) -> bool:
    """Whether nobody can be rating certainty unseen: one person rates, or everything to rate is agreed on its data."""
    if _raters(review) == 1:
        return True
    agreed = agreed_bases(review)
    try:
        return all((key, it.certainty.basis) in agreed for key, it in current_to_rate(review).items())
    except InputError:  # a package that cannot be read says nothing of its analyses
        return False


def verified(acting: Acting) -> Verified | None:
    """Walk the chain of the review from its first event to its head; ``None`` while its numbers are not shown."""
    acting.check("read audit trail")
    if not numbers_shown(acting):
        return None
    faults = tuple(broken_links(acting.review.key))
    head = ChainHead.objects.get(chain=acting.review.key)
    return Verified(faults, head.seq, head.hash)


def _visible(acting: Acting, entity: str, who: str, before: str) -> Iterator[Event]:
    """The events, the latest first; none that is hidden is passed over on the way to a vote."""
    votes = votes_shown(acting.review, acting.member.code, before=before) if entity in ("", VOTE) else iter(())
    others = _others(acting, entity, before) if entity != VOTE else iter(())
    found: list[int] = []
    for seq, actor in merge(votes, others, reverse=True):
        if who in ("", actor):
            found.append(seq)
        if len(found) > PAGE:
            yield from _read(acting.review, found)
            found = []
    yield from _read(acting.review, found)


def _others(acting: Acting, entity: str, before: str) -> Iterator[tuple[int, str]]:
    """Number and actor of the events that are about no vote and may be seen."""
    events = _but_votes(acting.review)
    if entity:
        events = events.filter(entity=entity)
    if before:
        events = events.filter(at__lt=before)
    revealed: dict[str, set[str]] = {}
    for seq, kind, about, actor in latest_first(events):
        if kind in BLIND:
            if kind not in revealed:
                revealed[kind] = BLIND[kind](acting.review)
            whose = actor if kind != BATCH else ""  # who deals a batch out is the first to come so far
            if not may_see_vote(acting.member.code, whose, revealed=_is(about, revealed[kind])):
                continue
        yield seq, actor


def _but_votes(review: Review) -> QuerySet[Event]:
    return Event.objects.filter(chain=review.key).exclude(entity=VOTE)


def _read(review: Review, seqs: list[int]) -> Iterator[Event]:
    yield from Event.objects.filter(chain=review.key, seq__in=seqs).order_by("-seq")


def _is(about: str, revealed: set[str]) -> bool:
    """Whether an event is about something revealed; an assessment names the domain after the last slash."""
    return about in revealed or about.rpartition("/")[0] in revealed
