"""Generalised linear mixed models against metafor's ``rma.glmm``.

Where a number of the reference lies outside the tolerance, the test shows which of the two is right, with the slow twin
of :mod:`tests.naive_glmm`: an estimate of ours must have the higher likelihood under the same approximation; a standard
error must be that of the likelihood's second derivatives (the reference takes them by differences of an approximation
that is itself iterative, and warns of it); a heterogeneity statistic must follow from the exact information.

Kept apart: Wald's heterogeneity statistic under random study levels, which the reference takes from such differences
too; and the reference's log-likelihood where tau2 > 0, which for models fitted by its quadrature is that of the counts
given the predicted effects of the studies (ours is the integral; both are compared).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import balm
from balm.stats.glmm.quadrature import heights
from tests import naive_glmm as naive
from tests.reference.golden import close, golden_files, load

STUDIES = {
    "UM.FS": "fixed",
    "UM.RS": "random",
    "CM.EL": "conditional",
    "CM.AL": "conditional-approximate",
    None: None,
}
COLUMNS = {
    "ai": "events_1",
    "n1i": "n_1",
    "ci": "events_2",
    "n2i": "n_2",
    "x1i": "events_1",
    "t1i": "time_1",
    "x2i": "events_2",
    "t2i": "time_2",
    "xi": "events",
    "ni": "n",
    "ti": "time",
}
#: Wald's statistic rests on these and on nothing else.
FOLLOWS_SE = ("se", "stat", "pval", "ci_lb", "ci_ub", "se_tau2")
#: Wald tests of coefficients: estimates over errors, both of which are compared. A tolerance on either, carried to the
#: ratio, would be as large as a ratio of 800 makes it.
TESTS = ("stat", "pval")


def counts(golden: dict[str, Any]) -> dict[str, Any]:
    given = {name: np.array([math.nan if v is None else v for v in column], dtype=float)
             for name, column in golden["extra"]["data"].items()}  # fmt: skip
    if "bi" in given:
        given["n1i"], given["n2i"] = given["ai"] + given["bi"], given["ci"] + given["di"]
    found = {COLUMNS[name]: column for name, column in given.items() if name in COLUMNS}
    sizes = [column for name, column in found.items() if name.startswith(("n", "time"))]
    whole = np.all([np.isfinite(c) for c in found.values()], axis=0) & np.all([c > 0 for c in sizes], axis=0)
    return {name: column[whole] for name, column in found.items()}


def fitted(golden: dict[str, Any], case: dict[str, Any], model: str | None = None) -> Any:
    given = case["input"]
    studies = STUDIES[given.get("model")]
    exact = studies == "conditional" and given["measure"] == "OR"  # there the reference integrates adaptively
    mods = golden["extra"].get("mods")
    return balm.glmm(
        given["measure"],
        studies=studies,
        model=model or ("random" if given["method"] == "ML" else "common"),
        moderators=mods if given.get("mods") else None,
        points=None if exact else given.get("nAGQ", 7),
        prediction=None if mods else "none",
        **counts(golden),
    )


def compared(fit: Any, case: dict[str, Any]) -> dict[str, Any]:
    """Our numbers under the reference's names."""
    given = case["input"]
    beta, se = (fit.beta, fit.se) if hasattr(fit, "beta") else ([fit.estimate], [fit.se])
    statistic, p = (fit.statistic, fit.p) if hasattr(fit, "beta") else ([fit.statistic], [fit.p])
    half = 1.959963984540054 * np.asarray(se)
    wald = fit.wald if hasattr(fit, "beta") else fit.tests["heterogeneity-wald"]
    q = (fit.qe, fit.qe_p, fit.qe_df) if hasattr(fit, "beta") else (fit.q, fit.q_p, fit.q_df)
    by_quadrature = given.get("model") != "UM.RS" and not (given.get("model") == "CM.EL" and given["measure"] == "OR")
    got = {
        "k": fit.k,
        "beta": list(beta),
        "se": list(se),
        "stat": list(statistic),
        "pval": list(p),
        "ci_lb": list(np.asarray(beta) - half),
        "ci_ub": list(np.asarray(beta) + half),
        "tau2": fit.tau2,
        "QE_Wld": wald.statistic,
        "QEp_Wld": wald.p,
        "QE_LRT": q[0],
        "QEp_LRT": q[1],
        "QE_df": q[2],
        "logLik": fit.mixed.given_modes if by_quadrature else fit.log_likelihood,
    }
    if given["method"] == "ML":
        got |= {"I2": fit.i2, "H2": fit.h2}
    if fit.tau2 > 0.0:
        got["se_tau2"] = fit.tau2_se
    if case["output"]["sigma2"] is not None:
        got["sigma2"] = fit.mixed.sigma2
    return got


