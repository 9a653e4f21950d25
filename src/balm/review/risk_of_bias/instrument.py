"""Instruments of risk of bias, read from data files: domains, questions, when each is asked, and the official rules."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from balm.vocabulary.problems import unknown_option

#: Short forms used in the rules of an instrument.
SETS = {"Y*": ("Y", "PY"), "N*": ("N", "PN")}
ANSWERS = {
    "Y": "yes",
    "PY": "probably yes",
    "PN": "probably no",
    "N": "no",
    "NI": "no information",
    "NA": "not applicable",
    "U": "unclear",
}

#: Every instrument there is, by its file.
INSTRUMENTS = ("rob2-assignment", "rob2-adherence", "robins-i-2016", "jbi-case-series", "jbi-cohort", "quadas-2")

Condition = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Question:
    """A signalling question; ``asked`` lists alternatives, one of which must hold (empty: always asked)."""

    id: str
    text: str
    answers: tuple[str, ...]
    asked: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Where every question of ``when`` has one of the answers given, the judgement is ``then``."""

    when: Condition
    then: str
    because: str


@dataclass(frozen=True, slots=True)
class Part:
    """Rules read from the top; a domain of several parts takes the worst of them."""

    name: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain; without parts the instrument leaves the judgement to the person.

    ``about`` is ``bias``, or ``applicability`` for a rating of how well the study fits the review question; ``ask`` is
    what the judgement answers, where the name of the domain does not say it.
    """

    id: str
    name: str
    questions: tuple[Question, ...]
    parts: tuple[Part, ...]
    about: str = "bias"
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument in one version. ``judgements`` run from best to worst; ``overall`` names the rule over domains."""

    id: str
    name: str
    version: str
    per: str  # result, study
    judgements: tuple[str, ...]
    overall: str  # rob2, worst, none
    source: str
    reviewed: str
    domains: tuple[Domain, ...]

    def domain(self, domain: str) -> Domain:
        """The domain called ``domain``."""
        for one in self.domains:
            if one.id == domain:
                return one
        raise unknown_option("domain", domain, [d.id for d in self.domains])


@cache
def instrument(name: str) -> Instrument:
    """The instrument of this name.

    >>> [d.id for d in instrument("rob2-assignment").domains]
    ['D1', 'D2', 'D3', 'D4', 'D5']
    """
    if name not in INSTRUMENTS:
        raise unknown_option("instrument", name, INSTRUMENTS)
    source = files("balm.review.risk_of_bias").joinpath("instruments", f"{name}.toml")
    data = tomllib.loads(source.read_text(encoding="utf-8"))
    about = data["instrument"]
    domains = tuple(
        Domain(
            d["id"],
            d["name"],
            tuple(
                Question(q["id"], q["text"], tuple(q["answers"]), tuple(_condition(c) for c in q.get("asked", ())))
                for q in d.get("question", ())
            ),
            tuple(
                Part(p["name"], tuple(Rule(_condition(r["when"]), r["then"], r["because"]) for r in p["rules"]))
                for p in d.get("part", ())
            ),
            d.get("about", "bias"),
            d.get("ask", ""),
        )
        for d in data["domain"]
    )
    return Instrument(**{**about, "judgements": tuple(about["judgements"])}, domains=domains)


def _condition(given: Mapping[str, str]) -> Condition:
    return {
        question: frozenset(a for word in answers.split("|") for a in SETS.get(word, (word,)))
        for question, answers in given.items()
    }
