"""Location-scale models: against the likelihood written out, R's figures, and every place where there is no maximum."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import balm
from balm.stats.regression.location_scale import location_scale
from balm.stats.regression.scale_likelihood import ScaleLikelihood
from balm.vocabulary.problems import InputError

# Bangert-Drowns et al. 2004 (metadat): writing-to-learn interventions, standardised mean differences, sample sizes.
EFFECT = [0.65, -0.75, -0.21, -0.04, 0.23, 0.03, 0.26, 0.06, 0.06, 0.12, 0.77, 0, 0.52, 0.54, 0.2, 0.2, -0.16, 0.42,
          0.6, 0.51, 0.58, 0.54, 0.09, 0.37, -0.01, -0.13, 0.18, 0.27, -0.02, 0.33, 0.59, 0.84, -0.32, 0.12, 1.12,
          -0.12, -0.44, -0.07, 0.7, 0.49, 0.2, 0.58, 0.15, 0.63, 0.04, 1.46, 0.04, 0.25]  # fmt: skip
VARIANCE = [0.07, 0.126, 0.042, 0.019, 0.022, 0.009, 0.106, 0.007, 0.04, 0.052, 0.107, 0.021, 0.037, 0.083, 0.086,
            0.091, 0.167, 0.052, 0.091, 0.065, 0.073, 0.061, 0.1, 0.06, 0.083, 0.037, 0.069, 0.018, 0.009, 0.053,
            0.017, 0.112, 0.06, 0.044, 0.129, 0.023, 0.205, 0.033, 0.265, 0.039, 0.021, 0.067, 0.014, 0.168, 0.016,
            0.099, 0.087, 0.072]  # fmt: skip
SIZE = [60, 34, 95, 209, 182, 462, 38, 542, 99, 77, 40, 190, 113, 50, 47, 44, 24, 78, 46, 64, 57, 68, 40, 68, 48, 107,
        58, 225, 446, 77, 243, 39, 67, 91, 36, 177, 20, 120, 16, 105, 195, 62, 289, 25, 250, 51, 46, 56]  # fmt: skip
WRITING = balm.EffectSizes(effect=EFFECT, variance=VARIANCE)
HUNDREDS = {"ni100": np.array(SIZE) / 100.0}


def minus_log_likelihood(y: Any, v: Any, x: Any, t: Any, restricted: bool) -> float:
    """With matrices, as the books write it."""
    big = np.diag(v + t)
    inverse = np.linalg.inv(big)
    inside = x.T @ inverse @ x
    r = y - x @ np.linalg.solve(inside, x.T @ inverse @ y)
    k, p = x.shape
    found = k * math.log(2 * math.pi) + np.linalg.slogdet(big)[1] + r @ inverse @ r
    if restricted:
        found += -p * math.log(2 * math.pi) + np.linalg.slogdet(inside)[1] - np.linalg.slogdet(x.T @ x)[1]
    return float(0.5 * found)


def simulated(seed: int, k: int = 30) -> tuple[Any, Any, Any, Any]:
    rng = np.random.default_rng(seed)
    v = rng.gamma(2.0, 0.05, k)
    x = np.column_stack([np.ones(k), rng.normal(size=k)])
    z = np.column_stack([np.ones(k), rng.uniform(0.0, 2.0, k), rng.integers(0, 2, k)])
    y = 0.3 + 0.2 * x[:, 1] + rng.normal(size=k) * np.sqrt(v + np.exp(z @ [-2.0, 0.7, 0.5]))
    return y, v, x, z


@pytest.mark.parametrize("link", ["log", "identity"])
@pytest.mark.parametrize("restricted", [True, False])
def test_the_derivatives_are_those_of_the_likelihood_written_out(link: str, restricted: bool) -> None:
    y, v, x, z = simulated(1)
    found = ScaleLikelihood(y, v, x, z, link=link, restricted=restricted)
    g = found.turn @ np.array([-1.5, 0.4, 0.2]) if link == "log" else found.turn @ np.array([2.0, 0.4, 0.2])

    def height(at: Any) -> float:
        return minus_log_likelihood(y, v, x, found.variances(at), restricted)

    value, slope, curvature = found.evaluate(g)
    assert value == pytest.approx(height(g), rel=1e-12)
    h, eye = 1e-4, np.eye(3)
    assert slope == pytest.approx([(height(g + h * e) - height(g - h * e)) / (2 * h) for e in eye], abs=1e-6)
    twice = [
        [(height(g + h * (a + b)) - height(g + h * (a - b)) - height(g - h * (a - b)) + height(g - h * (a + b)))
         / (4 * h * h) for b in eye] for a in eye
    ]  # fmt: skip
    assert np.allclose(curvature, twice, atol=2e-5)
    many = found.heights(np.array([found.basis @ g, found.basis @ (g + 0.1)]))
    assert many[1] - many[0] == pytest.approx(height(g + 0.1) - height(g), rel=1e-10)


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_nothing_is_higher_than_the_fit(method: str, seed: int) -> None:
    from scipy.optimize import minimize

    y, v, x, z = simulated(seed)
    fit = location_scale(
        balm.EffectSizes(effect=y, variance=v), {"x": x[:, 1]}, {"a": z[:, 1], "b": z[:, 2]}, method=method
    )
    rng = np.random.default_rng(seed)
    ends = [
        minimize(
            lambda a: minus_log_likelihood(y, v, x, np.exp(np.clip(z @ a, -60, 60)), method == "REML"),
            rng.normal(size=3) * 2.0 - [2.0, 0.0, 0.0],
            method="BFGS",
        ).fun
        for _ in range(4)
    ]
    assert fit.log_likelihood >= -min(ends) - 1e-9
    assert fit.log_likelihood == pytest.approx(-minus_log_likelihood(y, v, x, fit.tau2, method == "REML"), abs=1e-10)
    assert fit.residual < 1e-8


def test_writing_to_learn_as_metafor() -> None:
    """metafor 3.8: rma(yi, vi, mods=~ni100, scale=~ni100, method="REML", test="t"); the optimiser ends at 1e-5."""
    fit = location_scale(WRITING, HUNDREDS, HUNDREDS)
    close = pytest.approx
    assert fit.location.beta == close([0.30168136, -0.05526633], abs=2e-6)
    assert fit.location.se == close([0.06611616, 0.01975462], abs=2e-6)
    assert fit.scale.beta == close([-1.92087855, -0.91742877], abs=5e-5)
    assert fit.scale.se == close([0.66898242, 0.51406477], abs=5e-5)
    assert fit.scale.p == close([0.00616024, 0.08091283], abs=1e-5)
    assert (fit.location.omnibus.statistic, fit.location.omnibus.p) == close((7.82679225, 0.00749275), abs=1e-4)
    assert (fit.scale.omnibus.statistic, fit.scale.omnibus.df2) == close((3.184997, 46.0), abs=1e-4)
    assert (fit.qe, fit.qe_df) == close((95.135231029, 46), abs=1e-8)
    assert fit.log_likelihood == close(-14.6505619967, abs=1e-8)
    assert (fit.aic, fit.bic, fit.aicc) == close((37.3011239934, 44.6156895794, 38.2767337495), abs=1e-8)
    one, two = fit.predict({"ni100": [1, 2]}, scale={"ni100": [1, 2]})
    assert (one.estimate, one.se, *one.interval) == close((0.24641503, 0.05066165, 0.14443843, 0.34839164), abs=1e-5)
    assert (*two.prediction_interval,) == close((-0.12664398, 0.50894139), abs=1e-5)
    first, second = fit.predict_tau2({"ni100": [1, 2]})
    assert (first.link, first.link_se, second.link_se) == close((-2.83830732, 0.41638271, 0.65401592), abs=5e-5)
    assert first.tau2 == close(math.exp(first.link))
    assert (*first.interval,) == close((math.exp(-3.67644224), math.exp(-2.00017240)), abs=5e-5)
    same = location_scale(WRITING, HUNDREDS, "~ 1")
    lr = fit.compare(same)
    assert (lr.statistic, lr.df, lr.p) == close((4.2748862584, 1, 0.0386795525), abs=1e-7)
    assert fit.equal_variances_test.statistic == close(lr.statistic, abs=1e-9)


def test_one_variance_for_all_is_the_usual_meta_regression() -> None:
    for method in ("REML", "ML"):
        fit = location_scale(WRITING, HUNDREDS, method=method, inference="wald")
        usual = balm.meta_regression(WRITING, HUNDREDS, tau2=method, inference="wald")
        assert fit.tau2 == pytest.approx(usual.tau2, rel=1e-8)
        assert fit.location.beta == pytest.approx(usual.beta, rel=1e-9)
        assert fit.location.covariance == pytest.approx(usual.covariance, rel=1e-9)
        assert fit.log_likelihood == pytest.approx(usual.fit_statistics[method]["log_likelihood"], abs=1e-11)
        assert math.exp(fit.scale.beta[0]) == pytest.approx(usual.tau2, rel=1e-8)
        y, v, x = WRITING.effect, WRITING.variance, fit.design.matrix
        three = [
            minus_log_likelihood(y, v, x, np.exp(fit.scale.beta[0] + h), method == "REML") for h in (-0.01, 0.0, 0.01)
        ]
        assert fit.scale.se[0] == pytest.approx(0.01 / math.sqrt(three[0] - 2.0 * three[1] + three[2]), rel=1e-4)


@pytest.mark.parametrize("factor", [1e-8, 1e-3, 1e8])
@pytest.mark.parametrize("link", ["log", "identity"])
def test_another_unit_of_the_effects_changes_nothing_else(factor: float, link: str) -> None:
    scaled = balm.EffectSizes(effect=np.array(EFFECT) * factor, variance=np.array(VARIANCE) * factor**2)
    here, there = (location_scale(es, HUNDREDS, HUNDREDS, link=link) for es in (WRITING, scaled))
    assert there.tau2 == pytest.approx(here.tau2 * factor**2, rel=1e-6)
    assert there.location.beta == pytest.approx(here.location.beta * factor, rel=1e-6)
    if link == "log":
        shift = [2.0 * math.log(factor), 0.0]
        assert there.scale.beta == pytest.approx(here.scale.beta + shift, abs=1e-7)
        assert there.scale.se == pytest.approx(here.scale.se, rel=1e-6)


def test_a_group_without_heterogeneity_is_a_limit_and_is_called_one() -> None:
    """Log link: its tau2 falls to 0 without end. All else is that of the other group alone and the common mean."""
    rng = np.random.default_rng(5)
    group = np.repeat([0.0, 1.0], 12)
    y = np.where(group == 1.0, np.linspace(0.29, 0.31, 24), 0.3 + rng.normal(size=24))
    es = balm.EffectSizes(effect=y, variance=np.full(24, 0.04))
    fit = location_scale(es, scale={"group": group}, method="ML")
    assert (fit.tau2[group == 1.0] == 0.0).all() and (fit.tau2[group == 0.0] > 0.1).all()
    assert fit.scale.beta[1] == -math.inf and math.isnan(fit.scale.se[1]) and math.isnan(fit.scale.p[1])
    assert math.isfinite(fit.scale.beta[0]) and 0.0 < fit.scale.se[0] < 2.0
    assert "run off without end" in fit.advice[0] and "and 9 more" in fit.advice[0]
    identity = location_scale(es, scale={"group": group}, method="ML", link="identity")
    assert identity.tau2 == pytest.approx(fit.tau2, abs=1e-8)
    assert identity.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-9)
    assert identity.location.beta == pytest.approx(fit.location.beta, abs=1e-9)
    assert np.isnan(identity.scale.se).all() and "at the bound" in identity.advice[0]
    assert fit.equal_variances_test.statistic == pytest.approx(identity.equal_variances_test.statistic, abs=1e-7)
    calm, lively = fit.predict_tau2({"group": [1.0, 0.0]})
    assert calm.tau2 < 1e-12 and math.isnan(calm.interval.low)
    assert lively.interval.low < lively.tau2 < lively.interval.high
    assert "-" in repr(fit) and "limit" in repr(fit)


def test_no_heterogeneity_at_all() -> None:
    es = balm.EffectSizes(effect=np.linspace(0.29, 0.31, 12), variance=np.full(12, 0.04))
    fit = location_scale(es, scale={"z": np.arange(12.0)}, link="identity")
    assert (fit.tau2 == 0.0).all()
    assert fit.location.beta[0] == pytest.approx(0.3)
    logs = location_scale(es, scale={"z": np.arange(12.0)})
    assert logs.tau2 == pytest.approx(0.0, abs=1e-12) and not np.isfinite(logs.scale.beta).any()


@pytest.mark.parametrize("seed", [2, 10])
def test_several_maxima_are_told_and_the_highest_is_taken(seed: int) -> None:
    rng = np.random.default_rng(seed)
    v = 10.0 ** rng.uniform(-3.0, 1.0, 8)
    es = balm.EffectSizes(effect=rng.normal(size=8) * 1.5, variance=v)
    fit = location_scale(es, scale={"z": rng.normal(size=8)}, method="ML")
    assert len(fit.maxima) == 2 and "several maxima" in fit.advice[0]
    assert fit.log_likelihood == fit.maxima[0].log_likelihood > fit.maxima[1].log_likelihood + 0.01
    for one in fit.maxima:  # both are: the likelihood falls on every side
        for step in ([0.05, 0.0], [-0.05, 0.0], [0.0, 0.05], [0.0, -0.05], [0.04, 0.04], [-0.04, 0.04]):
            t = np.exp(fit.scale.design.matrix @ (np.array(one.alpha) + step))
            assert -minus_log_likelihood(es.effect, v, np.ones((8, 1)), t, False) < one.log_likelihood


def test_a_higher_limit_is_told_beside_a_maximum() -> None:
    rng = np.random.default_rng(48)
    v = rng.gamma(2.0, 0.05, 14)
    g, z = rng.integers(0, 2, 14) * 1.0, rng.normal(size=14)
    es = balm.EffectSizes(effect=rng.normal(size=14) * np.sqrt(v), variance=v)
    fit = location_scale(es, scale={"g": g, "z": z}, method="ML")
    assert np.isfinite(fit.scale.beta).all() and np.isfinite(fit.scale.se).all()
    assert "rises further" in fit.advice[0]
    assert max(m.log_likelihood for m in fit.maxima) > fit.log_likelihood + 0.1


def test_a_limit_that_is_climbed_slowly_is_still_found() -> None:
    rng = np.random.default_rng(5)
    v = rng.gamma(2.0, 0.05, 14)
    g, z = rng.integers(0, 2, 14) * 1.0, rng.normal(size=14)
    es = balm.EffectSizes(effect=rng.normal(size=14) * np.sqrt(v), variance=v)
    fit = location_scale(es, scale={"g": g, "z": z}, method="ML")
    assert fit.log_likelihood == pytest.approx(0.72491426, abs=1e-5)
    assert not np.isfinite(fit.scale.beta).all() and "run off without end" in fit.advice[0]


def test_tables_words_and_values() -> None:
    fit = location_scale(WRITING, HUNDREDS, HUNDREDS)
    text = repr(fit)
    assert "tau2 from 0.001015 to 0.1265" in text and "Scale moderators: F(1, 46) = 3.185" in text
    assert "location" in text and text.endswith("13:697")
    assert "ni100" in repr(fit.scale) and "<pre>" in fit._repr_html_() and "<pre>" in fit.scale._repr_html_()
    table = fit.to_frame()
    assert list(table["part"]) == ["location", "location", "scale", "scale"]
    assert fit.to_dict()["tau2"] == fit.tau2.tolist()
    assert fit.k == 48 and len(fit.predict()) == 48
    wide = fit.bubble().svg
    assert "prediction interval" in wide
    assert wide != location_scale(WRITING, HUNDREDS, "~ 1").bubble().svg
    assert "one tau2" in location_scale(WRITING).summary


def test_what_cannot_be_done_is_said() -> None:
    fit = location_scale(WRITING, HUNDREDS, HUNDREDS, method="ML")
    with pytest.raises(InputError, match="fit both alike"):
        fit.compare(location_scale(WRITING, HUNDREDS))
    with pytest.raises(InputError, match="no special case"):
        fit.compare(location_scale(WRITING, {"other": np.arange(48.0)}, method="ML"))
    with pytest.raises(InputError, match="maximum likelihood"):
        location_scale(WRITING, HUNDREDS, HUNDREDS).compare(location_scale(WRITING, "~ 1", HUNDREDS))
    with pytest.raises(InputError, match="fewer coefficients"):
        fit.compare(fit)
    with pytest.raises(InputError, match="another location_scale fit"):
        fit.compare(balm.meta_regression(WRITING, HUNDREDS))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="same studies"):
        fit.compare(location_scale(WRITING[:47], method="ML"))
    with pytest.raises(InputError, match=r"scale= must give \['ni100'\]"):
        fit.predict({"ni100": [1]})
    with pytest.raises(InputError, match="2 rows and scale= has 3"):
        fit.predict({"ni100": [1, 2]}, scale={"ni100": [1, 2, 3]})
    with pytest.raises(InputError, match="no moderator to test"):
        _ = location_scale(WRITING).equal_variances_test
    with pytest.raises(InputError, match="method must be one of"):
        location_scale(WRITING, method="DL")
    with pytest.raises(InputError, match="4 studies cannot estimate 2 location and 2 scale"):
        location_scale(WRITING[:4], {"x": SIZE[:4]}, {"z": SIZE[:4]})
    with pytest.raises(InputError, match="takes effect sizes"):
        location_scale([0.1, 0.2])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no usable effect"):
        location_scale(
            balm.effect_sizes(
                "RR", events_1=[0, 1, 2, 3], n_1=[9] * 4, events_2=[0, 2, 2, 1], n_2=[9] * 4, drop_double_zero=True
            )
        )
    with pytest.raises(InputError, match="negative variance"):
        location_scale(WRITING, "~ 1", HUNDREDS, link="identity").predict_tau2({"ni100": [1000.0]})


def test_a_formula_reads_as_columns_do() -> None:
    data = {"ni100": HUNDREDS["ni100"]}
    fit = location_scale(WRITING, "~ ni100", "~ ni100", data=data)
    columns = location_scale(WRITING, HUNDREDS, HUNDREDS)
    assert fit.scale.beta == pytest.approx(columns.scale.beta, abs=1e-12)
    assert fit.scale["ni100"].estimate == fit.scale.beta[1]
