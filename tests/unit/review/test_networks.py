"""Networks that a plan names: read strictly, drawn from the arms, carried out part by part."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import balm
from balm.cli.main import main
from balm.report import network_words as words
from balm.review.reading import read_package
from balm.review.revman.rm5_out import rm5
from balm.review.synthesis import synthesise
from tests.made_network import NETWORK, TRIANGLE, network_files, network_package, write

SENN = Path(__file__).parents[2] / "worked_examples" / "data" / "senn2013.csv"
PAIN = NETWORK.replace('"relief"', '"pain"').replace('"OR"', '"MD"').replace("relief-network", "pain-network")


def planned(arms=TRIANGLE, **options):
    return synthesise(network_package(arms, **options)).networks[0]


def problems(**options) -> list[str]:
    _, found = read_package(network_files(**options), Path("made"))
    return [str(p) for p in found]


def test_a_planned_network_is_the_network_of_its_arms():
    result = planned()
    one = balm.network(
        "OR", study=[a[0] for a in TRIANGLE], treatment=[a[1] for a in TRIANGLE], events=[a[2] for a in TRIANGLE],
        n=[a[3] for a in TRIANGLE], reference="Placebo", better="higher",
    )  # fmt: skip
    assert result.fit.treatments == one.treatments and result.fit.reference == "Placebo"
    np.testing.assert_allclose(result.fit.effect, one.effect, rtol=1e-12)
    np.testing.assert_allclose(result.fit.p_scores, one.p_scores, rtol=1e-12)
    assert result.spec.better == "higher"  # from the outcome
    assert [a.results for a in result.studies[4].arms] == [("s5-arm1",), ("s5-arm2",), ("s5-arm3",)]


def test_senn_2013_from_a_package_is_senn_2013_from_a_table():
    """26 studies, 10 treatments (Senn et al. 2013, Stat Methods Med Res 22:169), by their arms."""
    with SENN.open(newline="") as file:
        rows = list(csv.DictReader(file))
    number = {name: f"t{i}" for i, name in enumerate(dict.fromkeys(r["study"] for r in rows), 1)}
    arms = [(number[r["study"]], r["treatment"], r["mean"], r["sd"], r["n"]) for r in rows]
    wide = PAIN.replace("Placebo", "placebo").replace('measure = "MD"', 'measure = "MD"\ntau2 = "DL"')
    result = planned(arms, networks=wide, outcome="pain")
    table = {name: [r[name] for r in rows] for name in ("study", "treatment")}
    table |= {name: [float(r[name]) for r in rows] for name in ("mean", "sd", "n")}
    one = balm.network("MD", data=table, treatment="treatment", mean="mean", sd="sd", n="n", tau2="DL")
    assert (result.fit.k, len(result.fit.treatments)) == (26, 10)
    np.testing.assert_allclose(result.fit.effect, one.effect, rtol=1e-10, atol=1e-12)
    assert result.fit.tau2.value == pytest.approx(one.tau2.value, rel=1e-10)


def test_arms_of_one_treatment_are_combined_and_odd_names_stay_as_they_are():
    odd = 'Ketamin-S(+) "50 µg/kg; Ω"'
    result = planned([("s1", odd, 5, 20), ("s1", "Placebo", 3, 20), ("s1", " placebo ", 4, 22), ("s2", odd, 6, 21),
                      ("s2", "PLACEBO", 2, 20)])  # fmt: skip
    assert result.treatments == (odd, "Placebo")
    both = result.studies[0].arms[1]
    assert dict(both.values) == {"events": 7.0, "n": 42.0} and both.results == ("s1-arm2", "s1-arm3")
    assert both.steps[0].what == "combine events" and "arms combined" in both.notes[0]
    assert "all evidence is direct" in words.size(result.parts[0])


def test_a_cluster_trial_counts_at_its_effective_size():
    package = network_package()
    results = [replace(r, icc=0.05, cluster_size=20.0) if r.study == "s2" else r for r in package.results]
    result = synthesise(replace(package, results=tuple(results))).networks[0]
    assert result.parts[0].why == ""
    smaller = 1.0 + 19.0 * 0.05
    arms = [(s, t, x / smaller, n / smaller) if s == "s2" else (s, t, x, n) for s, t, x, n in TRIANGLE]
    columns = dict(zip(("study", "treatment", "events", "n"), zip(*arms, strict=True), strict=True))
    one = balm.network("OR", **columns, counts="fractional", reference="Placebo")
    np.testing.assert_allclose(result.fit.effect, one.effect, rtol=1e-12)


def test_two_treatments_are_the_pairwise_analysis():
    arms = [a for a in TRIANGLE if a[0] in ("s1", "s2")]
    fit = planned(arms).fit
    pairs = [a[2:] for a in arms]
    es = balm.effect_sizes("OR", events_1=[pairs[0][0], pairs[2][0]], n_1=[pairs[0][1], pairs[2][1]],
                           events_2=[pairs[1][0], pairs[3][0]], n_2=[pairs[1][1], pairs[3][1]])  # fmt: skip
    assert fit.compare("A").estimate == pytest.approx(balm.pool(es, inference="wald").estimate, rel=1e-9)


def test_one_study_says_that_nothing_is_left_over():
    result = planned(TRIANGLE[:2])
    told = " ".join(words.finding(result.parts[0]))
    assert "One study with 122 people compares two treatments; all evidence is direct." in told
    assert "no evidence is left over" in told and "No loop" in words.inconsistency(result.parts[0])[0]


def test_parts_that_nothing_joins_stand_on_their_own_and_silent_studies_are_named():
    more = (
        ("s7", "D", 0, 10),
        ("s7", "E", 0, 12),
        ("s8", "F", 3, 10),
        ("s8", "G", 0, 12),
        ("s9", "G", 1, 12),
        ("s9", "H", 2, 12),
    )
    result = planned((*more, *TRIANGLE))
    assert [p.treatments for p in result.parts] == [("A", "B", "C", "Placebo"), ("F", "G", "H")]
    assert [p.reference for p in result.parts] == ["Placebo", "G"]
    assert result.not_used == (("s7", "no events in any arm: says nothing about a ratio"),)
    assert result.lost == ("D", "E") and words.not_used_words(result).startswith("D and E are not in the network")
    assert "falls into two parts" in words.parts_words(result) and "(2) F, G and H, two studies" in words.parts_words(
        result
    )
    assert "Placebo is not among them" in " ".join(words.finding(result.parts[1], "Placebo"))


def test_without_any_number_nothing_is_compared():
    files = network_files()
    files["results.csv"] = files["results.csv"].splitlines()[0] + b"\n"
    package, _ = read_package(files, Path("made"))
    result = synthesise(package).networks[0]
    assert result.parts == () and result.fit is None and result.why_none.startswith("No study reports")
    assert {why for _, why in result.not_used} == {"no number for this outcome in what was read"}


def test_a_study_that_stops_the_network_is_named_without_a_row_of_no_file():
    arms = [("s1", "A", 10, 10), ("s1", "B", 10, 10), ("s1", "Placebo", 5, 10)]
    result = planned(arms, networks=NETWORK.replace('"OR"', '"RR"'))
    assert result.fit is None and result.parts[0].why.startswith("study 'S1 2020': A and B have no RR")
    assert "No estimate: Study" in " ".join(words.finding(result.parts[0]))


def test_treatments_of_the_plan_put_words_together_and_leave_others_out():
    lumped = NETWORK + (
        '[[networks.treatments]]\nname = "Drug"\narms = ["a", "B"]\n[[networks.treatments]]\nname = "Placebo"\n'
    )
    result = planned(networks=lumped)
    assert result.treatments == ("Drug", "Placebo")
    left = dict(result.not_used)
    assert left["s6"] == "fewer than two treatments of this network report a number; arm1: C is not in this network"
    assert "Drug (a, B)" in words.methods(result)
    three = next(s for s in result.studies if s.study == "s5")
    assert dict(three.arms[0].values) == {"events": 43.0, "n": 89.0}


def test_a_plan_that_cannot_be_is_named_by_place():
    def told(change: tuple[str, str]) -> str:
        return "\n".join(problems(networks=NETWORK.replace(*change)))

    assert "networks relief-network.reference" in told(('"Placebo"', '"Plazebo"'))
    assert "Placebo" in told(('"Placebo"', '"Plazebo"'))  # the nearest name is offered
    assert "OR" in told(('"OR"', '"SMD"')) and "measure" in told(('"OR"', '"SMD"'))
    assert "MD is not for a binary outcome (relief)" in told(('"OR"', '"MD"'))
    assert "networks relief-network.windows" in told(('["w"]', '["x"]'))
    assert "networks relief-network.outcome" in told(('outcome = "relief"', 'outcome = "sleep"'))
    assert "tau2" in told(("windows", 'model = "common"\ntau2 = "DL"\nwindows'))
    assert "important and its source come together" in told(("windows", "important = 0.8\nwindows"))
    assert "a ratio other than 1" in told(("windows", 'important = 1\nimportant_source = "x"\nwindows'))
    assert "between 0 and 1" in told(("windows", 'baseline_risk = 12\nbaseline_source = "x"\nwindows'))
    assert "speed" in told(("windows", "speed = 3\nwindows"))
    assert "names another network" in "\n".join(problems(networks=NETWORK + NETWORK))
    twice = '[[networks.treatments]]\nname = "A"\n[[networks.treatments]]\nname = "X"\narms = ["a", "B"]\n'
    found = "\n".join(problems(networks=NETWORK + twice))
    assert "'a' stands in more than one treatment" in found and "networks relief-network.reference" in found
    unknown = '[[networks.treatments]]\nname = "A"\n[[networks.treatments]]\nname = "Placebo"\narms = ["salt"]\n'
    assert "'salt' is not what an arm of arms.csv says in its column drug" in "\n".join(
        problems(networks=NETWORK + unknown)
    )


def test_a_network_stands_beside_pairwise_analyses_and_revman_is_told_that_it_is_not_there():
    pairwise = """
