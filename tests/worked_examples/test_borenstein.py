"""The worked data sets of Borenstein, Hedges, Higgins & Rothstein 2009, Introduction to Meta-Analysis, chapter 14.

Analysis: Borenstein, Hedges, Higgins & Rothstein 2009, Introduction to Meta-Analysis
Where: chapter 14, tables 14.1, 14.4 and 14.7
Compared: SMD, odds ratios and correlations: common and random effects, Q, τ², Mantel-Haenszel, Peto
Figures: those of the book's worked data
Page: worked-examples/borenstein.md
"""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import effect_sizes
from balm.stats.pooling.pool import pool


def test_standardised_mean_differences() -> None:
    """Table 14.1; the book multiplies the variance by J squared ("LS2")."""
    es = effect_sizes(
        "SMD",
        study=["Carroll", "Grant", "Peck", "Donat", "Stewart", "Young"],
        mean_1=[94, 98, 98, 94, 98, 96],
        sd_1=[22, 21, 28, 19, 21, 21],
        n_1=[60, 65, 40, 200, 50, 85],
        mean_2=[92, 92, 88, 82, 88, 92],
        sd_2=[20, 22, 26, 17, 22, 22],
        n_2=[60, 65, 40, 200, 45, 85],
        variance_type="LS2",
    )
    common = pool(es, model="common")
    assert (common.estimate, common.se, common.q) == pytest.approx((0.414269, 0.063990, 12.0033), abs=6e-5)
    random = pool(es, tau2="DL", inference="wald")
    assert (random.tau2, random.estimate, random.se) == pytest.approx((0.037311, 0.358229, 0.105243), abs=6e-7)


def test_odds_ratios() -> None:
    """Table 14.4."""
    es = effect_sizes(
        "OR",
        study=["Saint", "Kelly", "Pilbeam", "Lane", "Wright", "Day"],
        events_1=[12, 8, 14, 25, 8, 16],
        n_1=[65, 40, 80, 400, 40, 65],
        events_2=[16, 10, 19, 80, 11, 18],
        n_2=[65, 40, 80, 400, 40, 65],
    )
    common = pool(es, model="common")
    assert (common.estimate, common.se, common.q) == pytest.approx((-0.724146, 0.153850, 10.5512), abs=6e-5)
    random = pool(es, tau2="DL", inference="wald")
    assert (random.tau2, random.estimate, random.se) == pytest.approx((0.172905, -0.566296, 0.238834), abs=6e-7)


def test_correlations() -> None:
    """Table 14.7, as Fisher's z."""
    es = effect_sizes(
        "ZCOR",
        study=["Fonda", "Newman", "Grant", "Granger", "Milland", "Finch"],
        r=[0.50, 0.60, 0.40, 0.20, 0.70, 0.45],
        n=[40, 90, 25, 400, 60, 50],
    )
    common = pool(es, model="common")
    assert (common.estimate, common.q) == pytest.approx((0.375039, 36.1437), abs=6e-5)
    random = pool(es, tau2="DL", inference="wald")
    assert (random.tau2, random.estimate, random.se) == pytest.approx((0.081870, 0.532781, 0.129803), abs=6e-7)
