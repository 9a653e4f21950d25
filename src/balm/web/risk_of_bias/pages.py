"""What the pages of risk of bias show, for one member: nothing here tells more than that member may see."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from balm.actions.team.acting import Acting
from balm.review.package import Package
from balm.review.risk_of_bias.instrument import ANSWERS, Instrument, instrument
from balm.review.risk_of_bias.judging import NOT_ASKED
from balm.review.risk_of_bias.on_record import groups
from balm.review.risk_of_bias.settled import step_name, steps
from balm.review.risk_of_bias.standing import Standing, is_stale, may_see, same
from balm.review.risk_of_bias.targets import Target, in_words, targets_of
from balm.review.risk_of_bias.words import OVERALL
from balm.store.risk_of_bias.models import Agreed, Assessment, Finished, Proposal
from balm.store.risk_of_bias.standing import judged, standings, target_of

#: How a result stands, as its badge says.
AGREED, TO_AGREE, NOT_BEGUN = "agreed", "to agree", "not begun"


@dataclass(frozen=True, slots=True)
class Line:
    """A result in the list: what it is, how it stands for this member, and the agreed judgement."""

    target: Target
    words: str
    instrument: str
    state: str
    tone: str
    overall: str
    consensus: bool
    unfinished: bool  # begun by this member, and neither finished nor compared


@dataclass(frozen=True, slots=True)
class StudyLines:
    """A study with its results."""

    study: str
    label: str
    design: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A domain in the column beside the form: what this member judged, or what was agreed."""

    id: str
    name: str
    judgement: str
    current: bool


def studies_of(acting: Acting, package: Package, name: str | None, outcome: str | None) -> tuple[StudyLines, ...]:
    """Every study with what there is to assess, as it stands for this member."""
    mine = _own_progress(acting)
    standing = standings(acting.review)
    agreed = _agreed_steps(acting)
    on_record = {
        (g.outcome or "", g.window or "", g.comparison or "", j.study, j.instrument): j.judgement
        for g in groups(package.risk_of_bias)
        for j in g.judgements
        if j.domain == OVERALL and j.instrument
    }
    found: dict[str, list[Line]] = {}
    for target in targets_of(package, name):
        if outcome and target.outcome and target.outcome != outcome:
            continue
        one = instrument(target.instrument)
        shown = standing.get(target, Standing())
        may_compare = shown.revealed and acting.may("discuss")
        settled = agreed.get(target, set()) >= set(steps(one))
        state, tone = _state(mine.get(target), one, may_compare, settled, acting.may("assess"))
        overall = on_record.get((target.outcome, target.window, target.comparison, target.study, target.instrument), "")
        begun = target in mine and not mine[target][1] and state not in (AGREED, TO_AGREE)
        line = Line(target, in_words(package, target), one.name, state, tone, overall, may_compare, begun)
        found.setdefault(target.study, []).append(line)
    return tuple(
        StudyLines(s.study, s.label, s.design, tuple(found[s.study])) for s in package.studies if s.study in found
    )


def _state(
    mine: tuple[int, bool] | None, one: Instrument, may_compare: bool, settled: bool, may_assess: bool
) -> tuple[str, str]:
    if settled:
        return AGREED, "good"
    if may_compare:
        return TO_AGREE, "warn"
    if mine is None:
        return (NOT_BEGUN, "") if may_assess else ("", "")
    done, finished = mine
    if finished:
        return "finished; shown to nobody until a second person has finished", "good"
    return f"{done} of {len(steps(one))} judged by you", "warn"


def _own_progress(acting: Acting) -> dict[Target, tuple[int, bool]]:
    done: dict[Target, set[str]] = {}
    for row in Assessment.objects.filter(review=acting.review, member=acting.member):
        done.setdefault(target_of(row), set()).add(row.domain)
    finished = {target_of(row) for row in Finished.objects.filter(review=acting.review, member=acting.member)}
    return {target: (len(domains), target in finished) for target, domains in done.items()}


def _agreed_steps(acting: Acting) -> dict[Target, set[str]]:
    found: dict[Target, set[str]] = {}
    for row in Agreed.objects.filter(review=acting.review):
        found.setdefault(target_of(row), set()).add(row.domain)
    return found


def steps_shown(
    one: Instrument, rows: Mapping[str, Assessment] | Mapping[str, Agreed], current: str = ""
) -> tuple[Step, ...]:
    """The steps of an instrument with the judgements in ``rows``."""
    return tuple(
        Step(step, step_name(one, step), rows[step].judgement if step in rows else "", step == current)
        for step in steps(one)
    )


def is_overall_stale(one: Instrument, rows: Any) -> bool:
    """Whether a domain was changed after the overall judgement."""
    return is_stale(one, judged(rows))


@dataclass(frozen=True, slots=True)
class Side:
    """One assessor's judgement of a domain, beside the other's."""

    code: str
    name: str
    row: Assessment


@dataclass(frozen=True, slots=True)
class Compared:
    """A domain as both assessors judged it, and what was agreed."""

    id: str
    name: str
    sides: tuple[Side, ...]
    same: bool
    agreed: Agreed | None
    proposals: tuple[Proposal, ...]  # for the next agreement
    answers: tuple[tuple[str, str, tuple[tuple[str, str], ...], bool], ...]  # question, text, (who, answer), differ


def compared(
    acting: Acting,
    one: Instrument,
    standing: Standing,
    sides: Mapping[str, Mapping[str, Assessment]],
    agreed: Mapping[str, Agreed],
    proposals: Mapping[str, Mapping[str, Proposal]] | None = None,
) -> Iterator[Compared]:
    """Every step with both sides; only what this member may see."""
    shown = {code: rows for code, rows in sides.items() if may_see(acting.member.code, code, standing)}
    for step in steps(one):
        both = tuple(Side(code, rows[step].member.name, rows[step]) for code, rows in shown.items() if step in rows)
        views = [judged({step: side.row})[step] for side in both]
        questions = () if step == OVERALL else one.domain(step).questions
        answers = []
        for question in questions:
            given = tuple((side.name, _words(side.row.answers.get(question.id, NOT_ASKED))) for side in both)
            answers.append((question.id, question.text, given, len({answer for _, answer in given}) > 1))
        said = tuple((proposals or {}).get(step, {}).values()) if both else ()
        alike = bool(views) and all(same(views[0], other) for other in views[1:])
        yield Compared(step, step_name(one, step), both, alike, agreed.get(step), said, tuple(answers))


def _words(answer: str) -> str:
    return "not asked" if answer == NOT_ASKED else ANSWERS.get(answer, answer)


def submission(target: Target, domain: str, turn: int) -> str:
    """The number of the next judgement: the same page sent twice carries it twice, and counts once."""
    return f"{hashlib.sha256(target.key.encode()).hexdigest()[:20]}-{domain}-{turn}"[:64]
