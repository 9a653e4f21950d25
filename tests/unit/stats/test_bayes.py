"""Bayesian meta-analysis: against integrals by other means, closed forms, invariances, and its fast twin."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

import balm
from balm.stats import kernel
from balm.stats.bayes.bayes_many import COLUMNS
from balm.stats.bayes.tau_prior import PRIORS, TauPrior, empirical_rows, tau_prior
from balm.vocabulary.problems import InputError

ES = balm.EffectSizes(
    effect=[0.31, -0.12, 0.55, 0.20, 0.44, 0.02], variance=[0.04, 0.09, 0.05, 0.02, 0.12, 0.06], measure="GEN"
)


def test_known_tau_is_inverse_variance() -> None:
    # A prior that leaves tau no room gives the common-effect model: closed form.
    fit = balm.bayes(ES, tau="uniform", upper=1e-9)
    w = 1.0 / ES.variance
    assert fit.mu.mean == pytest.approx(float(w @ ES.effect / w.sum()), rel=1e-12)
    assert fit.mu.sd == pytest.approx(float(w.sum()) ** -0.5, rel=1e-12)
    assert fit.mu.interval.high - fit.mu.mean == pytest.approx(1.959963984540054 * float(w.sum()) ** -0.5, rel=1e-10)


def test_marginal_likelihood_and_bayes_factors_by_plain_integration() -> None:
    fit = balm.bayes(ES, tau="half-cauchy", scale=0.5, mu=(0.1, 1.5))

    def of_tau(tau: float, mean: float | None) -> float:
        if mean is None:  # the data are jointly normal with covariance diag(v + tau2) + 1.5^2
            cov = np.diag(ES.variance + tau * tau) + 1.5**2
            off = ES.effect - 0.1
        else:
            cov = np.diag(ES.variance + tau * tau)
            off = ES.effect - mean
        sign, log_det = np.linalg.slogdet(2.0 * math.pi * cov)
        assert sign > 0
        prior = 2.0 / (math.pi * 0.5 * (1.0 + (tau / 0.5) ** 2))
        return float(np.exp(-0.5 * (log_det + off @ np.linalg.solve(cov, off)))) * prior

    def total(mean: float | None) -> float:
        edges = (0.0, 0.05, 0.5, 5.0, 50.0, 1e4)
        return sum(quad(of_tau, a, b, args=(mean,), epsabs=0, epsrel=1e-12)[0] for a, b in pairwise(edges))

    whole = total(None)
    assert fit.marginal_likelihood == pytest.approx(whole, rel=1e-10)
    at_zero = of_tau(0.0, None) * math.pi * 0.5 / 2.0
    assert fit.bayes_factor_tau0 == pytest.approx(at_zero / whole, rel=1e-10)
    assert fit.bayes_factor_mu0 == pytest.approx(total(0.0) / whole, rel=1e-10)


def test_a_mixture_prior_weighs_its_parts_by_their_evidence() -> None:
    parts = [(0.8, 0.0, 0.2), (0.2, 0.0, 3.0)]
    fits = [balm.bayes(ES, tau="half-normal", scale=0.5, mu=part[1:]) for part in parts]
    mixed = balm.bayes(ES, tau="half-normal", scale=0.5, mu=parts)
    evidence = [part[0] * fit.marginal_likelihood for part, fit in zip(parts, fits, strict=True)]
    assert mixed.marginal_likelihood == pytest.approx(sum(evidence), rel=1e-12)
    mean = sum(e * fit.mu.mean for e, fit in zip(evidence, fits, strict=True)) / sum(evidence)
    assert mixed.mu.mean == pytest.approx(mean, rel=1e-11)
    assert mixed.probability_beyond(0.1) == pytest.approx(
        sum(e * f.probability_beyond(0.1) for e, f in zip(evidence, fits, strict=True)) / sum(evidence), rel=1e-11
    )


def test_scale_and_shift() -> None:
    fit = balm.bayes(ES, tau="half-normal", scale=0.5)
    for factor, shift in ((1e-6, 0.0), (1e6, 3e6)):
        other = balm.bayes(
            balm.EffectSizes(effect=factor * ES.effect + shift, variance=factor**2 * ES.variance),
            tau="half-normal",
            scale=0.5 * factor,
        )
        assert other.mu.median == pytest.approx(factor * fit.mu.median + shift, rel=1e-12)
        assert other.tau.interval.high == pytest.approx(factor * fit.tau.interval.high, rel=1e-8)
        assert other.shrinkage.sd == pytest.approx(factor * fit.shrinkage.sd, rel=1e-11)


def test_a_two_level_factor_is_two_means_under_a_common_tau() -> None:
    group = np.array([0.0, 0, 0, 1, 1, 1])
    fit = balm.bayes(ES, tau="half-normal", scale=0.5, moderators={"group": group}, at={"group": [1.0]})
    intercept, slope = fit.coefficients
    assert fit.names == ("intercept", "group")
    assert fit.mu.mean == pytest.approx(intercept.mean + slope.mean, rel=1e-11)
    turned = balm.bayes(ES, tau="half-normal", scale=0.5, moderators={"group": 1.0 - group}, at={"group": [0.0]})
    assert turned.mu.median == pytest.approx(fit.mu.median, rel=1e-11)
    assert turned.coefficients[1].sd == pytest.approx(slope.sd, rel=1e-10)


def test_shortest_interval_ends_are_as_dense_and_hold_their_probability() -> None:
    fit = balm.bayes(ES, tau="jeffreys")
    for posterior, interval in ((fit.mu_posterior, fit.mu.interval), (fit.tau_posterior, fit.tau.interval)):
        low, high = interval.low, interval.high
        assert posterior.density(low) == pytest.approx(posterior.density(high), rel=1e-8)
        assert posterior.cdf(high) - posterior.cdf(low) == pytest.approx(0.95, abs=1e-12)
    central = balm.bayes(ES, tau="jeffreys", interval="central")
    assert fit.mu.interval.high - fit.mu.interval.low <= central.mu.interval.high - central.mu.interval.low


def test_moments_that_do_not_exist_are_not_numbers() -> None:
    three = balm.EffectSizes(effect=[0.1, 0.2, 0.6], variance=[0.04, 0.03, 0.05])
    fit = balm.bayes(three, tau="uniform")  # the density of tau falls as tau^-2
    assert math.isinf(fit.tau.mean) and math.isinf(fit.mu.sd) and math.isnan(fit.mu.mean)
    assert math.isfinite(fit.mu.median)
    with pytest.raises(InputError, match="it takes 3 or more"):
        balm.bayes(balm.EffectSizes(effect=[0.1, 0.2], variance=[0.04, 0.03]), tau="uniform")
    one = balm.bayes(balm.EffectSizes(effect=[0.1], variance=[0.04]), tau="half-normal", scale=0.3)
    assert one.mu.median == pytest.approx(0.1)


@pytest.mark.parametrize("name", [name for name, kind in PRIORS.items() if kind.proper])
def test_proper_priors_integrate_to_one(name: str) -> None:
    given = {"location": -2.0, "df": 3.0, "shape": 2.0}
    prior = tau_prior(name, **{key: given.get(key, 0.7) for key in PRIORS[name].needs})
    v = ES.variance

    def density(z: float) -> float:
        return math.exp(float(prior.log_density(np.array([math.exp(z)]), v)[0]) + z)

    total = sum(quad(density, a, a + 10.0, epsabs=1e-13, epsrel=1e-12)[0] for a in np.arange(-80.0, 80.0, 10.0))
    if name == "conventional":
        assert 0.0 < total < math.inf  # known up to its constant
    elif name == "log-t":
        assert total == pytest.approx(1.0, abs=1e-5)  # a t with 5 df reaches beyond
    else:
        assert total == pytest.approx(1.0, abs=1e-9)


def test_empirical_distributions_keep_the_structure_of_their_models() -> None:
    # Locations are sums of an effect of the outcome and one of the comparison (and area): a misprint breaks that.
    for source in ("Turner 2015", "Rhodes 2015"):
        rows = [row for row in empirical_rows() if row["source"] == source and row["outcome"] != "general"]
        columns = sorted({(row["comparison"], row["area"]) for row in rows})
        at = {(row["outcome"], row["comparison"], row["area"]): float(row["location"]) for row in rows}
        for column in columns[1:]:
            both = [(o, at[o, *column] - at[o, *columns[0]]) for o in {r["outcome"] for r in rows}
                    if (o, *column) in at and (o, *columns[0]) in at]  # fmt: skip
            apart = [difference for _, difference in both]
            assert max(apart) - min(apart) <= 0.045, (source, column, both)
    assert (
        tau_prior(
            "rhodes", outcome="mental health indicators", comparison="pharmacological vs placebo/control"
        ).parameters["df"]
        == 5
    )


def test_many_are_the_same_posteriors() -> None:
    rng = np.random.default_rng(3)
    sizes = [2, 3, 4, 7, 12, 25, 60, 1]
    group = np.repeat(np.arange(len(sizes)), sizes)
    v = np.exp(rng.normal(-2.0, 0.9, len(group)))
    y = rng.normal(0.2, np.sqrt(v + 0.1))
    for prior, mu in ((tau_prior("half-normal", scale=0.5), None), (tau_prior("half-cauchy", scale=0.3), (0.0, 2.0))):
        many = balm.bayes_many(y, v, group, tau=prior, mu=mu)
        for i in range(len(sizes)):
            rows = group == i
            fit = balm.bayes(balm.EffectSizes(effect=y[rows], variance=v[rows]), tau=prior, mu=mu, interval="central")
            unit = fit.mu.interval.high - fit.mu.interval.low
            for ours, theirs in (
                (many.median[i], fit.mu.median),
                (many.low[i], fit.mu.interval.low),
                (many.high[i], fit.mu.interval.high),
                (many.pi_low[i], fit.prediction.interval.low),
                (many.pi_high[i], fit.prediction.interval.high),
                (many.tau_median[i], fit.tau.median),
                (many.tau_low[i], fit.tau.interval.low),
                (many.tau_high[i], fit.tau.interval.high),
                (many.tau_sd[i], fit.tau.sd),
            ):
                assert ours == theirs or abs(ours - theirs) <= 1e-8 * unit, (i, ours, theirs)
            if mu is not None:
                assert many.log_marginal[i] == pytest.approx(fit.log_marginal, abs=1e-9)


HARD = (
    tau_prior("uniform", upper=0.7),  # ends inside the posterior
    tau_prior("log-normal", location=-2.56, scale=1.74),  # 0 at tau = 0
    tau_prior("half-normal", scale=20.0),  # long tails in small groups
    tau_prior("lomax", scale=1.0, shape=6.0),
)


@pytest.mark.skipif(not kernel.available(), reason="the kernel was not built: no C compiler at install")
@pytest.mark.parametrize("mu", [None, (0.1, 0.7)])
@pytest.mark.parametrize("prior", [tau_prior("half-normal", scale=0.5), HARD[2]], ids=lambda prior: prior.name)
def test_many_by_the_kernel_equal_many_by_numpy(
    monkeypatch: pytest.MonkeyPatch, prior: TauPrior, mu: tuple[float, float] | None
) -> None:
    rng = np.random.default_rng(17)
    sizes = np.concatenate((rng.integers(9, 45, 8), [7, 80]))
    group = np.repeat(np.arange(len(sizes)), sizes)
    v = np.exp(rng.normal(-2.0, 1.5, len(group)))
    y = rng.normal(0.2, np.sqrt(v + rng.choice([0.0, 0.3, 2.0], len(sizes))[group]))
    fast = balm.bayes_many(y, v, group, tau=prior, mu=mu)
    monkeypatch.setattr(kernel, "library", lambda: None)
    slow = balm.bayes_many(y, v, group, tau=prior, mu=mu)
    for name in COLUMNS:
        a, b = (np.asarray(getattr(many, name)) for many in (fast, slow))
        unit: Any = (
            slow.tau_sd if name.startswith("tau") else slow.sd if name not in ("log_marginal", "p_below_0") else 1.0
        )
        unit = np.where(np.isfinite(unit), unit, 1.0)
        known = np.isfinite(b)
        assert np.array_equal(a[~known], b[~known], equal_nan=True), name
        assert np.max(np.abs(a[known] - b[known]) / np.broadcast_to(unit, b.shape)[known], initial=0.0) < 1e-9, name


@pytest.mark.parametrize("prior", HARD, ids=lambda prior: prior.name)
def test_many_where_few_nodes_are_not_enough(prior: TauPrior) -> None:
    rng = np.random.default_rng(11)
    sizes = [2, 3, 5, 9, 15, 40]
    group = np.repeat(np.arange(len(sizes)), sizes)
    v = np.exp(rng.normal(-2.0, 2.0, len(group)))
    y = rng.normal(0.2, np.sqrt(v + np.array([0.0, 1.0, 0.0, 0.3, 0.0, 2.0])[group]))
    many = balm.bayes_many(y, v, group, tau=prior)
    for i in range(len(sizes)):
        rows = group == i
        fit = balm.bayes(balm.EffectSizes(effect=y[rows], variance=v[rows]), tau=prior, interval="central")
        for prefix, part in (("", fit.mu), ("pi_", fit.prediction), ("tau_", fit.tau)):
            for name, want in (("median", part.median), ("low", part.interval.low), ("high", part.interval.high)):
                got = getattr(many, prefix + name)[i]
                assert abs(got - want) <= 1e-8 * part.sd, (prior.words, sizes[i], prefix + name, got, want)
        assert many.sd[i] == pytest.approx(fit.mu.sd, rel=1e-8)
        assert many.tau_sd[i] == pytest.approx(fit.tau.sd, rel=1e-8)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "have a unit"),
        ({"tau": "half-normal"}, "needs scale="),
        ({"tau": "half-normal", "scale": -1.0}, "positive number"),
        ({"tau": "jeffreys", "scale": 1.0}, "no parameter"),
        ({"tau": "gamma"}, "gamma"),
        ({"tau": "half-normal", "scale": 1.0, "mu": (0.0, 0.0)}, "sd positive"),
        ({"tau": "half-normal", "scale": 1.0, "mu": [(0.5, 0, 1), (0.1, 0, 1)]}, "add up to 1"),
        ({"tau": "half-normal", "scale": 1.0, "at": {"x": 1}}, "give moderators="),
        ({"tau": "half-normal", "scale": 1.0, "level": 1.0}, "level"),
        ({"tau": "turner", "outcome": "pain"}, "comparison"),
    ],
)
def test_bad_input(options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        balm.bayes(ES, **options)  # type: ignore[arg-type]


def test_shown() -> None:
    fit = balm.bayes(ES, tau="half-normal", scale=0.5)
    assert "credible interval" in fit.sentence() and "half-normal (scale 0.5)" in fit.methods()
    assert "new setting" in repr(fit) and "<table" in fit._repr_html_()
    forest = fit.forest().svg
    assert "Own effect" in forest and "Mean (95% CrI)" in forest
    assert "posterior" in fit.posterior_plot().svg


def test_figures_printed_for_three_estimates_under_the_jeffreys_prior() -> None:
    """Okumura 2018, "R de tanoshimu Bayes tokei nyumon", section 6.5, as R's bayesmeta prints them.

    It approximates the mixture on a grid (to 0.01 by default), so that its mean is near ours, and its standard
    deviation a number where tau has no second moment; what rests on tau alone agrees in all digits.
    """
    fit = balm.bayes(balm.EffectSizes(effect=[11.0, 13.0, 16.0], variance=[1.0, 1.0, 4.0]), tau="jeffreys")
    assert fit.tau.median == pytest.approx(2.35487034, abs=5e-9)
    assert fit.tau.mean == pytest.approx(3.67647047, abs=5e-9)
    assert fit.tau.mode == pytest.approx(1.39055194, abs=2e-6) and math.isinf(fit.tau.sd)
    assert tuple(fit.tau.interval)[:2] == pytest.approx((0.02912476, 10.14895476), abs=2e-5)
    assert fit.best_likelihood == pytest.approx((12.64934, 0.9470004), abs=1e-3)  # its search stops early
    assert fit.best_posterior == pytest.approx((12.66894, 1.0070604), abs=1e-3)
    assert (fit.mu.mode, fit.mu.median, fit.mu.mean) == pytest.approx((12.693292, 12.855986, 12.980341), abs=1e-3)
    assert tuple(fit.mu.interval)[:2] == pytest.approx((7.485701, 18.955488), abs=2e-3)
    assert fit.shrinkage.median.tolist() == pytest.approx([11.4313117, 12.9298433, 14.439061], abs=1e-3)
    assert fit.shrinkage.sd.tolist() == pytest.approx([0.9927761, 0.9349359, 1.888808], abs=1e-3)
    assert fit.shrinkage.low.tolist() == pytest.approx([9.4594936, 11.1165736, 11.181006], abs=1e-3)
    assert fit.shrinkage.high.tolist() == pytest.approx([13.3319573, 14.7865567, 18.370448], abs=1e-3)