def ratios_and_p(beta: Any, se: Any) -> dict[str, list[float]]:
    """The Wald tests that follow from estimates and standard errors."""
    ratios = [b / s for b, s in zip(beta, se, strict=True)]
    return {"stat": ratios, "pval": [math.erfc(abs(r) / math.sqrt(2.0)) for r in ratios]}


def objective(fit: Any) -> Callable[[Any], float]:
    """Our approximation of the log-likelihood (without constants) at common parameters, study levels maximised over."""
    mixed = fit.mixed
    s, points = mixed.structure, mixed.points

    def at(common: Any) -> float:
        local = mixed.optimum.local
        start = np.zeros((s.k, s.dimensions))
        if local is None:
            return float(heights(s, s.values(np.asarray(common), None), points, start)[0].sum())
        # Each study's level by golden section: slow and sure.
        low, high = local - 1.5, local + 1.5
        ratio = (math.sqrt(5.0) - 1.0) / 2.0
        for _ in range(60):
            a, b = high - ratio * (high - low), low + ratio * (high - low)
            up = [heights(s, s.values(np.asarray(common), x), points, start)[0] for x in (a, b)]
            left = up[0] > up[1]
            low, high = np.where(left, low, a), np.where(left, b, high)
        return float(heights(s, s.values(np.asarray(common), 0.5 * (low + high)), points, start)[0].sum())

    return at


def reference_point(fit: Any, output: dict[str, Any]) -> list[float]:
    """The reference's estimates as common parameters of ours."""
    s = fit.mixed.structure
    point = list(output["beta"])
    for p in s.parameters[1:]:
        if p.name == "level" and p.design is not None:
            point.append(float(fit.mixed.optimum.common[len(point)]))
        elif p.name == "sigma":
            point.append(math.sqrt(output["sigma2"]))
        elif p.name == "tau":
            point.append(math.sqrt(output["tau2"]))
    return point


def twin(fit: Any, given: dict[str, Any]) -> Callable[[Any], float]:
    """The slow log-likelihood (up to a constant) at common parameters, under the approximation of the case."""
    c = {name: column.tolist() for name, column in fit.effects.raw.items()}
    k = fit.k
    dimensions = fit.mixed.structure.dimensions
    model, measure = given.get("model"), given["measure"]
    if model == "UM.RS":
        x = [np.array(c["events_1"]), np.array(c["events_2"])]
        n = [np.array(c[name]) for name in (("n_1", "n_2") if measure == "OR" else ("time_1", "time_2"))]

        def random_levels(point: Any) -> float:
            beta, level, sigma, *rest = point

            arms = []
            for arm, sign in ((0, 0.5), (1, -0.5)):
                load = [sigma, *(sign * tau for tau in rest)]
                base = np.full(k, level + sign * beta)
                of_odds = measure == "OR"
                arms.append((x[arm], n[arm] if of_odds else None, base if of_odds else base + np.log(n[arm]), load))
            return naive.laplace(arms)

        return random_levels
    if model == "CM.EL":
        rows = list(zip(c["events_1"], c["n_1"], c["events_2"], c["n_2"], strict=True))
        studies = [
            lambda eta, r=(a, n_1, a + b, n_2): naive.hypergeometric(*r, eta) for a, n_1, b, n_2 in rows
        ]  # fmt: skip
    elif measure == "PLO":
        studies = [lambda eta, a=a, n=n: naive.binomial(a, n, eta) for a, n in zip(c["events"], c["n"], strict=True)]
        if dimensions and given["nAGQ"] == 1:

            def one_node(point: Any) -> float:
                events, n = np.array(c["events"]), np.array(c["n"])
                return naive.laplace([(events, n, np.full(k, point[0]), [point[1]])])

            return one_node
    else:
        assert measure == "IRLN"
        pairs = zip(c["events"], c["time"], strict=True)
        studies = [lambda eta, a=a, t=t: naive.poisson(a, eta + math.log(t)) for a, t in pairs]
    return lambda point: naive.marginal(studies, point[0], point[1] if dimensions else 0.0)


