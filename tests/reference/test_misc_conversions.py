"""Golden conversions: five-number summaries, Wald results and 2×2 tables, under the names of the other package."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import pytest

from balm.stats import convert
from balm.stats.transforms import analysed, displayed, displayed_mean
from tests.reference.golden import close, golden_files, load, shared

#: The other package's word -> ours.
QUANTILE_METHODS = {"default": "luo-wan-shi", "luo/wan/shi": "luo-wan-shi"}
NAMES = {"min": "minimum", "q1": "q1", "median": "median", "q3": "q3", "max": "maximum", "n": "n"}

FILES = [f for f in golden_files("misc") if f.values[0] is None or "__conv." in f.values[0].name]
TRANSFORMS = [f for f in golden_files("misc") if f.values[0] is None or "transf" in f.values[0].name]


def fivenum(case: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    given = {NAMES[k]: v for k, v in case["input"].items() if k in NAMES}
    method = case["input"]["method"]
    found = convert.mean_sd_from_quantiles(**given, method=QUANTILE_METHODS.get(method, method))
    return {"mean": found.mean, "sd": found.sd}


def wald(case: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    given = case["input"]
    if case["id"] == "OR_CI95":
        data = extra["data"]
        found = convert.effect_from_wald(estimate=data["or"], low=data["lb"], high=data["ub"], scale="log")
    elif "zval" in given:
        found = convert.effect_from_wald(estimate=given["out"], statistic=given["zval"])
    elif "pval" in given:
        found = convert.effect_from_wald(estimate=given["out"], p=given["pval"])
    else:
        root = shared()
        assert root is not None
        with open(root / "reference" / "datasets" / f"{given['dataset']}.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        column = {k: [math.nan if r[v] == "NA" else float(r[v]) for r in rows] for k, v in given["columns"].items()}
        found = convert.effect_from_wald(estimate=column["out"], low=column["lb"], high=column["ub"])
    return {"yi": list(found.effect), "vi": list(found.variance)}


def table(case: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    data = extra["data"]
    margins = {"n_1": data["n1i"], "n_2": data["n2i"], "events": data["ai_plus_ci"]}
    if case["id"] == "from_OR":
        found = convert.table_from_odds_ratio(odds_ratio=data["ori"], **margins)
    else:
        found = convert.table_from_phi(phi=case["input"]["ri"], **margins)
    cells = (found.events_1, found.no_events_1, found.events_2, found.no_events_2)
    return dict(zip(("ai", "bi", "ci", "di"), map(list, cells), strict=True))


ANALYSES = {"conv.fivenum": fivenum, "conv.wald": wald, "conv.2x2": table}


@pytest.mark.parametrize("path", FILES)
def test_conversions(path: Path) -> None:
    golden = load(path)
    wrong = []
    for case in golden["cases"]:
        got = ANALYSES[case["analysis"]](case, golden["extra"])
        for name, want in case["output"].items():
            if not close(got[name], want, case.get("tol", 1e-8)):
                wrong.append((case["id"], name, got[name], want))
    assert not wrong, wrong


def values(function: Any, argument: str, name: str | None = None, **options: Any) -> Any:
    def run(x: list[float]) -> list[float]:
        found = function(**{argument: x}, **options)
        return list(found.values[name] if name else found.value)

    return run


#: The other package's transformation -> our conversion.
CONVERTED = {
    "transf.ztor": values(convert.r_from_fisher_z, "z"),
    "transf.rtoz": values(convert.fisher_z_from_r, "r"),
    "transf.dtou1": values(convert.cohen_u, "d", "u1"),
    "transf.dtou2": values(convert.cohen_u, "d", "u2"),
    "transf.dtou3": values(convert.cohen_u, "d", "u3"),
    "transf.dtobesd": values(convert.binomial_effect_size, "d"),
    "transf.dtomd": values(convert.difference_from_smd, "smd", sd=2.5),
    "transf.dtorpb": values(convert.point_biserial_from_d, "d"),
    "transf.dtorbis": values(convert.biserial_from_d, "d"),
    "transf.rpbtorbis": values(convert.biserial_from_point_biserial, "r"),
    "transf.rtorpb": values(convert.point_biserial_from_r, "r"),
    "transf.rtod": values(convert.d_from_r, "r"),
    "transf.rpbtod": values(convert.d_from_point_biserial, "r"),
    "transf.lnortod.norm": values(convert.d_from_log_odds_ratio, "log_odds_ratio", distribution="normal"),
    "transf.lnortod.logis": values(convert.d_from_log_odds_ratio, "log_odds_ratio"),
    "transf.dtolnor.norm": values(convert.log_odds_ratio_from_d, "d", distribution="normal"),
    "transf.dtolnor.logis": values(convert.log_odds_ratio_from_d, "d"),
    "transf.lnortortet.pearson": values(convert.tetrachoric_from_log_odds_ratio, "log_odds_ratio"),
    "transf.lnortortet.digby": values(convert.tetrachoric_from_log_odds_ratio, "log_odds_ratio", method="digby"),
}


@pytest.mark.parametrize("path", TRANSFORMS)
def test_conversions_between_effect_sizes(path: Path) -> None:
    cases = {c["analysis"] if c["analysis"] in CONVERTED else c["id"]: c for c in load(path)["cases"]}
    assert set(CONVERTED) <= set(cases), set(CONVERTED) - set(cases)
    wrong = []
    for name, run in CONVERTED.items():
        case = cases[name]
        got = run(case["input"]["x"])
        if not close(got, case["output"]["value"], case.get("tol", 1e-8)):
            wrong.append((name, got, case["output"]["value"]))
    assert not wrong, wrong


def read(measure: str, **size: float) -> Any:
    return lambda x: displayed(x, measure, **size)


def analyse(measure: str, **size: float) -> Any:
    return lambda x: analysed(x, measure, **size)


def mean(measure: str) -> Any:
    return lambda x: displayed_mean(x, 0.15, measure)


#: The other package's transformation of one number -> ours, by a measure on that scale.
TRANSFORMED = {
    "transf.ilogit": read("PLO"),
    "transf.iarcsin": read("PAS"),
    "transf.iabt": read("ABT"),
    "transf.iahw": read("AHW"),
    "transf.ipft": read("PFT", n_harmonic=50),
    "transf.logit": analyse("PLO"),
    "transf.arcsin": analyse("PAS"),
    "transf.abt": analyse("ABT"),
    "transf.ahw": analyse("AHW"),
    "transf.pft": analyse("PFT", n_harmonic=50),
    "transf.irft": analyse("IRFT", n_harmonic=100),
    "transf.r2toz": analyse("ZR2"),
    "transf.exp.int": mean("RR"),
    "transf.ztor.int": mean("ZCOR"),
    "transf.ilogit.int": mean("PLO"),
}


@pytest.mark.parametrize("path", TRANSFORMS)
def test_transformations_of_one_number(path: Path) -> None:
    cases = {c["id"]: c for c in load(path)["cases"]}
    assert set(cases) == set(CONVERTED) | set(TRANSFORMED)
    wrong = []
    for name, run in TRANSFORMED.items():
        case = cases[name]
        got = list(run(case["input"]["x"]))
        if not close(got, case["output"]["value"], case.get("tol", 1e-8)):
            wrong.append((name, got, case["output"]["value"]))
    assert not wrong, wrong
