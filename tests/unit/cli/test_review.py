"""``balm check`` and ``balm report`` on a review package: all problems at once, and nothing half-written."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from balm.cli.main import main

BUNDLED = Path(__file__).resolve().parents[3] / "reviews" / "ketamine-chronic-pain"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the bundled review to spoil."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(BUNDLED, tmp_path / "review")
    return tmp_path / "review"


def spoil(path, row, column, value):
    """Replace one cell; ``row`` counts from 1 under the header."""
    with open(path, encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    rows[row][rows[0].index(column)] = value
    with open(path, "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


def lines_of(capsys, *words, status=1):
    assert main([str(word) for word in words]) == status
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert "defect" not in captured.err
    return captured.out, captured.err.splitlines()


def test_the_bundled_review_has_no_problems(capsys):
    assert main(["check", str(BUNDLED)]) == 0
    assert capsys.readouterr().out == f"{BUNDLED}: no problems found.\n"


SPOILED = [
    ("results.csv", 1, "study", "nobody-1999", "'nobody-1999'"),
    ("results.csv", 1, "arm", "no-such-arm", "'no-such-arm'"),
    ("results.csv", 1, "n", "twelve", "twelve"),
    ("results.csv", 1, "sd", "-3", "-3"),
    ("studies.csv", 2, "year", "19x9", "19x9"),
]


@pytest.mark.parametrize(("file", "row", "column", "value", "said"), SPOILED)
def test_a_wrong_cell_is_named_by_file_row_and_column(capsys, package, file, row, column, value, said):
    spoil(package / file, row, column, value)
    out, lines = lines_of(capsys, "check", package)
    assert out == ""
    assert any(line.startswith(f"balm: {file}, row {row}, column {column}: ") and said in line for line in lines), lines


def test_all_wrong_cells_are_named_at_once_and_nothing_is_written(capsys, package):
    spoil(package / "results.csv", 1, "n", "twelve")
    spoil(package / "studies.csv", 2, "year", "19x9")
    (package.parent / "report.html").write_text("the last one")
    _, checked = lines_of(capsys, "check", package)
    _, reported = lines_of(capsys, "report", package, "-o", "report.html")
    assert checked == reported
    assert {line.split(",")[0] for line in checked} >= {"balm: results.csv", "balm: studies.csv"}
    assert (package.parent / "report.html").read_text() == "the last one"
    assert sorted(path.name for path in package.parent.iterdir()) == ["report.html", "review"]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty"), ("study\nJérôme\n".encode("latin-1"), "UTF-8"), (b"\x00\x01", "studies.csv")],
)
def test_a_file_that_cannot_be_read(capsys, package, content, said):
    (package / "studies.csv").write_bytes(content)
    _, lines = lines_of(capsys, "check", package)
    assert any(line.startswith("balm: studies.csv") and said in line for line in lines), lines


@pytest.mark.parametrize(("file", "size"), [("results.csv", 200), ("records.csv", 600)])
def test_a_file_of_hundreds_of_megabytes(capsys, package, file, size):
    with open(package / file, "wb") as stream:
        stream.truncate(size * 1024**2)
    _, lines = lines_of(capsys, "check", package)
    assert any(line.startswith(f"balm: {file}") and "MB" in line for line in lines), lines


@pytest.mark.parametrize("command", ["check", "report", "serve"])
def test_a_folder_that_holds_no_review(capsys, tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "missing"):
        out, lines = lines_of(capsys, command, folder)
        assert out == ""
        assert lines
        assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]


def test_problems_for_machines(capsys, package):
    spoil(package / "results.csv", 1, "n", "twelve")
    out, lines = lines_of(capsys, "check", package, "--json")
    assert lines == []
    problem = json.loads(out)["problems"][0]
    assert (problem["file"], problem["row"], problem["column"]) == ("results.csv", 1, "n")


def test_a_report_is_written_where_it_was_asked_for(capsys, package):
    assert main(["report", str(package), "-o", "out.html"]) == 0
    assert capsys.readouterr().out == "Report: out.html\n"
    page = (package.parent / "out.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    _, lines = lines_of(capsys, "report", package, "-o", "no/out.html")
    assert lines == ["balm: -o 'no/out.html': there is no folder 'no'; make it first"]