[[comparisons]]
id = "a-p"
name = "Drugs against placebo"
group_1 = "Drugs"
group_2 = "Placebo"
roles_1 = ["intervention"]
roles_2 = ["placebo"]
[[analyses]]
id = "relief"
title = "Relief"
outcome = "relief"
comparison = "a-p"
measure = "OR"
"""
    synthesis = synthesise(network_package(networks=NETWORK + pairwise))
    assert synthesis.analysis("relief").fit.k == 4 and synthesis.network("relief-network").fit.k == 6
    assert synthesis.pooled_studies == {"s1", "s2", "s3", "s4", "s5", "s6"}
    assert rm5(synthesis).left == {"relief-network": "RevMan 5 has no network meta-analysis"}


def test_the_command_line_carries_out_the_plan(tmp_path, capsys):
    folder = str(write(network_files(), tmp_path / "review"))
    assert main(["check", folder]) == 0
    assert main(["network", folder, "--league", "--graph", str(tmp_path / "g.svg")]) == 0
    out = capsys.readouterr().out
    assert "Relief, all drugs [relief-network]" in out and "Design-by-treatment" in out and "0.34 (0.21 to 0.54)" in out
    assert (tmp_path / "g.svg").read_text("utf-8").startswith("<svg")
    assert main(["network", folder, "--json"]) == 0
    assert '"s5-arm3"' in capsys.readouterr().out
    assert main(["network", folder, "--measure", "RR"]) == 2
    assert main(["network", folder, "--counts", "fractional"]) == 2
    assert main(["network", folder, "--plan", "relief"]) == 1
    assert "relief-network" in capsys.readouterr().err
    (tmp_path / "none").mkdir()
    write(network_files(networks=""), tmp_path / "none")
    assert main(["network", str(tmp_path / "none")]) == 1
    assert "[[networks]]" in capsys.readouterr().err
