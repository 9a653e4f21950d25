"""The Copas selection model beyond its golden cases: slopes, a slow twin, edges, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pool import pool
from balm.stats.selection.copas import copas
from balm.stats.selection.copas_likelihood import CopasLikelihood
from balm.stats.selection.copas_path import contour_lines, surface
from balm.vocabulary.problems import InputError

ES = EffectSizes(
    effect=[0.12, 0.2, 0.35, 0.15, 0.5, 0.62, 0.9, 0.4, 1.1, 0.75],
    variance=[0.01, 0.015, 0.02, 0.03, 0.05, 0.08, 0.12, 0.07, 0.2, 0.16],
)
AT = (0.3, 0.12)


def naive(y: np.ndarray, s: np.ndarray, at: list[float], gamma: tuple[float, float]) -> float:
    """The log-likelihood, study by study, as Copas and Shi print it."""
    theta, tau2, rho = at
    total = 0.0
    for one, error in zip(y.tolist(), s.tolist(), strict=True):
        u = gamma[0] + gamma[1] / error
        ratio = stats.norm.pdf(u) / stats.norm.cdf(u)
        before = error**2 / (1.0 - ratio * (u + ratio) * rho**2)
        spread = tau2 + before
        r = rho * math.sqrt(before / spread)
        z = (u + r * (one - theta) / math.sqrt(spread)) / math.sqrt(1.0 - r * r)
        total += stats.norm.logpdf(one, theta, math.sqrt(spread)) + stats.norm.logcdf(z) - stats.norm.logcdf(u)
    return total


def test_likelihood_and_slopes_against_the_printed_formula() -> None:
    likelihood = CopasLikelihood(ES.effect, ES.se, AT[0] + AT[1] / ES.se)
    at = np.array([0.2, 0.03, 0.6])
    height, slopes = likelihood.value(at)
    assert height == pytest.approx(naive(ES.effect, ES.se, at.tolist(), AT), abs=1e-10)
    for j in range(3):
        h = 1e-6 * np.eye(3)[j]
        step = naive(ES.effect, ES.se, (at + h).tolist(), AT) - naive(ES.effect, ES.se, (at - h).tolist(), AT)
        assert slopes[j] == pytest.approx(step / 2e-6, abs=1e-6)


def test_the_fit_is_the_highest_maximum() -> None:
    row = copas(ES, missing="left", chances=[AT]).rows[1]
    best = max(
        -minimize(
            lambda at: -naive(ES.effect, ES.se, at.tolist(), AT),
            start,
            method="L-BFGS-B",
            bounds=[(None, None), (0.0, None), (0.0, 0.9999)],
        ).fun
        for start in ([0.3, 0.05, 0.2], [0.1, 0.0, 0.95], [0.2, 0.01, 0.7])
    )
    assert row.log_likelihood >= best - 1e-9
    assert row.log_likelihood == pytest.approx(best, abs=1e-5)


def test_without_selection_it_is_maximum_likelihood() -> None:
    first = copas(ES, chances=[AT]).original
    exact = pool(ES, tau2="ML", inference="wald")
    assert first.estimate == pytest.approx(exact.estimate, abs=1e-8)
    assert first.tau2 == pytest.approx(exact.tau2, abs=1e-8)
    w = 1.0 / (ES.variance + first.tau2)  # the observed information, in which mean and tau2 hang together
    e = ES.effect - first.estimate
    bend = np.array([[w.sum(), (w**2) @ e], [(w**2) @ e, (w**3) @ e**2 - 0.5 * (w**2).sum()]])
    assert first.se == pytest.approx(math.sqrt(np.linalg.inv(bend)[0, 0]), rel=1e-6)
    assert first.chance == 1.0 and first.unpublished == 0.0


def test_turned_and_stretched_data_give_turned_and_stretched_results() -> None:
    plain = copas(ES, chances=[AT])
    turned = copas(EffectSizes(effect=-100.0 * ES.effect, variance=1e4 * ES.variance), chances=[(AT[0], 100 * AT[1])])
    assert (plain.missing, turned.missing) == ("left", "right")
    assert turned.rows[1].estimate / -100.0 == pytest.approx(plain.rows[1].estimate, abs=1e-7)
    assert turned.rows[1].interval.low / -100.0 == pytest.approx(plain.rows[1].interval.high, abs=1e-5)
    assert turned.rows[1].residual_p == pytest.approx(plain.rows[1].residual_p, abs=1e-7)


def test_an_interval_at_the_bound_of_rho_ends_where_the_likelihood_has_fallen() -> None:
    row = copas(ES, chances=[(1.2, 0.15)]).rows[1]
    assert row.rho == 0.9999
    likelihood = CopasLikelihood(ES.effect, ES.se, 1.2 + 0.15 / ES.se)
    for end in row.interval:
        fallen = row.log_likelihood - likelihood.profile(end)
        assert fallen == pytest.approx(0.5 * stats.chi2.ppf(0.95, 1), abs=1e-4)


def test_it_recovers_a_mean_that_selection_hid() -> None:
    """A thousand studies, of which the small ones without effect stay unseen; the true mean is 0.2."""
    random = np.random.default_rng(8)
    s = random.uniform(0.1, 0.6, 3000)
    error, chance = random.normal(size=3000), random.normal(size=3000)
    gamma = (-0.5, 0.2)
    seen = gamma[0] + gamma[1] / s + 0.8 * error + 0.6 * chance > 0.0
    y = 0.2 + 0.1 * random.normal(size=3000) + s * error
    # What a study prints is its error before selection: s here; the model takes the error of what was seen.
    u = gamma[0] + gamma[1] / s
    ratio = stats.norm.pdf(u) / stats.norm.cdf(u)
    printed = s * np.sqrt(1.0 - 0.64 * ratio * (u + ratio))
    top = CopasLikelihood(y[seen], printed[seen], u[seen]).highest()
    assert np.average(y[seen], weights=1 / s[seen] ** 2) > 0.25
    assert top.beta[0] == pytest.approx(0.2, abs=3 * top.se)
    assert top.rho == pytest.approx(0.8, abs=0.15)


def test_contours_of_a_plane_and_of_a_saddle() -> None:
    x, y = np.linspace(0.0, 1.0, 5), np.linspace(0.0, 2.0, 4)
    (line,) = contour_lines(x, y, x[:, None] + 2.0 * y, 2.2)
    assert all(a + 2.0 * b == pytest.approx(2.2) for a, b in line)
    saddle = np.array([[1.0, 0.0], [0.0, 1.0]])
    two = contour_lines(np.array([0.0, 1.0]), np.array([0.0, 1.0]), saddle, 0.4)
    assert sorted(len(one) for one in two) == [2, 2]
    # The middle of the cell lies above the level: it belongs with the high corners, and the low ones are cut off.
    assert all({round(a, 3), round(b, 3)} & {0.0, 1.0} for one in two for a, b in one)
    ring = contour_lines(np.arange(3.0), np.arange(3.0), np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]), 0.5)
    assert len(ring) == 1 and ring[0][0] == ring[0][-1]


def test_the_line_begins_where_nearly_everything_is_seen() -> None:
    plane = surface(ES.effect, ES.se)
    first = plane.path[0]
    assert first[1] == pytest.approx(plane.gamma1[-1] + plane.slope * (first[0] - 2.0))
    assert list(plane.path) == sorted(plane.path, reverse=True)
    assert plane.slope > 0.0


def test_it_prints_and_writes() -> None:
    found = copas(ES, chances=[AT, (-0.2, 0.1)], level=0.9)
    assert found.level == found.rows[1].interval.level == 0.9
    assert "sensitivity analysis" in repr(found)
    assert found.to_dict()["missing"] == "left"
    assert next(iter(found.to_frame()["chance"])) == 1.0
    never = copas(ES, chances=[AT], significance=0.999)
    assert never.adjusted is None and math.isnan(never.estimate) and math.isnan(never.p)
    assert "no adjusted mean" in never.summary


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"missing": "top"}, "missing must be one of"),
        ({"chances": [(0.1, -1.0)]}, "gamma1 of at least 0"),
        ({"chances": [0.1]}, "must be pairs"),
        ({"chances": []}, "holds no pair"),
        ({"significance": 1.0}, "significance must lie"),
        ({"level": 95}, "level must lie"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        copas(ES, **options)  # type: ignore[arg-type]


def test_data_that_say_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="at least 3 studies"):
        copas(ES[0:2])
    with pytest.raises(InputError, match="in every study"):
        copas(EffectSizes(effect=[0.1, 0.2, 0.4], variance=[0.04, 0.04, 0.04]))
