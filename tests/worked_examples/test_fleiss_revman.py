"""Aspirin after myocardial infarction: seven trials, as RevMan 5 pools them.

Fleiss (1993) Stat Methods Med Res 2:121.  RevMan's own numbers, at full precision, stand in the RevMan 5 file and the
RevMan Web data package that the R package meta ships with this example (Mantel-Haenszel, fixed effect, odds ratio).

Analysis: Fleiss 1993 (Stat Methods Med Res 2:121), aspirin, as RevMan 5 pools it
Where: the RevMan 5 file and the RevMan Web data package that R meta ships
Compared: pooled odds ratio, interval, Q, I², z, weights
Figures: RevMan's own, at full precision, in its files
Page: worked-examples/aspirin-revman.md
"""

from __future__ import annotations

from math import exp

import pytest

from balm.stats.effect_sizes import effect_sizes
from balm.stats.pooling.mantel_haenszel import mantel_haenszel

TRIALS = {
    "study": ["MRC-1", "CDP", "MRC-2", "GASP", "PARIS", "AMIS", "ISIS-2"],
    "deaths_aspirin": [49, 44, 102, 32, 85, 246, 1570],
    "aspirin": [615, 758, 832, 317, 810, 2267, 8587],
    "deaths_placebo": [67, 64, 126, 38, 52, 219, 1720],
    "placebo": [624, 771, 850, 309, 406, 2257, 8600],
}
COLUMNS = {"events_1": "deaths_aspirin", "n_1": "aspirin", "events_2": "deaths_placebo", "n_2": "placebo"}


@pytest.fixture
def fit():
    return mantel_haenszel("OR", data=TRIALS, study="study", profile="revman5", **COLUMNS)


def test_pooled_odds_ratio(fit):
    assert exp(fit.estimate) == pytest.approx(0.8968655609130709, rel=1e-14)
    assert exp(fit.interval.low) == pytest.approx(0.8405144008917793, rel=1e-14)
    assert exp(fit.interval.high) == pytest.approx(0.9569947088336491, rel=1e-14)


def test_on_the_log_scale(fit):
    assert fit.estimate == pytest.approx(-0.10884930450701499, rel=1e-13)
    assert fit.se == pytest.approx(0.03310871452993482, rel=1e-14)
    assert abs(fit.statistic) == pytest.approx(3.287633061337987, rel=1e-13)


def test_heterogeneity(fit):
    assert fit.q == pytest.approx(9.946055983220074, rel=1e-13)
    assert fit.q_df == 6
    assert fit.i2 == pytest.approx(39.67458, abs=5e-6)


def test_a_single_trial():
    es = effect_sizes("OR", data=TRIALS, study="study", **COLUMNS)
    assert es.study[0] == "MRC-1"
    assert es.se[0] == pytest.approx(0.1972198088133556, rel=1e-14)


def test_arms_swapped_turn_the_ratio_round(fit):
    swapped = mantel_haenszel(
        "OR",
        data=TRIALS,
        events_1="deaths_placebo",
        n_1="placebo",
        events_2="deaths_aspirin",
        n_2="aspirin",
    )
    assert swapped.estimate == pytest.approx(-fit.estimate, rel=1e-13)
    assert swapped.se == pytest.approx(fit.se, rel=1e-13)


def test_events_turned_into_non_events_turn_the_odds_ratio_round(fit):
    survivors = mantel_haenszel(
        "OR",
        events_1=[n - e for n, e in zip(TRIALS["aspirin"], TRIALS["deaths_aspirin"], strict=True)],
        n_1=TRIALS["aspirin"],
        events_2=[n - e for n, e in zip(TRIALS["placebo"], TRIALS["deaths_placebo"], strict=True)],
        n_2=TRIALS["placebo"],
    )
    assert survivors.estimate == pytest.approx(-fit.estimate, rel=1e-13)
