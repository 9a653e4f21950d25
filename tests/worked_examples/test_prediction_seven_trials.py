"""Prediction intervals: blood pressure in seven trials (``hyp``) and in ten (``sbp``), cisapride in thirteen.

Higgins, Thompson & Spiegelhalter (2009): DerSimonian-Laird, Wald's standard error, t with k - 2 degrees of freedom.
Partlett & Riley (2017): REML, Hartung-Knapp's standard error, t with k - 2. The documentation of the data
of ``hyp`` speaks of standardised mean differences; their size is that of millimetres of mercury. Nagashima, Noma &
Furukawa (2019) draw τ² and the mean from their own distributions; ours is the limit of the draws, so that theirs lie
within a few of their Monte Carlo errors (0.002 at 25,000 draws, on the scale of each interval's width).

Analysis: prediction intervals of Higgins, Thompson & Spiegelhalter 2009, of Partlett & Riley 2017 (Stat Med 36:301)
    and of Nagashima, Noma & Furukawa 2019 (Stat Methods Med Res 28:1689)
Where: data sets `hyp` (Wang et al. 2005, Hypertension 45:907) and `sbp` of R's pimeta; the thirteen trials of
    cisapride of Hartung & Knapp 2001 (Stat Med 20:3875), as pimeta's vignette lists them
Compared: τ², mean and prediction interval by DerSimonian-Laird, by REML with Hartung-Knapp, and from the distribution
    of τ²
Figures: of `sbp` and cisapride as pimeta's vignette prints them (nshi-stat.github.io/pimeta); none are printed for
    `hyp`: R metafor 3.8 (pi.type="riley")
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


SBP = EffectSizes(
    effect=[0.00, 0.10, -0.40, -0.80, -0.63, 0.22, -0.34, -0.51, 0.03, -0.81],
    variance=[
        se**2
        for se in (
            *(0.42347717, 0.21939179, 0.02551067, 0.19898325, 0.30102594),
            *(0.30102594, 0.07142988, 0.10204269, 0.12245123, 0.30102594),
        )
    ],
)


def test_ten_trials_by_draws_of_the_reference() -> None:
    fit = pool(SBP, tau2="DL", inference="hartung-knapp", prediction="confidence-distribution")
    found = fit.prediction_interval
    assert (found.low, found.high) == pytest.approx((-0.8807, 0.2240), abs=0.004)
    plain = pool(SBP, tau2="DL", inference="wald", prediction="t-k-2").prediction_interval
    assert (plain.low, plain.high) == pytest.approx((-0.7598, 0.0917), abs=5.001e-5)
