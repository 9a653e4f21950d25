"""Analyses of a review on the server: the same synthesis as the package's report, from the rows as they stand."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.db import transaction

import balm
from balm.actions.team.acting import Acting
from balm.report.analysis_json import analysis_as_json
from balm.review.analysis_choices import spec_as_plain, spec_from_plain
from balm.review.analysis_data import canonical, changed_cells, concerns, data_hash, upstream
from balm.review.package import AnalysisSpec
from balm.review.synthesis import AnalysisResult, Synthesis, analyse, synthesise
from balm.store.events.chain import append_event, lock_chain
from balm.store.events.models import Event
from balm.store.reviews.models import Review
from balm.store.synthesis.current import current_package, data_stamp, kept_for
from balm.store.synthesis.models import PinnedAnalysis
from balm.vocabulary.problems import InputError, Problem

#: Changes shown for one stale analysis; the audit trail has the rest.
SHOWN = 20
#: Tables whose cells an analysis rests on.
EXPLAIN = ("results.csv", "contrasts.csv", "studies.csv", "arms.csv", "risk_of_bias.csv")


def current_synthesis(review: Review) -> Synthesis:
    """Every planned analysis of the review as it stands now; carried out once for each state of its data."""
    found: Synthesis = kept_for(
        ("synthesis", review.key), data_stamp(review), lambda: synthesise(current_package(review))
    )
    return found


def current_analysis(review: Review, spec: AnalysisSpec) -> AnalysisResult:
    """One analysis of the rows as they stand; carried out once for each state of the data."""
    key = hashlib.sha256(canonical(spec_as_plain(spec)).encode()).hexdigest()
    found: AnalysisResult = kept_for(
        ("analysis", review.key, key), data_stamp(review), lambda: analyse(current_package(review), spec)
    )
    return found


@transaction.atomic
def pin_analysis(acting: Acting, spec: AnalysisSpec, name: str, *, submission: str, note: str = "") -> PinnedAnalysis:
    """Keep what an analysis gives now, under ``name``: its choices, a hash of its data, and every number in full.

    The same ``name`` again is a new row beside the old one. ``submission`` counts once.
    """
    acting.check("analyse")
    name, note = " ".join(name.split()), note.strip()
    wrong = []
    if not 0 < len(name) <= 200:
        wrong.append(Problem("a pinned analysis needs a name of at most 200 characters", column="name"))
    if not 0 < len(submission) <= 64:
        wrong.append(Problem("must identify this request, in at most 64 characters", column="submission"))
    if len(note) > 5000:
        wrong.append(Problem("must have at most 5000 characters", column="note"))
    if wrong:
        raise InputError(wrong)
    head = lock_chain(acting.review.key)
    before = PinnedAnalysis.objects.filter(member=acting.member, submission=submission).first()
    if before is not None:
        return before
    result = current_analysis(acting.review, spec)
    text = canonical(analysis_as_json(result))
    pin = PinnedAnalysis.objects.create(
        review=acting.review,
        member=acting.member,
        name=name,
        turn=PinnedAnalysis.objects.filter(review=acting.review, name=name).count() + 1,
        note=note,
        spec=canonical(spec_as_plain(spec)),
        data_hash=data_hash(result),
        reads=canonical({table: sorted(ids) for table, ids in upstream(result).items()}),
        software_version=balm.__version__,
        result=text,
        last_event=head.seq,
        submission=submission,
    )
    append_event(
        acting.review.key, acting.actor, "pin analysis", "pinned analysis", name,
        after={"data_hash": pin.data_hash, "result_sha256": hashlib.sha256(text.encode()).hexdigest(),
               "analysis": spec.id, "software_version": pin.software_version},
        reason=note, entity_version=pin.turn,
    )  # fmt: skip
    return pin


def pin_again(acting: Acting, name: str, *, submission: str, note: str = "") -> PinnedAnalysis:
    """Carry out the last analysis pinned as ``name`` on the rows as they stand, and keep it as a new row."""
    last = PinnedAnalysis.objects.filter(review=acting.review, name=name).order_by("turn").last()
    if last is None:
        raise InputError(Problem(f"no analysis is pinned as {name!r}", column="name"))
    return pin_analysis(acting, spec_from_plain(json.loads(last.spec)), name, submission=submission, note=note)


@dataclass(frozen=True, slots=True)
class CellChange:
    """A cell changed after the analysis was pinned: where, from what to what, by whom, when and why."""

    file: str
    row: str
    column: str
    before: str
    after: str
    by: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pinned:
    """A pinned analysis and how it stands: ``stale`` once its data are no longer those it was computed from."""

    pin: PinnedAnalysis
    result: dict[str, Any]
    stale: bool
    why: str = ""  # in words, where no cell says it
    changes: tuple[CellChange, ...] = ()
    more: int = 0  # changes beyond those listed

    @property
    def other_engine(self) -> bool:
        """Whether another version of the engine is running now."""
        return self.pin.software_version != balm.__version__


def pinned_analyses(review: Review) -> list[Pinned]:
    """The latest row of each pinned analysis with its state, by name."""
    latest: dict[str, PinnedAnalysis] = {}
    for pin in PinnedAnalysis.objects.filter(review=review).select_related("member").order_by("name", "turn"):
        latest[pin.name] = pin
    return [state_of(review, pin) for pin in latest.values()]


def state_of(review: Review, pin: PinnedAnalysis) -> Pinned:
    """How a pinned analysis stands now; found once for each state of the data."""
    found: Pinned = kept_for(("pin", review.key, str(pin.pk)), data_stamp(review), lambda: _state(review, pin))
    return found


def _state(review: Review, pin: PinnedAnalysis) -> Pinned:
    result, spec = json.loads(pin.result), spec_from_plain(json.loads(pin.spec))
    try:
        now = current_analysis(review, spec)
    except (InputError, StopIteration) as error:
        said = str(error) or "the plan no longer has its outcome, window or comparison"
        return Pinned(pin, result, True, f"It cannot be carried out any more: {said}.")
    if data_hash(now) == pin.data_hash:
        return Pinned(pin, result, False)
    reads = {table: set(ids) for table, ids in json.loads(pin.reads).items()}
    for table, ids in upstream(now).items():
        reads[table] = reads.get(table, set()) | ids
    changes = [
        change
        for event in Event.objects.filter(chain=review.key, seq__gt=pin.last_event, entity__in=EXPLAIN).order_by("seq")
        for change in _changes(event, reads, spec.outcome)
    ]
    why = "" if changes else "The data it rests on are others; the audit trail names no cell of its own rows."
    return Pinned(pin, result, True, why, tuple(changes[:SHOWN]), max(0, len(changes) - SHOWN))


def _changes(event: Event, reads: dict[str, set[str]], outcome: str) -> list[CellChange]:
    """The cells of one event that can touch the analysis; an event of many new rows holds them as a list."""
    found = []
    many = isinstance(event.after, list)
    for before, after in [(None, row) for row in event.after] if many else [(event.before, event.after)]:
        states = [row for row in (before, after) if isinstance(row, dict)]
        own = event.entity == "risk_of_bias.csv" or concerns(event.entity, states, reads, outcome)
        if not states or not own:
            continue
        key = event.entity_id.replace("\x1f", " ") if not many else next(iter(states[-1].values()), "")
        if before is None or after is None:
            what = "new row" if before is None else "row taken out"
            found.append(CellChange(event.entity, key, what, "", "", event.actor, event.at, event.reason))
            continue
        found += [
            CellChange(event.entity, key, column, was, now, event.actor, event.at, event.reason)
            for column, was, now in changed_cells(before, after)
        ]
    return found