def standard_errors_are_exact(fit: Any, given: dict[str, Any]) -> bool:
    """Whether ours are those of the slow twin's second derivatives at our estimates."""
    mixed = fit.mixed
    covariance = np.linalg.inv(-naive.second_derivatives(twin(fit, given), mixed.optimum.common))
    se = math.sqrt(covariance[0, 0])
    same = abs(fit.se - se) <= 2e-6 * max(1.0, se) or abs(fit.se - se) <= 2e-5 * se
    if mixed.tau2 > 0.0:
        tau2_se = 2.0 * abs(mixed.optimum.common[-1]) * math.sqrt(covariance[-1, -1])
        same = same and abs(fit.tau2_se - tau2_se) <= 1e-4 * tau2_se
    return same


def information_is_exact(fit: Any) -> bool:
    """Wald's statistic of the conditional model from each study's own estimate, every table summed over."""
    from scipy.special import gammaln

    c = fit.effects.raw
    own, weight = [], []
    for a, n_1, b, n_2 in zip(c["events_1"], c["n_1"], c["events_2"], c["n_2"], strict=True):
        m = a + b
        y = np.arange(max(0.0, m - n_2), min(n_1, m) + 1.0)
        if a in (y[0], y[-1]):
            continue
        ways = -gammaln(y + 1) - gammaln(n_1 - y + 1) - gammaln(m - y + 1) - gammaln(n_2 - m + y + 1)
        eta = math.log(a * (n_2 - b) / (b * (n_1 - a)))
        for _ in range(30):
            share = np.exp(ways + y * eta - (ways + y * eta).max())
            share /= share.sum()
            mean = float(share @ y)
            spread = float(share @ (y - mean) ** 2)
            eta += (a - mean) / spread
        own.append(eta)
        weight.append(spread)
    w, e = np.array(weight), np.array(own)
    q = float(w @ (e - float(w @ e) / float(w.sum())) ** 2)
    return abs(q - fit.tests["heterogeneity-wald"].statistic) <= 1e-6 * max(1.0, q)


def judged(golden: dict[str, Any], case: dict[str, Any]) -> list[Any]:
    """The fields that disagree and where the reference is not shown to be the one that is off."""
    fit, output, tol = fitted(golden, case), case["output"], case["tol"]
    given = case["input"]
    got = compared(fit, case)
    boundary = output["tau2"] < 1e-6 and fit.tau2 < 1e-6
    wrong = {}
    for field, value in got.items():
        want = output[field]
        if want is None or (field in FOLLOWS_SE and isinstance(want, list) and None in want):
            continue
        if field in ("QE_Wld", "QEp_Wld") and given.get("model") == "UM.RS":
            continue
        if field in TESTS:  # the rule by which they follow, at the reference's own estimates and errors
            rule = ratios_and_p(output["beta"], output["se"])
            if not (close(rule[field], want) and close(value, ratios_and_p(got["beta"], got["se"])[field], 1e-12)):
                wrong[field] = (value, want)
        elif not close(value, want, tol):
            wrong[field] = (value, want)
    if not wrong:
        return []
    at = objective(fit)
    # Estimates: ours has the higher likelihood under the same approximation.
    moved = [f for f in ("beta", "sigma2", "tau2") if f in wrong]
    best = float(at(fit.mixed.optimum.common))
    theirs = best
    if boundary or fit.tau2 > 0.0 or given["method"] == "EE":
        if set(wrong) & {"beta", "sigma2", "tau2", "logLik", "QE_LRT", "QEp_LRT", "I2", "H2"}:
            theirs = float(at(reference_point(fit, output)))
    else:  # ours is the maximum at tau2 = 0, theirs another one
        theirs = best - (fit.log_likelihood - output["logLik"])
    if theirs < best - 1e-9:
        for field in (*moved, "logLik", "I2", "H2", *(("ci_lb", "ci_ub") if moved else ())):
            wrong.pop(field, None)
        if moved and fit.tau2 == 0.0 and output["tau2"] > 1e-6:
            for field in FOLLOWS_SE:
                wrong.pop(field, None)
        # Twice the distance of two log-likelihoods, one of which is theirs: it differs by no more than what is gained.
        gained = fit_gain(golden, case, got)
        for field in ("QE_LRT", "QEp_LRT"):
            if field in wrong and gained:
                wrong.pop(field)
    stated = case["input"].get("model") in ("UM.RS", "CM.EL") or "model" not in case["input"]
    if stated and any(field in wrong for field in FOLLOWS_SE) and standard_errors_are_exact(fit, given):
        for field in FOLLOWS_SE:
            wrong.pop(field, None)
    if "QE_Wld" in wrong and given.get("model") == "CM.EL" and information_is_exact(fit):
        wrong.pop("QE_Wld"), wrong.pop("QEp_Wld", None)
    if "QEp_Wld" in wrong and given.get("model") == "CM.EL" and information_is_exact(fit):
        wrong.pop("QEp_Wld")
    return [(case["id"], field, *pair) for field, pair in wrong.items()]


