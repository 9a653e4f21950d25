"""Influence of studies on meta-regressions against metafor's, and where a study cannot be left out."""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.diagnostics.influence import influence
from tests.reference.golden import close, golden_files, load
from tests.reference.test_diagnostics import INFLUENCE
from tests.reference.test_metareg import fit_of


@pytest.mark.parametrize("path", golden_files("metareg"))
def test_against_metafor(path):
    found = load(path)
    wrong: list[str] = []
    for case in found["cases"]:
        if case["analysis"] != "influence":
            continue
        fit, _ = fit_of(case, found["effects"])
        got, want, tol = influence(fit), case["output"], case.get("tol", 1e-6)
        columns = {name: (getattr(got, ours), want[name]) for name, ours in INFLUENCE.items()}
        theirs = np.array(want["dfbs"], dtype=float)
        if theirs.shape != got.dfbetas.shape:
            theirs = theirs.T
        columns |= {f"dfbs {n}": (got.dfbetas[:, j], theirs[:, j].tolist()) for j, n in enumerate(got.names)}
        for name, (mine, target) in columns.items():
            for i, (value, expected) in enumerate(zip(mine.tolist(), target, strict=True)):
                if not close(value, expected, tol):
                    wrong.append(f"{case['id']} {name}[{i}]: got {value!r}, want {expected!r}")
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:40])
