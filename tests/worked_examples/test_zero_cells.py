"""Four trials with zero cells, and what each program makes of them.

0/50 v 5/50, 3/60 v 4/60, 0/40 v 0/40 and 10/100 v 2/100 events.  metafor pools the cells as they are; RevMan 5 and R
meta add a half to each cell of a study that has a zero, and leave the study without any event out of ratios (Deeks &
Higgins 2010, section 4; Cochrane Handbook, section 10.4.4).  Of a risk difference RevMan corrects the standard error
alone, as the file of a review with such trials shows (Leibovici-Weissman et al. 2014, CD008625, "Antimicrobial drugs
for treating cholera").

Analysis: Zero cells: four constructed trials
Where: the rows stand in the test
Compared: pooled ratios and differences under each program's rule
Figures: those of metafor, RevMan 5 and meta
Page: worked-examples/zero-cells.md
"""

from __future__ import annotations

import math

import pytest

from balm.stats.effect_sizes import effect_sizes
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.peto import peto
from balm.stats.pooling.pool import pool
from balm.stats.profiles import UNVERIFIED

TRIALS = {"events_1": [0, 3, 0, 10], "n_1": [50, 60, 40, 100], "events_2": [5, 4, 0, 2], "n_2": [50, 60, 40, 100]}

#: profile, measure -> estimate and standard error, as printed by each program.
EXACT = {"OR": (0.17284281, 0.41660863), "RR": (0.16705408, 0.40278749), "RD": (0.00800000, 0.01925991)}
CORRECTED = {"OR": (0.16641211, 0.40877508), "RR": (0.16034265, 0.39393270), "RD": (0.00753968, 0.01941328)}
REVMAN = {**CORRECTED, "RD": (0.00800000, 0.01956859)}


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
@pytest.mark.parametrize(
    ("profile", "row"),
    [(None, EXACT), ("balm", EXACT), ("metafor", EXACT), ("meta", CORRECTED), ("revman5", REVMAN)],
)
def test_every_cell_of_the_table(profile, row, measure):
    fit = mantel_haenszel(measure, profile=profile, **TRIALS)
    estimate, se = row[measure]
    assert fit.estimate == pytest.approx(estimate, abs=5e-9)
    assert fit.se == pytest.approx(se, abs=5e-9)


def test_the_two_ways_to_correct_a_risk_difference():
    """meta keeps the differences as observed, under weights from corrected sizes."""
    observed = mantel_haenszel("RD", zero_cells="add-to-weights", variance="greenland-robins", **TRIALS)
    throughout = mantel_haenszel("RD", zero_cells="add", variance="greenland-robins", **TRIALS)
    assert observed.estimate == pytest.approx(0.00753968, abs=5e-9)
    assert throughout.estimate == pytest.approx(0.00793651, abs=5e-9)
    assert observed.se == throughout.se


def test_greenland_and_robins_without_correction():
    """0.01878013 belongs to neither program's default, though it is printed as meta's elsewhere."""
    assert mantel_haenszel("RD", variance="greenland-robins", **TRIALS).se == pytest.approx(0.01878013, abs=5e-9)


#: Tables of CD008625, and the estimate, the upper end and the weights in per cent that RevMan stored for them.
CHOLERA = {
    "CMP-001.03.01": ([0, 0], [13, 54], [0, 0], [12, 19], 0.0, 0.0708645085597648, None),
    "CMP-001.03.04": ([0], [25], [0], [8], 0.0, 0.1586884087437091, [100.0]),
    "CMP-012.03": (
        [0, 0],
        [24, 12],
        [0, 0],
        [24, 13],
        0.0,
        0.07491280293328202,
        [65.78947368421052, 34.21052631578947],
    ),
    "CMP-014.03": (
        [0, 3],
        [17, 18],
        [0, 3],
        [18, 15],
        -0.016114180478821374,
        0.12448222579808926,
        [51.65745856353591, 48.34254143646409],
    ),
}


@pytest.mark.parametrize("profile", ["revman5", "revman-web"])
@pytest.mark.parametrize("table", CHOLERA)
def test_the_risk_difference_of_revmans_own_file(table, profile):
    """Differences and weights as observed; half an event enters the standard error alone."""
    events_1, n_1, events_2, n_2, estimate, high, weights = CHOLERA[table]
    fit = mantel_haenszel("RD", profile=profile, events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)
    assert fit.estimate == pytest.approx(estimate, rel=1e-12, abs=1e-15)
    assert fit.interval.high == pytest.approx(high, rel=1e-12)
    if weights is not None:
        assert fit.weights.tolist() == pytest.approx(weights, rel=1e-12)


def test_only_documented_profiles_carry_that_label():
    assert "unverified" not in mantel_haenszel("RD", profile="revman5", **TRIALS).conventions
    assert set(UNVERIFIED) <= {"revman5", "revman-web", "stata"}


def test_the_study_without_events_is_named_and_never_stops_the_analysis():
    labels = ["A", "B", "C", "D"]
    ratio = mantel_haenszel("RR", study=labels, **TRIALS)
    assert ratio.excluded == (("C", "not estimable: no events in either arm"),)
    assert ratio.k == 3
    difference = mantel_haenszel("RD", study=labels, **TRIALS)
    assert difference.excluded == () and difference.k == 4


def test_peto_needs_no_correction():
    """metafor 3.8, rma.peto: 0.1755794 (0.4190219), Q 10.83078 on 2 degrees of freedom."""
    fit = peto(**TRIALS)
    assert (fit.estimate, fit.se) == (pytest.approx(0.1755794, abs=5e-8), pytest.approx(0.4190219, abs=5e-8))
    assert fit.q == pytest.approx(10.83078, abs=5e-6) and fit.q_df == 2
    assert fit.weights.tolist() == pytest.approx([21.06065, 29.17716, 49.76219], abs=5e-6)


def test_tests_of_the_tables():
    """metafor 3.8, rma.mh for OR: Cochran-Mantel-Haenszel 0.04389484, Tarone 10.98085, Breslow-Day 10.98096."""
    tests = mantel_haenszel("OR", **TRIALS).tests
    assert tests["cochran-mantel-haenszel"].statistic == pytest.approx(0.04389484, abs=5e-9)
    assert tests["tarone"].statistic == pytest.approx(10.98085, abs=5e-6)
    assert tests["breslow-day"].statistic == pytest.approx(10.98096, abs=5e-6)
    assert tests["breslow-day"].df == 2


def test_inverse_variance_adds_a_half_where_a_zero_is():
    es = effect_sizes("OR", **TRIALS)
    a, b, c, d = 0.5, 50.5, 5.5, 45.5
    assert es.effect[0] == pytest.approx(math.log(a * d / (b * c)))
    assert pool(es, model="common").k == 3
