"""Files that are cut off, empty, of another kind, or made to do harm: one clear error, quickly, and nothing written."""

from __future__ import annotations

import gzip
import io
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from balm.actions import revman
from balm.actions.review import Review
from balm.actions.revman import read_revman
from balm.review.revman.tables_in import read_table
from balm.vocabulary.problems import InputError
from tests.unit.review.revman.made import archive, aspirin, data_rows, table, web_package

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><COCHRANE_REVIEW>&c;</COCHRANE_REVIEW>'
)
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]><COCHRANE_REVIEW>&a;</COCHRANE_REVIEW>'
CASES = {
    "empty": (b"", "is empty"),
    "blank": (b"\xef\xbb\xbf \n\n", "is empty"),
    "cut off": (aspirin()[:-200], "cut off"),
    "binary": (bytes(range(256)) * 20, "is no RevMan file"),
    "text": (b"Dear colleague,\nhere is the file.\n", "is no RevMan file"),
    "another xml": (b"<html><body/></html>", "no RevMan review"),
    "entities": (BOMB, "XML entities"),
    "a file from outside": (OUTSIDE, "XML entities"),
    "deep": (b"<COCHRANE_REVIEW>" + b"<P>" * 100_000, "deep"),
    "unmatched": (b"<COCHRANE_REVIEW><A></B></COCHRANE_REVIEW>", "cannot be read as XML"),
    "openings without end": (b"<COCHRANE_REVIEW>" + b"<!--" * 200_000, "cut off"),
    "quotes without end": (b"<COCHRANE_REVIEW>" + b"<A b='" * 100_000, "cut off"),
    "another csv": (b"id,title\n1,A trial\n", "is no RevMan file"),
    "a million columns": (b"Analysis group,Analysis number,Study" + b",x" * 1_000_000 + b"\n1", "no table of RevMan"),
    "header alone": (table(data_rows()).splitlines()[0], "holds no analyses"),
    "metaview": (b"METAVIEW:Fleiss 1993\r\nSTART DATA\r\n", "RevMan 4"),
    "no zip": (b"PK\x03\x04" + b"\x00" * 100, "cannot be unpacked"),
    "cut zip": (web_package()[:400], "cannot be unpacked"),
    "zip of nothing": (archive({"a.txt": b"x"}), "holds no analyses"),
    "cut gzip": (gzip.compress(aspirin())[:200], "cannot be unpacked"),
    "way out": (archive({"../../a-data-rows.csv": table(data_rows())}), "leads out"),
    "bomb": (archive({"a-data-rows.csv": b"0" * 30_000_000}), "out of all proportion"),
    "nested": (archive({"a.zip": archive({"b.zip": archive({"c.zip": archive({"d.zip": b""})})})}), "inside archives"),
    "two reviews": (archive({"a.rm5": aspirin(), "b.rm5": aspirin()}), "give one of them"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_bad_file_gets_one_clear_error(name: str, tmp_path: Path) -> None:
    data, said = CASES[name]
    path = tmp_path / "review.rm5"
    path.write_bytes(data)
    start = time.perf_counter()
    with pytest.raises(InputError, match=said) as caught:
        read_revman(path)
    assert time.perf_counter() - start < 10
    assert "review.rm5" in str(caught.value) or ".csv" in str(caught.value) or ".zip" in str(caught.value)


def test_a_wrong_ending_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "review.csv").write_bytes(gzip.compress(aspirin()))
    assert read_revman(tmp_path / "review.csv").format == "rm5"


def test_a_file_above_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revman, "MAX_BYTES", 1000)
    (tmp_path / "big.rm5").write_bytes(aspirin())
    with pytest.raises(InputError, match="it was not read"):
        read_revman(tmp_path / "big.rm5")
    (tmp_path / "big.gz").write_bytes(gzip.compress(aspirin() * 10))
    with pytest.raises(InputError, match="unpacks to more than"):
        read_revman(tmp_path / "big.gz")


def test_a_missing_file_and_a_locked_archive_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_revman(tmp_path / "none.rm5")
    data = bytearray(archive({"a-data-rows.csv": b"x"}))
    info = zipfile.ZipFile(io.BytesIO(bytes(data))).infolist()[0]
    data[info.header_offset + 6] |= 1
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(bytes(data))
    with pytest.raises(InputError, match="password"):
        read_revman(tmp_path / "locked.zip")


