"""Weights of a total in which one trial is shown in two subgroups and counted once: RevMan Web's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from balm.actions.revman import read_revman
from balm.review.revman.analyse import analyse
from balm.review.revman.recompute import settled
from balm.review.revman.split_studies import split_weights

#: Analysis 5.7 of the Cochrane review CD011535.pub7 (2023; doi 10.1002/14651858.CD011535.pub7): PASI, biologics beside
#: non-targeted treatments, as its data package holds it. Reich 2020 has three arms.
ROWS = """\
Analysis group,Analysis number,Analysis name,Subgroup,Subgroup number,Applicability,Study,Experimental mean,\
Experimental SD,Experimental N,Control mean,Control SD,Control N,Weight,Mean,CI start,CI end
5,7,PASI,Adalimumab,3,BOTH,CHAMPION 2008,-9.1,10.92,108,-5.7,6.1,110,16.887842,-0.384009,-0.651992,-0.116027
5,7,PASI,Brodalumab,5,BOTH,CHANGE 2021,-16.67,6.07,105,-14.1,6.49,105,16.827632,-0.40753,-0.680878,-0.134183
5,7,PASI,Guselkumab,11,BOTH,POLARIS 2020,-15.2,5.1,60,-9.4,7.2,59,15.518818,-0.924978,-1.303682,-0.546275
5,7,PASI,Ixekizumab A,17,SUBGROUP_ONLY,Reich 2020,-13.08,5.43,54,-5.37,5.39,54,15.647952,-1.415022,-1.838382,-0.991661
5,7,PASI,Ixekizumab B,18,SUBGROUP_ONLY,Reich 2020,-13.08,5.43,54,-12.81,5.41,54,19.706445,-0.049462,-0.426717,0.327793
5,7,PASI,Risankizumab,20,BOTH,Thaci 2021,-18.8,6.73,60,-11.2,6.51,60,15.411312,-1.140566,-1.527319,-0.753814
5,7,PASI,,,OVERALL_ONLY,Reich 2020,-13.08,5.43,54,-9.09,6.546396,108,19.780686,-0.640641,-0.974848,-0.306433
"""


def agreement(tmp_path: Path, text: str = ROWS):
    path = tmp_path / "5.7-data-rows.csv"
    path.write_text(text.replace("BOTH", "SUBGROUP_AND_OVERALL"), encoding="utf-8")
    return read_revman(path).recompute()


def test_every_weight_is_that_of_revman(tmp_path: Path) -> None:
    found = agreement(tmp_path)
    assert found.numbers == 7 * 4, "effect, both ends and weight of each row, the parts of the split trial too"
    assert (found.disagree, found.inconsistent) == ((), ())


def test_a_wrong_weight_of_a_part_is_named(tmp_path: Path) -> None:
    found = agreement(tmp_path, ROWS.replace("19.706445", "19.716445"))
    assert [(d.where, d.field) for d in found.disagree] == [("CMP-5.7, study Reich 2020", "weight")]


def test_a_part_without_a_variance_takes_the_weight_of_its_study(tmp_path: Path) -> None:
    """As analysis 2.3 of CD014964.pub2 shows it: Grau 2004, standard deviations of 0.323 and 0 in its two parts."""
    path = tmp_path / "5.7-data-rows.csv"
    rows = ROWS.replace("-13.08,5.43,54,-5.37,5.39,54,15.647952", "-13.08,0,54,-5.37,0,54,")
    path.write_text(rows.replace("BOTH", "SUBGROUP_AND_OVERALL"), encoding="utf-8")
    review = read_revman(path)
    outcome = settled(review.outcomes[0], review.decimals)
    overall = [row for row in outcome.all_rows if row.in_overall]
    weights = split_weights(outcome, analyse(outcome, overall))
    parts = [weights.get(id(row)) for row in outcome.all_rows if not row.in_overall]
    assert parts == [None, 0.0]
    assert sum(weights.values()) == pytest.approx(100.0, rel=1e-14)
