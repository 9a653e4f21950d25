"""Strict reading of one table: every wrong cell is named, all at once, and nothing is guessed."""

from __future__ import annotations

import pytest

from balm.review.schema import TABLE_BY_FILE, Column
from balm.review.tables import decode, read_cell, read_table, write_table
from balm.vocabulary.evidence import Reported

RESULTS = TABLE_BY_FILE["results.csv"]
GAPS = TABLE_BY_FILE["gaps.csv"]
HEADER = ",".join(c.name for c in GAPS.columns) + "\n"


def results_row(**cells):
    row = {"result": "r1", "study": "s1", "outcome": "pain", "arm": "a", "how_read": "reported", "usable": "yes"}
    row |= {"verified": "yes"} | cells
    names = [c.name for c in RESULTS.columns]
    return ",".join(names) + "\n" + ",".join(row.get(n, "") for n in names) + "\n"


def reasons(text, table=GAPS):
    return [str(p) for p in read_table(text, table)[1]]


@pytest.mark.parametrize(
    "column, value, reason",
    [
        ("sd", "-1", "must be above 0"),
        ("sd", "0", "must be above 0"),
        ("n", "0", "must be a whole number of 1 or more"),
        ("n", "12.5", "must be a whole number of 1 or more"),
        ("events", "-2", "must be a whole number of 0 or more"),
        ("mean", "NaN", "must be a number; leave the cell empty where it is not reported"),
        ("mean", "inf", "must be a number; leave the cell empty where it is not reported"),
        ("mean", "1e999", "must be a finite number"),
        ("mean", "five", "must be a number"),
        ("mean", "=1+1", "must be a number"),
        ("mean", "1_000", "must be a number"),
        ("mean", "٣", "must be a number"),
        ("level", "95", "must be between 0 and 1, such as 0.95"),
        ("p", "<1.5", "must be between 0 and 1"),
        ("p", "ns", "must be a number, a bound such as '<0.001' or a range such as '10-40'"),
        ("usable", "maybe", "must be 'yes' or 'no'"),
        ("time_unit", "weeks", "must be one of ['min', 'h', 'd', 'wk', 'mo', 'y']"),
        ("study", "a b", "must be an id"),
        ("result", "", "must not be empty"),
    ],
)
def test_wrong_cells(column, value, reason):
    found = reasons(results_row(**{column: value}), RESULTS)
    assert len(found) == 1
    assert found[0].startswith(f"results.csv, row 1, column {column}: {reason}")


def test_a_comma_for_a_decimal_point_is_named():
    text = results_row().replace(",reported,", ",reported,", 1)
    assert read_cell("2,5", Column("mean", "number", ""))[1] == "must be a number with a decimal point, not a comma"
    assert reasons(text, RESULTS) == []


def test_all_problems_at_once():
    found = reasons(HEADER + "g1,x,means,,\n,0,,,\ng1,1,again,,\n")
    assert [f.split(":")[0] for f in found] == [
        "gaps.csv, row 1, column priority",
        "gaps.csv, row 2, column gap",
        "gaps.csv, row 2, column priority",
        "gaps.csv, row 2, column missing",
        "gaps.csv, row 3, column gap",
    ]
    assert found[-1].endswith("gap 'g1' stands in row 1 already")


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        (HEADER.replace("missing", "mising") + "g,1,x,,\n", "column mising: 'mising' is not a column of this table"),
        (HEADER.replace("missing", "mising"), "(did you mean 'missing'?)"),
        (HEADER.replace(",studies", ""), "column studies: the column is missing"),
        (HEADER.replace("concerns", "gap"), "column gap: the column stands in the header more than once"),
        (HEADER.replace(",", ";"), "the cells are separated by semicolons"),
        (HEADER + "g1,1,x\n", "row 1: has 3 cells, fewer than the 5 columns"),
        (HEADER + "g1,1,x,,,,\n", "row 1: has 7 cells, more than the 5 columns"),
        (HEADER + "g1,1,x,,\ng1,1,x,,\n", "row 2: is the same as row 1"),
        (HEADER + 'g1,1,"open,,\n', "a quotation mark that is not closed"),
        (HEADER + "g1,1," + "x" * 200_000 + ",,\n", "a cell longer than 100,000 characters"),
    ],
)
def test_wrong_shapes(text, reason):
    assert any(reason in found for found in reasons(text)), reasons(text)


def test_blank_rows_are_skipped_but_counted():
    rows, problems = read_table(HEADER + "g1,1,x,,\n\n,,,,\ng2,2,y,,\n", GAPS)
    assert not problems
    assert [r.row for r in rows] == [1, 4]


def test_not_reported_is_its_own_value():
    rows, _ = read_table(results_row(), RESULTS)
    assert rows[0].events is None and rows[0].notes is None and rows[0].mean is None
    rows, _ = read_table(results_row(events="0", n="5"), RESULTS)
    assert rows[0].events == 0


@pytest.mark.parametrize(
    "text, value, relation, high",
    [
        ("<0.001", 0.001, "<", None),
        ("<=0.35", 0.35, "<=", None),
        ("10-40", 10, "range", 40),
        (".029", 0.029, "=", None),
    ],
)
def test_bounds_and_ranges_keep_their_text(text, value, relation, high):
    assert Reported.parse(text) == Reported(text, value, relation, high)
    assert (Reported.parse(text).exact is None) == (relation != "=")


@pytest.mark.parametrize("text", ["40-10", "~5", "5 mg", "", "<", "1-2-3", "nan"])
def test_what_is_no_number_bound_or_range(text):
    with pytest.raises(ValueError, match="is not a number"):
        Reported.parse(text)


def test_encodings():
    assert decode("ä".encode(), file="x.csv") == ("ä", [])
    assert decode(b"\xef\xbb\xbfa", file="x.csv") == ("a", [])
    text, problems = decode(b"\xef\xbb\xbfab\ncd\xe9\n", file="x.csv")
    assert text == ""
    assert str(problems[0]) == "x.csv: not UTF-8: byte 0xE9 at position 3 of line 2. Save the file as 'CSV UTF-8'"
    assert "NUL" in decode(b"a\x00b", file="x.csv")[1][0].reason


def test_line_endings_and_quotes_survive():
    rows, problems = read_table(HEADER.replace("\n", "\r\n") + 'g1,1,"two\r\nlines, ""quoted""",,a; b\r\n', GAPS)
    assert not problems
    assert rows[0].missing == 'two\r\nlines, "quoted"'
    assert rows[0].studies == ("a", "b")


def test_writing_and_reading_are_inverse():
    rows, _ = read_table(results_row(p="<0.001", mean="2.5", n="12", events="3"), RESULTS)
    again, problems = read_table(write_table(rows, RESULTS), RESULTS)
    assert not problems and again == rows
