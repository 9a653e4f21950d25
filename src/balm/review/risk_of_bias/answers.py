"""Answers to signalling questions as one cell of a table: ``1.1=Y; 1.2=PY; 1.3=NI``."""

from __future__ import annotations

from collections.abc import Mapping

from balm.review.risk_of_bias.instrument import Domain
from balm.review.risk_of_bias.judging import NOT_ASKED, is_asked
from balm.vocabulary.problems import InputError


def answers_text(answers: Mapping[str, str], domain: Domain | None = None) -> str:
    """The cell; a question that was not asked is left out. With its ``domain``, ``NA`` that somebody chose stays: some
    tools ask and let the assessor say that a question does not apply.

    >>> answers_text({"3.1": "Y", "3.2": "NA"})
    '3.1=Y'
    """
    asked = {q.id for q in domain.questions if is_asked(q, answers)} if domain else set()
    told = ((question, answer) for question, answer in answers.items() if answer != NOT_ASKED or question in asked)
    return "; ".join(f"{question}={answer}" for question, answer in told)


def read_answers(text: str | None) -> dict[str, str]:
    """The answers in a cell; :class:`InputError` where it is not of this form.

    >>> read_answers("1.1=Y; 1.2=PY")
    {'1.1': 'Y', '1.2': 'PY'}
    """
    answers: dict[str, str] = {}
    for part in (text or "").split(";"):
        question, sign, answer = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if not (question and sign and answer):
            raise InputError(f"must be answers such as '1.1=Y; 1.2=PY'; got {part.strip()!r}")
        if question in answers:
            raise InputError(f"answers question {question} twice")
        answers[question] = answer
    return answers
