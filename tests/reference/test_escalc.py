"""Effect sizes against metafor's ``escalc``: every measure, zero-cell rule and variance type of the golden cases.

metafor's spelling is kept here and nowhere else: ``ai, n1i`` are ``events_1, n_1`` and so on.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import balm
from balm.stats.measures import MEASURES
from tests.reference.golden import golden_files, load

#: Closed formulas: what is left is rounding, and the 13 digits of the golden numbers.
TOLERANCE = 1e-10

#: Found by root finding in the reference (tetrachoric correlation), whose stopping rule bounds the agreement.
ITERATIVE = {"RTET": 1e-8, "ZTET": 1e-8}

TO = {"only0": "only-zero", "all": "all", "if0all": "if-any-zero", "none": "none"}

TWO_GROUP = {"ai": "events_1", "n1i": "n_1", "ci": "events_2", "n2i": "n_2"}
MEANS = {"m1i": "mean_1", "sd1i": "sd_1", "n1i": "n_1", "m2i": "mean_2", "sd2i": "sd_2", "n2i": "n_2"}
COLUMNS = {
    "2x2": TWO_GROUP,
    "2x2tet": TWO_GROUP,
    "matched": {"ai": "both", "bi": "only_1", "ci": "only_2", "di": "neither"},
    "irr": {"x1i": "events_1", "t1i": "time_1", "x2i": "events_2", "t2i": "time_2"},
    "rate": {"xi": "events", "ti": "time"},
    "prop": {"xi": "events", "ni": "n"},
    "mean1": {"mi": "mean", "sdi": "sd", "ni": "n"},
    "means": MEANS,
    "prepost_r5": {**MEANS, "ni": "n", "ri": "r"},
    "prepost_r8": {**MEANS, "ni": "n", "ri": "r"},
    "cor": {"ri": "r", "ni": "n"},
    "pcor": {"ti": "t", "ni": "n", "mi": "predictors", "r2i": "r2"},
    "r2": {"r2i": "r2", "mi": "predictors", "ni": "n"},
    "alpha": {"ai": "alpha", "mi": "items", "ni": "n"},
}


def columns_of(document: dict[str, Any], measure: str) -> dict[str, list[Any]]:
    """The columns of a golden file under our names, with group sizes made from cells where it gives cells."""
    kind = document["file_id"].split("__")[-1]
    data = dict(document["extra"]["data"])
    names = COLUMNS[kind]
    if kind == "matched" and measure in ("ZPHI", "YUQ", "YUY"):
        names = TWO_GROUP
    if names is TWO_GROUP and "bi" in data:
        data["n1i"] = [None if a is None else a + b for a, b in zip(data["ai"], data["bi"], strict=True)]
        data["n2i"] = [None if c is None else c + d for c, d in zip(data["ci"], data["di"], strict=True)]
    return {
        ours: data[theirs] for theirs, ours in names.items() if theirs in data and ours in MEASURES[measure].accepts
    }


def options_of(asked: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "add" in asked:
        found["add"] = asked["add"]
    if "to" in asked:
        found["to"] = TO[asked["to"]]
    if "drop00" in asked:
        found["drop_double_zero"] = asked["drop00"]
    if "vtype" in asked:
        found["variance_type"] = asked["vtype"]
    if asked.get("correct") is False:
        found["small_sample"] = "none"
    return found


def agrees(got: float, want: float | None, tol: float) -> bool:
    """Relative agreement, absolute below 1e-3 only as far as the 13 printed digits of differences allow."""
    if want is None or math.isnan(got):
        return want is None and math.isnan(got)
    return abs(got - want) <= tol * max(1e-3, abs(want))


@pytest.mark.parametrize("path", golden_files("escalc"))
def test_effects_and_variances(path: Path) -> None:
    document = load(path)
    wrong = []
    for case in document["cases"]:
        asked, want = case["input"], case["output"]
        measure = asked["measure"]
        columns = columns_of(document, measure)
        k = len(want["yi"])
        study = [str(i) for i in range(k)]
        try:
            got = balm.effect_sizes(
                measure, study=study, missing="drop", zero_sd="keep", **options_of(asked), **columns
            )
        except Exception as error:
            wrong.append((case["id"], repr(error)[:300]))
            continue
        tol = ITERATIVE.get(measure, TOLERANCE)
        for i in map(int, got.dropped):
            if want["yi"][i] is not None or want["vi"][i] is not None:
                wrong.append((case["id"], i, "dropped, but the reference has", want["yi"][i]))
        if len(got) + len(got.dropped) != k:
            wrong.append((case["id"], "rows", len(got), k))
        for label, effect, variance in got:
            i = int(label)
            for field, value in (("yi", effect), ("vi", variance)):
                if not agrees(value, want[field][i], tol):
                    wrong.append((case["id"], i, field, value, want[field][i], {c: v[i] for c, v in columns.items()}))
    assert not wrong, f"{len(wrong)} differences:\n" + "\n".join(map(str, wrong[:40]))
