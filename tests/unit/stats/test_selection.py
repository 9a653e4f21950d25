"""Selection models: their likelihood against direct integration, edges, bad input, intervals, clusters."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pool import pool
from balm.stats.regression.meta_regression import meta_regression
from balm.stats.selection.fitted import SelectionModel
from balm.stats.selection.selection_model import WEIGHTS, selection_model
from balm.stats.selection.weight_functions import WEIGHT_FUNCTIONS
from balm.vocabulary.problems import InputError

#: Passive smoking and lung cancer (Hackshaw 1998), log odds ratios.
SMOKING = EffectSizes(
    effect=np.fromstring(
        """0.1655 0.3716 0.7031 0.1823 -0.2877 0.7275 0.7561 -0.2231 -0.2357 0.6981 0.2070 0.1823 0.4187 0.0296 0.4383
        0.0296 0.8502 0.5008 0.1740 0.4187 0.7701 0.0770 0.9361 0.4824 0.0583 -0.2357 -0.3011 0.8198 -0.0305 0.4700
        0.1740 0.5068 0.2311 0.0953 0.5068 0.1484 0.1044""",
        sep=" ",
    ),
    variance=np.fromstring(
        """0.0188 0.0330 0.5402 0.0313 0.0797 0.2273 0.0889 0.1927 0.3390 0.0981 0.0456 0.2317 0.0796 0.2174 0.0770
        0.0715 0.2926 0.0324 0.0363 0.4839 0.1238 0.0711 0.3982 0.0896 0.0337 0.0161 0.1802 0.3171 0.0125 0.1137
        0.0893 0.1760 0.0100 0.0862 0.0399 0.0364 0.0664""",
        sep=" ",
    ),
    measure="OR",
)
FEW = SMOKING[0:8]


def weight(name: str, p: float, delta: Any, scale: float, threshold: float | None) -> float:
    """By the formulas of the papers."""
    if name in ("beta", "power"):
        p = min(max(p, 1e-5), 1.0 - 1e-5)
    d = delta[0] * scale
    if name == "beta":
        return p ** (d - 1.0) * (1.0 - p) ** (delta[1] - 1.0)

    def of(p: float) -> float:
        if name == "half-normal":
            return math.exp(-d * p * p)
        if name == "negative-exponential":
            return math.exp(-d * p)
        if name == "logistic":
            return 2.0 * math.exp(-d * p) / (1.0 + math.exp(-d * p))
        if name == "power":
            return (1.0 - p) ** d
        return math.exp(-d * p ** (1.0 / delta[1]))

    if threshold is None:
        return of(p)
    return 1.0 if p <= threshold else of(p) / of(threshold)


def direct(
    es: EffectSizes, name: str, alternative: str, mean: float, tau2: float, delta: Any, *,
    imprecision: bool = False, threshold: float | None = None,
) -> float:  # fmt: skip
    """The log-likelihood with every integral by adaptive quadrature between the kinks."""
    largest = float(np.max(es.se))
    total = 0.0
    for y, v in zip(es.effect.tolist(), es.variance.tolist(), strict=True):
        se, sd = math.sqrt(v), math.sqrt(v + tau2)
        scale = se / largest if imprecision else 1.0

        def p_of(x: float, se: float = se) -> float:
            z = abs(x) / se if alternative == "two-sided" else x / se if alternative == "greater" else -x / se
            return (1.0 if alternative == "two-sided" else 0.5) * math.erfc(z / math.sqrt(2.0))

        def integrand(x: float, sd: float = sd, p_of: Any = p_of, scale: float = scale) -> float:
            return (
                weight(name, p_of(x), delta, scale, threshold)
                * math.exp(-0.5 * ((x - mean) / sd) ** 2)
                / (sd * math.sqrt(2.0 * math.pi))
            )

        tail = 0.5 if alternative == "two-sided" else 1.0
        kinks = {0.0, *(s * se * float(norm.isf(1e-5 * tail)) for s in (-1, 1))}
        if alternative == "two-sided":
            kinks |= {s * se * float(norm.isf(0.5 * (1.0 - 1e-5))) * 10.0**j for s in (-1, 1) for j in range(6)}
        if threshold is not None:
            kinks |= {s * se * float(norm.isf(threshold * tail)) for s in (-1, 1)}
        ends = [mean - 12.0 * sd, *sorted(k for k in kinks if abs(k - mean) < 12.0 * sd), mean + 12.0 * sd]
        mass = sum(quad(integrand, a, b, epsabs=1e-14, epsrel=1e-12)[0] for a, b in pairwise(ends))
        total += math.log(weight(name, p_of(y), delta, scale, threshold)) + norm.logpdf(y, mean, sd) - math.log(mass)
    return total


@pytest.mark.parametrize("alternative", ["greater", "less", "two-sided"])
@pytest.mark.parametrize("name", list(WEIGHT_FUNCTIONS))
def test_the_likelihood_is_that_of_direct_integration(name: str, alternative: str) -> None:
    es = FEW[0:4]
    delta = [0.8, 1.4] if len(WEIGHT_FUNCTIONS[name].neutral) == 2 else [1.7]
    ways: list[dict[str, Any]] = [{}]
    if WEIGHT_FUNCTIONS[name].imprecision:
        p = norm.sf(es.effect / es.se) if alternative == "greater" else norm.cdf(es.effect / es.se)
        p = 2.0 * norm.sf(abs(es.effect / es.se)) if alternative == "two-sided" else p
        ways += [{"imprecision": "se", "threshold": float(np.sort(p)[1]) + 0.01}]
    for way in ways:
        found = selection_model(es, name, alternative=alternative, fixed=delta, **way)
        want = direct(
            es, name, alternative, found.estimate, found.tau2, delta,
            imprecision="imprecision" in way, threshold=way.get("threshold"),
        )  # fmt: skip
        assert found.log_likelihood == pytest.approx(want, abs=1e-9)


def test_standard_errors_are_those_of_the_directly_integrated_curvature() -> None:
    """Where metafor's differ by 2 % (half-normal, passive smoking)."""
    found = selection_model(SMOKING, "half-normal")
    at = np.array([found.estimate, found.tau2, found.delta[0]])
    h = np.array([2e-3, 1e-3, 2e-2])

    t = np.linspace(-12.0, 12.0, 4001)

    def height(x: Any) -> float:
        """Trapezia over a smooth function that dies away at both ends: exact."""
        sd = np.sqrt(SMOKING.variance + x[1])
        inside = x[0] + sd[:, None] * t
        seen = np.exp(-x[2] * norm.sf(inside / SMOKING.se[:, None]) ** 2)
        mass = seen @ norm.pdf(t) * (t[1] - t[0])
        own = -x[2] * norm.sf(SMOKING.effect / SMOKING.se) ** 2
        return float(np.sum(own + norm.logpdf(SMOKING.effect, x[0], sd) - np.log(mass)))

    curvature = np.empty((3, 3))
    e = np.diag(h)
    for i in range(3):
        for j in range(i + 1):
            corners = [height(at + a * e[i] + b * e[j]) * a * b for a in (1, -1) for b in (1, -1)]
            curvature[i, j] = curvature[j, i] = sum(corners) / (4.0 * h[i] * h[j])
    errors = np.sqrt(np.diag(np.linalg.inv(-curvature)))
    assert [found.se[0], found.tau2_se, found.delta_se[0]] == pytest.approx(errors, rel=2e-3)


