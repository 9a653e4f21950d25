"""Tests for funnel asymmetry and trim and fill of R's meta package."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool
from balm.stats.small_study.outcome import SmallStudyTest
from balm.stats.small_study.rank_test import rank_test
from balm.stats.small_study.small_study_test import small_study_test
from balm.stats.small_study.trim_and_fill import trim_and_fill
from tests.reference.golden import close, close_p, golden_files, load
from tests.reference.metapackage import mismatches, random_fields, shared_fields

#: The package's spelling -> ours.
METHOD = {"Egger": "egger", "Thompson": "thompson-sharp"}
ESTIMATOR = {"L": "L0", "R": "R0"}
FILES = [p for p in golden_files("meta_pkg") if "metagen" in str(p.id) or "metabin" in str(p.id)]


def studies(data: dict[str, Any]) -> EffectSizes:
    if "effects" in data:
        return EffectSizes(effect=data["effects"]["yi"], variance=data["effects"]["vi"])
    raw = data["extra"]["data"]
    return effect_sizes("OR", events_1=raw["ai"], n_1=raw["n1i"], events_2=raw["ci"], n_2=raw["n2i"], missing="drop")


def asymmetry(es: EffectSizes, method: str) -> SmallStudyTest:
    if method == "Begg":
        return rank_test(es, exact=False, force=True)
    return small_study_test(es, METHOD.get(method, method.lower()), force=True)


def bias_fields(found: SmallStudyTest, method: str) -> dict[str, Any]:
    if found.kendall is not None:
        estimate = [float(found.kendall.score), found.kendall.score_se]
    else:
        estimate = [found.slope, found.slope_se]
    got: dict[str, Any] = {"statistic": found.statistic, "df": found.df, "pval": found.p, "estimate": estimate}
    if method == "Egger" and found.line is not None:
        got["tau2"] = found.line.sigma**2  # its name for the multiplicative heterogeneity
    elif method == "Thompson":
        got["tau2"] = found.tau2
    return got


@pytest.mark.parametrize("path", FILES)
def test_metabias(path: Path) -> None:
    data = load(path)
    cases = [case for case in data["cases"] if case["analysis"] == "metabias"]
    if not cases:
        return
    es = studies(data)
    bad: list[str] = []
    for case in cases:
        method, want = case["input"]["method_bias"], case["output"]
        got = bias_fields(asymmetry(es, method), method)
        for name, value in want.items():
            same = close_p if name == "pval" else close
            if not same(got[name], value, case["tol"]):
                bad.append(f"{case['id']}.{name}: got {got[name]}, want {value}")
    assert not bad, f"{len(bad)} differ:\n" + "\n".join(bad)


@pytest.mark.parametrize("path", [p for p in FILES if "metagen" in str(p.id)])
def test_trimfill(path: Path) -> None:
    data = load(path)
    bad: list[str] = []
    for case in data["cases"]:
        if case["analysis"] != "trimfill":
            continue
        want = case["output"]
        fit = pool(studies(data), profile="meta", tau2=case["input"]["method_tau"], inference="wald")
        found = trim_and_fill(fit, ESTIMATOR[case["input"]["type"]], centre="common", side=egger_side(fit.effects))
        common = pool(found.effects, profile="meta", model="common")
        spread = found.refit.heterogeneity_interval("test-based", 0.95)
        got = {
            "k0": found.k0,
            "k": found.refit.k,
            **shared_fields(common, "common"),
            **random_fields(found.refit),
            "Rb": float((found.refit.tau2 / (found.refit.tau2 + found.effects.variance)).mean()),
            "lower_I2": spread.i2.low / 100.0,
            "upper_I2": spread.i2.high / 100.0,
            "lower_H": math.sqrt(spread.h2.low),
            "upper_H": math.sqrt(spread.h2.high),
        }
        assert set(want) <= set(got), set(want) - set(got)
        bad += mismatches(case["id"], got, want, case["tol"])
    assert not bad, f"{len(bad)} differ:\n" + "\n".join(bad)


def egger_side(es: EffectSizes) -> str:
    """The package judges the side by Egger's test, whatever the model."""
    return "left" if small_study_test(es, "egger", force=True).slope > 0.0 else "right"
