"""BCG vaccine against tuberculosis: thirteen trials, log risk ratios.

Colditz et al. 1994 (JAMA 271:698), the data of Berkey et al. 1995 and of R's metadat (`dat.bcg`); values computed with
metafor at machine precision (REML tau2 0.313243258136, where its default stop prints 0.313243325981), meta and by hand.

Analysis: BCG vaccine, risk ratios (Colditz et al. 1994, JAMA 271:698; the data of Berkey et al. 1995)
Where: data of the thirteen trials as R's metadat keeps them (`dat.bcg`)
Compared: common effect, every estimator of τ², intervals of the mean and of τ², prediction, latitude,
    Mantel-Haenszel, Peto
Figures: those of the programs: metafor 3.8 and 5.1, meta
Page: worked-examples/bcg-vaccine.md
"""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool

TABLE = (
    ("Aronson 1948", 4, 123, 11, 139),
    ("Ferguson & Simes 1949", 6, 306, 29, 303),
    ("Rosenthal et al. 1960", 3, 231, 11, 220),
    ("Hart & Sutherland 1977", 62, 13598, 248, 12867),
    ("Frimodt-Moller et al. 1973", 33, 5069, 47, 5808),
    ("Stein & Aronson 1953", 180, 1541, 372, 1451),
    ("Vandiviere et al. 1973", 8, 2545, 10, 629),
    ("TPT Madras 1980", 505, 88391, 499, 88391),
    ("Coetzee & Berjak 1968", 29, 7499, 45, 7277),
    ("Rosenthal et al. 1961", 17, 1716, 65, 1665),
    ("Comstock et al. 1974", 186, 50634, 141, 27338),
    ("Comstock & Webster 1969", 5, 2498, 3, 2341),
    ("Comstock et al. 1976", 27, 16913, 29, 17854),
)


@pytest.fixture(scope="module")
def trials() -> EffectSizes:
    study, events_1, n_1, events_2, n_2 = (list(c) for c in zip(*TABLE, strict=True))
    return effect_sizes("RR", study=study, events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)


def test_common_effect(trials: EffectSizes) -> None:
    fit = pool(trials, model="common")
    assert (fit.estimate, fit.se) == pytest.approx((-0.43028516, 0.04049875), abs=5e-9)
    assert (fit.q, fit.q_df) == (pytest.approx(152.233008, abs=5e-7), 12)


def test_dersimonian_laird_as_in_revman5(trials: EffectSizes) -> None:
    fit = pool(trials, profile="revman5")
    assert (fit.estimate, fit.se) == pytest.approx((-0.71411722, 0.17874209), abs=5e-9)
    assert (fit.tau2, fit.i2) == pytest.approx((0.30876026, 92.11735), abs=5e-6)


@pytest.mark.parametrize(
    ("name", "tau2", "digits"),
    [
        ("REML", 0.313243258136, 12),
        ("ML", 0.280028137269, 12),
        ("PM", 0.318068452205, 12),
        ("EB", 0.318068452205, 12),
        ("HE", 0.328563857996, 12),
        ("SJ", 0.345515701599, 12),
        ("HS", 0.22836286, 8),
        ("HSk", 0.24916993, 8),
        ("PMM", 0.343387906896, 12),  # the reference prints 0.34340870 at its default tolerance
    ],
)
def test_between_study_variance(trials: EffectSizes, name: str, tau2: float, digits: int) -> None:
    fit = pool(trials, tau2=name)
    assert fit.tau2 == pytest.approx(tau2, abs=0.6 * 10.0**-digits)
    assert fit.residual < 1e-14


def test_restricted_maximum_likelihood(trials: EffectSizes) -> None:
    fit = pool(trials, inference="wald")
    assert (fit.estimate, fit.se) == pytest.approx((-0.71453234, 0.17978152), abs=5e-9)
    assert fit.i2 == pytest.approx(92.22138, abs=5e-6)


def test_hartung_knapp(trials: EffectSizes) -> None:
    fit = pool(trials, inference="hartung-knapp")
    assert fit.se == pytest.approx(0.18079174, abs=5e-9)
    assert (fit.interval.low, fit.interval.high) == pytest.approx((-1.10844371, -0.32062097), abs=5e-9)
    assert (fit.df, round(fit.p, 5)) == (12, 0.00192)
    assert not fit.advice  # not narrower than Wald here


def test_kenward_roger(trials: EffectSizes) -> None:
    fit = pool(trials, inference="kenward-roger")
    assert (fit.se, fit.df) == pytest.approx((0.18153564, 10.5137), abs=2e-5)
    assert (fit.interval.low, fit.interval.high) == pytest.approx((-1.11635595, -0.31270873), abs=5e-8)


def test_henmi_copas(trials: EffectSizes) -> None:
    fit = pool(trials, model="ivhet", inference="henmi-copas")
    assert (fit.estimate, fit.se) == pytest.approx((-0.4303, 0.2835), abs=5e-5)
    assert (fit.interval.low, fit.interval.high) == pytest.approx((-1.1555, 0.2949), abs=1.01e-4)


def test_q_profile_interval(trials: EffectSizes) -> None:
    found = pool(trials).heterogeneity_interval().tau2
    assert (found.low, found.high) == pytest.approx((0.119718361141, 1.111479084061), abs=6e-13)


def test_profile_likelihood_interval_of_tau2(trials: EffectSizes) -> None:
    found = pool(trials).heterogeneity_interval("profile-likelihood").tau2
    assert (found.low, found.high) == pytest.approx((0.1152, 0.9647), abs=1.01e-4)


@pytest.mark.parametrize(
    ("name", "inference", "prediction", "low", "high"),
    [
        ("S", "wald", "normal", -1.8667, 0.4376),
        ("V", "hartung-knapp", "wald-t-k-1", -1.9953, 0.5663),
        ("HTS", "wald", "t-k-2", -2.0084, 0.5793),
        ("HK", "hartung-knapp", "t-k-1", -1.9960, 0.5670),
        ("HK-PR", "wald", "hartung-knapp-t-k-2", -2.0091, 0.5800),
        ("KR", "wald", "kenward-roger", -2.0169, 0.5878),
        ("KR-PR", "kenward-roger", "kenward-roger-df-1", -2.0347, 0.6056),
    ],
)
def test_prediction_intervals(
    trials: EffectSizes, name: str, inference: str, prediction: str, low: float, high: float
) -> None:
    found = pool(trials, inference=inference, prediction=prediction).prediction_interval
    assert (round(found.low, 4), round(found.high, 4)) == (low, high), name


def test_risk_differences_by_paule_and_mandel() -> None:
    # A scale on which an absolute stop is felt: metafor's default gives 0.0015237 here, and 0.000699 below.
    _, events_1, n_1, events_2, n_2 = (list(c) for c in zip(*TABLE, strict=True))
    fit = pool(effect_sizes("RD", events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2), tau2="PM", inference="wald")
    assert (fit.tau2, fit.se) == pytest.approx((0.0014942, 0.011087), abs=5e-7)
    assert fit.heterogeneity_interval().tau2.low == pytest.approx(0.000685, abs=5e-7)


def test_the_default_reads_as_a_risk_ratio(trials: EffectSizes) -> None:
    shown = pool(trials).displayed
    assert round(shown.estimate, 4) == 0.4894
    assert (round(shown.interval.low, 2), round(shown.interval.high, 2)) == (0.33, 0.73)
