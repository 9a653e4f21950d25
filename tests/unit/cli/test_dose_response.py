"""``balm dose-response``: logs or ratios in, text, JSON and plot out, clear errors."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import balm
from balm.cli.main import main

LOGS = [0.0, 0.1, 0.3, 0.0, 0.2, 0.25, 0.0, 0.05, 0.2]
ERRORS = [0.0, 0.1, 0.1, 0.0, 0.12, 0.1, 0.0, 0.1, 0.15]
STUDIES, DOSES = ["A"] * 3 + ["B"] * 3 + ["C"] * 3, [0.0, 10.0, 20.0] * 3
CASES, N = [40, 44, 55, 30, 38, 41, 60, 63, 72], [1000.0] * 9


def table(*columns: tuple[str, list[object]]) -> str:
    rows = zip(*(values for _, values in columns), strict=True)
    return "\n".join([",".join(name for name, _ in columns), *(",".join(map(str, row)) for row in rows)]) + "\n"


ALL = (("Study", STUDIES), ("dose", DOSES), ("log_ratio", LOGS), ("se", ["" if s == 0 else s for s in ERRORS]),
       ("cases", CASES), ("n", N), ("design", ["cumulative-incidence"] * 9))  # fmt: skip


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str) -> str:
        path = tmp_path / "doses.csv"
        path.write_text(text, "utf-8")
        return str(path)

    return write


def test_the_result_its_doses_and_its_plot(file, capsys, tmp_path):
    plot = tmp_path / "curve.svg"
    assert main(["dose-response", file(table(*ALL)), "--at", "10,20", "--plot", str(plot), "--measure", "OR"]) == 0
    out = capsys.readouterr().out
    fit = balm.dose_response(study=STUDIES, dose=DOSES, log_ratio=LOGS, se=ERRORS, cases=CASES, n=N,
                             design="cumulative-incidence", measure="OR")  # fmt: skip
    assert f"OR at 10 against 0: {math.exp(10 * fit.coefficients[0]):.3f} (" in out
    assert "3 studies" in out and "<svg" in plot.read_text("utf-8")


def test_ratios_with_intervals_are_the_same_as_logs(file, capsys):
    z = 1.959963984540054
    ends = [[repr(math.exp(y + sign * z * s)) if s else "" for y, s in zip(LOGS, ERRORS, strict=True)]
            for sign in (-1, 1)]  # fmt: skip
    ratios = (("ratio", [repr(math.exp(y)) for y in LOGS]), ("low", ends[0]), ("high", ends[1]))
    options = ["--covariance", "independent", "--method", "common", "--reference", "10", "--at", "20", "--json"]
    found = []
    for columns in ((*ALL[:2], *ratios), ALL[:4]):
        assert main(["dose-response", file(table(*columns)), *options]) == 0
        found.append(json.loads(capsys.readouterr().out))
    b = [one["coefficients"]["dose"]["estimate"] for one in found]
    assert b[0] == pytest.approx(b[1], rel=1e-10)
    assert found[0]["reference"] == 10.0 and found[0]["at"][0]["ratio"] == pytest.approx(math.exp(10 * b[0]))


def test_what_is_missing_or_wrong_is_one_line_with_its_way_out(file, capsys):
    def said(columns, *options):
        assert main(["dose-response", file(table(*columns)), *options]) == 1
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        return err

    assert "no column cases, n" in (err := said(ALL[:4])) and "--covariance independent" in err
    assert "log_ratio, se (or ratio, low and high)" in said(ALL[:2], "--covariance", "independent")
    assert "say --design" in said(ALL[:6])
    assert "leave --design out" in said(ALL, "--design", "case-control")
    wrong = (("ratio", [1, 1.2, 1.3] * 3), ("low", ["", 1.4, 1.1] * 3), ("high", ["", 1.3, 1.5] * 3))
    assert main(["dose-response", file(table(*ALL[:2], *wrong)), "--covariance", "independent"]) == 1
    err = capsys.readouterr().err
    assert "row 2" in err and "low below high" in err
    outside = (("ratio", [1, 1.2, 1.3] * 3), ("low", ["", 1.1, 1.4] * 3), ("high", ["", 1.3, 1.5] * 3))
    assert main(["dose-response", file(table(*ALL[:2], *outside)), "--covariance", "independent"]) == 1
    err = capsys.readouterr().err
    assert "row 3" in err and "ratio 1.3 lies outside its own interval, 1.4 to 1.5" in err
    first = [(name, values[:3]) for name, values in ALL]
    assert "got --method REML: use --method common" in said(first)
    assert "A, B, C: the doses do not determine 3 coefficients; use --stages 1" in said(
        ALL, "--trend", "spline", "--knots", "1,5,10,20"
    )
    assert main(["dose-response", file(table(*ALL)), "--trend", "cubic"]) == 2
    assert main(["dose-response", file(table(*ALL)), "--reference", "10"]) == 2
    assert "--at and --plot" in capsys.readouterr().err
