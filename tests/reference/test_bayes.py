"""Golden cases of the Bayesian normal-normal model (bayesmeta 3.4), which discretises tau: tolerance 5e-4.

Where the reference is the less exact one the test shows it: quantiles by adaptive quadrature of our own, moments that
hang on a long tail likewise, and modes and joint maxima by the density at both places.
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

from balm.stats.bayes.bayes import Bayes, bayes
from balm.stats.bayes.tau_prior import TauPrior, tau_prior
from balm.stats.effect_sizes import EffectSizes
from tests.reference.golden import close, golden_files, load

PRIORS = {
    "half-normal scale 0.5": ("half-normal", {"scale": 0.5}),
    "half-normal scale 1.0": ("half-normal", {"scale": 1.0}),
    "half-Cauchy scale 0.5": ("half-cauchy", {"scale": 0.5}),
    "improper uniform on tau": ("uniform", {}),
    "improper prior sqrt(tau)": ("sqrt", {}),
    "Jeffreys prior": ("jeffreys", {}),
    "Berger-Deely prior": ("berger-deely", {}),
    "DuMouchel prior": ("dumouchel", {}),
    "uniform in I2": ("i2", {}),
    "uniform shrinkage": ("shrinkage", {}),
}
SUMMARIES = {"mode": "mode", "median": "median", "mean": "mean", "sd": "sd"}


def prior_of(text: str) -> TauPrior:
    """Our name of the reference's prior."""
    name, parameters = next(found for words, found in PRIORS.items() if text.startswith(words))
    return tau_prior(name, **parameters)


def mu_of(given: Any) -> tuple[float, float] | None:
    """(mean, sd) of the reference's prior of the mean; None where flat."""
    return None if isinstance(given, str) else (float(given["mean"]), float(given["sd"]))


def compared(fit: Bayes, want: dict[str, Any]) -> list[tuple[str, float, Any]]:
    """(field, ours, theirs) of everything the case holds."""
    rows: list[tuple[str, float, Any]] = []
    for key, ours in (("mu", fit.mu), ("tau", fit.tau), ("predictive", fit.prediction)):
        for name in SUMMARIES:
            if key in want:
                rows.append((f"{key} {name}", getattr(ours, name), want[key][name]))
        ends = want.get(f"{key}_ci") or ([want[key]["ci_lb"], want[key]["ci_ub"]] if key in want else None)
        if ends is not None:
            rows += [(f"{key} low", ours.interval.low, ends[0]), (f"{key} high", ours.interval.high, ends[1])]
    if "mu" in want:
        rows += [
            ("marginal", fit.marginal_likelihood, want["marginal_likelihood"]),
            ("BF tau", fit.bayes_factor_tau0, want["BF_tau0"]),
            ("BF mu", fit.bayes_factor_mu0, want["BF_mu0"]),
            ("ML tau", fit.best_likelihood[1], want["ML_joint"]["tau"]),
            ("ML mu", fit.best_likelihood[0], want["ML_joint"]["mu"]),
            ("MAP tau", fit.best_posterior[1], want["MAP_joint"]["tau"]),
            ("MAP mu", fit.best_posterior[0], want["MAP_joint"]["mu"]),
            ("P", fit.probability_beyond(0.0, "below"), want["P_mu_below_0"]),
        ]
        posteriors = {"mu": fit.mu_posterior, "tau": fit.tau_posterior, "predictive": fit.prediction_posterior}
        for key, posterior in posteriors.items():
            ours = posterior.quantile(want["quantile_probs"])
            for p, x, y in zip(want["quantile_probs"], ours, want[f"{key}_quantiles"], strict=True):
                rows.append((f"{key} quantile {p}", float(x), y))
        for name in ("mean", "sd", "median"):
            both = zip(getattr(fit.shrinkage, name), want[f"shrinkage_{name}"], strict=True)
            rows += [(f"shrinkage {name} {i}", float(x), y) for i, (x, y) in enumerate(both)]
    return rows


