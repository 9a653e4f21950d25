"""Why programs differ on the same data: published examples, and the convention behind each difference.

BCG vaccine trials (Colditz et al. 1994, JAMA 271:698), length of stay (Normand 1999, Stat Med 18:321), a set with zero
cells, and a homogeneous set on which Hartung and Knapp's interval collapses. Values are those of the programs named.

Analysis: Why programs differ: BCG vaccine, length of stay, zero cells
Where: Colditz et al. 1994; Normand 1999, table II
Compared: each number on which two programs differ, with the convention behind it
Figures: those of the programs named
Page: worked-examples/why-programs-differ.md
"""

from __future__ import annotations

import pytest

from balm.stats.compare_profiles import Cell, compare_profiles
from balm.stats.effect_sizes import EffectSizes, effect_sizes

#: Colditz et al. (1994): events and people vaccinated, events and people not vaccinated.
BCG = {
    "events_1": [4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],
    "n_1": [123, 306, 231, 13598, 5069, 1541, 2545, 88391, 7499, 1716, 50634, 2498, 16913],
    "events_2": [11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
    "n_2": [139, 303, 220, 12867, 5808, 1451, 629, 88391, 7277, 1665, 27338, 2341, 17854],
}
#: Normand (1999), table: length of stay under specialist care and routine care.
STAY = {
    "n_1": [155, 31, 75, 18, 8, 57, 34, 110, 60],
    "mean_1": [55, 27, 64, 66, 14, 19, 52, 21, 30],
    "sd_1": [47, 7, 17, 20, 8, 7, 45, 16, 27],
    "n_2": [156, 32, 71, 18, 13, 52, 33, 183, 52],
    "mean_2": [75, 29, 119, 137, 18, 18, 41, 31, 23],
    "sd_2": [64, 4, 29, 48, 11, 4, 34, 27, 20],
}
ZEROS = {"events_1": [0, 3, 0, 10], "n_1": [50, 60, 40, 100], "events_2": [5, 4, 0, 2], "n_2": [50, 60, 40, 100]}
EVEN = EffectSizes(effect=[0.10, 0.11, 0.10, 0.105], variance=[0.1, 0.1, 0.2, 0.1])

DIGITS = 5e-9


def test_bcg_revman_5_and_metafor_differ_by_the_estimator_of_tau2():
    why = compare_profiles(effect_sizes("RR", **BCG)).why("estimate", "revman5", "metafor")
    assert why.value_1 == pytest.approx(-0.71411722, abs=DIGITS)
    assert why.value_2 == pytest.approx(-0.71453234, abs=DIGITS)
    assert why.options == ("tau2",)
    assert "DerSimonian-Laird" in why.responsible[0].formula_1
    assert "restricted likelihood" in why.responsible[0].formula_2


def test_bcg_i2_differs_by_its_formula_as_well():
    found = compare_profiles(effect_sizes("RR", **BCG))
    why = found.why("i2", "revman5", "metafor")
    assert why.value_1 == pytest.approx(92.11735, abs=5e-6)
    assert why.value_2 == pytest.approx(92.22138, abs=5e-6)
    assert set(why.options) == {"tau2", "i2"}
    assert found.why("i2", "metafor", "meta").options == ("i2",)


def test_bcg_prediction_intervals_of_four_programs():
    found = compare_profiles(effect_sizes("RR", **BCG))
    ends = {p: (v[Cell("random", "pi_low")], v[Cell("random", "pi_high")]) for p, v in found.values.items()}
    assert ends["metafor"] == pytest.approx((-1.8667, 0.4376), abs=5e-5)
    assert ends["meta"] == pytest.approx((-1.9953, 0.5663), abs=5e-5)
    assert ends["stata"] == pytest.approx((-2.0084, 0.5793), abs=5e-5)
    assert ends["revman5"] == pytest.approx((float("nan"),) * 2, nan_ok=True)
    assert found.why("pi_low", "metafor", "stata").options == ("prediction",)


def test_bcg_mantel_haenszel_risk_difference_differs_by_its_variance_formula():
    why = compare_profiles(effect_sizes("RD", **BCG)).why("se", "metafor", "revman5", analysis="mantel-haenszel")
    assert (why.value_1, why.value_2) == pytest.approx((0.00028666, 0.00028452), abs=DIGITS)
    assert why.options == ("mh_rd_variance",)
    assert "Sato" in why.responsible[0].formula_1 and "Greenland" in why.responsible[0].formula_2


def test_bcg_m_h_random_takes_q_around_the_mantel_haenszel_estimate():
    found = compare_profiles(effect_sizes("RR", **BCG))
    revman = found.values["revman5"]
    assert revman[Cell("mantel-haenszel random", "tau2")] == pytest.approx(0.30949685, abs=DIGITS)
    assert revman[Cell("mantel-haenszel random", "estimate")] == pytest.approx(-0.71418612, abs=DIGITS)
    assert revman[Cell("random", "tau2")] == pytest.approx(0.30876026, abs=DIGITS)
    why = found.why("estimate", "revman5", "metafor", analysis="mantel-haenszel random")
    assert why.options == ("mh_random_q",), "metafor does not offer it"


def test_bcg_every_profile_has_the_exact_root_not_a_programs_stopping_rule():
    found = compare_profiles(effect_sizes("RR", **BCG))
    for profile in ("metafor", "meta", "stata", "balm"):
        assert found.values[profile][Cell("random", "tau2")] == pytest.approx(0.313243258136, abs=5e-13)
    assert found.values["metafor"][Cell("random", "tau2_low")] == pytest.approx(0.119718361141, abs=5e-12)
    assert found.values["metafor"][Cell("random", "tau2_high")] == pytest.approx(1.111479084061, abs=5e-12)


def test_length_of_stay_standardised_mean_differences_of_three_programs():
    found = compare_profiles(effect_sizes("SMD", **STAY))
    common = {p: v[Cell("common", "estimate")] for p, v in found.values.items()}
    assert common["metafor"] == pytest.approx(-0.41061142, abs=DIGITS)
    assert common["revman5"] == pytest.approx(-0.40766105, abs=DIGITS)
    assert common["meta"] == pytest.approx(-0.40781, abs=5e-6)
    assert found.values["revman5"][Cell("random", "estimate")] == pytest.approx(-0.52928468, abs=DIGITS)
    assert found.values["metafor"][Cell("random", "estimate")] == pytest.approx(-0.53710826, abs=DIGITS)
    assert found.values["meta"][Cell("random", "estimate")] == pytest.approx(-0.53616, abs=5e-6)
    assert found.why("effect", "metafor", "revman5", study="Study 1").options == ("smd_correction",)
    assert found.why("estimate", "metafor", "meta", analysis="common").options == ("smd_variance",)
    assert set(found.why("estimate", "metafor", "revman5").options) == {"smd_correction", "smd_variance", "tau2"}


@pytest.mark.parametrize(
    ("measure", "metafor", "revman"),
    [
        ("OR", (0.17284281, 0.41660863), (0.16641211, 0.40877508)),
        ("RR", (0.16705408, 0.40278749), (0.16034265, 0.39393270)),
        ("RD", (0.00800000, 0.01925991), (0.00753968, 0.01941328)),
    ],
)
def test_zero_cells_in_mantel_haenszel_sums(measure, metafor, revman):
    found = compare_profiles(effect_sizes(measure, **ZEROS))
    for i, quantity in enumerate(("estimate", "se")):
        why = found.why(quantity, "metafor", "meta", analysis="mantel-haenszel")
        assert (why.value_1, why.value_2) == pytest.approx((metafor[i], revman[i]), abs=DIGITS)
        assert ("mh_rd_zero_cells" if measure == "RD" else "mh_zero_cells") in why.options
        if measure != "RD":  # RevMan corrects the standard error of a difference alone
            assert found.values["revman5"][Cell("mantel-haenszel", quantity)] == pytest.approx(revman[i], abs=DIGITS)


def test_zero_cells_the_variance_of_a_port_is_greenland_and_robins_without_correction():
    found = compare_profiles(effect_sizes("RD", **ZEROS))
    why = found.why("se", "metafor", "stata", analysis="mantel-haenszel")
    assert why.value_2 == pytest.approx(0.01878013, abs=DIGITS)
    assert why.options == ("mh_rd_variance",)


def test_a_homogeneous_set_shows_the_guard_of_hartung_and_knapp():
    found = compare_profiles(EVEN)
    why = found.why("se", "revman-web", "balm")
    assert (why.value_1, why.value_2) == pytest.approx((0.0024, 0.1690), abs=5e-5)
    assert why.options == ("inference",)
    low, high = (found.values["revman-web"][Cell("random", name)] for name in ("ci_low", "ci_high"))
    assert (low, high) == pytest.approx((0.0966, 0.1119), abs=5e-5)
    low, high = (found.values["balm"][Cell("random", name)] for name in ("ci_low", "ci_high"))
    assert (low, high) == pytest.approx((-0.4336, 0.6422), abs=5e-5)
    assert "max(1, q)" in why.responsible[0].formula_2
