"""``balm albatross``: signs, words or effects as directions, text, JSON and plot out, clear errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from balm.cli.main import main
from balm.stats.albatross import albatross


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str) -> str:
        path = tmp_path / "trials.csv"
        path.write_text(text, "utf-8")
        return str(path)

    return write


def test_text_json_and_plot(file, capsys, tmp_path):
    given = file("Study,p,N,direction\nA,0.03,120,+\nB,0.5,40,Negative\nC,0.001,300,0.4\n")
    plot = tmp_path / "birds.svg"
    options = ["--measure", "OR", "--baseline-risk", "0.2", "--contours", "1.5,3", "--ratio", "2"]
    assert main(["albatross", given, *options, "--plot", str(plot)]) == 0
    want = albatross(p=[0.03, 0.5, 0.001], n=[120, 40, 300], direction=[1, -1, 1], study=list("ABC"), measure="OR",
                     baseline_risk=0.2, contours=[1.5, 3.0], ratio=2.0)  # fmt: skip
    assert capsys.readouterr().out.strip() == repr(want)
    assert "<svg" in plot.read_text("utf-8")
    assert main(["albatross", given, *options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == want.to_dict()


def test_without_directions_p_is_one_sided(file, capsys):
    assert main(["albatross", file("p,n\n0.02,50\n0.9,60\n"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["direction"] == [1, -1] and found["p"] == pytest.approx([0.04, 0.2])


@pytest.mark.parametrize(
    ("text", "options", "status", "said"),
    [
        ("study,p\nA,0.1\n", [], 1, "no column n; it has study, p"),
        (
            "p,n,direction\n0.1,30,+\n0.2,40,up\n",
            [],
            1,
            "row 2, column direction: 'up' is not a number; a direction is + or -",
        ),
        ("p,n,direction\n0.1,30,+\n\n0,40,-\n", [], 1, "row 3, column p: p must lie between 0 and 1, not at 0; got 0"),
        ("p,n\n0.1,30\n", ["--measure", "OR"], 2, "--baseline-risk goes with --measure OR and RR"),
        ("p,n\n0.1,30\n", ["--baseline-risk", "0.2"], 2, "--baseline-risk goes with --measure OR and RR"),
        ("p,n\n0.1,30\n", ["--contours", "-1"], 1, "contours of SMD must lie above 0; got -1"),
        ("p,n\n0.1,30\n", ["--plot", "a.gif"], 1, "--plot must end in"),
    ],
)
def test_errors(file, capsys, text, options, status, said):
    assert main(["albatross", file(text), *options]) == status
    assert said in capsys.readouterr().err
