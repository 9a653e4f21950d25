"""A judgement as one person settles it: answers complete, the rules' proposal beside it, a reason where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from balm.review.risk_of_bias.instrument import Domain, Instrument
from balm.review.risk_of_bias.judging import Proposed, completed, overall, propose
from balm.review.risk_of_bias.words import DIRECTIONS, OVERALL
from balm.vocabulary.problems import InputError, Problem

#: Longer than any support text that is read; a pasted paper is refused.
MAX_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class Settled:
    """One domain (or ``Overall``) settled; ``proposed`` is empty where the instrument leaves it to the person."""

    domain: str
    answers: Mapping[str, str]
    proposed: str
    because: tuple[str, ...]
    judgement: str
    override_reason: str
    direction: str
    support: str


def settle(
    instrument: Instrument,
    domain: str,
    *,
    answers: Mapping[str, str],
    judgement: str = "",
    override_reason: str = "",
    direction: str = "",
    support: str = "",
) -> Settled:
    """What a person says about ``domain``, checked. For ``Overall`` the answers are the judgements of the domains.

    Without ``judgement`` the proposal stands. A judgement that differs from it needs ``override_reason``; raising
    several domains with some concerns to an overall high risk is such a judgement. :class:`InputError` names every
    field that is wrong.

    >>> from balm.review.risk_of_bias.instrument import instrument
    >>> rob2 = instrument("rob2-assignment")
    >>> settle(rob2, "D1", answers={"1.1": "Y", "1.2": "Y", "1.3": "N"}, support="Central telephone").judgement
    'low'
    """
    problems: list[Problem] = []
    found: Proposed | None = None
    full: dict[str, str] = {}
    try:
        if domain == OVERALL and instrument.overall == "none":
            raise InputError(f"{instrument.name} defines no overall judgement")
        if domain == OVERALL:
            full = {d.id: answers.get(d.id, "") for d in bias_domains(instrument)}
            found = propose_overall(instrument, answers)
        else:
            one = instrument.domain(domain)
            full = completed(one, answers)
            found = propose(instrument, one, answers)
    except InputError as error:
        problems += error.problems
    proposed = found.judgement if found else ""
    final = judgement.strip() or proposed
    allowed = ", ".join(instrument.judgements)
    if not problems and final not in instrument.judgements:
        what = f"got {final!r}" if final else "this instrument leaves the judgement to you"
        problems.append(Problem(f"must be one of {allowed}; {what}", column="judgement", value=final))
    if not problems and proposed and final != proposed and not override_reason.strip():
        reason = f"say why the judgement is {final!r} where the rules propose {proposed!r}"
        problems.append(Problem(reason, column="override_reason"))
    if direction and direction not in DIRECTIONS:
        problems.append(Problem(f"must be one of {', '.join(DIRECTIONS)}; got {direction!r}", column="direction"))
    for name, text in (("support", support), ("override_reason", override_reason)):
        problems += text_problems(name, text)
    if domain != OVERALL and not support.strip():
        problems.append(Problem("say what in the report supports the judgement; it is published", column="support"))
    if problems:
        raise InputError(problems)
    why = override_reason.strip() if proposed and final != proposed else ""
    because = found.because if found else ()
    return Settled(domain, full, proposed, because, final, why, direction, _lines(support))


def text_problems(name: str, text: str) -> list[Problem]:
    """What keeps a text from being kept: its length, or characters that no file or database holds."""
    if len(text) <= MAX_TEXT and "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text):
        return []
    return [Problem(f"must be plain text of at most {MAX_TEXT:,} characters", column=name)]


def propose_overall(instrument: Instrument, judgements: Mapping[str, str]) -> Proposed | None:
    """The overall judgement that follows from those of the domains, and why; ``None`` where none is defined."""
    found = overall(instrument, judgements)
    if found is None:
        return None
    leading = [d.name for d in bias_domains(instrument) if judgements[d.id] == found.judgement]
    because = [f"{found.judgement} in {len(leading)} of {len(bias_domains(instrument))} domains: {', '.join(leading)}"]
    if found.may_raise:
        because.append("several domains with some concerns may add up to high risk: that is for you to decide")
    return Proposed(found.judgement, tuple(because))


def bias_domains(instrument: Instrument) -> tuple[Domain, ...]:
    """The domains about bias; ratings of applicability have no part in the overall judgement."""
    return tuple(d for d in instrument.domains if d.about == "bias")


def steps(instrument: Instrument) -> tuple[str, ...]:
    """What is settled one after the other: every domain, then ``Overall`` where the instrument defines it."""
    return (*(d.id for d in instrument.domains), *(() if instrument.overall == "none" else (OVERALL,)))


def step_name(instrument: Instrument, step: str) -> str:
    """A step in words."""
    return OVERALL if step == OVERALL else instrument.domain(step).name


def _lines(text: str) -> str:
    """Text with its line ends made alike and no blanks around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
