"""Leave-one-out and cumulative analyses against metafor's leave1out and cumul, and meta's metainf and metacum."""

from __future__ import annotations

from typing import Any

import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.cumulative import cumulative
from balm.stats.pooling.leave_one_out import leave_one_out
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.peto import peto
from balm.stats.pooling.pool import pool
from balm.stats.pooling.series import Series
from tests.reference.golden import close, close_p, golden_files, load
from tests.reference.test_mh_peto import columns

INFERENCE = {"z": "wald", "knha": "hartung-knapp"}

#: metafor's column -> ours.
COLUMNS = {
    "estimate": "estimate",
    "se": "se",
    "stat": "statistic",
    "zval": "statistic",
    "pval": "p",
    "ci_lb": "low",
    "ci_ub": "high",
    "Q": "q",
    "Qp": "q_p",
    "tau2": "tau2",
    "I2": "i2",
    "H2": "h2",
}


def mismatches(name: str, got: Series, want: dict[str, Any], tol: float) -> list[str]:
    wrong = []
    compared = 0
    for theirs, ours in COLUMNS.items():
        if theirs not in want:
            continue
        values = getattr(got, ours).tolist()
        for i, (value, target) in enumerate(zip(values, want[theirs], strict=True)):
            if want["estimate"][i] is None:
                # the reference did not converge, where ours does; or there is no estimate, and ours says why
                one = got.fits[i]
                assert one.estimate == one.estimate or "estimate" in one.reasons
                continue
            if got.fits[i].q_df == 0 and ours in ("q", "q_p", "i2", "h2", "tau2"):
                assert value != value or value == 0.0  # one study: not estimable here, 0 or 1 in the reference
                continue
            compared += 1
            compare = close_p if theirs in ("pval", "Qp") else close
            if not compare(value, target, tol):
                wrong.append(f"{name} {theirs}[{i}]: got {value!r}, want {target!r}")
    assert compared > 0
    return wrong


@pytest.mark.parametrize("path", golden_files("diagnostics"))
def test_against_metafor(path):
    found = load(path)
    es = EffectSizes(found["effects"]["yi"], found["effects"]["vi"])
    wrong: list[str] = []
    for case in found["cases"]:
        if case["analysis"] not in ("leave1out", "cumul"):
            continue
        given = case["input"]
        options: dict[str, Any] = {"model": "common"} if given["method"] == "EE" else {"tau2": given["method"]}
        fit = pool(es, profile="metafor", inference=INFERENCE[given["test"]], **options)
        got = leave_one_out(fit) if case["analysis"] == "leave1out" else cumulative(fit)
        wrong += mismatches(case["id"], got, case["output"], case.get("tol", 1e-7))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", golden_files("mh_peto"))
def test_sums_against_metafor(path):
    found = load(path)
    wrong: list[str] = []
    for case in found["cases"]:
        if case["analysis"] not in ("leave1out", "cumul"):
            continue
        given = case["input"]
        data = columns(found["extra"]["data"])
        fit = (
            peto(profile="metafor", missing="drop", **data)
            if given["method"] == "PETO"
            else mantel_haenszel(given["measure"], profile="metafor", missing="drop", **data)
        )
        got = leave_one_out(fit) if case["analysis"] == "leave1out" else cumulative(fit)
        wrong += mismatches(case["id"], got, case["output"], case.get("tol", 1e-8))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "path", [p for p in golden_files("meta_pkg") if "cuminf" in str(p.id) or "missing" in str(p.id)]
)
def test_against_metainf_and_metacum(path):
    found = load(path)
    es = EffectSizes(found["effects"]["yi"], found["effects"]["vi"])
    wrong: list[str] = []
    for case in found["cases"]:
        common = case["input"]["pooled"] == "common"
        fit = pool(es, profile="meta", **({"model": "common"} if common else {"tau2": "DL"}))
        got = leave_one_out(fit) if case["analysis"] == "metainf" else cumulative(fit)
        want = case["output"]
        k = len(got)
        for field, values in (("TE", got.estimate), ("seTE", got.se), ("I2", got.i2 / 100.0)):
            if field not in want:
                assert field == "I2"  # metacum gives none
                continue
            for i, value in enumerate(values.tolist()):
                if value == value and not close(value, want[field][:k][i], case["tol"]):
                    wrong.append(f"{case['id']} {field}[{i}]: got {value!r}, want {want[field][i]!r}")
    assert not wrong, "\n".join(wrong)