def test_links_out_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret-data-rows.csv").write_bytes(table(data_rows()))
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "1-data-rows.csv").symlink_to(tmp_path / "secret-data-rows.csv")
    with pytest.raises(InputError, match="holds no analyses"):
        read_revman(folder)


SEEDS = [aspirin(CHI2="x", Z="NaN"), web_package(), table(data_rows())]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=0, max_size=6)), min_size=1, max_size=8),
    cut=st.floats(0.2, 1),
)
def test_damaged_files_are_read_or_refused_but_never_crash(
    tmp_path: Path, seed: bytes, changes: list[tuple[float, bytes]], cut: float
) -> None:
    data = bytearray(seed)
    for place, what in changes:
        at = int(place * len(data))
        data[at : at + len(what)] = what
    path = tmp_path / "fuzzed"
    path.write_bytes(bytes(data[: int(len(data) * cut)]))
    try:
        read_revman(path).recompute().to_dict()
    except InputError as error:
        assert str(error)


def test_a_number_with_a_character_that_no_text_has_is_no_number(tmp_path: Path) -> None:
    """Left out, 4 and 9 with a damaged digit between them would be 49."""
    rows = [{**row, "Subgroup": "over\x0110 years"} if k else row for k, row in enumerate(data_rows())]
    for name, data in {
        "rows.csv": table(rows),
        "rows-2.csv": table(data_rows()).replace(b",49,", b",4\x109,", 1),
        "review.rm5": aspirin().replace(b'EVENTS_1="49"', b'EVENTS_1="4\x109"', 1),
        "review-2.rm5": aspirin().replace(b'EVENTS_1="49"', b'EVENTS_1="4&#16;9"', 1),
    }.items():
        (tmp_path / name).write_bytes(data)
        review = read_revman(tmp_path / name)
        assert "marked as \ufffd" in str(review.repairs[0]), name
        counts = [row.data.get("events_1") for o in review.outcomes for row in o.all_rows]
        assert (49 in counts) == (name == "rows.csv")
        folder = tmp_path / f"{name}-package"
        revman.write_package(review, folder)
        assert Review.load(folder).problems() == ()
    lines, problems = read_table(b"name,n\n" + b"a,1\n" * 2000 + b"b\x00c,2\n", "late.csv")
    assert (lines[-1]["name"], problems[0].line) == ("b\ufffdc", 2002)


@pytest.mark.parametrize("cell", ["0/0", "1e999", "1_0", "\uff11\uff12", "NaN", "x" * 9_000])
@pytest.mark.parametrize("column", ["Weight", "Experimental N", "Analysis number", "Study year"])
def test_a_cell_that_is_no_number_is_not_taken_for_one(tmp_path: Path, column: str, cell: str) -> None:
    rows = [{**row, **({} if k else {column: cell})} for k, row in enumerate(data_rows(Weight=20.0))]
    (tmp_path / "rows-data-rows.csv").write_bytes(table(rows))
    review = read_revman(tmp_path / "rows-data-rows.csv")
    assert review.recompute().numbers >= 0
    revman.write_package(review, tmp_path / "package")
    assert Review.load(tmp_path / "package").problems() == ()


def test_a_cell_longer_than_a_package_holds_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows-data-rows.csv").write_bytes(table([*data_rows(), {**data_rows()[0], "Study": "x" * 100_001}]))
    with pytest.raises(InputError, match="on line 9 a cell has more than 100,000 characters"):
        read_revman(tmp_path / "rows-data-rows.csv")


def test_an_outcome_without_end_is_no_number(tmp_path: Path) -> None:
    head = "Comparison Number,Outcome Number,Subgroup Number,Name,Data Type,Statistical Method,Effect Measure,"
    line = "1,1e999,0,CDP,,,,44,758,64,771,0.68\n"
    text = head + "Events 1,Total 1,Events 2,Total 2,Effect Estimate\n1,1,0,Death,DICH,MH,Odds Ratio,,,,,\n" + line
    (tmp_path / "a.csv").write_text(text + line.replace("1e999", "1"))
    with pytest.raises(InputError, match="no study row was read"):
        read_revman(tmp_path / "a.csv")
