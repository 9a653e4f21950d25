"""``balm network``: contrasts and arms, text and JSON, clear errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from balm.cli.main import main

CONTRASTS = "study,treatment_1,treatment_2,effect,se\n1,A,B,-1,0.3\n2,A,C,-2,0.4\n3,B,C,-0.7,0.3\n"
ARMS = "study,treatment,events,n\n1,A,3,30\n1,B,5,31\n2,A,7,60\n2,C,9,58\n3,B,4,40\n3,C,6,41\n"


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str) -> str:
        path = tmp_path / "network.csv"
        path.write_text(text, "utf-8")
        return str(path)

    return write


def test_contrasts_are_shown_with_ranking_and_league(file, capsys):
    assert main(["network", file(CONTRASTS), "--reference", "C", "--league"]) == 0
    out = capsys.readouterr().out
    assert "3 studies, 3 treatments" in out and "Q between designs" in out and "against C" in out
    assert out.rstrip().splitlines()[-3].startswith("A")


def test_json_is_full_and_strict(file, capsys):
    assert main(["network", file(ARMS), "--measure", "OR", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["treatments"] == ["A", "B", "C"] and len(found["comparisons"]) == 6
    assert {"q_between_designs", "design_by_treatment", "split", "p_scores", "tau2"} <= set(found)


def test_contributions_are_written_in_per_cent_and_the_flow_is_printed(file, tmp_path, capsys):
    out = tmp_path / "shares.csv"
    flags = ["--flow", "--contributions", str(out), "--paths", "random-walk", "--model", "common"]
    assert main(["network", file(CONTRASTS), *flags]) == 0
    rows = [line.split(",") for line in out.read_text("utf-8").splitlines()]
    assert rows[0] == ["comparison", "A:B", "A:C", "B:C"] and [r[0] for r in rows[1:]] == rows[0][1:]
    for row in rows[1:]:
        assert sum(map(float, row[1:])) == pytest.approx(100)
    assert "mean path" in capsys.readouterr().out
    assert main(["network", file(CONTRASTS), "--contributions", str(tmp_path / "no" / "x.csv")]) != 0
    assert "no folder" in capsys.readouterr().err


def test_the_graph_and_the_net_heat_plot_are_written(file, tmp_path, capsys):
    graph, heat = tmp_path / "graph.svg", tmp_path / "heat.svg"
    assert main(["network", file(CONTRASTS), "--graph", str(graph), "--heat", str(heat)]) == 0
    assert "Net heat plot" in heat.read_text("utf-8") and "Network of 3" in graph.read_text("utf-8")
    tree = CONTRASTS.rsplit("3,B", 1)[0]
    capsys.readouterr()
    assert main(["network", file(tree), "--heat", str(heat)]) != 0
    assert "no loop" in capsys.readouterr().err


def test_transitivity_and_the_folder_for_cinema(file, tmp_path, capsys):
    more = ["rob,indirectness,year", *["low,1,1999"] * 2, *["H,1,2003"] * 2, *["2,2,NR"] * 2]
    rows = [f"{line},{extra}" for line, extra in zip(ARMS.splitlines(), more, strict=True)]
    table, drawn, out = file("\n".join(rows) + "\n"), tmp_path / "years.svg", tmp_path / "cinema"
    flags = ["--covariate", "year", "--transitivity", str(drawn), "--cinema", str(out), "--important", "0.8"]
    assert main(["network", table, "--measure", "OR", *flags]) == 0
    assert "not reported" in drawn.read_text("utf-8")
    assert (out / "data-long.csv").read_text("utf-8").splitlines()[1] == "1,A,3,30,1,1,1"
    assert "2003" in capsys.readouterr().out
    for wrong, words in (
        (flags[2:4], "--covariate COL"),
        (["--cinema", str(out)], "--important X"),
        (["--covariate", "age"], "no column age"),
        (["--summary", str(out / "sof.csv")], "--important X"),
    ):
        assert main(["network", table, "--measure", "OR", *wrong]) != 0
        assert words in capsys.readouterr().err


def test_a_summary_of_findings_needs_risk_of_bias(file, tmp_path, capsys):
    out = tmp_path / "sof.csv"
    flags = ["--measure", "OR", "--summary", str(out), "--important", "0.8", "--baseline", "0.2"]
    assert main(["network", file(ARMS), *flags]) != 0
    assert "no column rob" in capsys.readouterr().err and not out.exists()
    table = "\n".join(f"{line},{'rob' if i == 0 else 'L'}" for i, line in enumerate(ARMS.splitlines())) + "\n"
    assert main(["network", file(table), *flags]) == 0
    assert "200 per 1000" in out.read_text("utf-8")


def test_what_is_wrong_is_one_line(file, capsys):
    assert main(["network", file(CONTRASTS.replace("3,B,C", "3,D,E"))]) == 1
    assert "2 parts" in capsys.readouterr().err
    half = file(ARMS.replace("1,A,3,30", "1,A,3.5,30").replace("1,B,5,31", "1,B,-1,"))
    assert main(["network", half, "--measure", "OR"]) == 1
    said = capsys.readouterr().err
    whole = "events must be a whole number, 0 or more and at most n; got"
    assert f"row 1, column events: study '1': {whole} '3.5'; --counts fractional accepts effective" in said
    assert f"row 2, column events: study '1': {whole} '-1'\n" in said
    assert "row 2, column n: study '1': n is missing; complete it" in said
    half = file(ARMS.replace("1,A,3,30", "1,A,3.5,30.2"))
    assert main(["network", half, "--measure", "OR", "--counts", "fractional"]) == 0
    assert main(["network", file(CONTRASTS), "--counts", "fractional"]) == 1
    assert "--counts fractional applies to arms" in capsys.readouterr().err
    means = "study,treatment,mean,sd,n\n1,A,2,1,20\n1,B,-2,1,20\n"
    assert main(["network", file(means), "--measure", "ROM"]) == 1
    assert (
        "row 2, column mean: study '1': mean must be above 0 for a ratio of means; got '-2'" in capsys.readouterr().err
    )
    assert main(["network", file("study,a\n1,2\n")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
