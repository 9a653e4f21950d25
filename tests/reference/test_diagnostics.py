"""Residuals, influence, Baujat, GOSH and likelihood profiles of pooled results against metafor's.

Leave-one-out and cumulative analyses of the same files are compared in ``test_leave_one_out.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from balm.stats.diagnostics.baujat import baujat
from balm.stats.diagnostics.gosh import gosh
from balm.stats.diagnostics.influence import influence
from balm.stats.diagnostics.likelihood_profile import likelihood_profile
from balm.stats.diagnostics.residuals import residuals
from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pooled import Pooled
from tests.reference.golden import close, golden_files, load

#: metafor's column -> ours.
INFLUENCE = {
    "rstudent": "studentised_residual",
    "dffits": "dffits",
    "cook_d": "cooks_distance",
    "cov_r": "covariance_ratio",
    "tau2_del": "tau2_deleted",
    "QE_del": "qe_deleted",
    "hat": "hat",
    "weight": "weight",
}
KINDS = {"rstandard": "standardised", "rstudent": "studentised"}
ELSEWHERE = {"leave1out", "cumul"}


def compared(case: dict[str, Any], fit: Pooled) -> dict[str, Any]:
    """Our numbers under metafor's names."""
    kind = case["analysis"]
    if kind == "influence":
        found = influence(fit)
        return {theirs: getattr(found, ours) for theirs, ours in INFLUENCE.items()} | {"dfbs": found.dfbetas[:, 0]}
    if kind in KINDS:
        found = residuals(fit, KINDS[kind])
        return {"resid": found.residual, "se": found.se, "z": found.z}
    if kind == "baujat":
        found = baujat(fit)
        return {"x": found.heterogeneity, "y": found.influence}
    if kind == "profile":
        found = likelihood_profile(fit, case["output"]["tau2"])
        return {"tau2": found.tau2, "logLik": found.log_likelihood}
    found = gosh(fit, "all")
    theirs = np.array(case["output"]["incl"], dtype=bool)
    place = (theirs @ (1 << np.arange(theirs.shape[1]))) - 1
    assert np.array_equal(found.members()[place], theirs)
    one = found.k == 1  # no heterogeneity: nan here, 0 in the reference
    assert np.isnan(found.q[one]).all() and np.isnan(found.i2[one]).all()
    shown = {"estimate": found.estimate, "QE": found.q, "tau2": found.tau2, "I2": found.i2}
    return {"incl": theirs.tolist()} | {
        name: np.where(one & (name != "estimate"), 0.0, values)[place] for name, values in shown.items()
    }


@pytest.mark.parametrize("path", golden_files("diagnostics"))
def test_against_metafor(path):
    found = load(path)
    es = EffectSizes(found["effects"]["yi"], found["effects"]["vi"])
    wrong: list[str] = []
    for case in found["cases"]:
        if case["analysis"] in ELSEWHERE:
            continue
        method, tol = case["input"]["method"], case.get("tol", 1e-8)
        options: dict[str, Any] = {"model": "common"} if method == "EE" else {"tau2": method}
        got = compared(case, pool(es, profile="metafor", inference="wald", **options))
        assert set(case["output"]) <= set(got)
        for name, want in case["output"].items():
            if name == "incl":
                continue
            assert len(want) == len(got[name])
            for i, (value, target) in enumerate(zip(np.asarray(got[name]).tolist(), want, strict=True)):
                if not close(value, target, tol):
                    wrong.append(f"{case['id']} {name}[{i}]: got {value!r}, want {target!r}")
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:40])
