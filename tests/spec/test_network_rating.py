"""GRADE of a fitted network: risk of bias into direct evidence, the dominant loop, and what people decide."""

from __future__ import annotations

import csv
import io

import pytest

import balm
from balm.actions.network_out import write_network_findings
from balm.report.network_findings import findings_csv, findings_html, network_findings
from balm.review.certainty.of_network import rate_network
from balm.vocabulary.problems import InputError

LOW = dict.fromkeys("abcd", "low")


def square(**options):
    """A-B, B-C, C-D and D-A, each a precise trial; A-C and B-D are purely indirect."""
    given = {"effect": [-1.0, -1.0, -1.0, 3.0], "se": [0.1] * 4} | options
    return balm.network(
        "OR", study=list("abcd"), treatment_1=list("ABCD"), treatment_2=list("BCDA"), model="common", **given
    )


def rated(fit, **options):
    found = rate_network(fit, **{"risk_of_bias": LOW, "important": 0.8} | options)
    return {f"{r.comparison.treatment}:{r.comparison.against}": r for r in found}


def test_precise_trials_at_low_risk_of_bias_stay_high():
    found = rated(square())
    assert {r.certainty for r in found.values()} == {"high"}
    assert (found["A:B"].kind, found["A:C"].kind) == ("mixed", "indirect")
    assert found["A:C"].via in (("A:B", "B:C"), ("A:D", "C:D")) and found["A:C"].direct is None
    assert set(found["A:B"].via) == {"A:D", "C:D", "B:C"}  # only a longer path joins them
    assert found["A:C"].ask == "purely indirect: judge intransitivity"


def test_bias_lowers_the_direct_evidence_and_what_leans_on_it():
    found = rated(square(se=[0.1, 0.1, 0.5, 0.5]), risk_of_bias=LOW | {"b": "high"})
    assert (found["B:C"].direct, found["A:B"].direct) == ("moderate", "high")
    assert found["A:C"].via == ("A:B", "B:C") and found["A:C"].certainty == "moderate"
    assert sum(found["A:C"].bias_shares) == pytest.approx(1.0) and found["A:C"].bias_shares[2] > 0.4


def test_half_of_the_weight_is_most_of_it():
    fit = balm.network(
        "OR", study=["1", "2"], treatment_1=["A", "A"], treatment_2=["B", "B"], effect=[-1.0, -1.0], se=[0.1, 0.1],
        model="common",
    )  # fmt: skip
    words = {("low", "high"): "moderate", ("low", "low"): "high", ("low", "unclear"): "moderate"}
    for (one, two), want in words.items():
        assert rated(fit, risk_of_bias={"1": one, "2": two})["A:B"].certainty == want
    assert rated(fit, risk_of_bias={"1": 1, "2": 1}, start="low")["A:B"].certainty == "low"


@pytest.mark.parametrize(("se", "want"), [(0.1, "high"), (0.5, "moderate"), (2.0, "low")])
def test_each_limit_that_the_interval_crosses_takes_a_level(se, want):
    fit = balm.network("OR", study=["1"], treatment_1=["A"], treatment_2=["B"], effect=[-0.9], se=[se], model="common")
    assert rated(fit, risk_of_bias={"1": "low"})["A:B"].certainty == want


def test_direct_and_indirect_evidence_that_differ_take_a_level_unless_a_person_says_otherwise():
    fit = square(effect=[-1.0, -1.0, -1.0, 2.0])
    assert rated(fit)["A:B"].certainty == "moderate"
    kept = rated(fit, decided={"B:A": {"incoherence": 0}})["A:B"]
    assert kept.certainty == "high" and kept.decided == {"incoherence": 0}


def test_people_set_levels_and_steps():
    decided = {"A:B": {"direct": "low"}, "C:A": {"intransitivity": -1}}
    found = rated(square(se=[0.1, 0.1, 0.5, 0.5]), decided=decided)
    assert found["A:B"].direct == "low" and "as decided" in found["A:B"].steps[0]
    assert found["A:C"].certainty == "very low"  # the lower of low and high, less one
    assert found["C:D"].certainty == "high"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"decided": {"A:Z": {}}}, "no estimate 'A:Z'"),
        ({"decided": {"A:B": {"mood": -1}}}, "intransitivity"),
        ({"decided": {"A:B": {"direct": "good"}}}, "high"),
        ({"decided": {"A:B": {"imprecision": 1}}}, "0 to -3"),
        ({"decided": {"A:C": {"incoherence": -1}}}, "needs both direct and indirect"),
        ({"risk_of_bias": {"a": "low"}}, "b: ''"),
        ({"important": 1.0}, "a ratio other than 1"),
        ({"start": "good"}, "start"),
    ],
)
def test_what_cannot_be_is_named(wrong, words):
    with pytest.raises(InputError, match=words):
        rated(square(), **wrong)


def test_the_summary_of_findings_is_by_rank_with_absolute_effects(tmp_path):
    fit = square(reference="D")
    ratings = rate_network(fit, risk_of_bias=LOW | {"d": "high"}, important=0.8)
    table = network_findings(fit, ratings, title="Pain & <sleep>", baseline_risk=0.5)
    assert [row.treatment for row in table.rows] == ["A", "B", "C"]  # lower is better
    c = table.rows[2]
    # odds of 1 times exp(-1) are 0.368, a risk of 269 in 1000
    assert c.relative.startswith("OR 0.37 (") and c.risk.startswith("269 per 1000") and "231 fewer" in c.difference
    lines = list(csv.DictReader(io.StringIO(findings_csv(table))))
    assert [line["Treatment"] for line in lines] == ["A", "B", "C"] and lines[0]["Certainty"] == "moderate"
    html = findings_html(table)
    assert "Pain &amp; &lt;sleep&gt;" in html and html.count("<tr>") == 4 and "⊕⊕⊕◯" in html
    for bad in (0.0, 1.0):
        with pytest.raises(InputError, match="between 0 and 1"):
            network_findings(fit, ratings, title="", baseline_risk=bad)
    write_network_findings(fit, tmp_path / "sof.html", risk_of_bias=LOW, important=0.8)
    assert "a person decides" in (tmp_path / "sof.html").read_text("utf-8")
    with pytest.raises(InputError, match=r"\.html or \.csv"):
        write_network_findings(fit, tmp_path / "sof.pdf", risk_of_bias=LOW, important=0.8)


def test_a_baseline_risk_needs_a_measure_of_risks():
    fit = balm.network("MD", study=["1"], treatment_1=["A"], treatment_2=["B"], effect=[-2.0], se=[0.1], reference="B")
    ratings = rate_network(fit, risk_of_bias={"1": "low"}, important=0.5)
    assert network_findings(fit, ratings, title="").rows[0].difference.startswith("2.00 lower")
    with pytest.raises(InputError, match="of MD"):
        network_findings(fit, ratings, title="", baseline_risk=0.2)
