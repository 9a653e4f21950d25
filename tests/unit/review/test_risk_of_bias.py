"""Risk of bias in the package: judgements of every instrument, and rows that their own instrument contradicts."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from balm.actions.review import package_bytes
from balm.review.reading import read_package
from balm.review.risk_of_bias.answers import answers_text, read_answers
from balm.review.risk_of_bias.instrument import INSTRUMENTS, instrument
from balm.review.risk_of_bias.judging import completed
from balm.review.risk_of_bias.on_record import by_study, groups
from balm.review.risk_of_bias.settled import settle, steps
from balm.review.risk_of_bias.words import JUDGEMENTS, OVERALL, judgement_word
from balm.review.schema import TABLE_BY_FILE
from balm.review.tables import write_table
from balm.vocabulary.problems import InputError

KETAMINE = package_bytes(Path(__file__).parents[3] / "reviews" / "ketamine-chronic-pain")
COLUMNS = [c.name for c in TABLE_BY_FILE["risk_of_bias.csv"].columns]
ROW = {
    "study": "mercadante2000",
    "tool": "RoB 2",
    "instrument": "rob2-assignment",
    "version": "22 August 2019",
    "domain": "Randomisation process",
    "outcome": "pain-intensity",
    "comparison": "ketamine-placebo",
    "window": "immediate",
    "judgement": "low",
    "proposed": "low",
    "answers": "1.1=Y; 1.2=PY; 1.3=N",
    "direction": "unpredictable",
    "assessor": "consensus",
    "verified": "yes",
}


def read(*rows: dict[str, str]):
    """The package with these rows as its risk_of_bias.csv, and its problems."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([COLUMNS, *([row.get(name, "") for name in COLUMNS] for row in rows)])
    return read_package({**KETAMINE, "risk_of_bias.csv": out.getvalue().encode()}, Path("package"))


def test_a_row_holds_the_whole_judgement_and_comes_back_the_same() -> None:
    package, problems = read(ROW)
    assert not problems
    [row] = package.risk_of_bias
    assert (row.instrument, row.version, row.window, row.proposed) == (
        "rob2-assignment", "22 August 2019", "immediate", "low",
    )  # fmt: skip
    text = write_table(package.risk_of_bias, TABLE_BY_FILE["risk_of_bias.csv"])
    again, problems = read_package({**KETAMINE, "risk_of_bias.csv": text.encode()}, Path("package"))
    assert not problems
    assert again.risk_of_bias == package.risk_of_bias


def test_a_table_from_before_these_columns_is_still_read() -> None:
    package, problems = read_package(KETAMINE, Path("package"))
    assert not problems
    assert package.risk_of_bias[0].instrument is None


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_judgement_of_every_instrument_can_be_kept(name: str) -> None:
    one = instrument(name)
    rows = [
        {
            "study": "mercadante2000", "tool": one.name, "instrument": name, "domain": one.domains[0].name,
            "judgement": judgement, "assessor": f"a{i}", "verified": "yes",
        }
        for i, judgement in enumerate(one.judgements)
    ]  # fmt: skip
    assert read(*rows)[1] == ()
    assert set(one.judgements) <= set(JUDGEMENTS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"proposed": "high"}, "row 1, column proposed: the rules of RoB 2.* give 'low' for these answers; got 'high'"),
        ({"judgement": "high"}, "row 1, column override_reason: say why the judgement is 'high' where 'low'"),
        ({"judgement": "serious"}, "column judgement: must be one of low, some concerns, high for RoB 2"),
        ({"domain": "Sequence generation"}, "column domain: must be one of Randomisation process, .* or Overall"),
        ({"answers": "1.1=Y; 1.2=PY"}, "column answers: 1.3: must be one of Y, PY, PN, N, NI"),
        ({"answers": "1.1=Y; 1.2=maybe; 1.3=N"}, "column answers: 1.2: must be one of"),
        ({"answers": "1.1=Y; 1.1=Y"}, "column answers: answers question 1.1 twice"),
        ({"answers": "9.9=Y; 1.1=Y"}, "column answers: holds '9.9', which is no question"),
        ({"answers": "yes"}, "column answers: must be answers such as"),
        ({"instrument": ""}, "column answers: needs `instrument`"),
        ({"instrument": "rob3"}, "column instrument: must be one of"),
        ({"direction": "up"}, "column direction: must be one of"),
        ({"comparison": "nobody"}, "column comparison: 'nobody' is not one of"),
        ({"window": "never"}, "column window: 'never' is not one of"),
    ],
)
def test_a_row_that_its_instrument_contradicts_is_named(change: dict[str, str], said: str) -> None:
    package, problems = read(ROW | change)
    assert package is None
    with pytest.raises(InputError, match=said):
        raise InputError(problems)


