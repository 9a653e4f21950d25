"""Golden aggregation of dependent effects, covariances of correlations and regression from a correlation matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from balm.stats.dependence import aggregate, covariance_of_correlations, regress_correlations
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


def regression(given: dict[str, Any], effects: dict[str, Any]) -> dict[str, Any]:
    # The other package counts no degree of freedom for the intercept.
    found = regress_correlations(given["R"], given["n"], means="known")
    return {"beta": found.coefficient, "se": found.se, "tval": found.t, "pval": found.p, "R2": found.r2}


ANALYSES = {"aggregate": aggregated, "rcalc": covariances, "matreg": regression}


@pytest.mark.parametrize("path", FILES)
def test_dependence(path: Path) -> None:
    golden = load(path)
    wrong, compared = [], 0
    for case in golden["cases"]:
        if case["id"] == "pooled_correlations_UN":  # a multivariate model, not an aggregation
            continue
        got = ANALYSES[case["analysis"]](case["input"], golden["effects"])
        for name, want in case["output"].items():
            if name in ("F", "Fp") and want is None:
                continue
            compared += 1
            test = close_p if name == "pval" else close
            pairs = zip(got[name], want, strict=True) if isinstance(want, list) else [(got[name], want)]
            if not all(test(g, w, case.get("tol", 1e-8)) for g, w in pairs):
                wrong.append((case["id"], name, got[name], want))
    assert compared
    assert not wrong, wrong
