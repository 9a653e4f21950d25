"""The way back from each analysis scale, and forth again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import balm
from balm.stats.measures import MEASURES
from balm.stats.transforms import (
    WAYS,
    analysed,
    displayed,
    displayed_interval,
    harmonic_mean,
    percent,
    percent_change,
)
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError
from balm.vocabulary.scale import Scale

ONE_OF_EACH_SCALE = sorted({measure.scale: code for code, measure in MEASURES.items()}.values())
GRID = np.linspace(-3.0, 3.0, 601)


def test_every_scale_of_every_measure_has_a_way_back() -> None:
    assert {measure.scale for measure in MEASURES.values()} == set(WAYS)


@pytest.mark.parametrize("code", ONE_OF_EACH_SCALE)
@pytest.mark.parametrize("n", [None, 1.0, 37.5, 1e6])
def test_the_way_back_never_falls(code: str, n: float | None) -> None:
    assert (np.diff(displayed(GRID, code, n_harmonic=n)) >= 0.0).all()


@pytest.mark.parametrize("code", ONE_OF_EACH_SCALE)
@pytest.mark.parametrize("n", [None, 50.0])
def test_forth_undoes_back(code: str, n: float | None) -> None:
    inner = np.linspace(0.15, 0.75, 61)
    assert analysed(displayed(inner, code, n_harmonic=n), code, n_harmonic=n) == pytest.approx(inner, rel=1e-9)


@pytest.mark.parametrize("code", ONE_OF_EACH_SCALE)
def test_nan_stays_nan_and_a_number_stays_a_number(code: str) -> None:
    assert math.isnan(displayed(math.nan, code, n_harmonic=20))
    assert isinstance(displayed(0.3, code), float)


@pytest.mark.parametrize("code", [c for c, m in MEASURES.items() if m.scale.ratio])
def test_no_effect_is_shown_as_one_for_ratios(code: str) -> None:
    assert displayed(0.0, code) == 1.0 == MEASURES[code].scale.null
    assert MEASURES[code].scale.axis == "log"


def test_ends_of_an_interval_keep_their_order_and_level() -> None:
    shown = displayed_interval(Interval(-1.0, 0.5, 0.9), "OR")
    assert (shown.low, shown.high, shown.level) == (math.exp(-1.0), math.exp(0.5), 0.9)


#: Miller (1978): the double arcsine of x events in n, halved, comes back as x/n whatever x.
@pytest.mark.parametrize("n", [1, 7, 250])
def test_freeman_tukey_comes_back_to_the_proportion(n: int) -> None:
    events = np.arange(n + 1)
    es = balm.effect_sizes("PFT", events=events, n=np.full(n + 1, n))
    assert displayed(es.effect, "PFT", n_harmonic=n) == pytest.approx(events / n, abs=1e-12)


@pytest.mark.parametrize("time", [0.5, 100.0])
def test_freeman_tukey_comes_back_to_the_rate(time: float) -> None:
    events = np.arange(30)
    es = balm.effect_sizes("IRFT", events=events, time=time)
    assert displayed(es.effect, "IRFT", n_harmonic=time) == pytest.approx(events / time, abs=1e-12)


@given(st.floats(0.001, 0.999), st.integers(1, 10_000))
def test_a_proportion_survives_the_double_arcsine(p: float, n: int) -> None:
    assert displayed(analysed(p, "PFT", n_harmonic=n), "PFT", n_harmonic=n) == pytest.approx(p, abs=1e-7)


@pytest.mark.parametrize(
    ("code", "value", "said"),
    [
        ("RR", 0.0, "above 0"),
        ("OR", -1.0, "above 0"),
        ("PLO", 1.0, "between 0 and 1"),
        ("ZCOR", 1.5, "between -1 and 1"),
    ],
)
def test_a_threshold_outside_the_scale_is_refused(code: str, value: float, said: str) -> None:
    with pytest.raises(InputError, match=f"{code}.*must lie {said}; got {value:g}"):
        analysed(value, code)


def test_an_unknown_measure_is_refused() -> None:
    with pytest.raises(InputError, match="measure must be one of"):
        displayed(0.0, "XX")


def test_per_cent() -> None:
    assert percent(0.25) == 25.0
    assert percent_change(math.log(1.1)) == pytest.approx(10.0)
    assert percent([0.5]).tolist() == [50.0]


def test_harmonic_mean() -> None:
    assert harmonic_mean([10, 40]) == 16.0


def test_a_scale_is_a_value() -> None:
    assert Scale("log", ratio=True, null=1.0, axis="log") == MEASURES["RR"].scale
