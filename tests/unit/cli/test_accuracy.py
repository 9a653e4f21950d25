"""``balm accuracy``: text, JSON and plot, clear errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import balm
from balm.cli.main import main

ROWS = "study,TP,FN,FP,TN\nA,19,3,4,40\nB,45,6,12,80\nC,28,9,5,70\nD,60,5,20,90\n"


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str) -> str:
        path = tmp_path / "studies.csv"
        path.write_text(text, "utf-8")
        return str(path)

    return write


def test_the_result_and_its_plot(file, capsys, tmp_path):
    plot = tmp_path / "sroc.svg"
    assert main(["accuracy", file(ROWS), "--prevalence", "0.2", "--plot", str(plot)]) == 0
    out = capsys.readouterr().out
    assert "Sensitivity" in out and "Positive predictive value at a prevalence of 0.2" in out
    assert "In 4 studies (175 people with the condition, 321 without)" in out
    assert "Summary ROC plot of 4 studies" in plot.read_text("utf-8")


def test_json_is_full_and_strict(file, capsys):
    options = ["--model", "normal", "--method", "ML", "--prevalence", "0.2", "--level", "0.9", "--json"]
    assert main(["accuracy", file(ROWS.lower()), *options]) == 0
    found = json.loads(capsys.readouterr().out)
    counts = {"tp": [19, 45, 28, 60], "fn": [3, 6, 9, 5], "fp": [4, 12, 5, 20], "tn": [40, 80, 70, 90]}
    fit = balm.accuracy(**counts, model="normal", method="ML", level=0.9)
    assert found["sensitivity"]["low"] == fit.sensitivity.interval.low
    assert found["negative_predictive_value"]["estimate"] == fit.predictive_values(0.2)[1].estimate


def test_what_is_wrong_is_one_line_with_its_place(file, capsys):
    assert main(["accuracy", file("study,TP,FN\nA,1,2\n")]) == 1
    assert "no column fp, tn" in capsys.readouterr().err
    assert main(["accuracy", file(ROWS.replace("B,45", "B,4.5"))]) == 1
    err = capsys.readouterr().err
    assert "row 2, column TP" in err and "whole number" in err and err.count("\n") == 1
    assert main(["accuracy", file(ROWS), "--method", "REML"]) == 1
    assert "--method REML applies to --model normal" in capsys.readouterr().err
    assert main(["accuracy", file("".join(ROWS.splitlines(keepends=True)[:3]))]) == 1
    assert "needs 3 studies or more; got 2. Each by itself" in (err := capsys.readouterr().err)
    assert "A: sensitivity 0.864 (0.667 to 0.953), specificity 0.909" in err
    assert (
        main(["accuracy", file(ROWS.replace("C,28,9,5,70", "C,28,9,0,70")), "--model", "normal", "--to", "none"]) == 1
    )
    assert "take --to only-zero" in capsys.readouterr().err
