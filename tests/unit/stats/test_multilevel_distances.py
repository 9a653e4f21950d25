"""Distances of spatial terms against metafor 3.8-1's ``dist=``: along coordinates, on the Earth, and as given.

``rma.mv(yi, vi, random=~lon+lat|const, struct="SPEXP", tau2=0.1, rho=, dist=)``: beta, its error, log-likelihood.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.multilevel.distances import DISTANCES
from balm.stats.multilevel.fitted import Multilevel
from balm.stats.multilevel.multilevel import multilevel
from balm.vocabulary.problems import InputError

# fmt: off
LON = [-3.28, 22.3, 5.4, 3.11, 14.08, 14.18, -5.01, 1.78, 13.1, 15.24, 10.48, 10.2, 11.36, 12.29, 24.72, 23.19, -5.54,
       18.15, 25.9, 1.19, -0.87, -9.39, -4.84, -6.26]
LAT = [42.11, 58.73, 52.99, 62.3, 51.81, 57.67, 46.38, 46.2, 40.11, 48.6, 42.75, 45.09, 61.69, 41.06, 52.38, 41.23,
       43.44, 58.59, 40.19, 52.12, 47.58, 43.03, 36.43, 38.1]
Y = [0.106, 0.004, 0.764, 0.705, 0.271, -0.155, 0.66, 0.641, 0.591, 0.595, 0.159, 0.582, 0.82, 0.315, -0.092, 0.618,
     0.615, 0.176, 0.98, -0.018, 0.439, -0.606, 0.235, 0.752]
V = [0.023, 0.022, 0.017, 0.037, 0.041, 0.037, 0.018, 0.038, 0.034, 0.024, 0.012, 0.026, 0.013, 0.023, 0.023, 0.013,
     0.016, 0.016, 0.047, 0.038, 0.043, 0.037, 0.019, 0.029]
# fmt: on
CITY = [f"city {i}" for i in range(24)]
PLACE = "lon + lat | all"


def spatial(random: str, distance: Any, **options: Any) -> Multilevel:
    return multilevel(
        EffectSizes(effect=Y, variance=V),
        random=random,
        structure=options.pop("structure", "SPEXP"),
        data={"lon": LON, "lat": LAT, "city": CITY},
        inference="wald",
        distance=None if distance is None else {random: distance},
        **options,
    )


def given(random: str, distance: Any, rho: float) -> list[float]:
    fit = spatial(random, distance, fixed={f"{random}: tau2": 0.1, f"{random}: rho": rho})
    return [fit.estimate, fit.se[0], fit.log_likelihood]


@pytest.mark.parametrize(
    ("distance", "rho", "want"),
    [
        ("great-circle", 500, [0.38954294945846, 0.12315036982726, -12.410645026697]),
        ("manhattan", 5, [0.38343715616949, 0.10524185698861, -11.075702562069]),
        ("maximum", 5, [0.39057880406293, 0.12288674376293, -13.557059454331]),
        ("euclidean", 5, [0.38552338791574, 0.11658372720555, -12.179145489262]),
        (None, 5, [0.38552338791574, 0.11658372720555, -12.179145489262]),
    ],
)
def test_as_metafor(distance: str | None, rho: float, want: list[float]) -> None:
    assert given(PLACE, distance, rho) == pytest.approx(want, rel=1e-11)


def test_a_matrix_of_distances_in_any_order_of_its_labels() -> None:
    """dist=list(M): the same numbers as by coordinates, and the same estimates where nothing is held."""
    at = np.column_stack([LON, LAT])
    matrix = DISTANCES["great-circle"](at[:, None, :] - at[None, :, :], at)
    turned = (CITY[::-1], matrix[::-1, ::-1])
    assert given("city | all", turned, 500) == pytest.approx(given(PLACE, "great-circle", 500), rel=1e-12)
    free, other = spatial("city | all", turned), spatial(PLACE, "great-circle")
    assert free.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-9)


def test_distances_on_the_earth() -> None:
    """Meeus (1999), Astronomical Algorithms, example 11.c: Paris to Washington, 6181.63 km; one place is 0 away."""
    at = np.array([[2 + 20 / 60 + 14 / 3600, 48 + 50 / 60 + 11 / 3600], [-77 - 3 / 60 - 56 / 3600, 38.921388888888885]])
    at = np.vstack([at, at[:1]])
    found = DISTANCES["great-circle"](at[:, None, :] - at[None, :, :], at)
    assert found[0, 1] == pytest.approx(6181.63, abs=0.01) and found[0, 2] == 0.0


SQUARE = np.ones((24, 24)) - np.eye(24)


@pytest.mark.parametrize(
    ("random", "distance", "said"),
    [
        (PLACE, "gcd", "must be one of .*'great-circle'"),
        (PLACE, (CITY, SQUARE), "goes with one column of labels"),
        ("city | all", SQUARE, "a labelled table or a pair"),
        ("city | all", (CITY[1:], SQUARE), "23 labels for a matrix of shape"),
        ("city | all", (CITY[1:], SQUARE[1:, 1:]), "lacks the level 'city 0'"),
        ("city | all", (CITY, -SQUARE), "missing, not finite or negative"),
        ("city | all", (CITY, SQUARE + np.eye(24)), "zeros on its diagonal"),
        ("lat + lon + lat | all", "great-circle", "takes longitude \\+ latitude"),
    ],
)
def test_refused(random: str, distance: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        spatial(random, distance)


def test_distances_belong_to_a_spatial_term() -> None:
    es, data = EffectSizes(effect=Y, variance=V), {"g": [0, 1] * 12, "city": np.repeat(range(12), 2).tolist()}
    with pytest.raises(InputError, match="has no effect on structure 'CS'"):
        multilevel(es, random="g | city", structure="CS", data=data, distance={"g | city": "maximum"})
    with pytest.raises(InputError, match=r"distance names \['city'\]"):
        multilevel(es, random="city", data=data, distance={"city": "maximum"})
