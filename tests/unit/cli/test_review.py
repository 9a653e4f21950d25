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


def rows_of(path, *rows):
    """Fill a table that a new package holds with its header alone."""
    with open(path, encoding="utf-8", newline="") as stream:
        header = next(csv.reader(stream))
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def screened_review(folder, capsys, reports):
    """A new review that screened four records, kept two, and includes two studies with these reports."""
    lines_of(capsys, "new", folder, status=0)
    rows_of(folder / "searches.csv", {"search": "m", "kind": "database", "source": "MEDLINE", "retrieved": 4})
    rows_of(folder / "records.csv", *({"record": f"r{i}", "search": "m", "title": f"Title {i}"} for i in range(4)))
    votes = [(f"r{i}", "title-abstract", "include" if i < 2 else "exclude", "") for i in range(4)]
    votes += [("r0", "full-text", "include", ""), ("r1", "full-text", "exclude", "Other design")]
    rows_of(
        folder / "screening.csv",
        *(
            {"record": record, "stage": stage, "reviewer": who, "decision": decision, "kind": "vote", "reason": why,
             "time": "2025-01-01T10:00:00Z"}
            for record, stage, decision, why in votes
            for who in ("A", "B")
        ),
    )  # fmt: skip
    study = {"design": "parallel", "scope": "included", "verified": "yes"}
    rows_of(folder / "studies.csv", *({"study": f"S{i}", "label": f"S{i}", **study} for i in (1, 2)))
    report = {"kind": "trial report", "citation": "J 2020", "verified": "yes"}
    rows_of(folder / "reports.csv", *({"report": name, "studies": of, **report} for name, of in reports))


def test_counts_of_the_flow_that_contradict_each_other_are_named_with_the_way_out_by_check_and_report(capsys, tmp_path):
    folder = tmp_path / "r"
    screened_review(folder, capsys, [("p1", "S1"), ("p2", "S2")])
    said = (
        "balm: flow: reports assessed (2) less reports excluded (1) must be reports of new studies: 1, not 2; give each"
    )
    for command in (("check", folder), ("report", folder, "-o", tmp_path / "r.html")):
        _, errors = lines_of(capsys, *command)
        assert len(errors) == 1 and errors[0].startswith(said)
    assert not (tmp_path / "r.html").exists()
    screened_review(tmp_path / "s", capsys, [("r0", "S1"), ("p2", "S2")])  # the way out
    for command in (("check", tmp_path / "s"), ("report", tmp_path / "s", "-o", tmp_path / "s.html")):
        lines_of(capsys, *command, status=0)


def test_counts_given_in_the_plan_that_contradict_each_other_are_named_with_the_plan(capsys, package):
    plan = (package / "review.toml").read_text("utf-8")
    given = "[flow]\ndatabase_results = 10\nregister_results = 0\nrecords_screened = 11\n"
    (package / "review.toml").write_text(plan.replace("[flow]\n", given), "utf-8")
    _, errors = lines_of(capsys, "check", package)
    assert len(errors) == 1 and errors[0].endswith(
        "records identified (10) must leave at least records screened (11); correct the counts under [flow] of "
        "review.toml, or leave out those that rows give"
    )


def test_where_a_study_has_no_report_on_record_their_number_is_not_known(capsys, tmp_path):
    folder = tmp_path / "r"
    lines_of(capsys, "new", folder, status=0)
    study = {"design": "parallel", "scope": "included", "verified": "yes"}
    rows_of(folder / "studies.csv", *({"study": f"S{i}", "label": f"S{i}", **study} for i in (1, 2)))
    report = {"kind": "trial report", "citation": "J 2020", "verified": "yes"}
    rows_of(folder / "reports.csv", {"report": "p1", "studies": "S1", **report})
    lines_of(capsys, "check", folder, status=0)
    lines_of(capsys, "report", folder, "-o", tmp_path / "r.html", status=0)
    assert "Reports of included studies (n not known)" in (tmp_path / "r.html").read_text("utf-8")
