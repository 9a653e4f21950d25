"""St John's wort for depression: twenty-four trials (Linde et al. 2005), and what explains their differences.

The data of Viechtbauer (2007), Z Psychol 215:104; risk ratios of response. A trial without a response in either arm
stays in, with a half added to its cells, as metafor keeps it.

Analysis: Viechtbauer 2007 (Z Psychol 215:104), accounting for heterogeneity
Where: the trials of Linde et al. 2005 (Br J Psychiatry 186:99), table 1 and figure 3, as R's metadat keeps them
    (`dat.linde2005`)
Compared: common effect, eight estimators of τ², Q-profile interval, prediction, dose, baseline and diagnosis
Figures: not seen; R metafor 3.8
Page: worked-examples/st-johns-wort.md
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool
from balm.stats.regression.meta_regression import meta_regression

ROWS = list(csv.DictReader((Path(__file__).parent / "data" / "linde2005.csv").read_text("utf-8").splitlines()))


@pytest.fixture(scope="module")
def trials() -> EffectSizes:
    columns = {name: [int(row[name]) for row in ROWS] for name in ("events_1", "n_1", "events_2", "n_2")}
    es = effect_sizes("RR", profile="metafor", **columns)
    return EffectSizes(effect=es.effect, variance=es.variance, study=[row["study"] for row in ROWS])


def test_common_effect(trials: EffectSizes) -> None:
    fit = pool(trials, model="common")
    assert (fit.estimate, fit.se, fit.q) == pytest.approx((0.339256026473, 0.0455681098167, 84.4379805353), abs=1e-9)


@pytest.mark.parametrize(
    ("name", "tau2", "estimate", "se"),
    [
        ("HS", 0.125496603772, 0.546327780711, 0.0960098116863),
        ("HE", 0.248405976463, 0.601726420543, 0.123362502779),
        ("DL", 0.139023626841, 0.554734022929, 0.0994873013018),
        ("SJ", 0.335158214624, 0.624777661753, 0.13892768743),
        ("ML", 0.17583508732, 0.57397189191, 0.108251852284),
        ("REML", 0.192444793519, 0.581307036599, 0.111930996035),
        ("EB", 0.24498819501, 0.600633610041, 0.122700951467),
        ("PM", 0.24498819501, 0.600633610041, 0.122700951467),
    ],
)
def test_estimators(trials: EffectSizes, name: str, tau2: float, estimate: float, se: float) -> None:
    fit = pool(trials, tau2=name, inference="wald")
    assert (fit.tau2, fit.estimate, fit.se) == pytest.approx((tau2, estimate, se), abs=1e-9)


def test_interval_of_tau2_and_prediction(trials: EffectSizes) -> None:
    found = pool(trials, inference="wald").heterogeneity_interval("q-profile").tau2
    assert (found.low, found.high) == pytest.approx((0.0927058221, 0.6928486873), abs=1e-8)
    fit = pool(trials, tau2="DL", inference="wald", prediction="normal")
    shown = [fit.interval.low, fit.interval.high, fit.prediction_interval.low, fit.prediction_interval.high]
    assert [math.exp(x) for x in shown] == pytest.approx([1.432960, 2.116419, 0.817403, 3.710218], abs=5.1e-7)


def test_dose_baseline_and_diagnosis(trials: EffectSizes) -> None:
    rows = [i for i, row in enumerate(ROWS) if row["dose"] and row["baseline"]]
    data = {name: [float(ROWS[i][name]) for i in rows] for name in ("dose", "baseline", "major")}
    fit = meta_regression(trials[rows], "~ dose + baseline + major", data=data, inference="wald")
    want = [1.39656823795, -0.000518254783479, -0.00533541215927, -0.490974888901]
    assert fit.beta == pytest.approx(want, abs=1e-8)
    assert fit.se == pytest.approx([0.728252849692, 0.000371645847931, 0.0314018959845, 0.234840212866], abs=1e-8)
    assert (fit.tau2, fit.qe) == pytest.approx((0.103270910219, 45.0577337809), abs=1e-8)
    one = meta_regression(trials, "~ major", data={"major": [float(r["major"]) for r in ROWS]}, inference="wald")
    assert one.beta == pytest.approx([0.868361838585, -0.489496028252], abs=1e-8)
    assert one.tau2 == pytest.approx(0.165558288312, abs=1e-8)
