"""Golden multivariate models: two outcomes, repeated times, arm-based models, and mixmeta's fits of wide data.

The references were optimised numerically; where a number differs by more than the tolerance, ours must have the higher
log-likelihood, and mixmeta's coefficients, covariance and log-likelihood must be ours at its own between-study matrix.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import balm
from balm.stats.multilevel.fitted import Multilevel
from balm.stats.multilevel.multilevel import multilevel
from tests.reference.golden import close, golden_files, load
from tests.reference.test_multilevel import close_tail, compare, values_of

#: The columns that name the inner level and the outer level of each data set.
LEVELS = {
    "mv__dat.bcg__armbased": ("group", "trial"),
    "mv__dat.berkey1998__multivariate": ("outcome", "trial"),
    "mv__dat.fine1993__longitudinal": ("time", "study"),
}


def indicators(values: list[Any]) -> dict[str, list[float]]:
    return {str(level): [float(v == level) for v in values] for level in sorted(set(values))}


def moderators(given: dict[str, Any], effects: dict[str, Any], inner: str) -> tuple[dict[str, Any], bool]:
    """The design columns of metafor's formula, and whether it has an intercept."""
    columns: dict[str, Any] = indicators(effects[inner])
    text = given.get("mods", "")
    if "year" in text:
        year = np.array(effects["year"]) - 1983
        return columns | {f"{n}:year": np.array(c) * year for n, c in list(columns.items())}, False
    if text == "group":
        _, *rest = columns
        return {n: columns[n] for n in rest}, True
    assert text.startswith("0 + "), text
    return columns, False


def metafor_fit(given: dict[str, Any], effects: dict[str, Any], levels: tuple[str, str]) -> Multilevel:
    inner, outer = levels
    # metafor puts the levels of a factor in alphabetical order; numbers stand for them in that order.
    ordered = sorted(set(effects[inner]))
    data = {inner: [ordered.index(v) for v in effects[inner]], outer: effects[outer]}
    v = effects.get("V")
    variance = effects["vi"] if v is None else np.diag(v)
    es = balm.EffectSizes(effect=effects["yi"], variance=variance)
    x, intercept = moderators({"mods": f"0 + {inner}", **given}, effects, inner)
    none = given["method"] == "FE"
    return multilevel(
        es,
        x,
        intercept=intercept,
        random=None if none else f"{inner} | {outer}",
        structure=None if none else given["struct"],
        V=v,
        data=data,
        method="REML" if none else given["method"],
        inference="wald",
    )


def metafor_case(case: dict[str, Any], fit: Multilevel, effects: dict[str, Any], levels: tuple[str, str]) -> list[Any]:
    want = case["output"]
    if case["analysis"] == "anova":
        c = fit.contrast(case["input"]["L"])
        got = {"estimate": [c.estimate], "se": [c.se], "stat": [c.statistic], "pval": [c.p]}
        return [
            (case["id"], n, got[n], w)
            for n, w in want.items()
            if not (close_tail if n == "pval" else close)(got[n][0], w[0], case["tol"])
        ]
    if case["analysis"] == "ranef":
        (u,) = fit.random_effects().values()
        ordered = sorted(set(effects[levels[0]]))
        found = {f"{ordered[i]} | {o}": x for (o, i), *x in zip(u.labels, u.estimate, u.se, strict=True)}
        expected = zip(want["labels"], want["intrcpt"], want["se"], strict=True)
        return [(case["id"], n, found[n], w) for n, *w in expected if not close(found[n], w, case["tol"])]
    got_values = values_of(fit)
    got_values["rho"] = [0.0] if case["input"].get("struct") in ("ID", "DIAG") else fit.rho
    got_values["G"] = fit.components[0].covariance.tolist() if fit.components else []
    return compare(case, got_values, "ML" if case["input"]["method"] in ("ML", "FE") else "REML")


def wide(effects: dict[str, Any]) -> tuple[balm.EffectSizes, dict[str, Any], list[np.ndarray]]:
    """Rows of (study, outcome) that were observed, and each study's block of V."""
    y = np.array(effects["Y"], dtype=float)
    n, m = y.shape
    at = [(i, j) for j in range(m) for i in range(j, m)]
    blocks, study, outcome = [], [], []
    for s in range(n):
        full = np.zeros((m, m))
        for value, (i, j) in zip(effects["S"][s], at, strict=True):
            full[i, j] = full[j, i] = np.nan if value is None else value
        seen = np.flatnonzero(np.isfinite(y[s]))
        blocks.append(full[np.ix_(seen, seen)])
        study += [s] * len(seen)
        outcome += seen.tolist()
    es = balm.EffectSizes(effect=y[study, outcome], variance=np.concatenate([np.diag(b) for b in blocks]))
    return es, {"study": study, "outcome": outcome}, blocks


def mixmeta_fit(given: dict[str, Any], effects: dict[str, Any]) -> tuple[Multilevel, dict[str, Any]]:
    es, data, blocks = wide(effects)
    x: dict[str, Any] = indicators(data["outcome"])
    if "mods" in given:
        value = np.array(effects["mods"][given["mods"]])[data["study"]]
        x |= {f"{n}:{given['mods']}": np.array(c) * value for n, c in list(x.items())}
    structure = {"unstr": "UN", "diag": "DIAG", "id": "ID", "cs": "CS", "hcs": "HCS"}[given["bscov"]]
    fixed = given["method"] == "fixed"
    fit = multilevel(
        es,
        x,
        intercept=False,
        random=None if fixed else "outcome | study",
        structure=None if fixed else structure,
        V=blocks,
        data=data,
        method={"ml": "ML", "mm": "MM", "vc": "VC"}.get(given["method"], "REML"),
        inference="wald",
    )
    return fit, data


