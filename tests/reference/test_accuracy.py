"""Golden cases of diagnostic accuracy (mada 0.5.12, lme4 1.1-31, metafor).

Figures of the reference that follow another rule than the published formula are computed here by that rule, from our
results, so that each exception is shown and none is only claimed:

* logLik of ``reitsma`` is of the proportions instead of their logits (a Jacobian), and its REML leaves out log|X'X|/2;
* AUC and pAUC: the trapezoidal sum over 99 points of the curve (from 0.01 to 0.99, and over the observed false positive
  rates within these), divided by 99 where there are 98 intervals;
* Q of ``madauni`` DSL takes the random-effects weights, that of MH the ratios themselves instead of their logarithms;
* Mantel-Haenszel estimates weigh the corrected ratios by the counts as they are (ours pools the counts as they are);
* standard errors of Mantel-Haenszel: that of the DOR lacks the second of the four terms of Robins, Breslow & Greenland
  (1986), those of the likelihood ratios take other cells than Greenland & Robins (1985) do.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import balm
from balm.stats.accuracy.accuracy import Accuracy
from balm.stats.accuracy.tables import Tables, each_study
from balm.stats.pooling.pooled import Pooled
from tests.reference.golden import close, close_p, golden_files, load

RATIOS = {"DOR": "DOR", "posLR": "LR+", "negLR": "LR-"}
Rows = list[tuple[str, Any, Any]]


def interval(low: Any, high: Any) -> list[list[float]]:
    return [[float(a), float(b)] for a, b in zip(low, high, strict=True)]


def each(fit: Accuracy, t: Tables, want: dict[str, Any]) -> Rows:
    found = each_study(t)
    rows: Rows = [("cor", found.correlation, want["cor_sens_fpr"])]
    names = {"sens": "sensitivity", "spec": "specificity", "posLR": "positive_lr", "negLR": "negative_lr", "DOR": "dor"}
    for theirs, ours in names.items():
        rows.append((theirs, getattr(found, ours).tolist(), want[theirs]))
        ends = getattr(found, f"{ours}_interval")
        rows += [(f"{theirs} {i}", ends[i].tolist(), want[f"{theirs}_ci"][i]) for i in range(t.k)]
    rows.append(("fpr", (1.0 - found.specificity).tolist(), want["fpr"]))
    assert all(want[name] is None for name in ("sens_X2", "sens_p", "spec_X2", "spec_p"))  # the reference has none
    return rows


def by_99(fit: Accuracy, grid: Any) -> float:
    """The reference's area: 98 trapezia, divided by 99."""
    y = fit.curve()(grid)
    return float(np.sum(0.5 * (y[1:] + y[:-1])) / 99.0)


def bivariate(fit: Accuracy, t: Tables, want: dict[str, Any]) -> Rows:
    sens, fpr = t.tp / t.diseased, t.fp / t.healthy
    jacobian = -float(np.sum(np.log(sens * (1.0 - sens)) + np.log(fpr * (1.0 - fpr))))
    dropped = math.log(fit.k) if fit.method == "REML" else 0.0
    s, f = fit.sensitivity, fit.false_positive_rate
    seen = fit.tables.fp / fit.tables.healthy
    low, high = max(float(seen.min()), 0.01), min(float(seen.max()), 0.99)
    rows: Rows = [
        ("tsens", fit.mean[0], want["tsens"]),
        ("tfpr", fit.mean[1], want["tfpr"]),
        *((f"vcov {i}", fit.covariance[i].tolist(), want["vcov"][i]) for i in (0, 1)),
        *((f"Psi {i}", fit.between[i].tolist(), want["Psi"][i]) for i in (0, 1)),
        ("logLik", fit.log_likelihood + jacobian - dropped, want["logLik"]),
        ("sens", [s.estimate, *s.interval], [want[n] for n in ("sens", "sens_lb", "sens_ub")]),
        ("fpr", [f.estimate, *f.interval], [want[n] for n in ("fpr", "fpr_lb", "fpr_ub")]),
        ("AUC", by_99(fit, np.arange(1, 100) / 100.0), want["AUC"]),
        ("pAUC", by_99(fit, np.linspace(low, high, 99)), want["pAUC"]),
    ]
    # Undone, the rule leaves the curve's own area but for the ends of the grid.
    assert abs(fit.area(0.01, 0.99) - want["AUC"] * 99.0 / 98.0) < 2e-3
    assert abs(fit.area(low, high) - want["pAUC"] * 99.0 / 98.0) < 2e-3
    return rows


