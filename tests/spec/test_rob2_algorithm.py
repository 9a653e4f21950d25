"""RoB 2's algorithm: every combination of answers against the published table, written out here as plain branches."""

from __future__ import annotations

import itertools

import pytest

from balm.review.risk_of_bias.instrument import INSTRUMENTS, Domain, instrument
from balm.review.risk_of_bias.judging import NOT_ASKED, completed, is_asked, overall, propose
from balm.vocabulary.problems import InputError

LOW, SOME, HIGH = "low", "some concerns", "high"
Y, N = {"Y", "PY"}, {"N", "PN"}


def d1(a: dict[str, str]) -> str:
    if a["1.2"] in N:
        return HIGH
    if a["1.2"] == "NI":
        return HIGH if a["1.3"] in Y else SOME
    return SOME if a["1.3"] in Y or a["1.1"] in N else LOW


def d2_assignment(a: dict[str, str]) -> str:
    if (a["2.1"] in N and a["2.2"] in N) or a["2.3"] in N:
        one = LOW
    elif a["2.3"] == "NI" or a["2.4"] in N or a["2.5"] in Y:
        one = SOME
    else:
        one = HIGH
    two = LOW if a["2.6"] in Y else SOME if a["2.7"] in N else HIGH
    return max(one, two, key=[LOW, SOME, HIGH].index)


def d2_adherence(a: dict[str, str]) -> str:
    aware = not (a["2.1"] in N and a["2.2"] in N)
    if not aware or a["2.3"] in Y | {NOT_ASKED}:
        if a["2.4"] in N | {NOT_ASKED} and a["2.5"] in N | {NOT_ASKED}:
            return LOW
        return SOME if a["2.6"] in Y else HIGH
    return SOME if a["2.6"] in Y else HIGH


def d3(a: dict[str, str]) -> str:
    if a["3.1"] in Y or a["3.2"] in Y or a["3.3"] in N:
        return LOW
    return SOME if a["3.4"] in N else HIGH


def d4(a: dict[str, str]) -> str:
    if a["4.1"] in Y or a["4.2"] in Y:
        return HIGH
    if a["4.3"] in N or a["4.4"] in N:
        return LOW if a["4.2"] in N else SOME
    return SOME if a["4.5"] in N else HIGH


def d5(a: dict[str, str]) -> str:
    if a["5.2"] in Y or a["5.3"] in Y:
        return HIGH
    if "NI" in (a["5.2"], a["5.3"]):
        return SOME
    return LOW if a["5.1"] in Y else SOME


TABLE = {"D1": d1, "D3": d3, "D4": d4, "D5": d5}


def every_answer(domain: Domain) -> list[dict[str, str]]:
    """Every way of answering the questions that are asked, in order; the rest is NA."""
    ways: list[dict[str, str]] = [{}]
    for question in domain.questions:
        ways = [
            {**way, question.id: answer}
            for way in ways
            for answer in (question.answers if is_asked(question, way) else (NOT_ASKED,))
        ]
    return ways


@pytest.mark.parametrize("name", ["rob2-assignment", "rob2-adherence"])
@pytest.mark.parametrize("domain", ["D1", "D2", "D3", "D4", "D5"])
def test_every_combination_of_answers_equals_the_table(name: str, domain: str) -> None:
    rob2 = instrument(name)
    table = TABLE | {"D2": d2_assignment if name == "rob2-assignment" else d2_adherence}
    ways = every_answer(rob2.domain(domain))
    assert len(ways) > 40
    for answers in ways:
        proposed = propose(rob2, rob2.domain(domain), answers)
        assert proposed is not None
        assert proposed.judgement == table[domain](answers), answers


@pytest.mark.parametrize("name", ["rob2-assignment", "rob2-adherence"])
def test_every_rule_is_reached(name: str) -> None:
    for domain in instrument(name).domains:
        reached = {b for answers in every_answer(domain) for b in propose(instrument(name), domain, answers).because}  # type: ignore[union-attr]
        assert reached == {rule.because for part in domain.parts for rule in part.rules}


def test_an_answer_to_a_question_that_is_not_asked_changes_nothing() -> None:
    d3_ = instrument("rob2-assignment").domain("D3")
    assert completed(d3_, {"3.1": "Y", "3.4": "Y"}) == {"3.1": "Y", "3.2": "NA", "3.3": "NA", "3.4": "NA"}


def test_a_missing_or_unknown_answer_is_named() -> None:
    rob2 = instrument("rob2-assignment")
    with pytest.raises(InputError, match=r"column 1\.2: must be one of Y, PY, PN, N, NI; it is asked here"):
        propose(rob2, rob2.domain("D1"), {"1.1": "Y", "1.3": "N"})
    with pytest.raises(InputError, match=r"column 3\.2: must be one of Y, PY, PN, N; got 'NI'"):
        propose(rob2, rob2.domain("D3"), {"3.1": "N", "3.2": "NI"})


def test_overall_of_rob2_over_every_combination_of_domains() -> None:
    rob2 = instrument("rob2-assignment")
    for given in itertools.product([LOW, SOME, HIGH], repeat=5):
        found = overall(rob2, dict(zip(["D1", "D2", "D3", "D4", "D5"], given, strict=True)))
        assert found is not None
        assert found.judgement == (HIGH if HIGH in given else LOW if set(given) == {LOW} else SOME)
        assert found.may_raise == (HIGH not in given and given.count(SOME) > 1)


def test_overall_of_robins_i_is_its_most_severe_domain() -> None:
    robins = instrument("robins-i-2016")
    domains = dict.fromkeys([d.id for d in robins.domains], "low")
    assert overall(robins, domains).judgement == "low"  # type: ignore[union-attr]
    assert overall(robins, domains | {"D2": "no information", "D3": "moderate"}).judgement == "no information"  # type: ignore[union-attr]
    assert overall(robins, domains | {"D2": "no information", "D3": "serious"}).judgement == "serious"  # type: ignore[union-attr]


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_instrument_names_its_version_source_and_date(name: str) -> None:
    one = instrument(name)
    assert one.id == name
    assert one.version and one.source and one.reviewed
    for domain in one.domains:
        known = {q.id for q in domain.questions}
        conditions = [c for q in domain.questions for c in q.asked] + [r.when for p in domain.parts for r in p.rules]
        assert {question for condition in conditions for question in condition} <= known
        assert {r.then for p in domain.parts for r in p.rules} <= set(one.judgements)
    if one.overall == "none":
        assert overall(one, {}) is None


def test_quadas_2_has_three_ratings_of_applicability_and_no_automatic_high() -> None:
    quadas = instrument("quadas-2")
    assert [d.id for d in quadas.domains if d.about == "applicability"] == ["A1", "A2", "A3"]
    assert all(d.ask for d in quadas.domains if d.about == "applicability")
    for domain in quadas.domains:
        assert propose(quadas, domain, {q.id: "N" for q in domain.questions}) is None
