"""Leave-one-out and cumulative results: what is left out, in which order, and with the same choices throughout."""

from __future__ import annotations

import math

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.cumulative import cumulative
from balm.stats.pooling.leave_one_out import leave_one_out
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.peto import peto
from balm.stats.pooling.pool import pool
from balm.vocabulary.problems import InputError

EFFECTS = EffectSizes([0.1, 0.3, 0.8, -0.2], [0.04, 0.05, 0.06, 0.2], study=["A", "B", "C", "D"], measure="RR")
TABLES = {"events_1": [0, 3, 0, 10], "n_1": [50, 60, 40, 100], "events_2": [5, 4, 0, 2], "n_2": [50, 60, 40, 100]}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"model": "common"},
        {"tau2": "PM", "inference": "kenward-roger"},
        {"inference": "profile-likelihood"},
        {"profile": "revman5", "level": 0.9},
        {"tau2": 0.05},
        {"weights": "equal"},
        {"weights": [1.0, 2.0, 3.0, 4.0]},
        {"model": "ivhet"},
    ],
)
def test_each_row_is_the_pooled_result_of_the_others(options):
    found = leave_one_out(pool(EFFECTS, **options))
    for i in range(4):
        others = [j for j in range(4) if j != i]
        own = dict(options)
        if isinstance(own.get("weights"), list):
            own["weights"] = [own["weights"][j] for j in others]
        want = pool(EFFECTS[others], **own)
        got = found.fits[i]
        assert (got.estimate, got.se, got.tau2, got.i2, got.interval) == (
            want.estimate,
            want.se,
            want.tau2,
            want.i2,
            want.interval,
        )
        assert dict(got.conventions) == dict(want.conventions)
    assert found.study == ("A", "B", "C", "D") and len(found) == 4


@pytest.mark.parametrize("make", [lambda: mantel_haenszel("RR", **TABLES), lambda: peto(**TABLES)])
def test_sums(make):
    fit = make()
    assert len(leave_one_out(fit)) == fit.k == 3
    grown = cumulative(fit)
    assert grown.estimate[-1] == fit.estimate and grown.q[-1] == fit.q


def test_the_last_of_a_cumulative_series_is_the_whole():
    fit = pool(EFFECTS)
    grown = cumulative(fit, order=[4, 3, 2, 1])
    assert grown.study == ("D", "C", "B", "A")
    assert grown.estimate[-1] == pytest.approx(fit.estimate)
    assert grown.estimate[0] == -0.2 and math.isnan(grown.q[0])
    assert [f.k for f in grown.fits] == [1, 2, 3, 4]
    assert cumulative(fit, order=["B", "A", "D", "C"]).study == ("B", "A", "D", "C")
    assert cumulative(fit, order=np.array([2000, 1999, 2000, 1990])).study == ("D", "B", "A", "C")


def test_one_study_leaves_nothing():
    only = leave_one_out(pool(EFFECTS[0:1]))
    assert math.isnan(only.estimate[0]) and "estimate" in only.fits[0].reasons
    assert cumulative(pool(EFFECTS[0:1])).estimate.tolist() == [0.1]


def test_when_what_is_left_holds_no_information():
    kept = effect_sizes("OR", **TABLES)[[2, 3]]
    fit = mantel_haenszel(kept, double_zero="keep")
    found = leave_one_out(fit)
    assert math.isfinite(found.estimate[0]) and math.isnan(found.estimate[1])
    assert found.fits[1].reasons["estimate"].startswith("not estimable")


def test_what_it_shows():
    found = leave_one_out(pool(EFFECTS))
    frame = found.to_frame()
    assert frame["study"].tolist() == ["A", "B", "C", "D"] and frame["k"].tolist() == [3, 3, 3, 3]
    assert frame["displayed"].tolist() == pytest.approx(np.exp(frame["estimate"]).tolist())
    assert (frame["low"] < frame["estimate"]).all() and found.high.shape == found.p.shape == (4,)
    assert "A" in repr(found) and found.sentence() and found.methods() and "<table" in found._repr_html_()
    assert "<svg" in found.forest().svg
    assert "Cumulative" in repr(cumulative(pool(EFFECTS)))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: leave_one_out(EFFECTS), "takes a result of balm.pool"),
        (lambda: cumulative(EFFECTS), "takes a result of balm.pool"),
        (lambda: cumulative(pool(EFFECTS), order=[1, 2]), "2 entries for 4 pooled studies"),
        (lambda: cumulative(pool(EFFECTS), order="year"), "order must be one value"),
        (lambda: cumulative(pool(EFFECTS), order=[1, 2, 3, None]), "order is missing for D"),
        (lambda: cumulative(pool(EFFECTS), order=[1, 2, 3, "x"]), "mixes kinds"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(InputError, match=says):
        call()
