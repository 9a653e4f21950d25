"""Regression tests of a model with moderators against metafor 3.8-1's ``regtest`` of ``rma(yi, vi, mods=~ablat+year)``.

``d <- escalc("RR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=dat.bcg)``; ``control=list(threshold=1e-14)``.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

import balm
from balm.stats.regression.meta_regression import MetaRegression, meta_regression
from balm.stats.small_study.small_study_test import small_study_test
from balm.vocabulary.problems import InputError

# fmt: off
BCG: dict[str, Any] = {
    "events_1": [4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],
    "n_1": [123, 306, 231, 13598, 5069, 1541, 2545, 88391, 7499, 1716, 50634, 2498, 16913],
    "events_2": [11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
    "n_2": [139, 303, 220, 12867, 5808, 1451, 629, 88391, 7277, 1665, 27338, 2341, 17854],
}
MODS = {
    "ablat": [44, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33],
    "year": [1948, 1949, 1960, 1977, 1973, 1953, 1973, 1980, 1968, 1961, 1974, 1969, 1976],
}
# test, method, regtest's model and predictor, then zval, pval, slope, its se and tau2 of the fit
CASES = [
    ("wald", "REML", "random-effects", "se", -0.462292241626, 0.643871762549, -0.365030318459, 0.789609440936,
     0.121350611833),
    ("wald", "DL", "random-effects", "variance", -0.203321100032, 0.838884064513, -0.211513764257, 1.04029421552,
     0.0836598868938),
    ("hartung-knapp", "REML", "random-effects", "sample-size", 0.687871788148, 0.508871961136, 2.34536027325e-06,
     3.40958927762e-06, 0.136808185767),
    ("hartung-knapp", "DL", "random-effects", "inverse-sqrt-sample-size", -0.855689025151, 0.414369477136,
     -13.8902965216, 16.2328791341, 0.0789675720145),
    ("wald", None, "random-effects", "se", -1.77360866861, 0.0761279028228, -0.812380682595, 0.458038290505, 0.0),
    ("wald", "REML", "egger", "se", -1.06036622592, 0.316604016508, -0.8123806825955, 0.76613217465228, 0.0),
    ("wald", "REML", "egger", "inverse-sample-size", -0.502944961741, 0.627079993525, -123.1654378001353,
     244.888501068, 0.0),
]
# fmt: on


def fit(inference: str = "wald", tau2: str | None = "REML", **options: Any) -> MetaRegression:
    es = balm.effect_sizes("RR", **BCG)
    return meta_regression(es, MODS, model="random" if tau2 else "common", tau2=tau2, inference=inference, **options)


@pytest.mark.parametrize("case", CASES, ids=lambda c: "-".join(map(str, c[:4])))
def test_as_regtest(case: tuple[Any, ...]) -> None:
    inference, tau2, method, predictor, *want = case
    found = small_study_test(fit(inference, tau2), method, predictor=predictor)
    got = [found.statistic, found.p, found.slope, found.slope_se, found.tau2]
    assert got == pytest.approx(want, rel=1e-8, abs=1e-12)
    assert found.df == (9 if method == "egger" or inference != "wald" else math.inf)
    assert math.isnan(found.limit) and "beside moderators" in found.summary


def test_options_of_the_test_come_before_those_of_the_fit() -> None:
    """regtest of the fit with Hartung and Knapp's test, DL."""
    found = small_study_test(fit(), "random-effects", tau2="DL", inference="hartung-knapp")
    assert found.statistic == pytest.approx(-0.48677836694, rel=1e-9)
    assert found.line is not None and found.line.regression is not None
    assert found.line.regression.design.names[-1] == "standard error"


def test_the_multiplicative_error_is_that_of_the_line() -> None:
    """sigma of ``lm``: the ratio of the two models' standard errors."""
    line = small_study_test(fit(), "egger").line
    assert line is not None and line.sigma == pytest.approx(0.76613217465228 / 0.458038290505, rel=1e-9)


def test_without_an_intercept_the_line_has_none() -> None:
    found = small_study_test(fit(intercept=False), "random-effects")
    assert math.isnan(found.intercept) and found.df == math.inf and math.isfinite(found.p)


def test_refused() -> None:
    with pytest.raises(InputError, match="has no form with moderators"):
        small_study_test(fit(), "begg")
    es = balm.effect_sizes("RR", **BCG)
    with pytest.raises(InputError, match="has a moderator named 'standard error' already"):
        small_study_test(meta_regression(es, {"standard error": es.se}), "egger")
    with pytest.raises(InputError, match="cluster= does not apply"):
        small_study_test(fit(), "egger", cluster="study")
    with pytest.raises(InputError, match="needs at least 10 studies and there are 8"):
        small_study_test(meta_regression(es[:8], {"x": MODS["ablat"][:8]}), "egger")