def test_an_overruled_proposal_needs_its_reason_only() -> None:
    assert read(ROW | {"judgement": "some concerns", "override_reason": "the baseline is odd"})[1] == ()


def test_judgements_of_different_results_are_different_groups() -> None:
    package, _ = read(ROW, ROW | {"window": "week-1"}, ROW | {"domain": OVERALL, "answers": ""})
    first, second = groups(package.risk_of_bias)
    assert (first.window, second.window) == ("immediate", "week-1")
    assert by_study(first) == {"mercadante2000": {"Randomisation process": "low", "Overall": "low"}}


def test_answers_travel_as_text() -> None:
    answers = {"1.1": "Y", "1.2": "PN", "1.3": "NI"}
    assert read_answers(answers_text(answers)) == answers
    assert read_answers(None) == {}


def test_words_of_other_programs_are_understood() -> None:
    assert [judgement_word(w) for w in ("LOW RISK", "Some_concerns", "n/a", "Unclear risk of bias", "bad")] == [
        "low", "some concerns", "not applicable", "unclear", None,
    ]  # fmt: skip


D1 = {"1.1": "Y", "1.2": "NI", "1.3": "N"}
ROB2 = instrument("rob2-assignment")


def test_without_a_judgement_of_ones_own_the_proposal_stands() -> None:
    settled = settle(ROB2, "D1", answers=D1, support=" Sealed\r\nenvelopes ", override_reason="left over")
    assert (settled.judgement, settled.proposed, settled.override_reason) == ("some concerns", "some concerns", "")
    assert settled.because == ("concealment is not described (1.2)",)
    assert settled.support == "Sealed\nenvelopes"


def test_overruling_needs_a_reason_and_keeps_both() -> None:
    with pytest.raises(InputError, match="override_reason: say why the judgement is 'low'"):
        settle(ROB2, "D1", answers=D1, judgement="low", support="x")
    settled = settle(ROB2, "D1", answers=D1, judgement="low", support="x", override_reason="authors wrote")
    assert (settled.judgement, settled.proposed, settled.override_reason) == ("low", "some concerns", "authors wrote")


def test_several_domains_with_some_concerns_may_be_raised_by_a_person_who_says_why() -> None:
    domains = dict.fromkeys(["D1", "D2"], "some concerns") | dict.fromkeys(["D3", "D4", "D5"], "low")
    settled = settle(ROB2, OVERALL, answers=domains)
    assert settled.judgement == "some concerns"
    assert "for you to decide" in settled.because[1]
    with pytest.raises(InputError, match="say why"):
        settle(ROB2, OVERALL, answers=domains, judgement="high")
    assert settle(ROB2, OVERALL, answers=domains, judgement="high", override_reason="both matter").judgement == "high"


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        settle(ROB2, "D1", answers={"1.1": "Y"}, direction="up", support="x" * 20_001)
    assert [p.column for p in caught.value.problems] == ["1.2", "1.3", "direction", "support"]
    with pytest.raises(InputError, match="support: say what in the report"):
        settle(ROB2, "D1", answers=D1)


def test_where_an_instrument_has_no_rules_the_person_judges() -> None:
    jbi = instrument("jbi-cohort")
    with pytest.raises(InputError, match="leaves the judgement to you"):
        settle(jbi, "1", answers={}, support="x")
    assert settle(jbi, "1", answers={}, judgement="unclear", support="x").proposed == ""
    assert OVERALL not in steps(jbi)
    assert steps(ROB2)[-1] == OVERALL


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_a_question_said_not_to_apply_comes_back_from_the_table(name: str) -> None:
    """Written without it, the row could not be read again, and with it no page of the review."""
    for domain in instrument(name).domains:
        chosen = {q.id: "NA" if "NA" in q.answers else q.answers[0] for q in domain.questions}
        full = completed(domain, chosen)
        assert completed(domain, read_answers(answers_text(full, domain))) == full
