"""Golden cluster-robust inference: CR0 to CR3, Satterthwaite degrees, joint tests, and weights of robumeta."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import balm
from balm.stats.multilevel.cluster_robust import Robust, robust
from balm.stats.multilevel.correlated_effects import correlated_effects
from balm.stats.multilevel.fitted import Multilevel
from balm.stats.multilevel.multilevel import multilevel
from tests.reference.golden import close, close_p, golden_files, load

TESTS = {"HTZ": "HTZ", "Naive-F": "naive-f", "chi-sq": "chi-square"}


def columns(effects: dict[str, Any], mods: str) -> Any:
    """The reference's design: all moderators, one, or none; text columns as indicators of sorted levels."""
    names = [n for n in effects if n not in ("yi", "vi", "cluster", "measure", "derivation", "dataset_rows_1based")]
    chosen = [] if mods == "int" else names if mods == "all" else [mods]
    out: dict[str, Any] = {}
    for name in chosen:
        values = effects[name]
        if isinstance(values[0], str):
            out |= {f"{name}{v}": [float(x == v) for x in values] for v in sorted(set(values))[1:]}
        else:
            out[name] = values
    return out or "~ 1"


def working(given: dict[str, Any], effects: dict[str, Any]) -> Multilevel:
    es = balm.EffectSizes(effect=effects["yi"], variance=effects["vi"], study=effects["cluster"])
    x = columns(effects, given["mods"])
    if given["working"].startswith("rma.uni"):
        return multilevel(es, x, random="effect")
    codes = np.unique(effects["cluster"], return_inverse=True)[1]
    sd = np.sqrt(np.array(effects["vi"]))
    v = np.where(codes[:, None] == codes[None, :], 0.6, 0.0) * np.outer(sd, sd)
    np.fill_diagonal(v, effects["vi"])
    # With one effect a cluster only the sum of both variances is identified: the reference splits it at will.
    alone = len(set(effects["cluster"])) == len(effects["cluster"])
    return multilevel(es, x, random="effect" if alone else "study/effect", V=v)


def numbers(found: Robust) -> dict[str, Any]:
    t = found.omnibus
    return {
        "beta": found.beta,
        "se": found.se,
        "t": found.statistic,
        "stat": found.statistic,
        "df": found.df,
        "ddf": found.df,
        "pval": found.p,
        "ci_lb": [c.interval.low for c in found.coefficients],
        "ci_ub": [c.interval.high for c in found.coefficients],
        "vcov": found.covariance.tolist(),
        "QM": t.statistic,
        "QM_df": [t.df1, t.df2],
        "QMp": t.p,
    }


def result(case: dict[str, Any], effects: dict[str, Any], fits: dict[Any, Multilevel]) -> dict[str, Any]:
    given, kind = case["input"], case["analysis"]
    if kind == "robumeta":
        es = balm.EffectSizes(effect=effects["yi"], variance=effects["vi"], study=effects["cluster"])
        weights = {"CORR": "correlated", "HIER": "hierarchical"}[given["modelweights"]]
        ce = correlated_effects(
            es,
            columns(effects, given["mods"]),
            weights=weights,
            correlation=given["rho"],
            small_sample=given["small"],
        )
        return numbers(ce.fit) | {"tau2": ce.tau2, "omega2": ce.omega2, "I2": ce.i2}
    che = "CHE" in case["id"] or "CHE" in given["working"]
    key = (che, given["mods"])
    if key not in fits:
        fits[key] = working({**given, "working": "CHE" if che else "rma.uni"}, effects)
    fit = fits[key]
    if kind == "robust":
        plain = not che
        cr = ("CR1p" if given["adjust"] else "CR0") if plain else "CR2"
        return numbers(robust(fit, kind=cr, degrees="clusters" if plain else "satterthwaite"))
    if kind == "Wald_test":
        found = robust(fit, kind=given.get("vcov", "CR2"))
        t = found.test(*fit.design.names[1:], test=TESTS[given.get("test", "HTZ")])
        return {"F": t.statistic / (t.df1 if math.isinf(t.df2) else 1), "df_num": t.df1, "df_denom": t.df2, "pval": t.p}
    return numbers(robust(fit, kind=given["vcov"])) | {"sigma2": fit.sigma2}


PER_COEFFICIENT = ("beta", "se", "t", "stat", "df", "ddf", "pval", "ci_lb", "ci_ub")


def on_one_cluster(effects: dict[str, Any], mods: str) -> np.ndarray:
    """Coefficients that rest on a single cluster: the intercept of a factor whose first level one cluster holds."""
    x = columns(effects, mods)
    if isinstance(x, str) or not isinstance(effects.get(mods), list) or not isinstance(effects[mods][0], str):
        return np.zeros(1 if isinstance(x, str) else 1 + len(x), dtype=bool)
    first = sorted(set(effects[mods]))[0]
    holders = {c for c, value in zip(effects["cluster"], effects[mods], strict=True) if value == first}
    return np.array([len(holders) == 1] + [False] * len(x))


def one_is_needed(effects: dict[str, Any], mods: str) -> bool:
    """Whether some cluster cannot be left out without losing a coefficient."""
    x = columns(effects, mods)
    ones = np.ones(len(effects["yi"]))
    design = ones[:, None] if isinstance(x, str) else np.column_stack([ones, *x.values()])
    cluster = np.array(effects["cluster"])
    return any(np.linalg.matrix_rank(design[cluster != c]) < design.shape[1] for c in set(effects["cluster"]))


@pytest.mark.parametrize("path", golden_files("rve"))
def test_rve(path: Path) -> None:
    golden = load(path)
    wrong: list[Any] = []
    fits: dict[Any, Multilevel] = {}
    for case in golden["cases"]:
        alone = on_one_cluster(golden["effects"], case["input"]["mods"])
        if case["input"].get("vcov") == "CR3" and one_is_needed(golden["effects"], case["input"]["mods"]):
            # I - H is singular: the reference divides by what rounding left (standard errors of 5 or 6).
            with pytest.raises(balm.vocabulary.problems.InputError, match="leaves out one cluster"):
                result(case, golden["effects"], fits)
            continue
        got = result(case, golden["effects"], fits)
        for name, want in case["output"].items():
            if name == "coef_names":
                continue
            if name == "sigma2" and len(want) > len(got[name]):
                want = [sum(want)]
            test = close_p if name in ("pval", "QMp") else close
            lost = np.isnan(np.array(got.get("se", []), dtype=float))
            if name in PER_COEFFICIENT and lost.any() and np.array_equal(lost, alone):
                # The reference shows what rounding left of zero (a standard error of 3e-8, or none at all).
                assert all(want[i] is None or name != "se" or want[i] < 1e-6 for i in np.flatnonzero(alone)), case
                value, want = (np.array(a, dtype=float)[~alone].tolist() for a in (got[name], want))
            elif name == "vcov" and lost.any():
                value, want = (np.array(a)[~alone][:, ~alone].tolist() for a in (got[name], want))
            else:
                value = got[name]
            pairs = zip(value, want, strict=True) if isinstance(want, list) else [(value, want)]
            if not all(test(g, w, case["tol"]) for g, w in pairs):
                wrong.append((case["id"], name, got[name], want))
    assert not wrong, "\n".join([str(len(wrong)), *map(str, wrong)])
