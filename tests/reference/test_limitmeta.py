"""Limit meta-analyses of R's metasens."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pool import pool
from balm.stats.small_study.limit_meta_analysis import limit_meta_analysis
from tests.reference.golden import close, golden_files, load

#: Only these files have one.
FILES = [p for p in golden_files("meta_pkg") if p.values[0] is None or "metagen" in p.id]


@pytest.mark.parametrize("path", FILES)
def test_against_metasens(path: Path) -> None:
    golden = load(path)
    cases = [case for case in golden["cases"] if case["analysis"] == "limitmeta"]
    effects = golden["effects"]
    for case in cases:
        es = EffectSizes(effect=effects["yi"], variance=effects["vi"])
        found = limit_meta_analysis(pool(es, tau2="DL"))  # what these cases were made with
        got = {
            "TE_adjust": found.estimate,
            "seTE_adjust": found.se,
            "lower_adjust": found.interval.low,
            "upper_adjust": found.interval.high,
            "pval_adjust": found.p,
            "alpha_r": found.alpha,
            "beta_r": found.beta,
            "Q_small": found.q_small,
            "Q_resid": found.q_residual,
            "G_squared": found.g2,
        }
        assert set(got) == set(case["output"])
        wrong = [(n, got[n], want) for n, want in case["output"].items() if not close(got[n], want, case["tol"])]
        assert not wrong, wrong
        assert math.isfinite(found.g2)


def test_bcg_under_reml() -> None:
    """Under REML instead of DerSimonian and Laird's tau2: -0.6300 with standard error 0.2344."""
    path = next(p for p in FILES if p.values[0] is None or "dat.bcg" in p.id).values[0]
    if path is None:
        pytest.skip("no reference data beside this checkout")
    effects = load(path)["effects"]
    found = limit_meta_analysis(pool(EffectSizes(effect=effects["yi"], variance=effects["vi"])))
    assert found.estimate == pytest.approx(-0.6300, abs=5e-5)
    assert found.se == pytest.approx(0.2344, abs=5e-5)
