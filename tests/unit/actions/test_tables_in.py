"""Reading a delimited text file: what spreadsheets write is accepted, what would be a guess is refused by name."""

from __future__ import annotations

import math

import pytest

from balm.actions.tables_in import MAX_BYTES, MAX_PROBLEMS, parse_table, read_number, read_table
from balm.vocabulary.problems import InputError

PLAIN = "study,mean_1,n_1\nNormand A,55.5,155\nB,27,31\n"


def refusal(text):
    with pytest.raises(InputError) as caught:
        parse_table(text, file="t.csv")
    return str(caught.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_spreadsheets_write(tmp_path, delimiter, newline, mark):
    path = tmp_path / "t.csv"
    path.write_bytes((mark + PLAIN.replace(",", delimiter).replace("\n", newline)).encode())
    table = read_table(path)
    assert table.columns == ("study", "mean_1", "n_1")
    assert table.delimiter == delimiter
    assert table.text("study") == ["Normand A", "B"]
    assert table.numbers("mean_1") == [55.5, 27.0]
    assert table.lines == (2, 3)


def test_no_newline_at_the_end_and_blank_rows_keep_the_numbering():
    table = parse_table("study,n\nA,1\n,\n\nB,2")
    assert table.text("study") == ["A", "B"]
    assert table.row_numbers == (1, 4)
    assert table.lines == (2, 5)


def test_quoted_cells_hold_delimiters_quotes_and_line_ends():
    table = parse_table('study,n\n"Hart, ""the"" trial\nsecond line",3\nB,4\n')
    assert table.text("study") == ['Hart, "the" trial\nsecond line', "B"]
    assert table.lines == (2, 4)


def test_trailing_empty_columns_of_a_spreadsheet_are_dropped():
    table = parse_table("study,n,,\nA,1,,\nB,2,,\n")
    assert table.columns == ("study", "n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv: is empty; a table needs a header row and at least one study"),
        (" \n\n,,\n", "t.csv: is empty; a table needs a header row and at least one study"),
        ("study,n\n", "t.csv: has a header (line 1) but no rows under it"),
        ("a," * 2500 + "b\n1\n", "t.csv: has 2,501 columns: this is no table of studies"),
        ("study,n\n,\n", "t.csv: has a header (line 1) but no rows under it"),
        (
            "study,n,n\nA,1,2\n",
            "t.csv, column n: 2 columns are called 'n' (columns 2, 3); every column needs a name of its own",
        ),
        ("study,,n\nA,1,2\n", "t.csv: column 2 has no name in the header"),
        ("study,n\nA,1\nB\n", "t.csv, row 2: 1 cell where the header has 2 (line 3, cells are separated by a comma)"),
        (
            "study,sd\nA,1,5\n",
            "t.csv, row 1: 3 cells where the header has 2 (line 2, cells are separated by a comma); "
            "a comma inside a cell needs quotes around the cell, and decimals a point",
        ),
        ('study,n\nA,1\n"B,2\nC,3\n', "t.csv: line 3: a quote opens here and is not closed"),
        (
            'study,n\n"A"x,1\n',
            "t.csv: line 2: a quoted cell goes on after its closing quote; write a quote inside a quoted cell twice",
        ),
    ],
)
def test_refused_in_one_clear_line(text, message):
    assert refusal(text) == message


def test_every_ragged_row_is_named_and_the_list_stays_readable():
    text = "study,n\n" + "A\n" * (MAX_PROBLEMS + 7)
    lines = refusal(text).splitlines()
    assert lines[1].startswith("t.csv, row 2: ")
    assert len(lines) == MAX_PROBLEMS + 1
    assert lines[-1] == "t.csv: and 7 more of this kind"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_a_file_that_is_not_utf8_names_line_and_byte(tmp_path, mark, newline):
    path = tmp_path / "latin1.csv"
    path.write_bytes(mark + newline.join([b"study,n", b"A,1", b"J\xe9r\xf4me,2", b""]))
    with pytest.raises(InputError, match=r"latin1\.csv: line 3, byte 2 \(0xE9\) is not UTF-8; .*CSV UTF-8"):
        read_table(path)