@pytest.mark.parametrize("name", WEIGHTS)
def test_turning_every_effect_turns_the_answer(name: str) -> None:
    other = EffectSizes(effect=-SMOKING.effect, variance=SMOKING.variance)
    a, b = selection_model(SMOKING, name), selection_model(other, name, alternative="less")
    assert a.estimate == pytest.approx(-b.estimate, abs=1e-9)
    assert (a.log_likelihood, a.tau2) == pytest.approx((b.log_likelihood, b.tau2), abs=1e-9)
    assert a.interval.low == pytest.approx(-b.interval.high, abs=1e-8)


@pytest.mark.parametrize("name", ["step", "truncated", "beta", "power"])
def test_the_unit_of_the_outcome_does_not_matter(name: str) -> None:
    plain = selection_model(SMOKING, name)
    for unit in (1e-8, 1e8):
        scaled = EffectSizes(effect=SMOKING.effect * unit, variance=SMOKING.variance * unit**2)
        found = selection_model(scaled, name)
        assert found.estimate / unit == pytest.approx(plain.estimate, rel=1e-8)
        assert found.tau2 / unit**2 == pytest.approx(plain.tau2, rel=1e-7)
        assert found.log_likelihood == pytest.approx(plain.log_likelihood - len(SMOKING) * math.log(unit), abs=1e-6)


