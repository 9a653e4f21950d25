"""Exact permutation tests: every sign flip of a mean, every ordering of a moderator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.permutation.permutation_test import permutation_test
from balm.stats.pooling.pool import pool
from balm.stats.regression.meta_regression import meta_regression
from tests.reference.golden import close, golden_files, load

INFERENCE = {"z": "wald", "knha": "hartung-knapp"}


@pytest.mark.parametrize("path", golden_files("permutest"))
def test_permutest(path: Path) -> None:
    data = load(path)
    es = EffectSizes(data["effects"]["yi"], data["effects"]["vi"])
    wrong = []
    for case in data["cases"]:
        given, want = case["input"], case["output"]
        tau2 = None if given["method"] == "EE" else given["method"]
        model = "common" if tau2 is None else "random"
        if "mods" in given:
            moderator = {given["mods"]: data["effects"]["mods"][given["mods"]]}
            fit = meta_regression(es, moderator, model=model, tau2=tau2, inference="wald")
            found = permutation_test(fit, exact=True)
            got = {"pval": [t.p for t in found.tests], "QMp": found.omnibus.p}
        else:
            pooled = pool(es, model=model, tau2=tau2, inference=INFERENCE[given["test"]])
            found = permutation_test(pooled, exact=True, keep=True)
            sizes = np.sort(np.abs(found.distribution[0]))[::-1]
            assert found.rearranged == 2 ** len(es)
            got = {"pval": [found.p], "stat_sorted_abs_head": sizes[:20]}
        for name in set(want) - {"iterations"}:
            if not close(got[name], want[name], case.get("tol", 1e-6)):
                wrong.append((case["id"], name, got[name], want[name]))
    assert not wrong, wrong