def fit_gain(golden: dict[str, Any], case: dict[str, Any], got: dict[str, Any]) -> bool:
    """Whether both log-likelihoods behind the heterogeneity statistic are at least the reference's."""
    common = fitted(golden, case, model="common")
    plain = case["id"].split("_ML")[0].removesuffix("_EE") + "_EE"
    output = next(c["output"] for c in golden["cases"] if c["id"] == plain)
    gain = common.log_likelihood - output["logLik"]
    return (
        gain > -1e-6 and common.log_likelihood + got["QE_LRT"] / 2.0 > output["logLik"] + output["QE_LRT"] / 2.0 - 1e-5
    )


@pytest.mark.parametrize("path", golden_files("glmm"))
def test_glmm(path: Path) -> None:
    golden = load(path)
    wrong = [found for case in golden["cases"] for found in judged(golden, case)]
    assert not wrong, "\n".join(map(str, wrong))


PROPORTIONS = [
    f for f in golden_files("meta_pkg") if f.values[0] is None or f.values[0].stem.startswith("meta__metaprop__")
]


@pytest.mark.parametrize("path", PROPORTIONS)
def test_metaprop_by_glmm(path: Path) -> None:
    """R meta's ``metaprop(method="GLMM")``: the logistic model with seven nodes, Q and I2 from Wald's statistic."""
    golden = load(path)
    wrong = []
    for case in golden["cases"]:
        if case["input"].get("method") != "GLMM":
            continue
        data = golden["extra"]["data"]
        columns = {"events": data["xi"], "n": data["ni"]}
        common = balm.glmm("PLO", model="common", **columns)
        fit = balm.glmm("PLO", points=7, prediction="t-k-1", **columns)
        q = fit.tests["heterogeneity-wald"]
        h = max(1.0, math.sqrt(q.statistic / q.df))
        got = {
            "k": fit.k,
            "TE_common": common.estimate,
            "seTE_common": common.se,
            "lower_common": common.interval.low,
            "upper_common": common.interval.high,
            "TE_random": fit.estimate,
            "seTE_random": fit.se,
            "lower_random": fit.interval.low,
            "upper_random": fit.interval.high,
            "tau2": fit.tau2,
            "tau": fit.tau,
            "Q": q.statistic,
            "df_Q": q.df,
            "pval_Q": q.p,
            "H": h,
            "I2": 1.0 - 1.0 / h**2,
            "lower_predict": fit.prediction_interval.low,
            "upper_predict": fit.prediction_interval.high,
        }
        wrong += [(f, g, case["output"][f]) for f, g in got.items() if not close(g, case["output"][f], case["tol"])]
    assert not wrong, wrong