def test_no_selection_is_the_plain_maximum_likelihood_fit() -> None:
    found = selection_model(SMOKING, steps=0.05, fixed=[1.0, 1.0])
    ml = pool(SMOKING, tau2="ML", inference="wald")
    assert found.estimate == pytest.approx(ml.estimate, abs=1e-9)
    assert found.tau2 == pytest.approx(ml.tau2, abs=1e-9)
    assert (found.test.df, math.isnan(found.test.p)) == (0, True)
    assert found.test.statistic == pytest.approx(0.0, abs=1e-9)


def test_hedges_worked_example() -> None:
    """As far as effects and variances in four decimals go."""
    found = selection_model(SMOKING, steps=[0.025, 0.10, 0.5, 1])
    assert found.estimate == pytest.approx(0.0020, abs=1e-3)
    assert found.delta == pytest.approx([1.0, 0.49465, 0.21363, 0.06185], abs=1e-3)
    assert found.test.statistic == pytest.approx(6.40198, abs=5e-3)
    assert [w.studies for w in found.weights] == [7, 8, 16, 6]


def test_profile_intervals_reach_the_likelihood_that_they_claim() -> None:
    found = selection_model(SMOKING, steps=[0.025, 0.5])
    cut = found.log_likelihood - 0.5 * 3.841458820694124
    ends = found.profile_interval("0.025 < p <= 0.5")
    for end in ends:
        held = selection_model(SMOKING, steps=[0.025, 0.5], fixed=[1.0, end, None])
        assert held.log_likelihood == pytest.approx(cut, abs=1e-6)
    assert found.profile_interval("tau2").low == 0.0
    mean = found.profile_interval("mean", level=0.5)
    assert found.profile_interval("mean").low < mean.low < found.estimate < mean.high
    turned = EffectSizes(effect=-SMOKING.effect, variance=SMOKING.variance)
    other = selection_model(turned, steps=[0.025, 0.5], alternative="less").profile_interval("mean", level=0.5)
    assert (other.low, other.high) == pytest.approx((-mean.high, -mean.low), abs=1e-7)


def test_tau2_at_zero_has_no_error_and_a_test_of_nothing() -> None:
    es = EffectSizes(effect=[0.1, 0.12, 0.3, 0.2, 0.15, 0.22], variance=[0.01, 0.02, 0.02, 0.01, 0.03, 0.01])
    found = selection_model(es)
    assert found.tau2 == 0.0
    assert math.isnan(found.tau2_se)
    assert found.se[0] > 0.0
    assert found.heterogeneity_test.statistic == pytest.approx(0.0, abs=1e-9)
    common = selection_model(pool(es, model="common"))
    assert common.log_likelihood == pytest.approx(found.log_likelihood, abs=1e-10)
    assert math.isnan(common.heterogeneity_test.statistic)


