"""A review package from a RevMan file, what RevMan Web imports from a package, and the command around both."""

from __future__ import annotations

import argparse
import csv
import io
import json
from pathlib import Path

import pytest

from balm.actions.certainty import write_gradepro
from balm.actions.review import Review
from balm.actions.revman import export_package, read_revman, write_package
from balm.cli.command import UsageError
from balm.cli.revman import REVMAN
from balm.vocabulary.problems import InputError
from tests.unit.review.revman.made import ASPIRIN, aspirin, dich, element, outcome, rm5, row, web_package

KIND = {"EFFECT_MEASURE": "OR", "METHOD": "MH", "RANDOM": "NO", "TOTALS": "YES", "SUBGROUPS": "YES"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "fleiss.rm5"
    path.write_bytes(aspirin())
    return path


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    REVMAN.configure(parser)
    return REVMAN.run(parser.parse_args([str(w) for w in words]))


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def test_the_package_is_clean_and_pools_to_what_revman_stored(source: Path, tmp_path: Path) -> None:
    write_package(read_revman(source), tmp_path / "package")
    review = Review.load(tmp_path / "package")
    assert review.problems() == ()
    [analysis] = review.synthesise().analyses
    assert analysis.fit is not None
    assert analysis.fit.displayed.estimate == pytest.approx(0.8968655609130709, rel=1e-12)
    assert [p.estimate for p in review.package.published] == [0.8968655609130709]
    page = review.report(tmp_path / "report.html").read_text()
    assert "ISIS-2" in page


def test_subgroups_repeated_studies_and_every_kind_of_outcome_come_along(tmp_path: Path) -> None:
    inside = element("DICH_SUBGROUP", {"ID": "S1", "NO": 1}, "<NAME>Old</NAME>" + dich("A", 1, 20, 4, 20))
    more = "<NAME>New</NAME>" + dich("A", 0, 20, 5, 20) + dich("B", 2, 0, 5, 20)
    inside += element("DICH_SUBGROUP", {"ID": "S2", "NO": 2}, more)
    means = row("CONT_DATA", "A", MEAN_1="1.5", SD_1=1, TOTAL_1=9, MEAN_2=1, SD_2=0, TOTAL_2=9)
    ratios = row("IV_DATA", "A", ESTIMATE="-0.5", SE="0.2") + "<EFFECT_MEASURE>Hazard Ratio</EFFECT_MEASURE>"
    logrank = row("IPD_DATA", "C", O_E="-1", VAR="4")
    path = tmp_path / "all.rm5"
    path.write_bytes(
        rm5(
            outcome("DICH", inside, **KIND),
            outcome("CONT", means, EFFECT_MEASURE="MD", ID="CMP-001.02", NO=2),
            outcome("IV", ratios, LOG_DATA="YES", ID="CMP-001.03", NO=3),
            outcome("IPD", logrank, ID="CMP-001.04", NO=4, METHOD="PETO"),
            outcome("OTHER", row("OTHER_DATA", "A"), ID="CMP-001.05", NO=5),
            studies=["A", "B", "C"],
            title='=cmd "quoted" \\ back',
        )
    )
    write_package(read_revman(path), tmp_path / "package")
    review = Review.load(tmp_path / "package")
    assert review.problems() == ()
    package = review.package
    assert [(a.id, a.measure) for a in package.meta.analyses] == [
        ("o1.1", "OR"),
        ("o1.2", "MD"),
        ("o1.3", "HR"),
        ("o1.4", "HR"),
    ]
    assert [s.name for s in package.meta.analyses[0].subgroups] == ["Old", "New"]
    assert [a.single.estimate for a in review.synthesise().analyses[2:] if a.single] == [
        pytest.approx(0.6065306597),
        pytest.approx(0.7788007831),
    ]
    assert [c.estimate for c in package.contrasts] == [pytest.approx(0.6065306597), pytest.approx(0.7788007831)]
    assert {s.label for s in package.studies} == {"A", "A (entry 2)", "B", "C"}
    assert (review.flow().new_studies, review.flow().total_studies_ma) == (3, 2)
    assert package.meta.title == '=cmd "quoted" \\ back'
    review.report(tmp_path / "report.html")


def test_nothing_is_overwritten_and_nothing_half_written(source: Path, tmp_path: Path) -> None:
    review = read_revman(source)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        write_package(review, tmp_path / "full")
    with pytest.raises(InputError, match="there is no folder"):
        write_package(review, tmp_path / "none" / "package")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fleiss.rm5", "full"]


def test_export_gives_four_tables_and_a_ris_that_carry_the_studies_names(tmp_path: Path) -> None:
    (tmp_path / "package.zip").write_bytes(web_package())
    write_package(read_revman(tmp_path / "package.zip"), tmp_path / "aspirin")
    written = export_package(tmp_path / "aspirin", tmp_path / "out")
    names = ("study-information.csv", "study-arms.csv", "study-results.csv", "risk-of-bias.csv", "included.ris")
    assert [p.name for p in written] == [f"aspirin-{name}" for name in names]
    assert all(p.read_bytes().startswith(b"\xef\xbb\xbf") for p in written)
    information, arms, results, bias = (rows_of(p) for p in written[:4])
    studies = [s for s, *_ in ASPIRIN]
    assert [r["Study"] for r in information] == studies
    assert len(arms) == 2 * len(ASPIRIN)
    first = [r for r in results if r["Study"] == "MRC-1"]
    assert [(r["Cases"], r["Sample size"], r["Data type"]) for r in first] == [
        ("49", "615", "Dichotomous"),
        ("67", "624", "Dichotomous"),
    ]
    assert {r["Arm"] for r in results} == {a["Arm"] for a in arms}
    assert bias[0]["Domain (judgement): Blinding"] == "Low risk"
    ris = written[4].read_text(encoding="utf-8-sig").splitlines()
    assert [line[6:] for line in ris if line.startswith("NS  - ")] == studies


def test_cells_a_spreadsheet_would_run_are_made_text(tmp_path: Path) -> None:
    path = tmp_path / "a.rm5"
    path.write_bytes(rm5(outcome("DICH", dich("=cmd", 1, 9, 2, 9), **KIND), studies=["=cmd"]))
    write_package(read_revman(path), tmp_path / "package")
    written = export_package(tmp_path / "package", tmp_path / "out")
    assert rows_of(written[0])[0]["Study"] == "'=cmd"


def test_the_command_prints_the_agreement(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(source, "-o", tmp_path / "package") == 0
    said = capsys.readouterr().out
    assert "1 of 1 pooled results agree with RevMan's; 6 stored numbers compared, 0 disagree." in said
    assert "balm check" in said
    assert run(source, "--json") == 0
    assert json.loads(capsys.readouterr().out)["agree"] == 1
    assert run("--export", tmp_path / "package", "-o", tmp_path / "out") == 0
    assert "import the .ris first" in capsys.readouterr().out


@pytest.mark.parametrize("words", [(), ("--export", "p"), ("a.rm5", "--export", "p", "-o", "d")])
def test_wrong_usage_is_said(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        run(*words)


def test_two_studies_of_one_name_stay_two_and_slips_of_the_keyboard_do_not_stop_the_package(tmp_path: Path) -> None:
    listed = '<STUDY ID="STD-A-2" NAME="A"/><STUDY ID="STD-N" NAME=""/>'
    huge = dich("B", 1, 10**20, 2, 9) + dich("C", 0, 9, 10, 9, EFFECT_SIZE="1e308", CI_START="5", CI_END="Infinity")
    wrong = {"EFFECT_SIZE": "2.5", "CI_START": "3", "CI_END": "1", "DF": "Infinity", "P_CHI2": "NaN", "CHI2": "1e308"}
    data = rm5(outcome("DICH", dich("A", 1, 9, 2, 9) + huge, **{**KIND, **wrong}), studies=["A", "B", "C"])
    path = tmp_path / "a.rm5"
    path.write_bytes(data.replace(b"<INCLUDED_STUDIES>", b"<INCLUDED_STUDIES>" + listed.encode()))
    review = read_revman(path)
    review.recompute()
    write_package(review, tmp_path / "package")
    package = Review.load(tmp_path / "package").package
    assert [s.label for s in package.studies] == ["A", "STD-N", "A", "B", "C"]
    assert package.published == ()


def test_a_study_without_a_reference_has_a_report_all_the_same(tmp_path: Path) -> None:
    reference = b'<REFERENCE TYPE="JOURNAL_ARTICLE"><AU>Roe J</AU><TI>A trial</TI></REFERENCE>'
    data = rm5(outcome("DICH", dich("A", 1, 9, 2, 9), **KIND), studies=["A", "B"])
    first = b'<STUDY ID="STD-A" NAME="A" YEAR="1980"'
    path = tmp_path / "a.rm5"
    path.write_bytes(data.replace(first + b"/>", first + b">" + reference + b"</STUDY>"))
    write_package(read_revman(path), tmp_path / "package")
    review = Review.load(tmp_path / "package")
    assert (review.flow().new_studies, review.flow().new_reports) == (2, 2)
    assert "Roe J. A trial." in review.report(tmp_path / "report.html").read_text()


def test_the_report_draws_subgroups_with_their_totals_and_revmans_labels(tmp_path: Path) -> None:
    """The plot looks as in RevMan: subtotals, the test between subgroups, no total where RevMan shows none."""
    labels = "<GRAPH_LABEL_1>Favours old</GRAPH_LABEL_1><GRAPH_LABEL_2>Favours new</GRAPH_LABEL_2>"
    parts = "".join(
        element("DICH_SUBGROUP", {"ID": f"S{i}", "NO": i}, f"<NAME>Part {i}</NAME>" + dich("A", i, 20, 4, 20) + more)
        for i, more in enumerate((dich("B", 3, 30, 5, 31), dich("C", 7, 30, 5, 31)), 1)
    )
    for totals, shown in (("YES", True), ("SUB", False)):
        path = tmp_path / f"{totals}.rm5"
        path.write_bytes(rm5(outcome("DICH", labels + parts, **{**KIND, "TOTALS": totals}), studies=["A", "B", "C"]))
        write_package(read_revman(path), tmp_path / totals)
        page = Review.load(tmp_path / totals).report(tmp_path / "report.html").read_text()
        assert page.count("Subtotal (95% CI)") >= 2
        assert "Test for subgroup differences" in page
        assert "Favours old" in page
        assert ("Total (95% CI)" in page) is shown


def test_names_that_look_like_formulas_are_none_in_the_files_and_come_back_as_they_were(tmp_path: Path) -> None:
    source = tmp_path / "x.rm5"
    source.write_bytes(aspirin().replace(b"ISIS-2", b"=ISIS-2"))
    write_package(read_revman(source), tmp_path / "package")
    studies = rows_of(tmp_path / "package" / "studies.csv")
    assert any(row["label"].startswith("'=ISIS-2") for row in studies)
    review = Review.load(tmp_path / "package")
    assert any(study.label.startswith("=ISIS-2") for study in review.package.studies)
    (tmp_path / "web").mkdir()
    export_package(tmp_path / "package", tmp_path / "web")
    back = read_revman(tmp_path / "web")
    assert any(study.label.startswith("=ISIS-2") for study in back.studies)


def test_a_study_entered_twice_is_one_study_with_two_rows_in_the_rm5_that_is_written(tmp_path: Path) -> None:
    rows = "".join(dich("AMIS" if s == "ISIS-2" else s, a, n_1, c, n_2) for s, _, a, n_1, c, n_2 in ASPIRIN)
    settings = {**KIND, "SUBGROUPS": "NO", "ESTIMABLE": "NO"}
    source = tmp_path / "x.rm5"
    source.write_bytes(rm5(outcome("DICH", rows, **settings), studies=[s for s, *_ in ASPIRIN if s != "ISIS-2"]))
    write_package(read_revman(source), tmp_path / "package")
    write_gradepro(Review.load(tmp_path / "package"), tmp_path / "back.rm5")
    back = read_revman(tmp_path / "back.rm5")
    [written] = back.outcomes
    assert len(back.studies) == 6 and [row.study for row in written.rows].count("AMIS") == 2
    assert written.stored["studies"] == "6" and back.recompute().disagree == ()
