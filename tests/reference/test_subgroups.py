"""Subgroup analyses against metafor (separate fits, or one model without intercept) and R meta's metabin."""

from __future__ import annotations

from typing import Any

import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pooled import Pooled
from balm.stats.pooling.subgroups import Subgroups, subgroups
from tests.reference import metapackage
from tests.reference.golden import close, close_p, golden_files, load
from tests.reference.test_mh_peto import columns


def compare(name: str, got: Subgroups, want: dict[str, Any], fields: dict[str, Any], tol: float) -> list[str]:
    wrong = []
    for i, label in enumerate(want["levels"]):
        fit = got.groups[label]
        for field, take in fields.items():
            if field not in want:
                continue
            value = take(fit)
            if value != value and fit.k == 1:
                continue  # one study: not estimable here, 0 in the reference
            if not close(value, want[field][i], tol):
                wrong.append(f"{name} {label} {field}: got {value!r}, want {want[field][i]!r}")
    return wrong


METAFOR = {
    "k": lambda f: f.k,
    "estimate": lambda f: f.estimate,
    "se": lambda f: f.se,
    "tau2": lambda f: f.tau2,
    "Q_within": lambda f: f.q,
}


@pytest.mark.parametrize("path", golden_files("metareg"))
def test_against_metafor(path):
    found = load(path)
    wrong: list[str] = []
    for case in found["cases"]:
        if case["analysis"] != "subgroup":
            continue
        given, want = case["input"], case["output"]
        by = found["effects"]["mods"][given["by"]]
        rows = [i for i, label in enumerate(by) if label is not None]
        effects = found["effects"]
        es = EffectSizes([effects["yi"][i] for i in rows], [effects["vi"][i] for i in rows])
        labels = [str(by[i]) for i in rows]
        options: dict[str, Any] = {"model": "common"} if given["method"] == "EE" else {"tau2": given["method"]}
        got = subgroups(es, by=labels, profile="metafor", tau2_common=given["tau2_common"], inference="wald", **options)
        want["levels"] = [str(level) for level in want["levels"]]
        tol = case.get("tol", 1e-8)
        wrong += compare(case["id"], got, want, METAFOR, tol)
        if not close(got.q_between, want["Q_between"], tol) or not close_p(got.q_between_p, want["p_between"], tol):
            wrong.append(f"{case['id']} between: got {got.q_between!r}, want {want['Q_between']!r}")
        assert got.q_between_df == want["df"]
    assert not wrong, "\n".join(wrong)


def meta_fields(end: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "k": lambda f: f.k,
        f"TE_{end}": lambda f: f.estimate,
        f"seTE_{end}": lambda f: f.se,
        "Q": lambda f: f.q,
    }
    if end == "random":
        fields |= {
            "tau2": lambda f: f.tau2,
            "lower_predict": lambda f: f.prediction_interval.low,
            "upper_predict": lambda f: f.prediction_interval.high,
        }
    return fields


@pytest.mark.parametrize(
    "path", [p for p in golden_files("meta_pkg") if "subgroup" in str(p.id) or "missing" in str(p.id)]
)
def test_against_metabin(path):
    found = load(path)
    data = found["extra"]["data"]
    rows = [i for i, label in enumerate(data["group"]) if label is not None]
    cut = {name: [values[i] for i in rows] for name, values in data.items()}
    wrong: list[str] = []
    for case in found["cases"]:
        given, want = case["input"], case["output"]
        whole = effect_sizes(given["sm"], profile="meta", study=[str(i) for i in rows], missing="drop", **columns(cut))
        group = dict(zip(map(str, rows), map(str, cut["group"]), strict=True))
        by = [group[label] for label in whole.study]
        for end in ("common", "random"):
            common = given.get("tau_common", False) and end == "random"
            options: dict[str, Any] = {"profile": "meta", "tau2_common": common, "by": by}
            if given["method"] == "MH":
                got = subgroups(whole, method="mantel-haenszel", model=end, **options)
            elif end == "common":
                got = subgroups(whole, model="common", **options)
            else:
                inference = "hartung-knapp" if given.get("method_random_ci") == "HK" else "wald"
                got = subgroups(whole, tau2=given["method_tau"], inference=inference, **options)
            within = want["subgroup"]
            within["levels"] = [str(level) for level in within["levels"]]
            tol = case.get("tol", 1e-7)
            wrong += compare(f"{case['id']} {end}", got, within, meta_fields(end), tol)
            fields: dict[str, Any] = {
                **(metapackage.random_fields(got.overall) if end == "random" else {}),
                **metapackage.shared_fields(got.overall, end),
                f"Q_between_{end}": got.q_between,
                f"pval_Q_between_{end}": got.q_between_p,
            }
            wrong += metapackage.mismatches(f"{case['id']} {end}", fields, want, tol, skip=("tau",))
            wrong += metapackage.mismatches(
                f"{case['id']} {end}",
                {
                    f"Q_between_{end}": got.q_between,
                    f"df_between_{end}": got.q_between_df,
                    f"pval_between_{end}": got.q_between_p,
                },
                within,
                tol,
            )
    assert not wrong, "\n".join(wrong)


def test_every_golden_group_has_a_fit():
    es = EffectSizes([0.1, 0.2, 0.4], [0.1, 0.1, 0.1])
    found = subgroups(es, by=["b", "a", "b"])
    assert list(found.groups) == ["b", "a"]
    assert all(isinstance(fit, Pooled) for fit in found.groups.values())
