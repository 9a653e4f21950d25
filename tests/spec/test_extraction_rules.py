"""The rules of extraction: blind until all have finished, differences by meaning, honest marks on what is written."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balm.review.extraction.agreed_rows import agreed_rows
from balm.review.extraction.checks import remarks, wrong_cell
from balm.review.extraction.conversions import conversions
from balm.review.extraction.differences import AGREED, DIFFERS, ONE_PERSON, Settlement, compare, same_value
from balm.review.extraction.fields import ARMS, CONTRASTS, KEPT, REMOVED, RESULTS, ROW, SECTIONS, STUDIES, columns_of
from balm.review.extraction.keys import contrast_key, result_key
from balm.review.extraction.sheets import Given, sheet
from balm.review.extraction.standing import Standing, may_see, why_not_enter, why_not_reopen, why_not_settle
from balm.review.package import MeasurementScale, Meta, Outcome, Question
from balm.review.schema import TABLE_BY_FILE
from balm.review.tables import read_cells
from balm.vocabulary.evidence import Result
from balm.vocabulary.problems import InputError

META = Meta(
    "r", "R", "1", "2026-01-01", "test", Question("p", "i", "c", "o"), (),
    (MeasurementScale("nrs", "0 to 10", 0, 10, "points"), MeasurementScale("mm", "0 to 100", 0, 100, "mm")), (),
    (
        Outcome("pain", "Pain", "pain", "continuous", "lower is better", "nrs"),
        Outcome("relief", "Relief", "pain", "binary", "higher is better"),
    ),
    (), (),
)  # fmt: skip
PLACE = (RESULTS, "pain_ket_7d")


@dataclass
class E:
    table: str
    key: str
    column: str
    value: str
    page: str = ""
    quote: str = ""
    how_read: str = "reported"


def cells(**values: str) -> dict[str, Given]:
    return {"outcome": Given("pain"), "arm": Given("ket"), "time": Given("7"), "time_unit": Given("d")} | {
        c: Given(v) for c, v in values.items()
    }


@pytest.mark.parametrize("finished", [(), ("ana",), ("ben",)])
def test_nobody_sees_the_other_before_both_have_finished(finished: tuple[str, ...]) -> None:
    standing = Standing(2, ("ana", "ben"), frozenset(finished))
    assert not may_see("ana", "ben", standing) and not may_see("ben", "ana", standing)
    assert not may_see("lead", "ana", standing)
    assert may_see("ana", "ana", standing)


def test_after_both_have_finished_all_see_both_and_nothing_is_entered() -> None:
    standing = Standing(2, ("ana", "ben"), frozenset({"ana", "ben"}))
    assert may_see("lead", "ana", standing)
    assert "have been compared" in why_not_enter("ana", standing)
    assert "stay as they were" in why_not_reopen("ana", standing)
    assert why_not_settle("ana", standing, arbiter=False) == why_not_settle("cem", standing, arbiter=True) == ""


def test_one_who_finished_may_open_again_while_the_other_has_not() -> None:
    assert why_not_reopen("ana", Standing(2, ("ana", "ben"), frozenset({"ana"}))) == ""
    assert "open it again" in why_not_enter("ana", Standing(2, ("ana", "ben"), frozenset({"ana"})))


def test_the_last_entry_of_a_cell_counts_and_a_row_taken_out_is_gone() -> None:
    entries = [
        E(*PLACE, ROW, KEPT),
        E(*PLACE, "mean", "3"),
        E(*PLACE, "mean", "4"),
        E(*PLACE, "sd", "1"),
        E(*PLACE, "sd", ""),
    ]
    found = sheet(entries)
    assert found[PLACE]["mean"].value == "4" and "sd" not in found[PLACE]
    assert sheet([*entries, E(*PLACE, ROW, REMOVED)]) == {}
    assert sheet([*entries, E(*PLACE, ROW, REMOVED), E(*PLACE, ROW, KEPT)])[PLACE]["mean"].value == "4"


@pytest.mark.parametrize(
    ("column", "one", "two", "same"),
    [
        ("mean", "2.680", "2.68", True),
        ("mean", "2.68", "2.86", False),
        ("n", "30", "", False),
        ("p", "< 0.001", "<0.001", True),
        ("p", "0.001", "<0.001", False),
        ("reported_as", "Pain  intensity.", "pain intensity", True),
        ("usable", "yes", "no", False),
    ],
)
def test_same_value_goes_by_meaning(column: str, one: str, two: str, same: bool) -> None:
    assert same_value(RESULTS, column, one, two) is same_value(RESULTS, column, two, one) is same


def test_a_row_that_one_has_is_one_difference_until_somebody_keeps_it() -> None:
    sheets = {"ana": {PLACE: cells(mean="3")}, "ben": {}}
    (only,) = compare(sheets)
    assert (only.column, only.state) == (ROW, DIFFERS)
    kept = compare(sheets, {(*PLACE, ROW): Settlement(KEPT, "cem", "it is in table 3")})
    assert [c.column for c in kept] == [ROW, "mean"] and kept[1].state == ONE_PERSON
    assert not any(c.open for c in kept)


def test_agreed_cells_pass_and_a_settled_cell_keeps_what_both_said() -> None:
    sheets = {"ana": {PLACE: cells(mean="3.0", sd="1")}, "ben": {PLACE: cells(mean="3", sd="2")}}
    mean, sd = compare(sheets, {(*PLACE, "sd"): Settlement("2", "cem", "why")})
    assert (mean.state, sd.value) == (AGREED, "2")
    assert {who: g.value for who, g in sd.given.items() if g} == {"ana": "1", "ben": "2"}


@pytest.mark.parametrize(
    ("second", "page", "how", "read", "verified"),
    [
        (True, "p. 3", "reported", "reported", "yes"),
        (False, "p. 3", "reported", "reported; one extractor", "yes"),
        (True, "", "reported", "reported", "no"),
        (True, "p. 3", "read from a figure", "read from a figure: mean", "yes"),
    ],
)
def test_what_is_written_says_how_it_was_read_and_is_verified_only_with_its_page(
    second: bool, page: str, how: str, read: str, verified: str
) -> None:
    own = cells(sd="1", n="10") | {"mean": Given("3", how_read=how)} | ({"page": Given(page)} if page else {})
    sheets = {"ana": {PLACE: own}} | ({"ben": {PLACE: dict(own)}} if second else {})
    written = dict(agreed_rows("s", compare(sheets), sheets, {}, report="paper"))
    row = written.pop(RESULTS)
    assert (row["result"], row["usable"]) == ("s-pain_ket_7d", "yes")
    known = {"study": "s", "verified": "yes", "report": "paper", "source": "paper, p. 3"}
    assert written == ({STUDIES: known} if verified == "yes" else {}), (
        "a study counts as verified with its first number that names a page"
    )
    assert (row["how_read"], row["verified"], row.get("source")) == (read, verified, "paper, p. 3" if page else None)
    _, problems = read_cells(row, TABLE_BY_FILE[RESULTS], row=1)
    assert problems == []


def test_an_open_difference_is_not_written() -> None:
    sheets = {"ana": {PLACE: cells(mean="3")}, "ben": {PLACE: cells(mean="4")}}
    with pytest.raises(InputError, match="Mean differs and is not settled yet"):
        agreed_rows("s", compare(sheets), sheets, {})


def test_cells_that_nobody_extracted_stay_as_they_are() -> None:
    before = {
        (STUDIES, "s"): {
            "study": "s",
            "label": "S 2020",
            "design": "not stated",
            "scope": "included",
            "verified": "yes",
        }
    }
    sheets = {who: {(STUDIES, "s"): {"design": Given("cluster")}} for who in ("ana", "ben")}
    ((_, row),) = agreed_rows("s", compare(sheets), sheets, before)
    assert (row["label"], row["design"], row["verified"]) == ("S 2020", "cluster", "yes")


@pytest.mark.parametrize(
    ("values", "column", "why"),
    [
        ({"outcome": "relief", "events": "12", "n": "10"}, "events", "12 events exceed 10 participants"),
        ({"mean": "5", "ci_low": "6", "ci_high": "7"}, "mean", "does not contain the mean"),
        ({"mean": "35", "scale": "nrs"}, "mean", "lies outside 0 to 10"),
        ({"mean": "-12", "value_is": "change", "scale": "nrs"}, "mean", "larger than 0 to 10 is wide"),
        ({"mean": "5", "sd": "8", "scale": "nrs"}, "sd", "no sample on 0 to 10 has an SD of 8"),
        ({"sd": "1", "se": "2", "n": "9"}, "se", "cannot be"),
        ({"q1": "5", "median": "4", "q3": "6"}, "median", "not in order"),
        ({"ci_low": "3"}, "ci_high", "needs both ends"),
        ({"mean": "3"}, "page", "is missing"),
        ({"mean": "3"}, "scale", "scale of the mean is missing"),
        ({}, "n", "no number is entered"),
    ],
)
def test_impossible_values_are_named_at_the_field(values: dict[str, str], column: str, why: str) -> None:
    found = remarks(RESULTS, "s", "x", {"outcome": "pain", "arm": "ket"} | values, META)
    assert any(r.problem and r.column == column and why in r.text for r in found), found


def test_a_change_may_be_negative() -> None:
    found = remarks(
        RESULTS, "s", "x", {"outcome": "pain", "mean": "-2", "value_is": "change", "scale": "nrs", "page": "1"}, META
    )
    assert [r for r in found if r.problem] == []


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"dose": "10"}, "dose_unit"), ({"rate": "0.5", "rate_unit": "mg/kg"}, "rate_unit"),
        ({"dose": "10", "dose_unit": "mg/kg/h"}, "dose_unit"), ({"total_unit": "mg"}, "total"),
    ],
)  # fmt: skip
def test_a_regimen_without_or_with_the_wrong_unit_is_named(cells: dict[str, str], column: str) -> None:
    assert [r.column for r in remarks(ARMS, "s", "a", {"label": "x"} | cells, META)] == [column]


def other(study: str, sd: str, scale: str) -> Result:
    texts = {"result": study, "study": study, "outcome": "pain", "arm": "a", "n": "20", "sd": sd, "scale": scale}
    values, _ = read_cells(texts, TABLE_BY_FILE[RESULTS], row=1)
    return Result(**values, row=1)


def test_an_se_read_as_an_sd_is_a_hint_and_no_problem() -> None:
    given = {"outcome": "pain", "n": "30", "mean": "2.68", "sd": "0.51", "scale": "nrs", "page": "1"}
    others = [other("a", "2", "nrs"), other("b", "19", "mm")]
    (hint,) = remarks(RESULTS, "s", "x", given, META, others)
    assert not hint.problem and "if it is an SE, the SD is 2.79" in hint.text
    assert remarks(RESULTS, "s", "x", given, META, others[:1]) == []
    assert remarks(RESULTS, "s", "x", given | {"sd": "1.8"}, META, others) == []


def test_a_p_value_that_its_interval_denies_is_a_hint() -> None:
    given = {
        "outcome": "pain",
        "measure": "MD",
        "estimate": "1",
        "ci_low": "-1",
        "ci_high": "3",
        "p": "0.001",
        "page": "1",
    }
    (hint,) = remarks(CONTRASTS, "s", "x", given, META)
    assert not hint.problem and "give p = 0.33" in hint.text


def test_conversions_carry_formula_inputs_and_source_and_leave_what_is_printed() -> None:
    shown = conversions(
        RESULTS,
        {"study": "s", "design": "parallel"},
        "x",
        {"outcome": "pain", "arm": "a", "n": "25", "mean": "50", "se": "4", "scale": "mm"},
        META,
    )
    assert shown is not None and dict(shown.values) == {"mean": 5.0, "sd": 2.0, "n": 25.0}
    assert [s.what for s in shown.steps] == ["sd from se", "rescale"]
    assert shown.steps[0].formula == "SD = SE × √n" and shown.steps[0].inputs == {"se": 4.0, "n": 25}
    assert "Handbook" in shown.steps[0].source


def test_what_gives_no_number_says_why() -> None:
    shown = conversions(
        CONTRASTS, {"study": "s"}, "x", {"outcome": "pain", "measure": "MD", "estimate": "1", "p": "<0.05"}, META
    )
    assert shown is not None and "no standard error follows" in shown.why_not


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"arm": "a", "time": "1", "time_unit": "d"}, "must be chosen"),
        ({"outcome": "pain", "arm": "a"}, "give the time point"),
        ({"outcome": "pain", "arm": "a", "time": "1"}, "come together"),
        ({"outcome": "pain", "arm": "a", "time": "1", "time_unit": "fortnight"}, "must be one of"),
    ],
)
def test_a_result_without_a_name_is_refused(cells: dict[str, str], why: str) -> None:
    with pytest.raises(InputError, match=why):
        result_key(cells)


def test_an_arm_is_not_compared_with_itself() -> None:
    with pytest.raises(InputError, match="another arm"):
        contrast_key({"outcome": "pain", "arm_1": "a", "arm_2": "a", "timepoint": "end"})


def test_every_field_of_the_form_is_a_column_of_the_package() -> None:
    for table in SECTIONS:
        names = [c.name for c in columns_of(table)]
        assert len(names) == len(set(names))


@given(st.sampled_from(list(SECTIONS)), st.data(), st.text(max_size=30))
def test_any_text_in_any_field_is_taken_or_refused_in_words(table: str, data: st.DataObject, text: str) -> None:
    column = data.draw(st.sampled_from([c.name for c in columns_of(table)]))
    why = wrong_cell(table, column, text.strip(), META, ["ket", "pbo"])
    if not why:
        found = remarks(table, "s", "x", {column: text.strip()}, META)
        conversions(table, {"study": "s"}, "x", {"outcome": "pain", column: text.strip()}, META)
        assert all(r.text for r in found)
