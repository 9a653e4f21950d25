"""``balm pool``: what it prints, what it writes and what it never overwrites."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import pytest

import balm
from balm.cli.main import main

# BCG vaccine trials (Colditz et al. 1994, JAMA 271:698, Table 1).
BCG = """study,events_1,n_1,events_2,n_2,allocation
Aronson 1948,4,123,11,139,random
Ferguson & Simes 1949,6,306,29,303,random
Rosenthal et al. 1960,3,231,11,220,random
Hart & Sutherland 1977,62,13598,248,12867,random
Frimodt-Moller et al. 1973,33,5069,47,5808,alternate
Stein & Aronson 1953,180,1541,372,1451,alternate
Vandiviere et al. 1973,8,2545,10,629,random
TPT Madras 1980,505,88391,499,88391,random
Coetzee & Berjak 1968,29,7499,45,7277,random
Rosenthal et al. 1961,17,1716,65,1665,systematic
Comstock et al. 1974,186,50634,141,27338,systematic
Comstock & Webster 1969,5,2498,3,2341,systematic
Comstock et al. 1976,27,16913,29,17854,systematic
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "bcg.csv").write_text(BCG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def as_json(capsys, *words):
    assert main(["pool", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_result_sentence_methods_and_forest(capsys, folder):
    assert main(["pool", "bcg.csv", "--measure", "RR"]) == 0
    captured = capsys.readouterr()
    out = captured.out
    assert "Pooled                        0.49  0.33 to 0.73  100.0%" in out
    assert "\n\nAcross 13 studies, the pooled risk ratio was 0.49 (95% CI 0.33 to 0.73;" in out
    assert "\n\nMethods. The effect measure is the risk ratio (RR; large-sample variance), analysed on" in out
    assert "\n\nForest plot: bcg-forest.svg (--forest F.png or F.pdf for another format, --no-forest for none)\n" in out
    assert captured.err == ""
    svg = (folder / "bcg-forest.svg").read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "Aronson 1948" in svg
    assert names(folder) == ["bcg-forest.svg", "bcg.csv"]


def test_the_same_figure_is_kept_and_another_one_never_replaced(capsys, folder):
    assert main(["pool", "bcg.csv", "--measure", "RR"]) == 0
    first = (folder / "bcg-forest.svg").read_bytes()
    assert main(["pool", "bcg.csv", "--measure", "RR"]) == 0
    assert names(folder) == ["bcg-forest.svg", "bcg.csv"]
    capsys.readouterr()
    assert main(["pool", "bcg.csv", "--measure", "OR"]) == 0
    assert "Forest plot: bcg-forest-2.svg (bcg-forest.svg is another figure and was kept)" in capsys.readouterr().out
    assert (folder / "bcg-forest.svg").read_bytes() == first
    assert names(folder) == ["bcg-forest-2.svg", "bcg-forest.svg", "bcg.csv"]


def test_a_named_figure_is_replaced(capsys, folder):
    (folder / "figure.svg").write_text("old")
    assert main(["pool", "bcg.csv", "--measure", "RR", "--forest", "figure.svg", "--funnel", "funnel.svg"]) == 0
    out = capsys.readouterr().out
    assert "Forest plot: figure.svg\nFunnel plot: funnel.svg\n" in out
    assert (folder / "figure.svg").read_text(encoding="utf-8").startswith("<svg")
    assert names(folder) == ["bcg.csv", "figure.svg", "funnel.svg"]


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_other_formats_by_ending(folder, ending, start):
    assert main(["pool", "bcg.csv", "--measure", "RR", "--forest", f"f.{ending}"]) == 0
    assert (folder / f"f.{ending}").read_bytes().startswith(start)


def test_no_figure_when_none_is_wanted(capsys, folder):
    assert main(["pool", "bcg.csv", "--measure", "RR", "--no-forest"]) == 0
    assert "Forest plot" not in capsys.readouterr().out
    as_json(capsys, "bcg.csv", "--measure", "RR")
    assert names(folder) == ["bcg.csv"]


def test_json_has_full_precision_and_the_same_numbers_as_python(capsys, folder):
    got = as_json(capsys, "bcg.csv", "--measure", "RR")
    rows = [line.split(",") for line in BCG.splitlines()[1:]]
    columns = {name: [float(row[i]) for row in rows] for i, name in enumerate(BCG.split(",")[1:5], start=1)}
    fit = balm.pool(balm.effect_sizes("RR", **columns))
    assert got["estimate"] == fit.estimate
    assert got["ci_low"] == fit.interval.low
    assert got["tau2"] == fit.tau2
    assert got["tau2_estimator"] == "REML"
    assert got["inference"] == "hartung-knapp-guarded"
    assert got["displayed"]["pi_high"] == fit.displayed.prediction_interval.high
    assert [study["study"] for study in got["studies"]] == [row[0] for row in rows]


# The published figures for this data set: Viechtbauer (2010, J Stat Softw 36(3)) and the Handbook's formulas.
@pytest.mark.parametrize(
    ("options", "estimate", "se", "tau2"),
    [
        (["--inference", "wald"], -0.71453234, 0.17978152, 0.313243258136),
        (["--tau2", "DL", "--inference", "wald"], -0.71411722, 0.17874209, 0.30876026),
        (["--tau2", "PM", "--inference", "wald"], None, None, 0.318068452205),
        (["--inference", "hartung-knapp"], -0.71453234, 0.18079174, 0.313243258136),
        (["--model", "common"], -0.43028516, 0.04049875, 0.0),
        (["--method", "mantel-haenszel"], -0.45370960, 0.03933737, None),
        (["--profile", "revman5"], -0.71411722, 0.17874209, 0.30876026),
    ],
)
def test_options_reach_the_synthesis(capsys, folder, options, estimate, se, tau2):
    got = as_json(capsys, "bcg.csv", "--measure", "RR", *options)
    for name, want in (("estimate", estimate), ("se", se), ("tau2", tau2)):
        assert want is None or got[name] == pytest.approx(want, abs=6e-9), name


def test_peto_takes_either_spelling_of_its_measure(capsys, folder):
    got = as_json(capsys, "bcg.csv", "--measure", "PETO", "--method", "peto")
    assert got["estimate"] == pytest.approx(-0.47444631, abs=6e-9)
    assert got["se"] == pytest.approx(0.04065908, abs=6e-9)


def test_level_and_fixed_tau2(capsys, folder):
    got = as_json(capsys, "bcg.csv", "--measure", "RR", "--level", "0.9", "--tau2", "0.3", "--inference", "wald")
    assert got["tau2"] == 0.3
    z90 = 1.6448536269514722
    assert (got["ci_high"] - got["ci_low"]) / (2 * got["se"]) == pytest.approx(z90, rel=1e-12)


def test_subgroups(capsys, folder):
    got = as_json(capsys, "bcg.csv", "--measure", "RR", "--by", "allocation")
    assert [group["group"] for group in got["subgroups"]["groups"]] == ["random", "alternate", "systematic"]
    assert got["subgroups"]["q_between_df"] == 2
    assert got["k"] == 13
    assert main(["pool", "bcg.csv", "--measure", "RR", "--by", "allocation"]) == 0
    out = capsys.readouterr().out
    assert "Risk ratio by subgroup" in out
    assert "Test for subgroup differences: Q = 1.85, df = 2, P = 0.40" in out
    assert "systematic" in (folder / "bcg-forest.svg").read_text(encoding="utf-8")


def test_subgroups_by_mantel_haenszel(capsys, folder):
    got = as_json(capsys, "bcg.csv", "--measure", "OR", "--by", "allocation", "--method", "mantel-haenszel")
    assert got["estimate"] == pytest.approx(-0.47341099, abs=6e-9)
    assert len(got["subgroups"]["groups"]) == 3


def test_semicolons_decimal_commas_and_a_label_column_of_another_name(capsys, folder):
    (folder / "de.csv").write_text(
        "\ufeffStudie;mean_1;sd_1;n_1;mean_2;sd_2;n_2\r\nA;5,5;2,1;50;6,25;2,0;48\r\nB;4,9;1,9;30;6,1;2,2;33\r\n",
        encoding="utf-8",
        newline="",
    )
    got = as_json(capsys, "de.csv", "--measure", "MD", "--study", "Studie")
    assert [study["study"] for study in got["studies"]] == ["A", "B"]
    assert [study["effect"] for study in got["studies"]] == pytest.approx([-0.75, -1.2], abs=1e-12)
    main(["pool", "de.csv", "--measure", "MD", "--no-forest"])
    assert "commas in numbers were read as decimal commas" in capsys.readouterr().out


def test_generic_effects_use_the_first_complete_spread_and_say_which(capsys, folder):
    (folder / "gen.csv").write_text("study,effect,se,ci_low,ci_high\nA,0.1,0.2,-0.3,0.5\nB,0.3,0.1,0.1,0.5\n")
    assert main(["pool", "gen.csv", "--measure", "GEN", "--json"]) == 0
    captured = capsys.readouterr()
    assert [study["variance"] for study in json.loads(captured.out)["studies"]] == pytest.approx([0.04, 0.01])
    assert captured.err == "balm: gen.csv: se was used; ci_low, ci_high not\n"


def test_every_measure_with_a_table_can_be_pooled_by_its_column_names(capsys, folder):
    got = as_json(capsys, "bcg.csv", "--measure", "RD", "--model", "common")
    assert got["studies"][0]["effect"] == pytest.approx(4 / 123 - 11 / 139, rel=1e-12)


def test_the_standard_input_is_a_file_too(folder):
    done = subprocess.run(
        [sys.executable, "-m", "balm", "pool", "-", "--measure", "RR", "--json"],
        input=BCG.encode(),
        capture_output=True,
        check=True,
    )
    assert math.isclose(json.loads(done.stdout)["estimate"], -0.71453234, abs_tol=6e-9)
    assert done.stderr == b""


def test_a_folder_that_cannot_be_written_is_one_line(capsys, folder, monkeypatch):
    from balm.actions import figures_out

    def no(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(figures_out, "open", no, raising=False)
    assert main(["pool", "bcg.csv", "--measure", "RR"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("balm: bcg-forest.svg: cannot be written: Permission denied; name another place")


def test_measures_are_listed_and_explained(capsys):
    assert main(["measures"]) == 0
    assert "  RR " in capsys.readouterr().out
    assert main(["measures", "GEN", "SMD"]) == 0
    out = capsys.readouterr().out
    assert "takes effect, and se | variance | ci_low, ci_high | p" in out
    assert "SMD: Standardised mean difference (two-group means)" in out
    assert main(["measures", "--json"]) == 0
    assert [row["code"] for row in json.loads(capsys.readouterr().out)] == list(balm.MEASURES)
    assert main(["measures", "rr"]) == 2
    assert "(did you mean 'RR'?)" in capsys.readouterr().err
