"""Twenty-six trials of glucose-lowering drugs: estimates, ranking, and where the network disagrees (Senn et al. 2013).

Analysis: Senn, Gavini, Magrez & Scheen 2013 (Stat Methods Med Res 22:169); Rücker & Schwarzer 2015 (BMC Med Res
  Methodol 15:58) rank the treatments; Krahn, Binder & König 2013 (BMC Med Res Methodol 13:35) make the net heat plot
Where: data set `dat.senn2013` of R's metadat
Compared: effects against placebo, τ², P-scores, Q within and between designs, each design detached, mean path length
Figures: not seen; R netmeta 3.4-0, and pimeta 1.1.0 for contributions
Page: worked-examples/diabetes-network.md
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import balm

TRIALS = Path(__file__).parent / "data" / "senn2013.csv"


@pytest.fixture(scope="module")
def fit():
    with TRIALS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    data = {name: [r[name] for r in rows] for name in ("study", "treatment")}
    data |= {name: [float(r[name]) for r in rows] for name in ("n", "mean", "sd")}
    columns = {name: name for name in ("treatment", "n", "mean", "sd")}
    return balm.network("MD", data=data, **columns, reference="placebo", tau2="DL")


def test_effects_against_placebo_and_their_ranking(fit):
    assert fit.tau2.value == pytest.approx(0.1087100957546, rel=1e-9)
    effects = {"rosiglitazone": -1.233453, "metformin": -1.126760, "acarbose": -0.841771, "sulfonylurea": -0.416540}
    scores = {"rosiglitazone": 0.8934, "metformin": 0.7818, "acarbose": 0.5203, "sulfonylurea": 0.2103}
    for name, effect in effects.items():
        assert fit.compare(name).estimate == pytest.approx(effect, abs=6e-7)
        assert fit.p_scores[fit.treatments.index(name)] == pytest.approx(scores[name], abs=6e-5)


def test_two_trials_explain_what_lies_between_designs(fit):
    heat = fit.net_heat()
    assert heat.total == pytest.approx(22.53422423753)
    left = dict(zip(heat.designs, heat.left.sum(axis=0), strict=True))
    assert left["rosiglitazone:sulfonylurea"] == pytest.approx(6.772137358844)
    assert left["metformin:sulfonylurea"] == pytest.approx(7.515063825974)
    assert sorted(left, key=left.get)[:2] == ["rosiglitazone:sulfonylurea", "metformin:sulfonylurea"]


def test_sulfonylurea_against_placebo_is_indirect(fit):
    flow = {(one.treatment_1, one.treatment_2): one for one in fit.evidence_flow()}["placebo", "sulfonylurea"]
    assert flow.proportion == 0.0 and flow.mean_path == pytest.approx(2.112106333564)
    shares = fit.contributions().of("sulfonylurea", "placebo")
    assert sum(shares.values()) == pytest.approx(1.0) and "placebo:sulfonylurea" not in shares


@pytest.mark.parametrize(
    ("method", "shares"),
    [
        ("shortest-path", {"metformin:sulfonylurea": 0.143617913342, "acarbose:metformin": 0.010111169088}),
        ("random-walk", {"metformin:sulfonylurea": 0.140319008804, "acarbose:metformin": 0.011779893166}),
    ],
)
def test_contributions_to_a_mixed_estimate_are_those_of_pimeta(fit, method, shares):
    # pimeta 1.1.0, netcontrib(); with several shortest paths the order of treatments shows here
    found = fit.contributions(method).of("rosiglitazone", "sulfonylurea")
    assert {name: found[name] for name in shares} == pytest.approx(shares, rel=1e-9)
    assert found["rosiglitazone:sulfonylurea"] == pytest.approx(0.434835498787, rel=1e-9)
