"""Certainty of the comparisons of a planned network: proposals with their rules, decisions with their reasons."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from balm.cli.main import main
from balm.report.document.network_certainty import network_certainty_sections, network_summary
from balm.report.html_report.table import Table
from balm.report.review_report import build_report
from balm.review.certainty.planned_network import network_certainties
from balm.review.certainty.words import OF_DIRECT, OF_NETWORK
from balm.review.living.update import living_flow
from balm.review.reading import read_package
from balm.review.synthesis import synthesise
from tests.made_network import NETWORK, TRIANGLE, network_files, network_package, write

PLAN = NETWORK + 'important = 1.25\nimportant_source = "the team"\n'
JUDGED = (("s1", "low"), ("s2", "high"), ("s3", "low"), ("s4", "low"), ("s5", "some concerns"))
BIAS = [{"study": s, "tool": "RoB 2", "domain": "overall", "judgement": j, "verified": "yes"} for s, j in JUDGED]


def row(domain: str, rating: str, proposed: str = "", reason: str = "", pair=("placebo", "A")) -> dict[str, str]:
    return {"network": "relief-network", "treatment": pair[0], "against": pair[1], "domain": domain, "rating": rating,
            "proposed": proposed, "reason": reason, "assessor": "Ann"}  # fmt: skip


def found(decided=(), arms=TRIANGLE, networks=PLAN):
    studies = {arm[0] for arm in arms}
    more = {"risk_of_bias.csv": [j for j in BIAS if j["study"] in studies], "network_certainty.csv": list(decided)}
    package = network_package(arms, networks=networks, more=more)
    synthesis = synthesise(package)
    own = network_certainties(package, synthesis.networks[0])
    return synthesis, {(c.comparison.treatment, c.comparison.against): c for c in own}


def test_direct_indirect_and_network_evidence_are_proposed_by_rule():
    _, own = found()
    assert list(own)[:3] == [("A", "Placebo"), ("B", "Placebo"), ("C", "Placebo")] and len(own) == 6
    one = own["A", "Placebo"]
    assert [d.domain for d in one.domains] == [*OF_DIRECT, *OF_NETWORK]
    assert "not assessed 0%" in one.domain("risk of bias").proposal.numbers[0]
    assert (one.rated.direct, one.rated.indirect, one.proposed, one.certainty) == (
        "moderate",
        "high",
        "moderate",
        "not rated",
    )
    assert (
        "A against Placebo, direct: randomised studies begin at high; risk of bias serious: moderate" in one.rated.steps
    )
    far = own["C", "Placebo"]  # only by way of B, whose comparison with C rests on a study nobody assessed
    assert (far.rated.kind, far.rated.direct, far.rated.indirect) == ("indirect", None, "moderate")
    assert far.domain("risk of bias") is None and far.domain("incoherence") is None
    assert far.domain("imprecision").proposal.rating == "very serious" and far.proposed == "very low"
    assert "B against C and B against Placebo" in far.domain("intransitivity").proposal.numbers[0]
    assert own["B", "C"].domain("intransitivity") is None


def test_without_a_smallest_effect_the_threshold_is_no_effect():
    _, own = found(networks=NETWORK)
    assert own["C", "Placebo"].domain("imprecision").proposal.rating == "serious"
    assert own["B", "Placebo"].domain("imprecision").proposal.rating == "not serious"
    assert "no smallest effect" in own["B", "Placebo"].domain("imprecision").proposal.rule


def test_incoherence_is_proposed_where_direct_and_indirect_evidence_differ():
    arms = [a for a in TRIANGLE if a[0] != "s4"] + [("s4", "A", 45, 55), ("s4", "B", 10, 57)]
    _, own = found(arms=arms, networks=PLAN + 'model = "common"\n')
    one = own["A", "B"].domain("incoherence").proposal
    assert one.rating == "serious" and float(one.numbers[0].removeprefix("P = ")) < 0.05


def test_a_decision_moves_what_leans_on_it_and_is_kept_with_its_reason():
    changed = [
        row("risk of bias", "not serious", "serious", "sound where it counts"),
        row("overall", "high", "moderate", "so"),
    ]
    _, own = found(changed)
    one = own["A", "Placebo"]
    assert (one.rated.direct, one.follows, one.certainty, one.proposed) == ("high", "high", "high", "moderate")
    assert one.domain("risk of bias").decision.reason == "sound where it counts" and not one.notes
    assert own["B", "Placebo"].rated.indirect == "high"  # it leans on A against Placebo, moderate without the decision
    _, lowered = found([row("intransitivity", "serious", "not serious", "older", ("C", "Placebo"))])
    assert lowered["C", "Placebo"].rated.indirect == "low"
    _, odd = found([row("overall", "low", "moderate", "a feeling")])
    assert odd["A", "Placebo"].notes == ("the domains as decided lead to moderate, not to low",)


def test_names_with_colons_keep_their_own_comparisons():
    """Between A:B and C stands one study at high risk, between A and B:C one at low risk; both read A:B:C."""
    arms = [("s1", "A:B", 10, 30), ("s1", "Placebo", 5, 30), ("s2", "A:B", 9, 30), ("s2", "C", 7, 30),
            ("s3", "A", 9, 30), ("s3", "B:C", 7, 30), ("s4", "A", 3, 30), ("s4", "Placebo", 7, 30)]  # fmt: skip
    _, own = found(arms=arms)
    by = {frozenset(pair): c for pair, c in own.items()}
    assert by[frozenset(("A:B", "C"))].rated.direct == "moderate"
    assert by[frozenset(("A", "B:C"))].rated.direct == "high"
    leans = by[frozenset(("C", "Placebo"))].domain("intransitivity").proposal.numbers[0]
    assert "A:B against C" in leans and "A:B against Placebo" in leans


def test_a_decision_on_other_data_is_stale():
    _, own = found()
    basis = own["A", "Placebo"].basis
    _, same = found([row("overall", "moderate", "moderate") | {"basis": basis}])
    assert not same["A", "Placebo"].stale
    _, other = found(
        [row("overall", "moderate", "moderate") | {"basis": basis}], arms=[*TRIANGLE[:-1], ("s6", "B", 17, 31)]
    )
    assert other["A", "Placebo"].stale and other["A", "Placebo"].notes[0].startswith("stale")


@pytest.mark.parametrize(
    ("change", "column", "said"),
    [
        ({"against": "Z"}, "against", "a treatment of it"),
        ({"against": "placebo "}, "against", "names the same treatment"),
        ({"rating": "high"}, "rating", "imprecision is rated"),
        ({"proposed": "serious"}, "reason", "say why"),
        ({"basis": "abc"}, "basis", "belongs to the row"),
        ({"network": "nothing"}, "network", "networks"),
    ],
)
def test_a_row_that_cannot_be_is_named(change, column, said):
    files = network_files(more={"network_certainty.csv": [row("imprecision", "not serious") | change]})
    _, problems = read_package(files, Path("made"))
    assert [(p.file, p.row, p.column) for p in problems] == [("network_certainty.csv", 1, column)] and said in problems[
        0
    ].reason


def test_the_summary_of_findings_has_treatments_as_rows():
    synthesis, own = found([row("overall", "moderate", "moderate")])
    result = synthesis.networks[0]
    table = network_summary(result, result.parts[0], list(own.values()))
    assert [r.cells[0].text for r in table.rows] == ["B", "C", "A", "Placebo (reference)"]
    a = table.rows[2]
    assert a.cells[2].text == "OR 2.17 (1.42 to 3.32)" and a.cells[2].href == "#at:relief-network:A--Placebo:estimate"
    assert a.cells[3].text == "275 per 1000" and "65 of 236" in table.note  # the arms of the reference together
    assert a.cells[5].text == "⊕⊕⊕◯ moderate" and a.cells[6].text == "3 of 4"
    assert table.rows[1].cells[5].text == "not rated" and table.rows[1].cells[5].lines[0].text == "proposed: very low"
    own_risk = 'baseline_risk = 0.1\nbaseline_source = "a register"\n'
    synthesis, own = found(networks=PLAN + own_risk)
    result = synthesis.networks[0]
    table = network_summary(result, result.parts[0], list(own.values()))
    assert table.rows[0].cells[3].text == "100 per 1000" and "a register" in table.note


def test_the_report_shows_proposals_and_decisions_and_every_link_holds():
    synthesis, _ = found([row("risk of bias", "not serious", "serious", "sound <b>where</b> it counts")])
    sections = network_certainty_sections(synthesis)
    tables = [b for b in sections[0].blocks if isinstance(b, Table)]
    assert [t.id for t in tables] == [f"network-{x}-relief-network" for x in ("sof", "levels", "decisions")]
    decided = [[c.text for c in r.cells[:4]] for r in tables[2].rows]
    assert decided[0] == ["A against Placebo", "risk of bias", "not serious", "serious"]
    page = build_report(synthesis, living_flow(synthesis.package, synthesis.pooled_studies))
    assert "sound &lt;b" in page and "<b>where" not in page and "network-sof-relief-network" in page


def test_the_command_line_prints_certainty_and_writes_summary_and_cinema(tmp_path, capsys):
    files = network_files(networks=PLAN, more={"risk_of_bias.csv": BIAS})
    folder = str(write(files, tmp_path / "review"))
    assert main(["certainty", folder, "--network", "relief-network"]) == 0
    out = capsys.readouterr().out
    assert "A against Placebo [relief-network]" in out and "to judge: Do the studies of these comparisons" in out
    target, cinema = tmp_path / "sof.csv", tmp_path / "cinema"
    assert main(["network", folder, "--summary", str(target), "--cinema", str(cinema)]) == 0
    rows = list(csv.DictReader(io.StringIO(target.read_text("utf-8"))))
    assert rows[0]["Treatment"] == "B" and rows[0]["Rank"].startswith("1 of 4")
    judge = (cinema / "to-judge.md").read_text("utf-8")
    assert "not assessed, and put down as 2 (unclear): S6 2020" in judge and "Indirectness: the review keeps" in judge
    data = list(csv.DictReader(io.StringIO((cinema / "data-long.csv").read_text("utf-8"))))
    assert [r["rob"] for r in data if r["study"] == "S2 2020"] == ["3", "3"]
    assert main(["certainty", folder, "--network", "x"]) == 1
    assert "relief-network" in capsys.readouterr().err
    bare = str(write(network_files(), tmp_path / "bare"))
    assert main(["network", bare, "--cinema", str(tmp_path / "no")]) == 1
    assert "smallest effect that matters" in capsys.readouterr().err and not (tmp_path / "no").exists()
