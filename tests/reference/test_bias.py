"""Regression, rank, trim-and-fill, fail-safe, excess-significance and PET-PEESE results of R's metafor."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from balm.stats.effect_sizes import EffectSizes
from balm.stats.groups import OneGroup
from balm.stats.heterogeneity.likelihood import log_likelihood
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pooled import Pooled
from balm.stats.small_study.excess_significance import excess_significance
from balm.stats.small_study.fail_safe_n import fail_safe_n
from balm.stats.small_study.outcome import SmallStudyTest
from balm.stats.small_study.pet_peese import pet_peese
from balm.stats.small_study.rank_test import rank_test
from balm.stats.small_study.small_study_test import small_study_test
from balm.stats.small_study.trim_and_fill import TrimAndFill, trim_and_fill
from balm.stats.small_study.weighted_line import Line
from tests.reference.golden import close, close_p, golden_files, load

#: The package's spelling -> ours.
PREDICTOR = {
    "sei": "se",
    "vi": "variance",
    "ni": "sample-size",
    "ninv": "inverse-sample-size",
    "sqrtni": "sqrt-sample-size",
    "sqrtninv": "inverse-sqrt-sample-size",
}
TEST = {"exact": "exact", "chi2": "chi-squared"}
TAIL = {"greater": "greater", "two.sided": "two-sided"}
#: Its final fit after filling stops REML at the default threshold, a step of 1e-5 in tau2; ours goes on to the root.
REML_STOP = 1e-4


class Fits:
    """Each model fitted once a file."""

    def __init__(self, es: EffectSizes) -> None:
        self.es = es
        self.kept: dict[str, Pooled] = {}

    def __getitem__(self, method: str) -> Pooled:
        if method not in self.kept:
            if method == "EE":
                self.kept[method] = pool(self.es, model="common")
            else:
                self.kept[method] = pool(self.es, tau2=method, inference="wald")
        return self.kept[method]


def regression(found: SmallStudyTest, want: dict[str, Any]) -> dict[str, Any]:
    line = found.line
    assert line is not None
    got = {
        "stat": found.statistic,
        "ddf": None if math.isinf(found.df) else found.df,
        "pval": found.p,
        "limit_est": found.limit,
        "limit_ci_lb": found.limit_interval.low,
        "limit_ci_ub": found.limit_interval.high,
        "coef": [line.intercept.estimate, line.slope.estimate],
        "se": [line.intercept.se, line.slope.se],
        "tau2": found.tau2,
    }
    target = {**want, **want["fit"]}
    return {name: (value, target.get(name)) for name, value in got.items() if name in target or name.startswith("lim")}


def regtest(fits: Fits, case: dict[str, Any], sizes: Any) -> dict[str, Any]:
    given = case["input"]
    predictor = PREDICTOR[given["predictor"]]
    options = {"predictor": predictor, "force": True}
    if "sample-size" in predictor:
        options["sample_size"] = sizes
    if given["model"] == "lm":
        return regression(small_study_test(fits.es, "egger", **options), case["output"])
    return regression(
        small_study_test(fits[given["method"]], "random-effects", inference="wald", **options), case["output"]
    )


def ranktest(fits: Fits, case: dict[str, Any], _: Any) -> dict[str, Any]:
    exact = False if case["input"]["exact"] is False else None
    found = rank_test(fits.es, exact=exact, force=True)
    return {"tau": (found.tau, case["output"]["tau"]), "pval": (found.p, case["output"]["pval"])}


def trimfill(fits: Fits, case: dict[str, Any], _: Any) -> dict[str, Any]:
    given, want = case["input"], case["output"]
    found = trim_and_fill(fits[given["method"]], given.get("estimator", "L0"), side=given.get("side"))
    refit = found.refit
    new = found.effects[np.flatnonzero(found.filled)] if found.k0 else None
    got = {
        "k0": found.k0,
        "se_k0": found.k0_se,
        "p_k0": found.p,
        "side": found.side,
        "k": refit.k,
        "beta": refit.estimate,
        "se": refit.se,
        "pval": refit.p,
        "ci_lb": refit.interval.low,
        "ci_ub": refit.interval.high,
        "tau2": refit.tau2,
        "I2": refit.i2,
        "QE": refit.q,
        "filled_yi": [] if new is None else new.effect.tolist(),
        "filled_vi": [] if new is None else new.variance.tolist(),
    }
    pairs = {name: (got[name], value) for name, value in want.items()}
    reached = all(
        same(name, got[name], want[name], case["tol"]) for name in ("beta", "se", "tau2", "I2", "pval") if name in want
    )
    if given["method"] == "REML" and found.k0 and not reached:
        return stopped_early(found, pairs)
    return pairs


def stopped_early(found: TrimAndFill, pairs: dict[str, Any]) -> dict[str, Any]:
    """The reference's numbers at its own tau2, which lies within its stop of ours, where the likelihood is lower."""
    theirs = pairs["tau2"][1]
    ours = found.refit
    assert ours.residual < 1e-9
    assert abs(ours.tau2 - theirs) <= REML_STOP * max(1.0, abs(theirs))
    there = pool(found.effects, tau2=float(theirs), inference="wald")
    group = OneGroup(found.effects.effect, found.effects.variance)
    ours_height, theirs_height = (log_likelihood(group, t, restricted=True) for t in (ours.tau2, theirs))
    assert ours_height >= theirs_height, (ours_height, theirs_height)
    at = {
        "beta": there.estimate,
        "se": there.se,
        "pval": there.p,
        "ci_lb": there.interval.low,
        "ci_ub": there.interval.high,
        "tau2": theirs,
        "I2": there.i2,
    }
    return {name: (at.get(name, got), want) for name, (got, want) in pairs.items()}