def hsroc(fit: Accuracy, want: dict[str, Any]) -> Rows:
    h = fit.hsroc
    ours = (h.theta, h.lambda_, h.beta, h.sigma2_theta, h.sigma2_alpha)
    names = ("Theta", "Lambda", "beta", "sigma2_theta", "sigma2_alpha")
    return [(name, x, want[name]) for name, x in zip(names, ours, strict=True)]


def binomial(fit: Accuracy, want: dict[str, Any]) -> Rows:
    v, b = fit.covariance, fit.between
    return [
        ("logit sens", fit.mean[0], want["logit_sens"]),
        ("logit spec", -fit.mean[1], want["logit_spec"]),
        ("vcov sens", [v[0, 0], -v[0, 1]], want["vcov"][0]),
        ("vcov spec", [-v[1, 0], v[1, 1]], want["vcov"][1]),
        ("between", [b[0, 0], b[1, 1], -b[0, 1]], [want[n] for n in ("var_logit_sens", "var_logit_spec", "cov")]),
        ("logLik", fit.log_likelihood, want["logLik"]),
    ]


def ratio_rows(name: str, fit: Accuracy, estimate: float, se: float, q: float, want: dict[str, Any]) -> Rows:
    half = 1.959963984540054 * se
    ends = [math.exp(estimate - half), math.exp(estimate + half)]
    return [
        ("log estimate", estimate, want["log_estimate"]),
        ("log se", se, want["log_se"]),
        ("estimate", math.exp(estimate), want["estimate"]),
        ("interval", ends, [want["ci_lb"], want["ci_ub"]]),
        ("Q", q, want["Q"]),
    ]


def dersimonian_laird(name: str, fit: Accuracy, want: dict[str, Any]) -> Rows:
    p: Pooled = fit.ratio(RATIOS[name], tau2="DL", inference="wald")
    w = 1.0 / (np.asarray(p.effects.variance) + p.tau2)
    q = float(w @ (np.asarray(p.effects.effect) - p.estimate) ** 2)
    rows = ratio_rows(name, fit, p.estimate, p.se, q, want)
    return [*rows, ("tau2", p.tau2, want["tau2"])]


def mantel_haenszel(name: str, fit: Accuracy, c: Tables, want: dict[str, Any]) -> Rows:
    """The reference by its own rule; where no cell is 0, the estimate is ours."""
    t = fit.tables
    n1, n0 = t.diseased, t.healthy
    n = n1 + n0
    if name == "DOR":
        w, theta = t.fn * t.fp / n, c.tp * c.tn / (c.fn * c.fp)
        r, s, p, q = t.tp * t.tn / n, t.fn * t.fp / n, (t.tp + t.tn) / n, (t.fn + t.fp) / n
        first, second = (p @ r) / (2 * r.sum() ** 2), (p @ s) / (2 * r.sum() * s.sum())
        third, fourth = (q @ r) / (2 * r.sum() * s.sum()), (q @ s) / (2 * s.sum() ** 2)
        se, published = math.sqrt(first + third + fourth), math.sqrt(first + second + third + fourth)
    else:
        top = float(np.sum((n1 * n0 * (t.tp + t.fp) - t.tp * t.fp * n) / n**2))
        if name == "posLR":
            w, theta = t.fp * n1 / n, (c.tp / c.diseased) / (c.fp / c.healthy)
            below = float(np.sum(t.tp * n0 / n) * np.sum(t.fn * n1 / n))
            event, other = t.tp, t.fp
        else:
            w, theta = t.tn * n1 / n, (c.fn / c.diseased) / (c.tn / c.healthy)
            below = float(np.sum(t.fp * n0 / n) * np.sum(t.tn * n1 / n))
            event, other = t.fn, t.tn
        se = math.sqrt(top / below)
        proper = float(np.sum((n1 * n0 * (event + other) - event * other * n) / n**2))
        published = math.sqrt(proper / float(np.sum(event * n0 / n) * np.sum(other * n1 / n)))
    mean = float(w @ theta / w.sum())
    ours = fit.ratio(RATIOS[name], method="mantel-haenszel")
    assert ours.se == pytest.approx(published, rel=1e-9)
    if not t.with_zero.any():
        assert close(ours.estimate, want["log_estimate"], 1e-10)
    return ratio_rows(name, fit, math.log(mean), se, float(w @ (theta - mean) ** 2), want)