class Slow:
    """The posterior by SciPy's adaptive quadrature over tau: an obvious twin of the panels."""

    def __init__(self, es: EffectSizes, prior: TauPrior, mu: tuple[float, float] | None) -> None:
        self.y, self.v, self.prior = es.effect, es.variance, prior
        self.mean, self.precision = (0.0, 0.0) if mu is None else (mu[0], mu[1] ** -2)
        self.top = max(self.log(t) for t in np.exp(np.linspace(-8, 6, 200)) * math.sqrt(float(np.median(self.v))))
        self.total = self.integral(lambda t: 1.0)

    def given(self, tau: float) -> tuple[float, float]:
        w = 1.0 / (self.v + tau * tau)
        precision = float(w.sum()) + self.precision
        return (float(w @ self.y) + self.precision * self.mean) / precision, 1.0 / precision

    def log(self, tau: float) -> float:
        w = 1.0 / (self.v + tau * tau)
        m, variance = self.given(tau)
        square = float(w @ (self.y - m) ** 2) + self.precision * (m - self.mean) ** 2
        own = float(self.prior.log_density(np.array([tau]), self.v)[0])
        return 0.5 * float(np.log(w).sum()) + 0.5 * math.log(variance) - 0.5 * square + own

    def joint(self, tau: float) -> float:
        """The joint log density at the best mean for this tau."""
        return self.log(tau) - 0.5 * math.log(self.given(tau)[1])

    def integral(self, what: Any) -> float:
        scale = math.sqrt(float(np.median(self.v)))
        edges = [0.0, *(scale * 10.0 ** np.arange(-2, 9))]
        return sum(
            quad(lambda t: what(t) * math.exp(self.log(t) - self.top), a, b, epsabs=0, epsrel=1e-11, limit=200)[0]
            for a, b in pairwise(edges)
        )

    def cdf(self, x: float, *, new: bool) -> float:
        def below(t: float) -> float:
            m, variance = self.given(t)
            return float(ndtr((x - m) / math.sqrt(variance + (t * t if new else 0.0))))

        return self.integral(below) / self.total

    def sd(self, *, new: bool) -> float:
        mean = self.integral(lambda t: self.given(t)[0]) / self.total

        def square(t: float) -> float:
            m, variance = self.given(t)
            return variance + (t * t if new else 0.0) + (m - mean) ** 2

        return math.sqrt(self.integral(square) / self.total)


def ours_is_right(fit: Bayes, slow: Slow, field: str, ours: float, theirs: float) -> bool:
    """Whether the slow twin takes our side, and how: by probability, by moment or by density."""
    new = field.startswith("predictive")
    if " quantile " in field and not field.startswith("tau"):
        p = float(field.split()[-1])
        return abs(slow.cdf(ours, new=new) - p) < 1e-9 < 1e-6 < abs(slow.cdf(theirs, new=new) - p)
    if field in ("mu sd", "predictive sd"):
        exact = slow.sd(new=new)
        return abs(ours - exact) < 1e-6 * exact and abs(theirs - exact) > 1e-4 * exact
    if field == "tau mode":
        return slow.log(max(ours, 1e-9)) > slow.log(theirs)
    if field == "MAP tau":
        return slow.joint(ours) > slow.joint(theirs)
    return field == "MAP mu"  # the other of the pair is judged


@pytest.mark.parametrize("path", golden_files("bayes"), ids=lambda path: path.stem)
def test_bayes(path: Path) -> None:
    found = load(path)
    es = EffectSizes(effect=found["effects"]["yi"], variance=found["effects"]["vi"])
    wrong, told = [], []
    for case in found["cases"]:
        given, want = case["input"], case["output"]
        prior, mu = prior_of(given["tau_prior"]), mu_of(given["mu_prior"])
        fit = bayes(es, tau=prior, mu=mu, interval=given["interval"])
        assert fit.residual < 1e-13
        slow = None
        for field, ours, theirs in compared(fit, want):
            if close(ours, theirs, case["tol"]):
                continue
            slow = slow or Slow(es, prior, mu)
            if not ours_is_right(fit, slow, field, ours, theirs):
                wrong.append((case["id"], field, ours, theirs))
            else:
                told.append((case["id"], field))
    assert not wrong, "\n".join(map(str, wrong))
    assert len(told) <= 5 * len(found["cases"]), told
