"""Prediction intervals: blood pressure in seven trials (Wang et al. 2005, Hypertension 45:907), data set ``hyp``.

Higgins, Thompson & Spiegelhalter (2009): DerSimonian-Laird, Wald's standard error, t with k - 2 degrees of freedom.
Partlett & Riley (2017): REML, Hartung-Knapp's standard error, t with k - 2. The documentation of the data
speaks of standardised mean differences; their size is that of millimetres of mercury.

Analysis: prediction intervals of Higgins, Thompson & Spiegelhalter 2009 and of Partlett & Riley 2017 (Stat Med 36:301)
Where: data set `hyp` of R's pimeta (Wang et al. 2005, Hypertension 45:907)
Compared: τ², mean and prediction interval by DerSimonian-Laird and by REML with Hartung-Knapp
Figures: none are printed for these data; R metafor 3.8 (pi.type="riley")
Page: worked-examples/prediction.md
"""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pool import pool

EFFECT = [-6.85, -14.83, -13.57, -8.44, -8.76, -10.59, -17.65]
ERROR = [0.78, 5.14, 13.85, 0.34, 0.16, 0.60, 6.38]
ES = EffectSizes(effect=EFFECT, variance=[x * x for x in ERROR])


def test_higgins_thompson_spiegelhalter() -> None:
    fit = pool(ES, tau2="DL", inference="wald", prediction="t-k-2")
    assert (fit.estimate, fit.se, fit.tau2) == pytest.approx((-8.83256795738, 0.461366739487, 0.639165735754), abs=1e-9)
    found = fit.prediction_interval
    assert (found.low, found.high) == pytest.approx((-11.2053486749, -6.4597872398), abs=1e-8)


def test_partlett_riley() -> None:
    fit = pool(ES, tau2="REML", inference="hartung-knapp", prediction="t-k-2")
    assert (fit.estimate, fit.se, fit.tau2) == pytest.approx((-8.92098717401, 0.718730999448, 1.72856092705), abs=1e-8)
    found = fit.prediction_interval
    assert (found.low, found.high) == pytest.approx((-12.7726891963, -5.06928515174), abs=1e-8)