def fsn(fits: Fits, case: dict[str, Any], _: Any) -> dict[str, Any]:
    given, want = case["input"], case["output"]
    method = given["type"].lower()
    if method == "general":
        found = fail_safe_n(fits["REML"], method)
        if found.n != want["fsnum"]:
            found = fail_safe_n(where_it_stopped(fits["REML"], want["est"]), method)
            assert found.p == pytest.approx(want["pval"], rel=1e-6)
        return {"fsnum": (found.n, want["fsnum"])}
    options = {}
    if method == "orwin":
        options = {"target": given["target"], "weighted": given["weighted"]}
    found = fail_safe_n(fits.es, method, **options)
    got = {"fsnum": found.n, "pval": found.p, "est": found.estimate, "meanes": found.estimate, "alpha": found.alpha}
    return {name: (got[name], value) for name, value in want.items()}


def where_it_stopped(ours: Pooled, estimate: float) -> Pooled:
    """Our fit with the tau2 that gives the reference's estimate, within its stop of our root."""
    assert ours.residual < 1e-9

    def apart(tau2: float) -> float:
        return pool(ours.effects, tau2=tau2, inference="wald").estimate - estimate

    ends = max(0.0, ours.tau2 - REML_STOP), ours.tau2 + REML_STOP
    theirs = pool(ours.effects, tau2=float(brentq(apart, *ends, xtol=1e-14)), inference="wald")
    return replace(theirs, conventions={**theirs.conventions, "tau2": "REML"})


def tes(fits: Fits, case: dict[str, Any], _: Any) -> dict[str, Any]:
    want = case["output"]
    found = excess_significance(fits.es, test=TEST[want["test"]], tail=TAIL[case["input"]["tes_alternative"]])
    return {
        "k": (found.k, want["k"]),
        "O": (found.observed, want["O"]),
        "E": (found.expected, want["E"]),
        "OEratio": (found.ratio, want["OEratio"]),
        "X2": (found.statistic, want["X2"]),
        "pval": (found.p, want["pval"]),
        "power": (found.power, want["power"]),
        "theta": (found.theta, want["theta"]),
    }


def line_of(fits: Fits, case: dict[str, Any]) -> Line:
    given = case["input"]
    if given.get("model") == "multiplicative":
        found = pet_peese(fits.es)
    else:
        model = "common" if given["method"] == "EE" else "random"
        found = pet_peese(fits[given["method"]], model=model, inference="wald")
    return found.pet if given["mods"] == "sei" else found.peese


