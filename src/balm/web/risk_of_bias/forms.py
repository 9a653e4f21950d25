"""The form of one domain as its template shows it: questions asked so far, what the rules propose, what was typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from balm.review.risk_of_bias.instrument import ANSWERS, Instrument
from balm.review.risk_of_bias.judging import NOT_ASKED, Proposed, is_asked, propose
from balm.review.risk_of_bias.settled import bias_domains, propose_overall, step_name
from balm.review.risk_of_bias.words import DIRECTIONS, OVERALL
from balm.vocabulary.problems import InputError, Problem

FIELDS = ("judgement", "override_reason", "direction", "support")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that is asked now, with its answers as ``(value, words, chosen)``."""

    id: str
    text: str
    answers: tuple[tuple[str, str, bool], ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class DomainForm:
    """A domain's form. ``values`` holds what was typed; ``errors`` what is wrong, by field."""

    domain: str
    name: str
    about: str
    ask: str
    questions: tuple[Asked, ...]
    left: int  # questions asked that have no answer yet
    ruled: bool  # the instrument has rules for this domain
    proposed: Proposed | None
    judgements: tuple[tuple[str, bool], ...]
    values: Mapping[str, str]
    differs: bool  # the judgement chosen is not the one proposed
    rests_on: tuple[tuple[str, str], ...] = ()  # of the overall judgement: domain in words, judgement
    errors: Mapping[str, str] = field(default_factory=dict)
    other_errors: tuple[str, ...] = ()
    directions: tuple[str, ...] = DIRECTIONS


def domain_form(
    instrument: Instrument,
    step: str,
    answers: Mapping[str, str],
    values: Mapping[str, str],
    problems: Iterable[Problem] = (),
) -> DomainForm:
    """The form for ``step`` (a domain or ``Overall``) with these answers and values, complete or not."""
    errors = {p.column: p.reason for p in problems if p.column}
    if step == OVERALL:
        asked, proposed, left, about, ask = (), _overall(instrument, answers), 0, "bias", ""
        ruled = True
        rests_on = tuple((d.name, answers.get(d.id, "")) for d in bias_domains(instrument))
    else:
        domain = instrument.domain(step)
        full: dict[str, str] = {}
        found = []
        for question in domain.questions:
            if not is_asked(question, full):
                full[question.id] = NOT_ASKED
                continue
            given = answers.get(question.id, "")
            full[question.id] = given if given in question.answers else ""
            choices = tuple((a, ANSWERS[a].capitalize(), a == given) for a in question.answers)
            found.append(Asked(question.id, question.text, choices, errors.pop(question.id, "")))
        asked, left = tuple(found), sum(not a for a in full.values())
        proposed = None if left else propose(instrument, domain, full)
        about, ask, ruled, rests_on = domain.about, domain.ask, bool(domain.parts), ()
    chosen = values.get("judgement", "")
    known = {name: errors[name] for name in (*FIELDS, "reason") if name in errors}
    return DomainForm(
        domain=step,
        name=step_name(instrument, step),
        about=about,
        ask=ask,
        questions=asked,
        left=left,
        ruled=ruled,
        proposed=proposed,
        judgements=tuple((j, j == chosen) for j in instrument.judgements),
        values=values,
        differs=bool(proposed and chosen and chosen != proposed.judgement),
        rests_on=rests_on,
        errors=known,
        other_errors=tuple(p.reason for p in problems if p.column not in known and not _of_question(p, asked)),
    )


def _of_question(problem: Problem, asked: tuple[Asked, ...]) -> bool:
    return problem.column in {question.id for question in asked}


def _overall(instrument: Instrument, judgements: Mapping[str, str]) -> Proposed | None:
    try:
        return propose_overall(instrument, judgements)
    except InputError:
        return None
