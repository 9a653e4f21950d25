"""Henmi & Copas' interval against a twin that shares nothing with it but the paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import gamma, norm

import balm
from tests.worked_examples.test_bcg_vaccine import TABLE
from tests.worked_examples.test_normand1999 import COLUMNS

NAMES = ("events_1", "n_1", "events_2", "n_2")

BCG = balm.effect_sizes("RR", **{name: [row[i] for row in TABLE] for i, name in enumerate(NAMES, 1)})
STAY = balm.effect_sizes("MD", **COLUMNS)

#: metafor 3.8-1: hc(rma(yi, vi, method="DL"), control=list(tol=1e-12)).  Its default, the root to 1.2e-4 of u, gives
#: -1.1555118675 and 0.2949415402 for the first.
AS_METAFOR = (-1.15554876193, 0.294978434624)


def by_integration(y: NDArray[np.float64], v: NDArray[np.float64]) -> tuple[float, float]:
    """Conditional moments of Q from dense matrices, the tail by adaptive quadrature, the root by Brent's method."""
    k, w = len(y), 1.0 / v
    w1, w2 = float(w.sum()), float((w**2).sum())
    mean = float(w @ y) / w1
    tau2 = max(0.0, float(w @ (y - mean) ** 2 - (k - 1)) / (w1 - w2 / w1))
    se = math.sqrt(w1 + tau2 * w2) / w1
    a, sigma, c = np.diag(w) - np.outer(w, w) / w1, np.diag(v + tau2), w / math.sqrt(w1)
    square = float(c @ sigma @ c)
    slope = sigma @ c / square
    rest = sigma - np.outer(sigma @ c, sigma @ c) / square
    centre, bend = float(np.trace(a @ rest)), float(slope @ a @ slope)
    flat, rising = 2.0 * float(np.trace(a @ rest @ a @ rest)), 4.0 * float(slope @ a @ rest @ a @ slope)
    sd = math.sqrt(square)

    def beyond(u: float) -> float:
        def integrand(r: float) -> float:
            most = (k - 1) + (w1 * w1 / w2 - 1.0) * (r * r / (u * u) - 1.0)
            expected, variance = centre + bend * r * r, flat + rising * r * r
            inside = gamma.cdf(most, expected**2 / variance, scale=variance / expected)
            return float(inside * norm.pdf(r, scale=sd))

        return sum(quad(integrand, u + i * sd, u + (i + 2) * sd, epsabs=1e-14, epsrel=1e-12)[0] for i in (0, 2, 4, 6))

    u = float(brentq(lambda at: beyond(at) - 0.025, 0.1 * sd, 8.0 * sd, xtol=1e-13, rtol=1e-13))
    return mean - u * se, mean + u * se


@pytest.mark.parametrize("es", [BCG, STAY], ids=["bcg", "stay"])
def test_the_interval_is_the_root_of_its_tail(es: balm.EffectSizes) -> None:
    fit = balm.pool(es, model="ivhet", tau2="DL", inference="henmi-copas")
    assert (fit.interval.low, fit.interval.high) == pytest.approx(by_integration(es.effect, es.variance), rel=1e-10)


def test_the_reference_agrees_once_it_searches_to_the_end() -> None:
    fit = balm.pool(BCG, model="ivhet", tau2="DL", inference="henmi-copas")
    # its integral is good to 4e-11 here; the twin above takes our side to 1e-13
    assert (fit.interval.low, fit.interval.high) == pytest.approx(AS_METAFOR, rel=1e-9)
