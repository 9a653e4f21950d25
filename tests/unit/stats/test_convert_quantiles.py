"""Medians to means: published formulas by hand, order and scenario, the skewness test."""

from __future__ import annotations

import math
from statistics import NormalDist

import mpmath
import pytest

from balm.stats import convert
from balm.stats.convert.quantiles import METHODS, expected_range
from balm.vocabulary.problems import InputError

Z = NormalDist().inv_cdf
FULL = {"minimum": 2.0, "q1": 4.0, "median": 6.0, "q3": 9.0, "maximum": 17.0, "n": 21}


def test_luo_and_wan_by_hand() -> None:
    # Luo 2018 and Wan 2014 with their three scenarios, written out.
    range_only = convert.mean_sd_from_quantiles(minimum=2, median=6, maximum=17, n=21)
    w = 4 / (4 + 21**0.75)
    assert range_only.mean == pytest.approx(w * 9.5 + (1 - w) * 6, rel=1e-14)
    assert range_only.sd == pytest.approx(15 / (2 * Z((21 - 0.375) / 21.25)), rel=1e-12)
    quartiles = convert.mean_sd_from_quantiles(q1=4, median=6, q3=9, n=21)
    w = 0.7 + 0.39 / 21
    assert quartiles.mean == pytest.approx(w * 6.5 + (1 - w) * 6, rel=1e-14)
    assert quartiles.sd == pytest.approx(5 / (2 * Z((0.75 * 21 - 0.125) / 21.25)), rel=1e-12)


