"""What an instrument's rules propose for given answers: a total function of the answers, with the branch taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from balm.review.risk_of_bias.instrument import Condition, Domain, Instrument, Question
from balm.vocabulary.problems import InputError, Problem

#: What stands for a question that was not triggered.
NOT_ASKED = "NA"


@dataclass(frozen=True, slots=True)
class Proposed:
    """The judgement that the rules give, and the branch of each part that gave it."""

    judgement: str
    because: tuple[str, ...]


def is_asked(question: Question, answers: Mapping[str, str]) -> bool:
    """Whether the answers so far trigger the question."""
    return not question.asked or any(_holds(condition, answers) for condition in question.asked)


def completed(domain: Domain, answers: Mapping[str, str]) -> dict[str, str]:
    """The answers with ``NA`` for every question that is not asked; :class:`InputError` where one is missing or wrong.

    An answer to a question that is not asked is dropped: the tool does not read it.
    """
    full: dict[str, str] = {}
    problems = []
    for question in domain.questions:
        if not is_asked(question, full):
            full[question.id] = NOT_ASKED
            continue
        answer = answers.get(question.id, "")
        if answer not in question.answers:
            allowed = ", ".join(question.answers)
            what = f"got {answer!r}" if answer else "it is asked here and has no answer"
            problems.append(Problem(f"must be one of {allowed}; {what}", column=question.id, value=answer))
        full[question.id] = answer
    if problems:
        raise InputError(problems)
    return full


def propose(instrument: Instrument, domain: Domain, answers: Mapping[str, str]) -> Proposed | None:
    """The judgement of one domain by the official rules; ``None`` where the instrument leaves it to the person.

    >>> from balm.review.risk_of_bias.instrument import instrument
    >>> rob2 = instrument("rob2-assignment")
    >>> propose(rob2, rob2.domain("D1"), {"1.1": "Y", "1.2": "NI", "1.3": "N"}).judgement
    'some concerns'
    """
    if not domain.parts:
        return None
    full = completed(domain, answers)
    found = [next(rule for rule in part.rules if _holds(rule.when, full)) for part in domain.parts]
    worst = max(found, key=lambda rule: instrument.judgements.index(rule.then))
    return Proposed(worst.then, tuple(rule.because for rule in found))


@dataclass(frozen=True, slots=True)
class Overall:
    """The overall judgement, and whether a person may reasonably raise it (several domains with some concerns)."""

    judgement: str
    may_raise: bool = False


def overall(instrument: Instrument, domains: Mapping[str, str]) -> Overall | None:
    """The overall judgement from those of the domains; ``None`` where the instrument defines none.

    RoB 2: low when every domain is low, high when one is high, else some concerns; several domains with some concerns
    may add up to high, which a person decides and records. ROBINS-I: the most severe domain; ``no information`` only
    where no domain is serious or critical and at least one is without information.
    """
    if instrument.overall == "none":
        return None
    missing = [d.id for d in instrument.domains if d.id not in domains]
    if missing:
        raise InputError(f"domains without a judgement: {', '.join(missing)}")
    given = [domains[d.id] for d in instrument.domains]
    for domain, judgement in zip(instrument.domains, given, strict=True):
        if judgement not in instrument.judgements:
            allowed = ", ".join(instrument.judgements)
            raise InputError(Problem(f"must be one of {allowed}; got {judgement!r}", column=domain.id, value=judgement))
    if instrument.overall == "worst":
        ranks = ("low", "moderate", "no information", "serious", "critical")
        return Overall(max(given, key=ranks.index))
    worst = max(given, key=instrument.judgements.index)
    return Overall(worst, worst == "some concerns" and given.count("some concerns") > 1)


def _holds(condition: Condition, answers: Mapping[str, str]) -> bool:
    return all(answers.get(question) in allowed for question, allowed in condition.items())
