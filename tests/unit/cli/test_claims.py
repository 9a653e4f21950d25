"""``balm claims``: text and JSON of one text, rows of a file of abstracts, the evidence beside, clear errors."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from balm.actions.claims import check_file
from balm.cli.main import main

TEXT = "Pain fell (MD \u22121.05; 95% CI \u22121.72, \u22120.39; p = 0.02).\nIn 23/45 (51.1%) patients relief was felt."
KETAMINE = Path(__file__).parents[3] / "reviews" / "ketamine-chronic-pain"


@pytest.fixture
def text(tmp_path: Path) -> str:
    path = tmp_path / "abstract.txt"
    path.write_text(TEXT, "utf-8")
    return str(path)


def test_a_text_is_shown_with_verdicts(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", text]) == 0
    out = capsys.readouterr().out
    assert "2 claims: 1 consistent, 1 inconsistent." in out
    assert "NO  line 1, estimate: MD \u22121.05" in out and "ok  line 2, proportion: 23/45 (51.1%)" in out
    assert "10 times larger" in out


def test_json_has_the_promised_fields(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", text, "--json"]) == 0
    claims = json.loads(capsys.readouterr().out)["claims"]
    promised = "text start end kind measure estimate ci_low ci_high p_reported p_recomputed n total percent verdict why"
    assert all(set(promised.split()) <= set(claim) for claim in claims)
    assert claims[0]["p_reported"] == 0.02 and round(claims[0]["p_recomputed"], 4) == 0.002
    assert TEXT[claims[1]["start"] : claims[1]["end"]] == claims[1]["text"]


def test_results_of_a_review_stand_beside_an_estimate(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", text, "--beside", str(KETAMINE), "--year", "2018", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["evidence"]
    assert any(r["source"].startswith("Orhurhu 2019") and r["newer"] for r in rows)
    assert any(r["source"].startswith("this review") for r in rows)
    assert {r["outcome"] for r in rows} == {"pain-intensity"}


def test_a_column_of_abstracts_becomes_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, out = tmp_path / "records.csv", tmp_path / "claims.csv"
    with table.open("w", newline="", encoding="utf-8") as sink:
        csv.writer(sink).writerows(
            [["id", "abstract"], ["a1", TEXT], ["a2", ""], ["a3", "-5 mg twice daily (20 mg/day)"]]
        )
    assert main(["claims", str(table), "--column", "abstract", "-o", str(out)]) == 0
    assert "3 texts read, 1 without an abstract" in capsys.readouterr().out
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert [r["record"] for r in rows][:2] == ["a1", "a1"] and rows[0]["verdict"] == "inconsistent"
    assert not any(value[:1] in "=+@" for row in rows for value in row.values() if value)


def test_records_of_an_export_are_read(tmp_path: Path) -> None:
    file = tmp_path / "search.ris"
    file.write_text(f"TY  - JOUR\nTI  - Ketamine\nAB  - {TEXT.splitlines()[0]}\nER  - \n", "utf-8")
    done = check_file(file)
    assert done.texts == 1 and done.counts["estimate", "inconsistent"] == 1


def test_the_name_of_a_record_runs_nothing_in_a_spreadsheet(tmp_path: Path) -> None:
    table, out = tmp_path / "records.csv", tmp_path / "claims.csv"
    with table.open("w", newline="", encoding="utf-8") as sink:
        csv.writer(sink).writerows([["id", "abstract"], ["=cmd|' /C calc'!A0", TEXT]])
    check_file(table, out, column="abstract")
    with out.open(encoding="utf-8", newline="") as source:
        assert {row[0] for row in csv.reader(source)} == {"record", "'=cmd|' /C calc'!A0"}


def test_many_texts_are_shared_between_processes(tmp_path: Path) -> None:
    table = tmp_path / "records.csv"
    with table.open("w", newline="", encoding="utf-8") as sink:
        csv.writer(sink).writerows([["abstract"], *([TEXT] for _ in range(450))])
    one, two = (check_file(table, tmp_path / f"{n}.csv", column="abstract", processes=n) for n in (1, 2))
    assert one.counts == two.counts and one.texts == 450
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()


@pytest.mark.parametrize(
    "words,status,said",
    [
        (["nothing.txt"], 1, "nothing.txt: no such file"),
        (["{text}", "--year", "2020"], 2, "--year needs --beside"),
        (["-", "-o", "x.csv"], 2, "not the standard input"),
        (["{table}", "--column", "abstract"], 1, "has no column 'abstract'; its columns are id, title"),
        (["{binary}"], 1, "is no text"),
        (["{text}", "--beside", "nowhere"], 1, "nowhere"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    words: list[str], status: int, said: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text("id,title\n1,x\n")
    (tmp_path / "b.bin").write_bytes(b"%PDF-1.7")
    filled = [w.format(text=text, table=tmp_path / "t.csv", binary=tmp_path / "b.bin") for w in words]
    assert main(["claims", *filled]) == status
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04\x14\x00\xfb\xff", "cannot be read as CSV"),
        (b"id,text\n1,\xff\n", "cannot be read as CSV"),
        (b"a," * 50_000 + b"\n", "and 49,981 more"),
        (b"id,text\n" + b"x" * (16 * 1024**2 + 2), "line 2 is longer than 16 MB: this is no table"),
    ],
)
def test_a_file_that_is_no_table_is_one_short_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, says: str
) -> None:
    table = tmp_path / "records.csv"
    table.write_bytes(data)
    assert main(["claims", str(table), "--column", "text", "-o", str(tmp_path / "claims.csv")]) == 1
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1 and len(said) < 1000
    assert list(tmp_path.iterdir()) == [table]
