"""What waits for a member in each stage: their own work and what everybody may see, never how far another has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from django.template.defaultfilters import pluralize

from balm.actions.team.acting import Acting
from balm.actions.team.deduplication import questions
from balm.actions.team.screening import own_count
from balm.actions.team.synthesis import pinned_analyses
from balm.review.full_texts.retrieval import NOT_RETRIEVED, OBTAINED
from balm.review.screening.outcomes import STAGES
from balm.store.full_texts.models import Attempt
from balm.store.full_texts.standing import REPORTS, ids_sought
from balm.store.records.unique import RECORDS, still_there, unique_records
from balm.store.reviews.models import Row
from balm.store.screening.standing import came_with_votes, forward, opening_of, plan_of, unsettled
from balm.store.synthesis.current import current_package
from balm.vocabulary.problems import InputError
from balm.web.extraction.shown import states
from balm.web.records.background import under_way
from balm.web.risk_of_bias.pages import AGREED, NOT_BEGUN, TO_AGREE, studies_of
from balm.web.screening.shown import TITLES


@dataclass(frozen=True, slots=True)
class Part:
    """One thing of a stage in words; ``done`` of ``whole`` is drawn as a bar, what ``waits`` for people is marked."""

    words: str
    waits: bool = False
    done: int = 0
    whole: int = 0


def progress_of(acting: Acting, stage: str) -> list[Part]:
    """What the card of a stage says; nothing where its data cannot be read just now."""
    find = _OF.get(stage)
    try:
        return find(acting) if find else []
    except InputError:
        return []


def screening_part(acting: Acting, stage: str) -> Part | None:
    """How many records a screener has decided on, of those there are to read; ``None`` for who does not screen.

    The whole is known where everybody reads everything, and nothing was decided before the stage was opened here.
    """
    opening = opening_of(acting.review, stage)
    if opening is None or acting.member.code not in opening.screeners:
        return None
    there = unique_records(acting.review)
    if stage == "full-text":
        there = there.filter(record__in=still_there(acting.review, forward(acting.review)))
    own = own_count(acting, stage)
    shared = len(opening.screeners) > opening.reviewers or came_with_votes(acting.review)
    whole = 0 if shared else there.count()
    words = f"{own:,} of {whole:,} decided by you" if whole else f"{own:,} decided by you"
    return Part(words, opening.open and (own < whole or shared), own, whole)


#: What a plan needs before anything can be pooled, in the order in which it is stated.
PLANNED = {
    "eligibility": ("eligibility",),
    "outcomes": ("outcomes",),
    "comparisons": ("comparisons",),
    "analyses": ("analyses", "networks"),
}


def _set_up(acting: Acting) -> list[Part]:
    plan = plan_of(acting.review)
    left = [word for word, parts in PLANNED.items() if not any(getattr(plan, part) for part in parts)]
    return [Part(f"Not stated yet: {', '.join(left)}", waits=acting.may("set up"))] if left else []


def _people(acting: Acting) -> list[Part]:
    return [] if acting.member.interests.strip() else [Part("State your conflicts of interest", waits=True)]


def _records(acting: Acting) -> list[Part]:
    if under_way(acting.review):
        return [Part("Files are being read", waits=True)]
    rows = Row.objects.filter(review=acting.review, table=RECORDS).count()
    if not rows:
        begun = Row.objects.filter(review=acting.review, table=REPORTS).exists()  # a package may hold reports alone
        return [Part("No record is in yet", waits=acting.may("import") and not begun)]
    return [Part(f"{rows:,} record{pluralize(rows)}, {unique_records(acting.review).count():,} without duplicates")]


def _duplicates(acting: Acting) -> list[Part]:
    waiting = len(questions(acting.review))
    return (
        [Part(f"{waiting:,} question{pluralize(waiting)} wait{pluralize(waiting, 's,')}", waits=True)]
        if waiting
        else []
    )


def _screening(acting: Acting) -> list[Part]:
    found = []
    for stage in STAGES:
        mine = screening_part(acting, stage)
        if mine is not None:
            found.append(Part(f"{TITLES[stage]}: {mine.words}", mine.waits, mine.done, mine.whole))
        if conflicts := len(unsettled(acting.review, stage)):
            words = f"{TITLES[stage]}: {conflicts:,} conflict{pluralize(conflicts)} to settle"
            found.append(Part(words, waits=acting.may("adjudicate") or acting.may("discuss")))
    return found


def _full_texts(acting: Acting) -> list[Part]:
    sought = ids_sought(acting.review)
    if not sought:
        return []
    last = dict(Attempt.objects.filter(review=acting.review).order_by("pk").values_list("report", "status"))
    states_now = Counter(last.get(report, "") for report in sought)
    counts = [f"{states_now[status]:,} {status}" for status in (OBTAINED, NOT_RETRIEVED) if states_now[status]]
    return [Part(f"{len(sought):,} report{pluralize(len(sought))}" + (f": {', '.join(counts)}" if counts else ""))]


def _extraction(acting: Acting) -> list[Part]:
    now = Counter(state for *_, state in states(acting))
    found = [Part(f"{now.total():,} stud{pluralize(now.total(), 'y,ies')}")] if now else []
    if now["mine"]:
        found.append(Part(f"{now['mine']:,} being extracted by you", waits=True))
    if now["compared"]:
        found.append(Part(f"{now['compared']:,} to compare", waits=True))
    return found


def _risk_of_bias(acting: Acting) -> list[Part]:
    lines = [line for study in studies_of(acting, current_package(acting.review), None, None) for line in study.lines]
    now = Counter(line.state for line in lines)
    begun = sum(line.unfinished for line in lines)
    found = [Part(f"{now[AGREED]:,} of {len(lines):,} agreed here")] if len(lines) != now[NOT_BEGUN] + now[""] else []
    if begun:
        found.append(Part(f"{begun:,} begun by you", waits=True))
    if now[TO_AGREE]:
        found.append(Part(f"{now[TO_AGREE]:,} to agree", waits=True))
    return found


def _analyses(acting: Acting) -> list[Part]:
    planned, pinned = len(plan_of(acting.review).analyses), pinned_analyses(acting.review)
    stale = sum(one.stale for one in pinned)
    found = [Part(f"{planned:,} planned" + (f", {len(pinned):,} pinned" if pinned else ""))] if planned else []
    return [*found, Part(f"{stale:,} pinned on data that changed since", waits=True)] if stale else found


_OF: dict[str, Callable[[Acting], list[Part]]] = {
    "set_up": _set_up,
    "members": _people,
    "records": _records,
    "deduplication": _duplicates,
    "screening": _screening,
    "full_texts": _full_texts,
    "extraction": _extraction,
    "risk_of_bias": _risk_of_bias,
    "synthesis": _analyses,
}