def test_the_byte_order_mark_is_not_part_of_the_first_line(tmp_path):
    path = tmp_path / "first.csv"
    path.write_bytes(b"\xef\xbb\xbf\xe9,n\n")
    with pytest.raises(InputError, match=r"line 1, byte 4 \(0xE9\)"):
        read_table(path)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"PK\x03\x04rest", "is a spreadsheet workbook, not text"),
        (b"\xd0\xcf\x11\xe0rest", "is a spreadsheet workbook, not text"),
        ("study,n\n".encode("utf-16"), "is UTF-16 text"),
        (b"study,n\nA,\x00\n", "line 2 holds a NUL byte"),
    ],
)
def test_other_formats_are_recognised(tmp_path, start, message):
    path = tmp_path / "x.csv"
    path.write_bytes(start)
    with pytest.raises(InputError, match=message):
        read_table(path)


def test_a_200_mb_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.csv"
    with open(path, "wb") as stream:
        stream.truncate(200 * 1024**2)  # sparse: takes no room on disk
    with pytest.raises(InputError) as caught:
        read_table(path)
    assert "huge.csv: is 200 MB; a table of studies may have at most 64 MB" in str(caught.value)
    assert MAX_BYTES == 64 * 1024**2


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match=r"is a folder; give the table inside it"):
        read_table(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_table("nul\0.csv")


def test_text_in_a_number_is_named_by_row_and_column():
    table = parse_table("study,n,sd\nA,twelve,1\nB,12,2.5.1\n", file="t.csv")
    with pytest.raises(InputError) as caught:
        table.numbers("n")
    assert str(caught.value) == "t.csv, row 1, column n: 'twelve' is not a number"
    assert str(table.read_numbers("sd")[1][0]) == "t.csv, row 2, column sd: '2.5.1' is not a number"


def test_an_unknown_column_lists_those_there_are():
    with pytest.raises(InputError, match="has no column 'm'; it has study, n"):
        parse_table("study,n\nA,1\n").numbers("m")


@pytest.mark.parametrize("cell", ["", " ", "NA", "n/a", "NaN", "."])
def test_not_reported_is_missing_and_never_zero(cell):
    value, reason = read_number(cell)
    assert math.isnan(value)
    assert reason == ""


@pytest.mark.parametrize(
    ("cell", "value"), [("1e-8", 1e-8), ("+3", 3.0), ("\u22122.5", -2.5), (".5", 0.5), (" 7 ", 7.0), ("4.", 4.0)]
)
def test_numbers(cell, value):
    assert read_number(cell) == (value, "")


@pytest.mark.parametrize(
    ("cell", "advice"),
    [
        ("3,5", "write the decimal point: 3.5"),
        ("1,234", "write 1234 or 1.234"),
        ("12 345", "write it without spaces: 12345"),
        ("12%", "without the per cent sign"),
        ("<0.05", "a bound is not a value"),
        ("3.2 (1.1)", "give one number a cell"),
        ("1e999", "too large"),
        ("1_000", "is not a number"),
        ("0x10", "is not a number"),
        ("inf", "is not a number"),
        ("٣", "is not a number"),
    ],
)
def test_what_is_not_a_number_comes_with_advice(cell, advice):
    value, reason = read_number(cell)
    assert math.isnan(value)
    assert advice in reason


def test_a_decimal_comma_is_read_where_it_can_mean_nothing_else():
    table = parse_table("study;sd;n\nA;3,5;10\nB;1,250;12\n")
    assert table.decimal_comma
    assert table.numbers("sd") == [3.5, 1.25]


def test_a_comma_that_may_be_a_thousand_is_refused():
    with pytest.raises(InputError, match=r"row 1, column n: '1,250' is not a number; the comma may separate"):
        parse_table("study;n\nA;1,250\nB;12\n").numbers("n")


def test_comma_and_point_in_one_table_are_not_guessed():
    table = parse_table("study;sd;mean\nA;3,5;2.5\n")
    assert table.numbers("mean") == [2.5]
    with pytest.raises(InputError, match=r"column sd: '3,5' is not a number; write the decimal point: 3\.5"):
        table.numbers("sd")


def test_rows_keep_their_numbers_when_some_are_left_out():
    table = parse_table("study,n\nA,1\nB,x\n", file="t.csv").only([False, True])
    with pytest.raises(InputError, match=r"t\.csv, row 2, column n"):
        table.numbers("n")