def moses(fit: Accuracy, want: dict[str, Any]) -> Rows:
    found = fit.moses_littenberg()
    return [(name, getattr(found, name), x) for name, x in want.items()]


def hazards(fit: Accuracy, given: dict[str, Any], want: dict[str, Any]) -> Rows:
    found = fit.proportional_hazards(heterogeneity=given["hetero"])
    assert found.residual < 1e-6
    names = {"theta": "theta", "taus_sq": "tau2", "logLik": "log_likelihood"}
    return [(name, getattr(found, names[name]), x) for name, x in want.items()]


def univariate(fit: Accuracy, want: dict[str, Any]) -> Rows:
    p = fit.ratio("DOR", tau2="REML", inference="wald", i2="from-tau2", to="only-zero")
    rows: Rows = [
        ("beta", [p.estimate], want["beta"]),
        ("se", [p.se], want["se"]),
        ("interval", [*p.interval], [*want["ci_lb"], *want["ci_ub"]]),
    ]
    return [*rows, ("tau2", p.tau2, want["tau2"]), ("I2", p.i2, want["I2"]), ("QE", p.q, want["QE"])]


@pytest.mark.parametrize("path", golden_files("dta"), ids=lambda path: path.stem)
def test_accuracy(path: Path) -> None:
    found = load(path)
    counts = {name.lower(): x for name, x in found["extra"]["data"].items()}
    reml = balm.accuracy(**counts, model="normal", to="if-any-zero")
    ml = balm.accuracy(**counts, model="normal", method="ML", to="if-any-zero")
    exact = balm.accuracy(**counts, points=1)
    wrong, seen = [], 0
    for case in found["cases"]:
        name, given, want = case["id"], case["input"], case["output"]
        if name == "madad":
            rows = each(reml, reml.corrected, want)
        elif name in ("reitsma_reml", "reitsma_ml"):
            fit = reml if given["method"] == "reml" else ml
            rows = bivariate(fit, fit.corrected, want)
        elif name == "hsroc_from_reitsma":
            rows = hsroc(reml, want)
        elif name == "bivariate_glmm":
            rows = binomial(exact, want)
        elif case["analysis"] == "madauni" and given["method"] == "DSL":
            rows = dersimonian_laird(given["type"], reml, want)
        elif case["analysis"] == "madauni":
            rows = mantel_haenszel(given["type"], reml, reml.corrected, want)
        elif case["analysis"] == "phm":
            rows = hazards(reml, given, want)
        elif name == "logDOR_REML":
            rows = univariate(reml, want)
            assert close_p(reml.ratio("DOR", tau2="REML", inference="wald", to="only-zero").p, want["pval"][0])
        else:
            assert name == "moses_littenberg", name
            rows = moses(reml, want)
        seen += len(rows)
        tol = case.get("tol", 1e-8)
        wrong += [(name, field, ours, theirs) for field, ours, theirs in rows if not close(ours, theirs, tol)]
    assert not wrong, "\n".join(map(str, wrong))
    assert seen > 80 and len(found["cases"]) == 15
