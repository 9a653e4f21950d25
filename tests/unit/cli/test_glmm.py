"""``balm glmm``: text, JSON and plot, clear errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import balm
from balm.cli.main import main

ROWS = "study,events_1,n_1,events_2,n_2\nA,4,123,11,139\nB,0,306,29,303\nC,3,231,11,220\nD,9,300,14,310\n"


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str) -> str:
        path = tmp_path / "trials.csv"
        path.write_text(text, "utf-8")
        return str(path)

    return write


def test_the_result_and_its_plot(file, capsys, tmp_path):
    plot = tmp_path / "forest.svg"
    assert main(["glmm", file(ROWS), "--measure", "OR", "--forest", str(plot)]) == 0
    out = capsys.readouterr().out
    assert "generalised linear mixed model" in out and "4 studies" in out
    assert "<svg" in plot.read_text("utf-8")


def test_json_is_that_of_the_call(file, capsys):
    options = ["--studies", "conditional", "--inference", "t", "--level", "0.9", "--json"]
    assert main(["glmm", file(ROWS), "--measure", "OR", *options]) == 0
    found = json.loads(capsys.readouterr().out)
    fit = balm.glmm("OR", events_1=[4, 0, 3, 9], n_1=[123, 306, 231, 300], events_2=[11, 29, 11, 14],
                    n_2=[139, 303, 220, 310], studies="conditional", inference="t", level=0.9)  # fmt: skip
    assert found["estimate"] == fit.estimate and found["tau2"] == fit.tau2 and found["level"] == 0.9


def test_what_is_wrong_is_one_line(file, capsys):
    assert main(["glmm", file(ROWS), "--measure", "PLO"]) == 1
    assert "PLO needs the columns events, n; not found" in capsys.readouterr().err
    assert main(["glmm", file(ROWS.replace("C,3,231", "C,300,231")), "--measure", "OR"]) == 1
    err = capsys.readouterr().err
    assert "row 3" in err and err.count("\n") == 1
    assert main(["glmm", file(ROWS.replace("events_1,n_1,events_2,n_2", "events,n,x,y")), "--measure", "PLO",
                 "--studies", "random"]) == 1  # fmt: skip
    assert "--studies random has no effect on PLO" in capsys.readouterr().err
    assert main(["glmm", file(ROWS), "--measure", "RR"]) == 2