def test_intervals_without_a_study_have_weight_0_and_the_next_one_is_the_measure() -> None:
    es = EffectSizes(effect=[0.1, 0.2, -0.1, 0.15, 0.3, 0.05, 0.0], variance=[0.04] * 7)
    found = selection_model(es, steps=[0.025, 0.5, 0.99])
    assert found.delta[[0, 1, 3]].tolist() == [0.0, 1.0, 0.0]
    assert [said for said in found.advice if "estimated as 0" in said]
    nearly = selection_model(es, steps=[0.025, 0.5, 0.99], fixed=[1e-9, 1.0, None, 1e-9])
    assert found.log_likelihood == pytest.approx(nearly.log_likelihood, abs=1e-6)


def test_several_maxima_are_all_told_and_the_highest_is_the_fit() -> None:
    found = selection_model(SMOKING, "beta")
    assert [round(m.log_likelihood, 3) for m in found.maxima] == pytest.approx([-7.81, -9.035], abs=0.01)
    assert found.estimate == pytest.approx(found.maxima[0].beta[0])
    assert "several maxima" in " ".join(found.advice)


def test_the_estimated_truncation_point_is_the_best_of_all() -> None:
    found = selection_model(FEW[0:7], "truncated", truncation="estimate")
    best = max(
        selection_model(FEW[0:7], "truncated", truncation=float(point) + shift).log_likelihood
        for point in np.sort(FEW.effect[0:7])[:-1]
        for shift in (-1e-9, 1e-9)
    )
    assert found.log_likelihood == pytest.approx(best, abs=1e-6)
    assert found.choices.truncation in FEW.effect.tolist()


def test_what_rises_for_ever_is_not_a_number() -> None:
    """Every study just significant: the more the others are hidden, the better."""
    z = np.linspace(1.97, 2.4, 12)
    se = np.linspace(0.1, 0.5, 12)
    found = selection_model(EffectSizes(effect=z * se, variance=se**2), "half-normal")
    assert math.isnan(found.estimate) or "rises further" in " ".join(found.advice)
    if found.reason:
        assert "not estimable" in repr(found)
        assert math.isnan(found.profile_interval("tau2").low)


def test_moderators_are_those_of_the_regression() -> None:
    x = np.sin(np.arange(len(SMOKING)))
    plain = meta_regression(SMOKING, {"x": x}, tau2="ML", inference="wald")
    found = selection_model(plain, steps=0.05)
    assert found.names == ("intercept", "x")
    none = selection_model(plain, steps=0.05, fixed=[1.0, 1.0])
    assert none.beta == pytest.approx(plain.beta, abs=1e-8)
    assert none.se == pytest.approx(plain.se, rel=0.2)
    assert found["x"].se > 0.0
    with pytest.raises(InputError, match="not one mean"):
        found.estimate  # noqa: B018


