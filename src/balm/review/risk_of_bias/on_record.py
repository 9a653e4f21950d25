"""Judgements of ``risk_of_bias.csv``: what contradicts the instrument they name, and which belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from balm.review.risk_of_bias.answers import read_answers
from balm.review.risk_of_bias.instrument import Instrument, instrument
from balm.review.risk_of_bias.judging import NOT_ASKED, completed, propose
from balm.review.risk_of_bias.words import OVERALL
from balm.vocabulary.problems import InputError, Problem

if TYPE_CHECKING:
    from balm.vocabulary.evidence import BiasJudgement

FILE = "risk_of_bias.csv"


@dataclass(frozen=True, slots=True)
class BiasGroup:
    """Judgements with one instrument of one kind of result (or of studies): what one figure shows."""

    tool: str
    outcome: str | None
    window: str | None
    comparison: str | None
    judgements: tuple[BiasJudgement, ...]


def groups(judgements: Iterable[BiasJudgement]) -> tuple[BiasGroup, ...]:
    """The judgements by tool and kind of result, in first-seen order."""
    found: dict[tuple[str, str | None, str | None, str | None], list[BiasJudgement]] = {}
    for j in judgements:
        found.setdefault((j.tool, j.outcome, j.window, j.comparison), []).append(j)
    return tuple(BiasGroup(*key, tuple(rows)) for key, rows in found.items())


def judgement_problems(rows: Sequence[BiasJudgement]) -> list[Problem]:
    """Rows that their own instrument contradicts: an unknown domain, wrong answers, a proposal that its rules do not
    give, a change of it without a reason."""
    problems: list[Problem] = []
    for row in rows:
        if row.instrument is None:
            for name in ("answers", "proposed"):
                if getattr(row, name) is not None:
                    problems.append(_problem(row, name, f"needs `instrument`: {name} are read by its rules"))
            continue
        try:
            one = instrument(row.instrument)
        except InputError:
            continue  # its cell has been named already
        problems += _against(row, one)
    return problems


def _against(row: BiasJudgement, one: Instrument) -> list[Problem]:
    problems = []
    if row.judgement not in one.judgements:
        allowed = ", ".join(one.judgements)
        problems.append(_problem(row, "judgement", f"must be one of {allowed} for {one.name}; got {row.judgement!r}"))
    if row.proposed is not None and row.proposed != row.judgement and not row.override_reason:
        reason = f"say why the judgement is {row.judgement!r} where {row.proposed!r} was proposed"
        problems.append(_problem(row, "override_reason", reason))
    if row.domain == OVERALL:
        return problems
    domain = next((d for d in one.domains if d.name == row.domain), None)
    if domain is None:
        known = ", ".join(d.name for d in one.domains)
        return [*problems, _problem(row, "domain", f"must be one of {known} or {OVERALL}; got {row.domain!r}")]
    if row.answers is None:
        return problems
    try:
        given = read_answers(row.answers)
        if unknown := sorted(set(given) - {q.id for q in domain.questions}):
            raise InputError(f"holds {unknown[0]!r}, which is no question of {domain.name!r}")
        given = {
            q.id: NOT_ASKED for q in domain.questions if NOT_ASKED in q.answers
        } | given  # left out: not applicable
        completed(domain, given)
        found = propose(one, domain, given)
    except InputError as error:
        said = "; ".join(f"{p.column}: {p.reason}" if p.column else p.reason for p in error.problems)
        return [*problems, _problem(row, "answers", said)]
    proposed = found.judgement if found else None
    if row.proposed is not None and row.proposed != proposed:
        what = f"the rules of {one.name} give {proposed!r}" if proposed else f"{one.name} has no rules for this domain"
        problems.append(_problem(row, "proposed", f"{what} for these answers; got {row.proposed!r}"))
    return problems


def _problem(row: BiasJudgement, column: str, reason: str) -> Problem:
    return Problem(reason, file=FILE, row=row.row, column=column)


def domain_order(judgements: Iterable[BiasJudgement]) -> list[str]:
    """The domains in first-seen order, the overall judgement last."""
    return sorted(dict.fromkeys(j.domain for j in judgements), key=lambda d: d == OVERALL)


def by_study(group: BiasGroup) -> Mapping[str, dict[str, str]]:
    """Study -> domain -> judgement; the first one where a study has two."""
    found: dict[str, dict[str, str]] = {}
    for j in group.judgements:
        found.setdefault(j.study, {}).setdefault(j.domain, j.judgement)
    return found
