"""Length of stay in stroke units: nine trials with very different scales (Normand 1999, Stat Med 18:321, table II).

Values: metafor 3.8 and 5.1 at machine precision (REML by Fisher scoring with a damped step), RevMan 5, statsmodels.

Analysis: Normand 1999 (Stat Med 18:321), length of stay and prophylactic lidocaine
Where: data of table II and, of six trials of lidocaine (Hine et al. 1989), table III
Compared: common effect, DerSimonian-Laird, REML, Hartung-Knapp; SMD; the effects of the trials
Figures: tables III, VII, VIII and IX (pp. 330, 349, 351, 352; variances with one standard deviation for both arms), as
    the test of metafor-project.org/doku.php/analyses:normand1999 checks them to four decimals; further digits are those
    of the programs: metafor, RevMan 5, statsmodels
Page: worked-examples/length-of-stay.md
"""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool

COLUMNS = {
    "n_1": [155, 31, 75, 18, 8, 57, 34, 110, 60],
    "mean_1": [55, 27, 64, 66, 14, 19, 52, 21, 30],
    "sd_1": [47, 7, 17, 20, 8, 7, 45, 16, 27],
    "n_2": [156, 32, 71, 18, 13, 52, 33, 183, 52],
    "mean_2": [75, 29, 119, 137, 18, 18, 41, 31, 23],
    "sd_2": [64, 4, 29, 48, 11, 4, 34, 27, 20],
}


@pytest.fixture(scope="module")
def days() -> EffectSizes:
    return effect_sizes("MD", **COLUMNS)


def test_mean_difference(days: EffectSizes) -> None:
    common = pool(days, model="common")
    assert (common.estimate, common.se) == pytest.approx((-3.46361263, 0.76482752), abs=5e-9)
    dl = pool(days, tau2="DL", inference="wald")
    assert (dl.estimate, dl.se) == pytest.approx((-13.98172182, 5.12669834), abs=5e-9)
    assert dl.tau2 == pytest.approx(205.409375, abs=5e-7)


def test_restricted_maximum_likelihood_where_fisher_scoring_fails(days: EffectSizes) -> None:
    fit = pool(days, inference="wald")
    assert (fit.estimate, fit.se) == pytest.approx((-15.10602747, 8.94655284), abs=5e-9)
    assert fit.tau2 == pytest.approx(684.646152, abs=5e-7)
    hk = pool(days, inference="hartung-knapp")
    assert hk.se == pytest.approx(9.19890875, abs=5e-9)
    assert (hk.interval.low, hk.interval.high) == pytest.approx((-36.31874908, 6.10669414), abs=5e-9)


def test_standardised_mean_difference_metafor() -> None:
    es = effect_sizes("SMD", **COLUMNS)
    common = pool(es, model="common", profile="metafor")
    assert (common.estimate, common.se) == pytest.approx((-0.41061142, 0.06160275), abs=5e-9)
    dl = pool(es, tau2="DL", profile="metafor")
    assert (dl.estimate, dl.se, dl.tau2) == pytest.approx((-0.53073731, 0.25921861, 0.539714), abs=5e-7)
    reml = pool(es, profile="metafor")
    assert (reml.estimate, reml.se, reml.tau2) == pytest.approx((-0.53710826, 0.30866149, 0.790843), abs=5e-7)
    assert pool(es, inference="hartung-knapp").se == pytest.approx(0.30928563, abs=5e-9)


def test_standardised_mean_difference_revman5() -> None:
    es = effect_sizes("SMD", **COLUMNS)
    common = pool(es, model="common", profile="revman5")
    assert (common.estimate, common.se) == pytest.approx((-0.40766105, 0.06166833), abs=5e-9)
    dl = pool(es, profile="revman5")
    assert (dl.estimate, dl.se) == pytest.approx((-0.52928468, 0.25827660), abs=5e-9)
    assert (dl.tau2, dl.q) == pytest.approx((0.534737, 122.346875), abs=5e-7)


def test_tables_viii_and_ix() -> None:
    """Length of stay with one standard deviation for both arms."""
    es = effect_sizes("MD", variance_type="HO", **COLUMNS)
    assert es.effect.tolist() == [-20, -2, -55, -71, -4, 1, 11, -10, 7]
    variances = [40.5863, 2.0468, 15.2809, 150.2222, 20.1923, 1.2235, 95.3756, 8.0321, 20.6936]
    assert es.variance == pytest.approx(variances, abs=5.001e-5)
    printed = {
        "common": (-3.4939, -5.0265, -1.9613, 0.0),
        "DL": (-14.0972, -24.4454, -3.7490, 218.7216),
        "REML": (-15.1217, -32.6716, 2.4282, 685.1965),
    }
    for name, want in printed.items():
        model = {"model": "common"} if name == "common" else {"tau2": name}
        fit = pool(es, inference="wald", **model)  # type: ignore[arg-type]
        got = (fit.estimate, fit.interval.low, fit.interval.high, fit.tau2)
        assert got == pytest.approx(want, abs=1e-4), name


def test_tables_iii_and_vii() -> None:
    """Deaths after prophylactic lidocaine in per cent: no heterogeneity, so three models agree."""
    es = effect_sizes(
        "RD",
        events_1=[2, 4, 6, 7, 7, 11],
        n_1=[39, 44, 107, 103, 110, 154],
        events_2=[1, 4, 4, 5, 3, 4],
        n_2=[43, 44, 110, 100, 106, 146],
    )
    effect, se = 100 * es.effect, 100 * es.se
    assert effect == pytest.approx([2.8026, 0.0, 1.9711, 1.7961, 3.5334, 4.4031], abs=5.001e-5)
    assert se**2 == pytest.approx([17.7575, 37.5657, 8.1323, 10.8998, 8.0114, 6.1320], abs=5.001e-5)
    low, high = effect - 1.959964 * se, effect + 1.959964 * se
    assert low == pytest.approx([-5.4566, -12.0128, -3.6182, -4.6747, -2.0141, -0.4503], abs=5.001e-5)
    assert high == pytest.approx([11.0618, 12.0128, 7.5604, 8.2669, 9.0810, 9.2566], abs=5.001e-5)
    for model in ({"model": "common"}, {"tau2": "DL"}, {"tau2": "REML"}):
        fit = pool(es, inference="wald", **model)  # type: ignore[arg-type]
        got = [100 * x for x in (fit.estimate, fit.interval.low, fit.interval.high, fit.tau2)]
        assert got == pytest.approx([2.9444, 0.3831, 5.5058, 0.0], abs=5.001e-5)