def with_stand_ins(fit: Multilevel, effects: dict[str, Any], ours: np.ndarray) -> np.ndarray:
    """What mixmeta predicts when outcomes are missing: it puts zeros there, with 10 000 times the largest variance.

    That shifts its predictions by about 1e-5; ours leave missing outcomes out, which is the limit of ever larger
    variances, asserted here.
    """
    y, s = np.array(effects["Y"], dtype=float), np.array(effects["S"], dtype=float)
    psi, m = fit.components[0].covariance, y.shape[1]
    diagonal = [j * m - j * (j - 1) // 2 for j in range(m)]
    largest = np.nanmax(s[:, diagonal], axis=0)

    def predicted(factor: float) -> np.ndarray:
        out = np.empty_like(y)
        for i, row in enumerate(y):
            v = np.zeros((m, m))
            v[np.tril_indices(m)[::-1]] = np.nan_to_num(s[i])
            v = v + v.T - np.diag(np.diag(v))
            gone = np.isnan(row)
            v[gone, gone] = (factor * largest)[gone]
            out[i] = fit.beta + psi @ np.linalg.solve(psi + v, np.nan_to_num(row) - fit.beta)
        return out

    seen = np.isfinite(y)
    assert np.allclose(predicted(1e12)[seen], ours[seen], rtol=0, atol=1e-9)
    return predicted(1e4)


def mixmeta_case(case: dict[str, Any], effects: dict[str, Any]) -> list[Any]:
    given, want = case["input"], case["output"]
    fit, data = mixmeta_fit(given, effects)
    assert fit.residual < 1e-5, (case["id"], fit.residual)
    method = "REML" if given["method"] == "reml" else "ML"
    numbers = fit.fit_statistics[method]
    got: dict[str, Any] = {
        "coef": fit.beta,
        "vcov": fit.covariance.tolist(),
        "logLik": None if given["method"] in ("mm", "vc") else numbers["log_likelihood"],
        "AIC": None if given["method"] in ("mm", "vc") else numbers["aic"],
        "BIC": None if given["method"] in ("mm", "vc") else numbers["bic"],
        "Q": [fit.qe],
        "Q_df": [fit.qe_df],
        "Q_p": [fit.qe_p],
    }
    if fit.components:
        got["Psi"] = fit.components[0].covariance.tolist()
    if "blup" in want:
        (u,) = fit.random_effects().values()
        total = np.full((len(effects["Y"]), len(effects["outcomes"])), np.nan)
        for row, fitted in zip(range(fit.k), fit.fitted, strict=True):
            s, o = data["study"][row], data["outcome"][row]
            total[s, o] = fitted + u.estimate[u.labels.index((s, o))]
        got["blup"] = total if np.isfinite(total).all() else with_stand_ins(fit, effects, total)
    wrong = []
    for name, value in want.items():
        if name == "coef_names":
            continue
        expected = value[:1] if name in ("Q", "Q_df", "Q_p") else value
        if not close(got[name], expected, case["tol"]):
            wrong.append((case["id"], name, got[name], value))
    if wrong and want["logLik"] is not None and got["logLik"] > want["logLik"] + 1e-9:
        there = at_their_matrix(fit, np.array(want["Psi"]), case["input"]["bscov"])
        left = [
            (case["id"], f"{n} at their Psi", there[n], want[n]) for n in there if not close(there[n], want[n], TOLD)
        ]
        return [w for w in wrong if w[1].startswith("Q")] + left
    return wrong


#: mixmeta prints thirteen digits of its matrix, which is often singular: what follows from it has nine.
TOLD = 1e-8


def at_their_matrix(fit: Multilevel, psi: np.ndarray, structure: str) -> dict[str, Any]:
    """Coefficients, their covariance and the log-likelihood at another between-study matrix."""
    m = len(psi)
    sd = np.sqrt(np.diag(psi))
    if structure == "unstr":
        roots, basis = np.linalg.eigh(psi)
        lower = np.linalg.qr((basis * np.sqrt(np.maximum(roots, 0.0))).T)[1].T
        parameters = lower[np.tril_indices(m)]
    elif structure == "cs":
        parameters = np.array([psi[0, 0] - psi[0, 1], psi[0, 0] + (m - 1) * psi[0, 1]])
    elif structure == "hcs":
        parameters = np.append(sd, psi[0, 1] / (sd[0] * sd[1]))
    else:
        parameters = np.diag(psi)[: 1 if structure == "id" else m]
    there = fit.problem.fit(fit.solution.model, parameters)
    return {
        "coef": fit.solution.centre + there.beta,
        "vcov": there.covariance.tolist(),
        "logLik": there.log_likelihood,
    }


@pytest.mark.parametrize("path", golden_files("multivariate"))
def test_multivariate(path: Path) -> None:
    golden = load(path)
    effects = golden["effects"]
    wrong: list[Any] = []
    for case in golden["cases"]:
        if case["analysis"] == "mixmeta":
            wrong += mixmeta_case(case, effects)
            continue
        levels = LEVELS[path.stem]
        fit = metafor_fit(case["input"], effects, levels)
        assert fit.residual < 1e-5, (case["id"], fit.residual)
        wrong += metafor_case(case, fit, effects, levels)
    assert not wrong, "\n".join(map(str, wrong))
