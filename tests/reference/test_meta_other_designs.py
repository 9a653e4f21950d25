"""Pooled means, correlations, proportions and rates against R meta: metacont, metamean, metacor, metaprop ...

Left out, and why: GLMM cases (another model); one log proportion, see
PLN_WITH_EVENTS_IN_EVERYONE.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pooled import Pooled
from balm.stats.proportions import proportion_interval
from tests.reference.golden import close, golden_files, load
from tests.reference.metapackage import mismatches, random_fields, shared_fields

#: Cases compared in each file.
EXPECTED = {"metacont": 10, "metamean": 2, "metacor": 2, "metaprop": 5, "metarate": 4, "metainc": 6}
FILES = [
    p for p in golden_files("meta_pkg") if any(f"__{d}__" in str(p.id) for d in EXPECTED) or "missing" in str(p.id)
]
CODES = {"MRAW": "MN", "MLN": "MNLN", "PLOGIT": "PLO", "PRAW": "PR"}
COLUMNS = {
    "m1i": "mean_1",
    "sd1i": "sd_1",
    "n1i": "n_1",
    "m2i": "mean_2",
    "sd2i": "sd_2",
    "n2i": "n_2",
    "x1i": "events_1",
    "t1i": "time_1",
    "x2i": "events_2",
    "t2i": "time_2",
    "mi": "mean",
    "sdi": "sd",
    "ni": "n",
    "ri": "r",
    "xi": "events",
    "ti": "time",
}
#: With events in everyone meta takes log((x + .5)/(n + .5)) = 0 with variance 1/x - 1/(n + .5): no rule of ours.
PLN_WITH_EVENTS_IN_EVERYONE = "meta__metaprop__dat.pritz1997"


def effects(given: dict[str, Any], data: dict[str, Any]) -> EffectSizes:
    code = CODES.get(given["sm"], given["sm"])
    columns = {COLUMNS[name]: [np.nan if v is None else v for v in values] for name, values in data.items()}
    options: dict[str, Any] = {"profile": "meta", "missing": "drop", "zero_sd": "keep", "counts": "fractional"}
    if code == "MD":
        options["variance_type"] = "HO" if given["pooledvar"] else "LS"
    if code != "SMD" or "exact_smd" not in given:
        return effect_sizes(code, **options, **columns)
    if given["method_smd"] == "Glass":  # White & Thomas (2005): divisor SD of group 2
        m_1, m_2, s_2, n_1, n_2 = (np.array(columns[c]) for c in ("mean_1", "mean_2", "sd_2", "n_1", "n_2"))
        known = s_2 > 0
        d = ((m_1 - m_2) / np.where(known, s_2, np.nan))[known]
        n_1, n_2 = n_1[known], n_2[known]
        return EffectSizes(d, 1 / n_1 + 1 / n_2 + d**2 / (2 * (n_2 - 1)))
    if given["method_smd"] == "Hedges":
        exact = ("exact", "UB") if given["exact_smd"] else ("approximate", "N-3.94")
        return effect_sizes("SMD", **options, small_sample=exact[0], variance_type=exact[1], **columns)
    cohen = effect_sizes("SMD", **options, small_sample="none", variance_type="LS", **columns)
    if not given["exact_smd"]:
        return cohen
    exact_variance = effect_sizes("SMD", **options, small_sample="exact", variance_type="UB", **columns)
    known = cohen.estimable & exact_variance.estimable
    return EffectSizes(cohen.effect[known], exact_variance.variance[known])


def fits(given: dict[str, Any], data: dict[str, Any], design: str) -> tuple[Pooled, Pooled]:
    es = effects(given, data)
    if given.get("method") == "MH":
        return mantel_haenszel(es, profile="meta"), mantel_haenszel(es, model="random", profile="meta")
    if given.get("method") == "Cochran":
        fitted = (mantel_haenszel(es, model=m, weights="cochran", profile="meta") for m in ("common", "random"))
        return next(fitted), next(fitted)
    tau2 = given.get("method_tau", "DL" if design == "metainc" else "REML")
    inference = "hartung-knapp" if given.get("method_random_ci") == "HK" else "wald"
    return pool(es, profile="meta", model="common"), pool(es, profile="meta", tau2=tau2, inference=inference)


def compared(case: dict[str, Any], stem: str) -> bool:
    given = case["input"]
    if given.get("method") == "GLMM" or "method_ci" in given or "TE_common" not in case["output"]:
        return False
    return not (given["sm"] == "PLN" and stem == PLN_WITH_EVENTS_IN_EVERYONE)


@pytest.mark.parametrize("path", FILES)
def test_against_meta(path):
    found = load(path)
    design = path.stem.split("__")[1]
    wrong: list[str] = []
    count = 0
    for case in found["cases"]:
        if case["analysis"] != design or not compared(case, path.stem):
            continue
        common, random = fits(case["input"], found["extra"]["data"], design)
        got = {**shared_fields(common, "common"), **random_fields(random), "k": random.k}
        wrong += mismatches(case["id"], got, case["output"], case.get("tol", 1e-7), skip=("tau",))
        count += 1
    special = {"meta__metaprop__dat.kearon1998-sens": 0, PLN_WITH_EVENTS_IN_EVERYONE: 4}
    assert count == special.get(path.stem, EXPECTED[design])
    assert not wrong, "\n".join(wrong)


#: The other package's word -> ours.
INTERVALS = {
    "WS": "wilson",
    "WSCC": "wilson-corrected",
    "CP": "clopper-pearson",
    "AC": "agresti-coull",
    "SA": "wald",
    "SACC": "wald-corrected",
}


@pytest.mark.parametrize("path", [p for p in FILES if "metaprop" in str(p.id) or "missing" in str(p.id)])
def test_intervals_of_single_proportions(path):
    """Newcombe (1998) takes the corrected score interval to 0 with no events and to 1 with events in everyone; meta
    leaves its formula as it is there."""
    found = load(path)
    data = found["extra"]["data"]
    known = [i for i, pair in enumerate(zip(data["xi"], data["ni"], strict=True)) if None not in pair]
    pairs = [(data["xi"][i], data["ni"][i]) for i in known]
    cases = [case for case in found["cases"] if "method_ci" in case["input"]]
    assert {case["input"]["method_ci"] for case in cases} >= set(INTERVALS) - {"CP"}
    for case in cases:
        method = INTERVALS[case["input"]["method_ci"]]
        got = proportion_interval([x for x, _ in pairs], [n for _, n in pairs], method=method)
        for i, place in enumerate(known):
            x, n = pairs[i]
            ends = [got.low[i], got.high[i]]
            want = [case["output"]["lower"][place], case["output"]["upper"][place]]
            if method == "wilson-corrected" and x in (0, n):
                at = 0 if x == 0 else 1
                assert ends[at] == float(at)
                ends, want = [ends[1 - at]], [want[1 - at]]
            assert close(ends, want, case.get("tol", 1e-8)), (case["id"], x, n, ends, want)