def metareg(fits: Fits, case: dict[str, Any], _: Any) -> dict[str, Any]:
    want = case["output"]
    line = line_of(fits, case)
    fit = line.regression
    assert fit is not None
    ends = [c.interval for c in fit.coefficients]
    omnibus = fit.omnibus
    got = {
        "beta": [line.intercept.estimate, line.slope.estimate],
        "se": [line.intercept.se, line.slope.se],
        "stat": [line.intercept.statistic, line.slope.statistic],
        "pval": [line.intercept.p, line.slope.p],
        "ci_lb": [e.low for e in ends],
        "ci_ub": [e.high for e in ends],
        "vcov": fit.covariance.tolist(),
        "tau2": fit.tau2,
        "se_tau2": fit.tau2_se,
        "I2": fit.i2,
        "H2": fit.h2,
        "QE": fit.qe,
        "QEp": fit.qe_p,
        "R2": fit.r2,
        "QM": omnibus.statistic,
        "QMp": omnibus.p,
        "k": fit.k,
    }
    if want["tau2"] is not None and 0.0 < want["tau2"] < 1e-12 and fits["REML"].tau2 == 0.0:
        # Both tau2 are 0 and its share explained is one of rounding; ours has nothing to explain.
        assert fit.tau2 == fit.r2 == 0.0
        del got["R2"]
    return {name: (value, want[name]) for name, value in got.items() if name in want}


def pet(fits: Fits, case: dict[str, Any], _: Any) -> dict[str, Any]:
    want = case["output"]
    line = line_of(fits, case)
    return {
        "coef": ([line.intercept.estimate, line.slope.estimate], want["coef"]),
        "se": ([line.intercept.se, line.slope.se], want["se"]),
        "t": ([line.intercept.statistic, line.slope.statistic], want["t"]),
        "pval": ([line.intercept.p, line.slope.p], want["pval"]),
        "sigma": (line.sigma, want["sigma"]),
    }


KINDS = {f.__name__: f for f in (regtest, ranktest, trimfill, fsn, tes, metareg, pet)}


def same(name: str, got: Any, want: Any, tol: float) -> bool:
    if isinstance(want, str) and want not in ("Inf", "-Inf"):
        return bool(got == want)
    if name == "vcov":
        return all(close(g, w, tol) for g, w in zip(got, want, strict=True))
    if name.startswith(("pval", "QMp", "QEp")):
        pairs = zip(got, want, strict=True) if isinstance(want, list) else [(got, want)]
        return all(close_p(g, w, tol) for g, w in pairs)
    if name in ("filled_yi", "filled_vi") and not isinstance(want, list):
        want = [] if want is None else [want]
    return close(got, want, tol)


@pytest.mark.parametrize("path", golden_files("bias"))
def test_bias(path: Path) -> None:
    data = load(path)
    effects = data["effects"]
    fits = Fits(EffectSizes(effect=effects["yi"], variance=effects["vi"]))
    bad: list[str] = []
    for case in data["cases"]:
        pairs = KINDS[case["analysis"]](fits, case, effects.get("ni"))
        for name, (got, want) in pairs.items():
            if not same(name, got, want, case.get("tol") or 1e-8):
                bad.append(f"{case['id']}.{name}: got {got}, want {want}")
    assert not bad, f"{len(bad)} differ:\n" + "\n".join(bad[:40])


@pytest.mark.parametrize("path", golden_files("bias")[:1])
def test_general_fail_safe_numbers_at_the_exact_root(path: Path) -> None:
    """All are the same but for four whose REML iterations stopped early (compared there by ``fsn``)."""
    differ = set()
    for file in sorted(path.parent.glob("*.json")):
        given = load(file)
        want = next(c["output"]["fsnum"] for c in given["cases"] if c["id"] == "fsn_General")
        es = EffectSizes(effect=given["effects"]["yi"], variance=given["effects"]["vi"])
        if fail_safe_n(pool(es, inference="wald"), "general").n != want:
            differ.add(file.stem)
    assert differ <= {
        "bias__dat.bartos2023__PR",
        "bias__dat.greenland1992__GEN",
        "bias__dat.hackshaw1998__GEN",
        "bias__meta.Olkin1995__OR",
    }
