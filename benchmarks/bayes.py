"""Bayes: balm.bayes_many against the single analysis in a loop and SciPy's adaptive integrals, with its accuracy.

    python benchmarks/bayes.py [--rounds 3] [--analyses 1000]

CPU time, medians, rounds interleaved. The task: 15 numbers an analysis (mean, SD and three quantiles of the mean effect,
of a new setting and of the between-study SD). The peer that SciPy offers computes only the mean and its SD: three
integrals. The largest difference between many and single analyses, beside the posterior's SD, comes from the same run.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import balm

#: Analyses a CPU-second, and how exact every quantile has to be, in SDs of the posterior.
MARK = 15_000
EXACT = 1e-8

#: Analyses that the slow peers do in each round.
SAMPLE = 40


def simulated(count: int, sizes: str) -> tuple[Any, Any, Any, Any]:
    """Effects, variances, groups and sizes: a few studies each as in Cochrane reviews, or 2 to 60."""
    rng = np.random.default_rng(8)
    if sizes == "reviews":
        k = np.clip(np.round(np.exp(rng.normal(1.6, 0.8, count))), 2, 60).astype(int)
    else:
        k = rng.integers(2, 61, count)
    group = np.repeat(np.arange(count), k)
    tau = np.where(rng.random(count) < 0.35, 0.0, rng.uniform(0.1, 0.6, count))
    v = np.exp(rng.normal(-2.0, 0.9, len(group)))
    return rng.normal(0.2, np.sqrt(v + tau[group] ** 2)), v, group, k


def by_scipy(y: Any, v: Any, scale: float) -> tuple[float, float]:
    """Posterior mean and SD of the mean effect by adaptive integrals over tau."""
    from scipy.integrate import quad

    def parts(tau: float) -> tuple[float, float, float]:
        w = 1.0 / (v + tau * tau)
        total = w.sum()
        mean = (w * y).sum() / total
        log = 0.5 * (np.log(w).sum() - math.log(total) - (w * (y - mean) ** 2).sum()) - 0.5 * (tau / scale) ** 2
        return math.exp(log), mean, 1.0 / total

    def integral(take: Any) -> float:
        return float(quad(lambda t: take(*parts(t)), 0.0, 8.0 * scale, epsrel=1e-8, epsabs=0.0, limit=200)[0])

    total = integral(lambda p, m, s: p)
    mean = integral(lambda p, m, s: p * m) / total
    return mean, math.sqrt(integral(lambda p, m, s: p * (s + (m - mean) ** 2)) / total)


def apart(many: Any, fits: list[Any]) -> float:
    """The largest difference of a quantile, in SDs of its posterior."""
    worst = 0.0
    for i, fit in enumerate(fits):
        for prefix, part, sd in (("", fit.mu, fit.mu.sd), ("pi_", fit.prediction, fit.prediction.sd),
                                 ("tau_", fit.tau, fit.tau.sd)):  # fmt: skip
            for name, value in (("median", part.median), ("low", part.interval.low), ("high", part.interval.high)):
                worst = max(worst, abs(float(getattr(many, prefix + name)[i]) - value) / sd)
    return worst


def main() -> None:
    """One line a kind of sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--analyses", type=int, default=1000)
    given = parser.parse_args()
    print(f"{'studies':<10}{'analyses/CPU-s':>15}{'mark':>8}{'v one by one':>14}{'v SciPy quad':>14}{'apart':>10}")
    for sizes in ("reviews", "2 to 60"):
        y, v, group, k = simulated(given.analyses, sizes)
        ends = np.cumsum(k)[:SAMPLE]
        sample = [balm.EffectSizes(effect=y[e - n : e], variance=v[e - n : e]) for e, n in zip(ends, k, strict=False)]
        rates, single, scipy, worst = [], [], [], 0.0
        balm.bayes_many(y, v, group, scale=0.5)
        for _ in range(given.rounds):
            start = time.process_time()
            many = balm.bayes_many(y, v, group, scale=0.5)
            each = (time.process_time() - start) / given.analyses
            start = time.process_time()
            fits = [balm.bayes(es, tau="half-normal", scale=0.5, interval="central") for es in sample]
            single.append((time.process_time() - start) / len(sample) / each)
            start = time.process_time()
            for es in sample:
                by_scipy(es.effect, es.variance, 0.5)
            scipy.append((time.process_time() - start) / len(sample) / each)
            rates.append(1.0 / each)
            worst = max(worst, apart(many, fits))
        rate = statistics.median(rates)
        good = rate >= MARK and worst <= EXACT
        print(
            f"{sizes:<10}{rate:>15,.0f}{MARK:>8,}{statistics.median(single):>13.0f}x{statistics.median(scipy):>13.0f}x"
            f"{worst:>10.1e} {'ok' if good else 'BELOW'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
