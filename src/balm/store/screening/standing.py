"""How the screening of a review stands: what is open, who voted what in force, what is revealed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from balm.review.flow_counts import screening_outcomes
from balm.review.package import Meta
from balm.review.plan import FILE, read_plan
from balm.review.screening.outcomes import CONFLICT, INCLUDE, STAGES, USUAL_REASONS, WITHDRAWN, goes_forward, settled
from balm.store.reviews.models import Review, Row, StoredFile
from balm.store.reviews.package_rows import BETWEEN
from balm.store.screening.models import Adjudication, Batch, Opening, Reveal, Vote
from balm.vocabulary import evidence
from balm.vocabulary.problems import InputError


def plan_of(review: Review) -> Meta:
    """``review.toml``, read; the same bytes are read once."""
    stored = StoredFile.objects.filter(review=review, path=FILE)
    sha256 = stored.values_list("sha256", flat=True).get()
    if sha256 not in _PLANS:
        meta, problems = read_plan(bytes(stored.values_list("content", flat=True).get()).decode("utf-8-sig"))
        if meta is None:
            raise InputError(problems)
        if len(_PLANS) >= MOST_PLANS:
            _PLANS.clear()
        _PLANS[sha256] = meta
    return _PLANS[sha256]


#: ``review.toml`` by its hash: a page that shows criteria and reasons does not parse it each time.
_PLANS: dict[str, Meta] = {}
MOST_PLANS = 64


def reasons_of(plan: Meta) -> tuple[str, ...]:
    """The reasons for excluding a full text, in order: the review's own, or the usual ones where it lists none."""
    return plan.screening.exclusion_reasons or USUAL_REASONS


def opening_of(review: Review, stage: str) -> Opening | None:
    """The latest row on a stage, open or closed; ``None`` where it was never opened."""
    return Opening.objects.filter(review=review, stage=stage).order_by("-pk").first()


def open_stages(review: Review) -> list[tuple[str, tuple[str, ...]]]:
    """The stages that are open, each with the codes of those who screen in it."""
    found = [(stage, opening_of(review, stage)) for stage in STAGES]
    return [(stage, tuple(o.screeners)) for stage, o in found if o is not None and o.open]


def dealt_openly(review: Review) -> list[dict[str, str]] | None:
    """The cells of the rows of ``batches.csv`` that everybody may see while a stage is open, in their order; ``None``
    where no stage is open, and all may be seen.

    A batch is dealt out while the one before is read, so it tells how far somebody has come: of an open stage those
    are seen that are wholly revealed. They are found from what is revealed, so that what is ahead costs no time.
    """
    opened = [stage for stage, _ in open_stages(review)]
    if not opened:
        return None
    rows = Row.objects.filter(review=review, table="batches.csv")
    dealt = Batch.objects.filter(review=review, again=False).order_by("pk")
    keys = [f"{b.stage}{BETWEEN}{r}" for b in dealt.exclude(stage__in=opened) for r in b.records]
    for stage in opened:
        keys += [f"{stage}{BETWEEN}{r}" for records in _wholly_revealed(review, stage) for r in records]
    first = dealt.first()
    place = rows.filter(key=f"{first.stage}{BETWEEN}{first.records[0]}").first() if first else None
    found = rows.filter(position__lt=place.position) if place else rows  # what came with the package stands before
    seen = dict(found.values_list("position", "cells"))
    for start in range(0, len(keys), 500):
        seen |= dict(rows.filter(key__in=keys[start : start + 500]).values_list("position", "cells"))
    return [seen[position] for position in sorted(seen)]


def _wholly_revealed(review: Review, stage: str) -> Iterator[list[str]]:
    """The records of each batch of a stage whose votes are all open."""
    revealed = Reveal.objects.filter(review=review, stage=stage).order_by()
    done = set(revealed.values_list("record", flat=True))
    dealt = Batch.objects.filter(review=review, stage=stage).order_by("number")
    if not dealt.filter(again=True).exists():  # what was given out again is revealed under another number
        dealt = dealt.filter(number__in=revealed.values("batch"))
    for records in dealt.filter(again=False).values_list("records", flat=True):
        if done.issuperset(records):
            yield records


def in_force(votes: Iterable[Vote]) -> dict[tuple[str, int], Vote]:
    """``{(record, member's number): vote}`` of each person's last vote, where it was not taken back."""
    last: dict[tuple[str, int], Vote] = {}
    for vote in sorted(votes, key=lambda v: v.turn):
        last[vote.record, vote.member_id] = vote
    return {at: vote for at, vote in last.items() if vote.decision != WITHDRAWN}


def is_revealed(review: Review, stage: str, record: str) -> bool:
    """Whether everybody who was to vote on a record has voted."""
    return Reveal.objects.filter(review=review, stage=stage, record=record).exists()


def package_votes(review: Review, stage: str) -> list[evidence.Vote]:
    """The rows of ``screening.csv`` at one stage: votes that are revealed and adjudications, in their order."""
    rows = Row.objects.filter(review=review, table="screening.csv", cells__stage=stage).order_by("position")
    return [
        evidence.Vote(
            c["record"], c["stage"], c["reviewer"], c["decision"], c["kind"], c.get("reason") or None,
            c.get("time") or None,
        )
        for c in rows.values_list("cells", flat=True).iterator(chunk_size=5000)
    ]  # fmt: skip


def forward(review: Review, stage: str = "title-abstract") -> list[str]:
    """Ids of the records that go forward from a stage, in the order in which that was decided; revealed outcomes only.

    A conflict goes forward once it is settled so. Votes that came with the package, before the stage was opened here,
    count as they stand there.
    """
    ruled = {
        a.record: settled(a.decision) for a in Adjudication.objects.filter(review=review, stage=stage).order_by("turn")
    }
    rows = Reveal.objects.filter(review=review, stage=stage).order_by("pk").values_list("record", "outcome")
    here = {record: goes_forward(ruled.get(record, outcome)) for record, outcome in rows}
    brought: list[str] = []
    if came_with_votes(review):
        outcomes = screening_outcomes(package_votes(review, stage))
        brought = [record for record, outcome in outcomes.items() if record not in here and outcome == INCLUDE]
    return [*brought, *(record for record, goes in here.items() if goes)]


def came_with_votes(review: Review) -> bool:
    """Whether the package came with votes: they stand before those that were cast here."""
    first = Row.objects.filter(review=review, table="screening.csv").order_by("position").first()
    if first is None:
        return False
    return not Reveal.objects.filter(review=review, stage=first.cells["stage"], record=first.cells["record"]).exists()


def unsettled(review: Review, stage: str) -> list[Reveal]:
    """Conflicts that nobody has settled yet, oldest first."""
    ruled = Adjudication.objects.filter(review=review, stage=stage).values("record")
    return list(Reveal.objects.filter(review=review, stage=stage, outcome=CONFLICT).exclude(record__in=ruled))