def test_shi_weights_range_and_quartiles() -> None:
    found = convert.mean_sd_from_quantiles(**FULL)
    by_range, by_iqr = 15 / (2 * Z(20.625 / 21.25)), 5 / (2 * Z(15.625 / 21.25))
    w = 1 / (1 + 0.07 * 21**0.6)  # Shi 2020: the share of the range falls as n grows
    assert found.sd == pytest.approx(w * by_range + (1 - w) * by_iqr, rel=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_shift_and_scale(method: str) -> None:
    scenario = METHODS[method].scenarios[0]
    kept = {"S1": ("minimum", "median", "maximum"), "S3": tuple(FULL)}[scenario]
    given = {k: v for k, v in FULL.items() if k in kept or k == "n"}
    moved = {k: v if k == "n" else 100 - 3 * v for k, v in given.items()}
    swap = {"minimum": "maximum", "maximum": "minimum", "q1": "q3", "q3": "q1"}
    moved = {swap.get(k, k): v for k, v in moved.items()}
    one, two = (
        convert.mean_sd_from_quantiles(**given, method=method),
        convert.mean_sd_from_quantiles(**moved, method=method),
    )
    assert two.mean == pytest.approx(100 - 3 * one.mean, rel=1e-12)
    assert two.sd == pytest.approx(3 * one.sd, rel=1e-12)


@pytest.mark.parametrize("n", [2, 3, 10, 35, 1000])
def test_expected_range_against_quadrature(n: int) -> None:
    mpmath.mp.dps = 30
    want = 2 * mpmath.quad(lambda x: 1 - mpmath.ncdf(x) ** n - mpmath.ncdf(-x) ** n, [0, 1, 2, 4, 8, 20])
    assert expected_range(n) == pytest.approx(float(want), rel=1e-13)


@pytest.mark.parametrize(
    ("n", "mean", "sd"),
    [
        (15, 7.75, math.sqrt((7.0**2 / 4 + 15.0**2) / 12)),  # SD by formula up to 15
        (16, 7.75, 15 / 4),  # range/4 from 16
        (25, 7.75, 15 / 4),  # mean by formula up to 25
        (26, 6.0, 15 / 4),  # the median from 26
        (70, 6.0, 15 / 4),
        (71, 6.0, 15 / 6),  # range/6 from 71
    ],
)
def test_limits_of_hozo(n: int, mean: float, sd: float) -> None:
    found = convert.mean_sd_from_quantiles(minimum=2, median=6, maximum=17, n=n, method="hozo2005")
    assert found.mean == pytest.approx(mean)
    assert found.sd == pytest.approx(sd)


def test_hozo_warns_far_outside_and_is_refused_without_a_range() -> None:
    far = convert.mean_sd_from_quantiles(minimum=2, median=9, maximum=17, n=500, method="hozo2005")
    assert any("Hozo" in text for text in far.cautions)
    with pytest.raises(
        InputError, match=r"method 'hozo2005' takes minimum, median, maximum; got q1, median, q3: choose"
    ):
        convert.mean_sd_from_quantiles(q1=4, median=6, q3=9, n=21, method="hozo2005")
    with pytest.raises(InputError, match=r"method must be one of .*got 'luo'"):
        convert.mean_sd_from_quantiles(q1=4, median=6, q3=9, n=21, method="luo")


def test_normal_data_give_back_their_mean_and_sd() -> None:
    # Expected quartiles and extremes of a large normal sample: the answer is known.
    n = 10_000
    top = Z((n - 0.375) / (n + 0.25))
    given = {"minimum": 50 - 10 * top, "q1": 50 + 10 * Z(0.25), "median": 50.0, "q3": 50 + 10 * Z(0.75)}
    found = convert.mean_sd_from_quantiles(**given, maximum=50 + 10 * top, n=n)
    assert (found.mean, found.sd) == pytest.approx((50, 10), rel=1e-3)
    assert not found.cautions


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"q1": 7, "median": 6, "q3": 9}, r"q1 must not exceed median; got q1=7, median=6"),
        ({"minimum": 5, "q1": 4, "median": 6, "q3": 9, "maximum": 10}, r"minimum must not exceed q1"),
        ({"q1": 4, "median": 6, "q3": 5}, r"median must not exceed q3"),
        ({"q1": 4, "median": 6}, r"q1 and q3 belong together"),
        ({"q1": 4, "median": 6, "q3": 9, "maximum": 12}, r"minimum and maximum belong together"),
        ({"median": 6}, r"a median alone gives no spread"),
        ({"q1": 6, "median": 6, "q3": 6}, r"they give no spread"),
        ({"q1": 4, "median": "six", "q3": 9}, r"median must be a number; got 'six'"),
        ({"q1": 4, "median": math.nan, "q3": 9}, r"median must be a finite number; got nan"),
        ({"q1": 4, "median": 6, "q3": 9, "n": 0}, r"n must be at least 2; got 0"),
    ],
)
def test_bad_summaries(given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        convert.mean_sd_from_quantiles(**{"n": 20, **given})


def test_missing_quartiles_in_an_array_mean_not_reported() -> None:
    found = convert.mean_sd_from_quantiles(
        minimum=[2, None, 1], q1=[None, 4, None], median=[6, 6, None], q3=[None, 9, None], maximum=[17, None, 9], n=21
    )
    assert found.mean[0] == convert.mean_sd_from_quantiles(minimum=2, median=6, maximum=17, n=21).mean
    assert found.mean[1] == convert.mean_sd_from_quantiles(q1=4, median=6, q3=9, n=21).mean
    assert math.isnan(found.mean[2]) and math.isnan(found.sd[2])


def test_skewed_data_are_pointed_out() -> None:
    skewed = convert.mean_sd_from_quantiles(q1=4, median=5, q3=20, n=60)
    assert "skewed" in skewed.cautions[0]
    for scenario in (
        {"minimum": 0, "median": 1, "maximum": 60},
        {"minimum": 0, "q1": 0.5, "median": 1, "q3": 20, "maximum": 60},
    ):
        assert convert.skewness_test(**scenario, n=60).skewed
    assert convert.skewness_test(minimum=0, q1=4, median=5, q3=6, maximum=10, n=60).skewed is False


def test_size_of_the_skewness_test() -> None:
    # Shi 2023: near 5 % of normal samples are called skewed, in each scenario.
    import numpy as np

    rng, n, runs = np.random.default_rng(20230701), 101, 1500
    x = np.sort(rng.standard_normal((runs, n)), axis=1)
    a, q1, m, q3, b = (x[:, i].tolist() for i in (0, 25, 50, 75, 100))
    for given in (
        {"minimum": a, "maximum": b},
        {"q1": q1, "q3": q3},
        {"minimum": a, "maximum": b, "q1": q1, "q3": q3},
    ):
        share = float(np.mean(convert.skewness_test(median=m, n=n, **given).skewed))
        assert 0.03 < share < 0.075, (sorted(given), share)
