"""CINeMA's rules as its documentation states them, and the forms of data that the tool imports."""

from __future__ import annotations

import csv
import math

import pytest

import balm
from balm.actions.network_out import write_cinema
from balm.review.certainty.cinema import CONCERNS, levels_of, proposals
from balm.vocabulary.problems import InputError

NO, SOME, MAJOR = CONCERNS
ARMS = {
    "study": ["s1", "s1", "s2", "s2", "s3", "s3", "s3"],
    "treatment": list("ABACABC"),
    "events": [3, 5, 7, 9, 10, 20, 22],
    "n": [30, 31, 60, 58, 50, 50, 50],
}


def read(reader, path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(reader(file))


def pair(effect: float, se: float, **options: object) -> balm.stats.network.network.Network:
    """One comparison, so that interval and share are known by hand."""
    return balm.network("OR", study=["1"], treatment_1=["A"], treatment_2=["B"], effect=[effect], se=[se], **options)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.3, 0.7, NO), (0.3, 0.9, SOME), (0.9, 1.1, NO), (0.9, 1.5, SOME), (0.7, 1.5, MAJOR), (1.3, 2.0, NO)],
)
def test_imprecision_counts_the_limits_that_the_interval_crosses(low, high, words):
    middle, se = (math.log(low) + math.log(high)) / 2, (math.log(high) - math.log(low)) / 2 / 1.959964
    fit = pair(middle, se, model="common")
    for important in (0.8, 1.25):  # the same zone, named by either limit
        assert proposals(fit, [1], [1], important=important)[0].imprecision == words


def test_heterogeneity_counts_what_the_prediction_interval_crosses_beyond_the_interval():
    def network(tau2: float) -> str | None:
        fit = balm.network(
            "OR", study=range(9), treatment_1=["A"] * 9, treatment_2=["B"] * 9, effect=[-0.9] * 9, se=[0.2] * 9,
            tau2=tau2,
        )  # fmt: skip
        return proposals(fit, [1] * 9, [1] * 9, important=0.8)[0].heterogeneity

    assert [network(t) for t in (0.0, 0.1, 0.4)] == [NO, SOME, MAJOR]
    assert proposals(pair(-0.5, 0.1, model="common"), [1], [1], important=0.8)[0].heterogeneity is None


@pytest.mark.parametrize(
    ("direct", "indirect", "words"),
    [(-1.0, -1.1, NO), (-1.0, 0.0, MAJOR), (-1.0, 1.0, MAJOR), (-0.30, -1.0, SOME), (0.0, 0.01, NO)],
)
def test_incoherence_compares_the_areas_that_direct_and_indirect_intervals_reach(direct, indirect, words):
    fit = balm.network(
        study=list("abc"), treatment_1=list("AAC"), treatment_2=list("BCB"),
        effect=[direct, indirect, 0.0], se=[0.08, 0.056, 0.056], model="common",
    )  # fmt: skip
    found = {(one.treatment, one.against): one for one in proposals(fit, [1] * 3, [1] * 3, important=0.25)}
    assert found["A", "B"].incoherence == words and found["A", "B"].kind == "mixed"


def test_only_direct_evidence_raises_no_concern_and_a_tree_proposes_nothing_for_the_rest():
    fit = balm.network(study=["1", "2"], treatment_1=["A", "B"], treatment_2=["B", "C"], effect=[1, 1], se=[1, 1])
    found = {(one.treatment, one.against): one for one in proposals(fit, [1, 1], [1, 1], important=0.5)}
    assert (found["A", "B"].kind, found["A", "B"].incoherence) == ("direct", NO)
    assert (found["A", "C"].kind, found["A", "C"].incoherence) == ("indirect", None)


def test_levels_of_studies_count_by_their_contribution():
    fit = balm.network(
        study=["1", "2"], treatment_1=["A", "A"], treatment_2=["B", "B"], effect=[1, 1], variance=[1, 1.5],
        model="common",
    )  # fmt: skip
    one = {rule: proposals(fit, [3, 1], [2, 2], important=0.5, rule=rule)[0] for rule in ("majority", "average")}
    assert one["majority"].bias_shares == pytest.approx((0.4, 0.0, 0.6))
    assert (one["majority"].bias, one["average"].bias) == (MAJOR, SOME)
    assert proposals(fit, [1, 2], [1, 1], important=0.5, rule="highest")[0].bias == SOME
    with pytest.raises(InputError, match="rule must be one of"):
        proposals(fit, [1, 1], [1, 1], important=0.5, rule="worst")


def test_the_folder_has_what_the_tool_asks_for(tmp_path):
    fit = balm.network("OR", data=ARMS, treatment="treatment", events="events", n="n")
    given = {"risk_of_bias": {"s1": "Low", "s2": "U", "s3": 3}, "indirectness": {"s1": 1, "s2": "1", "s3": "low"}}
    names = [path.name for path in write_cinema(fit, tmp_path / "out", **given, important=0.8, arms=ARMS)]
    assert names[:2] == ["data-long.csv", "data-wide.csv"] and names[-1] == "to-judge.md"
    rows = read(csv.reader, tmp_path / "out" / "data-long.csv")
    assert rows[0][:6] == ["id", "t", "r", "n", "rob", "indirectness"] and rows[3][:6] == [
        "2",
        "A",
        "7",
        "60",
        "2",
        "1",
    ]
    wide = read(csv.reader, tmp_path / "out" / "data-wide.csv")
    assert wide[0][:7] == ["id", "t1", "r1", "n1", "t2", "r2", "n2"] and len(wide) == 1 + 1 + 1 + 3
    judged = read(csv.DictReader, tmp_path / "out" / "proposals.csv")
    assert judged[0]["reporting bias: proposed"] == "" and judged[0]["confidence"] == ""
    shares = read(csv.reader, tmp_path / "out" / "contributions-of-studies.csv")
    assert shares[0] == ["comparison", "s1", "s2", "s3"]
    assert sum(map(float, shares[1][1:])) == pytest.approx(100.0)
    assert "Reporting bias: no rule proposes" in (tmp_path / "out" / "to-judge.md").read_text("utf-8")
    write_cinema(fit, tmp_path / "two", **given, important=0.8)
    head = (tmp_path / "two" / "data-contrasts.csv").read_text("utf-8").splitlines()[0]
    assert head == "id,t1,t2,effect,se,rob,indirectness,study"


def test_what_is_missing_is_named_and_nothing_is_written(tmp_path):
    fit = balm.network("OR", data=ARMS, treatment="treatment", events="events", n="n")
    low = dict.fromkeys(("s1", "s2", "s3"), "low")
    with pytest.raises(InputError, match="s2: 'so-so'; s3: ''"):
        levels_of("rob", {"s1": 1, "s2": "so-so"}, ["s1", "s2", "s3"])
    for important in (1.0, 0.0, -0.8, math.nan):
        with pytest.raises(InputError, match="important must be a ratio"):
            write_cinema(fit, tmp_path / "no", risk_of_bias=low, indirectness=low, important=important)
    with pytest.raises(InputError, match="events and n"):
        write_cinema(
            fit, tmp_path / "no", risk_of_bias=low, indirectness=low, important=0.8, arms={"study": [], "treatment": []}
        )
    assert not (tmp_path / "no").exists()
