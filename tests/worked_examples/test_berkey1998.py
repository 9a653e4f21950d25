"""Surgical and non-surgical treatment of periodontal disease: five trials with two correlated outcomes.

Berkey, Hoaglin, Antczak-Bouckoms, Mosteller & Colditz (1998), Stat Med 17:2537, tables I and II: mean differences of
probing depth (PD) and attachment level (AL), their covariances, and the random-effects models by ML and REML with and
without year of publication. Further digits from metafor at machine precision.

Analysis: Berkey, Hoaglin, Antczak-Bouckoms, Mosteller & Colditz 1998 (Stat Med 17:2537)
Where: tables I and II
Compared: means, standard errors, variances and correlation by ML and REML, with and without year
Figures: table II (p. 2545), as the test of metafor-project.org/doku.php/analyses:berkey1998 checks it to four decimals;
    the models without year are not in the paper
Page: worked-examples/periodontal.md
"""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.multilevel.multilevel import multilevel

#: Year; PD, AL; var PD, cov, var AL (table I).
TRIALS = [
    (1983, 0.47, -0.32, 0.0075, 0.0030, 0.0077),
    (1982, 0.20, -0.60, 0.0057, 0.0009, 0.0008),
    (1979, 0.40, -0.12, 0.0021, 0.0007, 0.0014),
    (1987, 0.26, -0.31, 0.0029, 0.0009, 0.0015),
    (1988, 0.56, -0.39, 0.0148, 0.0072, 0.0304),
]
Y = [x for t in TRIALS for x in (t[2], t[1])]
V = [np.array([[t[5], t[4]], [t[4], t[3]]]) for t in TRIALS]
DATA = {"trial": [i for i in range(5) for _ in "xx"], "outcome": ["AL", "PD"] * 5}
ES = EffectSizes(effect=Y, variance=[x for t in TRIALS for x in (t[5], t[3])])
AL = [1.0, 0.0] * 5
PD = [0.0, 1.0] * 5


def fit(method: str, structure: str = "UN", moderators: dict[str, object] | None = None):  # type: ignore[no-untyped-def]
    return multilevel(
        ES,
        moderators or {"AL": AL, "PD": PD},
        intercept=False,
        random="outcome | trial",
        structure=structure,
        V=V,
        data=DATA,
        method=method,
        inference="wald",
    )


def test_reml() -> None:
    found = fit("REML")
    assert found.beta == pytest.approx([-0.3392152, 0.3534282], abs=5e-7)
    assert found.tau2 == pytest.approx([0.0326513, 0.0117330], abs=5e-7)
    assert found.rho == pytest.approx([0.608799], abs=2e-6)


def test_ml() -> None:
    found = fit("ML")
    assert found.beta == pytest.approx([-0.3379381, 0.3448392], abs=5e-7)
    assert found.se == pytest.approx([0.0797632, 0.0494598], abs=5e-7)
    assert found.tau2 == pytest.approx([0.0261445, 0.0070020], abs=5e-7)
    assert found.rho == pytest.approx([0.699230], abs=2e-6)


def test_table_ii_with_year() -> None:
    years = np.repeat([t[0] - 1983 for t in TRIALS], 2)
    columns = {"AL": AL, "PD": PD, "AL:year": np.array(AL) * years, "PD:year": np.array(PD) * years}
    found = fit("ML", moderators=columns)
    # the paper prints AL -0.335 (0.079), PD 0.348 (0.052), slopes -0.011 (0.024) and 0.001 (0.015)
    assert found.beta == pytest.approx([-0.335, 0.348, -0.011, 0.001], abs=6e-4)
    assert found.se == pytest.approx([0.079, 0.052, 0.024, 0.015], abs=6e-4)
    # the same with four decimals, and the variances, correlation and covariance
    assert found.beta == pytest.approx([-0.3351, 0.3479, -0.0108, 0.0010], abs=5.001e-5)
    assert found.se == pytest.approx([0.0787, 0.0520, 0.0243, 0.0154], abs=5.001e-5)
    assert found.tau2 == pytest.approx([0.0250, 0.0080], abs=5.001e-5)
    assert float(found.rho[0]) == pytest.approx(0.6587, abs=5.001e-5)
    assert found.components[0].covariance[0, 1] == pytest.approx(0.0093, abs=5.001e-5)


def test_two_outcomes_have_as_many_parameters_under_un_and_hcs() -> None:
    un, hcs = fit("REML"), fit("REML", "HCS")
    assert hcs.log_likelihood == pytest.approx(un.log_likelihood, abs=1e-10)
    assert hcs.beta == pytest.approx(un.beta, abs=1e-7)


def test_likelihood_ratio_of_the_correlation() -> None:
    un, diag = fit("REML"), fit("REML", "DIAG")
    test = un.compare(diag)
    assert test.df == 1
    assert test.statistic == pytest.approx(2 * (3.69176769437 - 3.201244714994), abs=1e-8)
