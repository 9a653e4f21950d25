"""Golden aggregation of dependent effects, covariances of correlations and regression from a correlation matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from balm.stats.dependence import aggregate, covariance_of_correlations, regress_correlations
from balm.stats.effect_sizes import EffectSizes
from balm.stats.multilevel.multilevel import multilevel
from tests.reference.golden import close, close_p, golden_files, load

FILES = [
    f for f in golden_files("misc") if f.values[0] is None or f.values[0].stem in ("misc__aggregate", "misc__matreg")
]


def aggregated(given: dict[str, Any], effects: dict[str, Any]) -> dict[str, Any]:
    found = aggregate(
        effect=effects["yi"],
        variance=effects["vi"],
        study=effects["study"],
        correlation=given.get("rho", 0.0),  # struct ID: independent
        weighted=given.get("weighted", True),
    )
    return {"study": list(found.study), "yi": found.effect.tolist(), "vi": found.variance.tolist()}


def covariances(given: dict[str, Any], effects: dict[str, Any]) -> dict[str, Any]:
    rows = [i for i, study in enumerate(effects["study"]) if study == given["study"]]
    names = list(dict.fromkeys(effects[v][i] for i in rows for v in ("var1", "var2")))
    pairs = [(names.index(effects["var1"][i]), names.index(effects["var2"][i])) for i in rows]
    r = np.eye(len(names))
    for (a, b), i in zip(pairs, rows, strict=True):
        r[a, b] = r[b, a] = effects["ri"][i]
    v = covariance_of_correlations(r, effects["ni"][rows[0]], pairs=pairs)
    return {"ri": [r[pair] for pair in pairs], "V": v.tolist()}


#: Reports three of the six correlations of its four variables.
INCOMPLETE = (17,)


def pooled(given: dict[str, Any], effects: dict[str, Any]) -> dict[str, Any]:
    """Correlation matrices of several studies pooled by a multivariate model with the covariances within studies.

    The covariance of two correlations needs all correlations among their variables: a study that reports some of them
    only (number 17) cannot be used, and is not used in the reference.
    """
    whole = [study for study in dict.fromkeys(effects["study"]) if study not in INCOMPLETE]
    effects = {
        name: [v for v, s in zip(values, effects["study"], strict=True) if s in whole]
        for name, values in effects.items()
    }
    studies = whole
    blocks = [np.array(covariances({"study": study}, effects)["V"]) for study in studies]
    kind = [f"{a}.{b}" for a, b in zip(effects["var1"], effects["var2"], strict=True)]
    names = sorted(set(kind))
    es = EffectSizes(effect=effects["ri"], variance=np.concatenate([np.diag(b) for b in blocks]))
    fit = multilevel(
        es,
        {name: [float(k == name) for k in kind] for name in names},
        intercept=False,
        random="pair | study",
        structure=given["struct"],
        V=blocks,
        data={"pair": kind, "study": effects["study"]},
        method=given["method"],
        inference="wald",
    )
    levels = fit.components[0].levels
    tau2 = [float(fit.tau2[levels.index(name)]) for name in names]
    return {
        "coef_names": [f"var1.var2{name}" for name in names],
        "beta": fit.beta.tolist(),
        "se": fit.se.tolist(),
        "tau2": tau2,
        "logLik": fit.log_likelihood,
    }


def regression(given: dict[str, Any], effects: dict[str, Any]) -> dict[str, Any]:
    # The other package counts no degree of freedom for the intercept.
    found = regress_correlations(given["R"], given["n"], means="known")
    return {"beta": found.coefficient, "se": found.se, "tval": found.t, "pval": found.p, "R2": found.r2}


ANALYSES = {"aggregate": aggregated, "rcalc": covariances, "matreg": regression, "rma.mv": pooled}


@pytest.mark.parametrize("path", FILES)
def test_dependence(path: Path) -> None:
    golden = load(path)
    wrong, compared = [], 0
    for case in golden["cases"]:
        got = ANALYSES[case["analysis"]](case["input"], golden["effects"])
        for name, want in case["output"].items():
            if name in ("F", "Fp") and want is None:
                continue
            compared += 1
            if name == "coef_names":
                assert got[name] == want
                continue
            test = close_p if name == "pval" else close
            pairs = zip(got[name], want, strict=True) if isinstance(want, list) else [(got[name], want)]
            if not all(test(g, w, case.get("tol", 1e-8)) for g, w in pairs):
                wrong.append((case["id"], name, got[name], want))
    assert compared
    assert not wrong, wrong