def test_clusters_change_errors_alone_and_one_effect_a_cluster_is_the_plain_sandwich() -> None:
    plain = selection_model(SMOKING)
    pairs = selection_model(SMOKING, cluster=[i // 2 for i in range(len(SMOKING))])
    assert pairs.beta == pytest.approx(plain.beta)
    assert pairs.se[0] != pytest.approx(plain.se[0], rel=1e-3)
    assert math.isnan(pairs.test.p)
    doubled = EffectSizes(
        effect=np.repeat(SMOKING.effect, 2), variance=np.repeat(SMOKING.variance, 2)
    )  # each study twice: robust errors see through it
    seen = selection_model(doubled, cluster=np.repeat(np.arange(len(SMOKING)), 2))
    alone = selection_model(SMOKING, cluster=np.arange(len(SMOKING)))
    assert seen.se == pytest.approx(alone.se, rel=1e-6)
    assert seen.delta_se == pytest.approx(alone.delta_se, rel=1e-6, nan_ok=True)
    with pytest.raises(InputError, match="likelihood"):
        pairs.profile_interval("tau2")


def test_selection_is_seen_through() -> None:
    """5,000 studies of which insignificant ones were seen with probability 0.3."""
    rng = np.random.default_rng(8)
    se = rng.uniform(0.1, 0.5, 12_000)
    y = rng.normal(0.2, np.sqrt(se**2 + 0.04))
    seen = (y / se > norm.isf(0.025)) | (rng.uniform(size=len(y)) < 0.3)
    found = selection_model(EffectSizes(effect=y[seen], variance=se[seen] ** 2))
    assert found.estimate == pytest.approx(0.2, abs=0.02)
    assert found.tau2 == pytest.approx(0.04, abs=0.01)
    assert found.delta[1] == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "steps"}, "kind must be one of"),
        ({"alternative": "right"}, "alternative must be one of"),
        ({"steps": [0.0]}, "above 0 and at most 1"),
        ({"steps": [0.05, 0.05]}, "differ"),
        ({"steps": 1}, "no step"),
        ({"steps": [math.nan]}, "finite"),
        ({"fixed": [1.0]}, "2 values"),
        ({"fixed": [1.0, -0.5]}, "at least 0"),
        ({"fixed": [0.0, 0.0]}, "all 0"),
        ({"fixed": [1.0, 0.0]}, "yet a study lies"),
        ({"truncation": 0.0}, "belongs to 'truncated'"),
        ({"kind": "beta", "steps": 0.025}, "belongs to 'step'"),
        ({"kind": "beta", "threshold": 0.05}, "does not apply to kind='beta'"),
        ({"kind": "beta", "fixed": [0.0, 1.0]}, "above 0"),
        ({"kind": "truncated", "alternative": "two-sided"}, "direction"),
        ({"kind": "truncated", "truncation": 9.0}, "no effect lies"),
        ({"kind": "truncated", "truncation": "somewhere"}, "'estimate'"),
        ({"kind": "half-normal", "imprecision": "sei"}, "imprecision must be one of"),
        ({"kind": "half-normal", "threshold": 0.9999999}, "one above it"),
        ({"kind": "half-normal", "imprecision": "inverse-sample-size"}, "sample sizes"),
        ({"kind": "half-normal", "censored_at": 0.001}, "does not apply"),
        ({"kind": "power", "censored_at": 0.5}, "at most 0.01"),
        ({"sample_size": [10] * 8}, "sample_size="),
        ({"level": 95}, "level must lie"),
    ],
)
def test_options_that_cannot_be_used_are_refused_with_a_way_out(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        selection_model(FEW, **options)


def test_data_that_cannot_be_used_are_refused() -> None:
    for k in (1, 2, 3):
        with pytest.raises(InputError, match="needs more studies than the"):
            selection_model(FEW[0:k], steps=0.2)
    with pytest.raises(InputError, match="inverse variance"):
        selection_model(pool(SMOKING, weights=np.ones(len(SMOKING))))
    with pytest.raises(InputError, match="takes a result"):
        selection_model([1.0, 2.0])  # type: ignore[arg-type]


def test_every_weight_function_gives_a_result_that_prints_and_writes() -> None:
    answers: dict[str, SelectionModel] = {name: selection_model(SMOKING, name) for name in WEIGHTS}
    heights = {round(found.log_likelihood, 6) for found in answers.values()}
    assert len(heights) == len(WEIGHTS)
    for name, found in answers.items():
        assert found.residual < 1e-6, name
        assert found.quadrature_error < 1e-9, name
        assert "without selection" in repr(found)
        assert len(found.to_frame()) == 2 + len(found.weights)
        assert found.to_dict()["kind"] == name
        shares = found.weight_at(np.array([0.001, 0.2, 0.7]))
        assert ((shares >= 0.0) & (shares <= 1.0)).all()
        assert found.prediction_interval.low <= found.interval.low
