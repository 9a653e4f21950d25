"""Answers to signalling questions as one cell of a table: ``1.1=Y; 1.2=PY; 1.3=NI``."""

from __future__ import annotations

from collections.abc import Mapping

from balm.review.risk_of_bias.judging import NOT_ASKED
from balm.vocabulary.problems import InputError


def answers_text(answers: Mapping[str, str]) -> str:
    """The cell; a question that was not asked is left out.

    >>> answers_text({"3.1": "Y", "3.2": "NA"})
    '3.1=Y'
    """
    return "; ".join(f"{question}={answer}" for question, answer in answers.items() if answer != NOT_ASKED)


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
