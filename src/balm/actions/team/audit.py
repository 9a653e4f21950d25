"""Read the audit trail of a review without seeing what one is blind to.

Votes, extractions and assessments of others are left out altogether until they are revealed: not shown with a blank,
not counted, not numbered. While such work may be under way the numbers of events and the anchor are not shown either,
because they move with every hidden act, and the chain is not walked, because the walk takes longer with each: the
server's operator does both with ``verify_events`` at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from balm.actions.team.acting import Acting
from balm.actions.team.certainty import current_certainties
from balm.review.plan import read_plan
from balm.review.screening.visibility import may_see_vote
from balm.store.certainty.standing import agreed_bases, revealed_ratings
from balm.store.events.chain import broken_links
from balm.store.events.models import ChainHead, Event
from balm.store.extraction.current import standings as extraction_standings
from balm.store.reviews.models import Review, Row, StoredFile
from balm.store.risk_of_bias.standing import standings as bias_standings
from balm.store.screening.standing import open_stages, revealed_votes
from balm.vocabulary.problems import InputError

#: Events a page; the reader asks for earlier ones.
PAGE = 100


def _compared_studies(review: Review) -> set[str]:
    return {study for study, standing in extraction_standings(review).items() if standing.revealed}


def _compared_targets(review: Review) -> set[str]:
    return {target.key for target, standing in bias_standings(review).items() if standing.revealed}


def _dealt_openly(review: Review) -> set[str]:
    """Dealing out a batch tells how far another has read: shown once no stage is open."""
    if open_stages(review):
        return set()
    batches = Event.objects.filter(chain=review.key, entity="batch")
    return set(batches.values_list("entity_id", flat=True))


def _compared_ratings(review: Review) -> set[str]:
    return revealed_ratings(review, _raters(review))


def _raters(review: Review) -> int:
    """How many people the plan asks for; two where the plan cannot be read, so that nothing is shown too early."""
    file = StoredFile.objects.filter(review=review, path="review.toml").first()
    plan, _ = read_plan(bytes(file.content).decode("utf-8", "replace")) if file else (None, [])
    return 2 if plan is None else plan.certainty.raters


#: Entity -> the ids, or beginnings of ids up to a slash, that are revealed. What stands here is hidden until then.
BLIND: dict[str, Callable[[Review], set[str]]] = {
    "vote": revealed_votes,
    "batch": _dealt_openly,
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
    plain = Event.objects.filter(chain=acting.review.key).exclude(entity__in=BLIND)
    return sorted({*plain.order_by().values_list("entity", flat=True).distinct(), *BLIND})


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
    """Whether nobody can be rating certainty unseen: one person rates, or every analysis is agreed on its data."""
    if _raters(review) == 1:
        return True
    agreed = agreed_bases(review)
    try:
        return all((analysis, c.basis) in agreed for analysis, c in current_certainties(review).items())
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
    events = Event.objects.filter(chain=acting.review.key).order_by("-seq")
    if entity:
        events = events.filter(entity=entity)
    if who:
        events = events.filter(actor=who)
    if before:
        events = events.filter(at__lt=before)
    revealed: dict[str, set[str]] = {}
    found: list[int] = []
    for seq, kind, about, actor in events.values_list("seq", "entity", "entity_id", "actor").iterator(chunk_size=2000):
        if kind in BLIND:
            if kind not in revealed:
                revealed[kind] = BLIND[kind](acting.review)
            if not may_see_vote(acting.member.code, actor, revealed=_is(about, revealed[kind])):
                continue  # passed over without reading what it holds: a lead may screen, and has a clock
        found.append(seq)
        if len(found) > PAGE:
            yield from _read(acting.review, found)
            found = []
    yield from _read(acting.review, found)


def _read(review: Review, seqs: list[int]) -> Iterator[Event]:
    yield from Event.objects.filter(chain=review.key, seq__in=seqs).order_by("-seq")


def _is(about: str, revealed: set[str]) -> bool:
    """Whether an event is about something revealed; an assessment names the domain after the last slash."""
    return about in revealed or about.rpartition("/")[0] in revealed
