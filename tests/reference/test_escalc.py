"""Effect sizes against metafor's ``escalc``: every measure, zero-cell rule and variance type of the golden cases.

metafor's spelling is kept here and nowhere else: ``ai, n1i`` are ``events_1, n_1`` and so on.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import balm
from balm.stats.measures import MEASURES
from tests.reference.golden import golden_files, load

#: Closed formulas: what is left is rounding, and the 13 digits of the golden numbers.
TOLERANCE = 1e-10

#: The reference finds the tetrachoric correlation by a search that stops at about 1e-4; ours solves the equation, as
#: ``test_tetrachoric_solves_its_equation`` shows, where the reference misses it.
ITERATIVE = {"RTET": 2e-4, "ZTET": 2e-4}

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


def exact_unbiased_correlation(r: float, n: float) -> tuple[float, float]:
    """Olkin & Pratt's estimate and its unbiased variance, with 30 digits."""
    with mpmath.workdps(30):
        r, n = mpmath.mpf(r), mpmath.mpf(n)
        unbiased = r * mpmath.hyp2f1(0.5, 0.5, (n - 2) / 2, 1 - r**2)
        square = 1 - (n - 3) / (n - 2) * (1 - r**2) * mpmath.hyp2f1(1, 1, n / 2, 1 - r**2)
        return float(unbiased), float(unbiased**2 - square)


def better_reference(case: dict[str, Any], columns: dict[str, list[Any]], i: int) -> tuple[Any, Any]:
    """The reference's effect and variance of row ``i``, replaced where it is known to be off.

    Its hypergeometric function loses digits near argument 1 (small r) for even n up to 14 and some large n: there the
    comparison is with 30-digit arithmetic.  A tetrachoric correlation of an empty cell (-1, with a variance of 5e8) is
    "not estimable" here.
    """
    measure, want = case["input"]["measure"], case["output"]
    if measure == "UCOR":
        r, n = columns["r"][i], columns["n"][i]
        if abs(r) < 0.07 and n % 2 == 0:
            effect, unbiased = exact_unbiased_correlation(r, n)
            large_sample = (1 - effect**2) ** 2 / (n - 1)
            return effect, unbiased if case["input"].get("vtype") == "UB" else large_sample
    if measure in ("RTET", "ZTET") and columns["events_1"][i] == 0:
        return None, None
    return want["yi"][i], want["vi"][i]


def agrees(got: float, want: float | None, tol: float, smallest: float = 1e-3) -> bool:
    """Relative agreement; below ``smallest`` absolute, as differences of printed numbers lose digits."""
    if want is None or math.isnan(got):
        return want is None and math.isnan(got)
    return abs(got - want) <= tol * max(smallest, abs(want))


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
            # Poole 2003 prints two pairs of standard deviations as 0: kept, as the reference does.
            got = balm.effect_sizes(
                measure, study=study, missing="drop", zero_sd="keep", **options_of(asked), **columns
            )
        except Exception as error:
            wrong.append((case["id"], repr(error)[:300]))
            continue
        tol = ITERATIVE.get(measure, TOLERANCE)
        for i in map(int, got.dropped):
            if want["yi"][i] is not None:
                wrong.append((case["id"], i, "dropped, but the reference has", want["yi"][i]))
        if len(got) + len(got.dropped) != k:
            wrong.append((case["id"], "rows", len(got), k))
        for label, effect, variance in got:
            i = int(label)
            for got_value, wanted in zip((effect, variance), better_reference(case, columns, i), strict=True):
                if not agrees(got_value, wanted, tol, 1.0 if measure in ITERATIVE else 1e-3):
                    wrong.append((case["id"], i, got_value, wanted, {c: v[i] for c, v in columns.items()}))
    assert not wrong, f"{len(wrong)} differences:\n" + "\n".join(map(str, wrong[:40]))


def test_tetrachoric_solves_its_equation() -> None:
    """BCG rows 1 to 3: the bivariate normal probability of the first cell, with 20 digits, is its share."""
    cells = [(4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209)]
    a, b, c, d = (np.array(x, dtype=float) for x in zip(*cells, strict=True))
    found = balm.effect_sizes("RTET", events_1=a, n_1=a + b, events_2=c, n_2=c + d)
    for r, (p, q, s, t) in zip(found.effect, cells, strict=True):
        n = p + q + s + t
        with mpmath.workdps(20):
            h = mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.mpf(p + q) / n - 1)
            k = mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.mpf(p + s) / n - 1)
            part = mpmath.quad(
                lambda u, h=h, k=k: (
                    mpmath.exp(-(h**2 + k**2 - 2 * h * k * u) / (2 * (1 - u**2))) / mpmath.sqrt(1 - u**2)
                ),
                [0, mpmath.mpf(float(r))],
            )
            share = mpmath.mpf(p + q) * (p + s) / n**2 + part / (2 * mpmath.pi)
            assert abs(float(share - mpmath.mpf(p) / n)) < 1e-15


def test_every_measure_of_the_golden_cases_is_offered() -> None:
    offered = set(MEASURES)
    for parameter in golden_files("escalc"):
        if parameter.values[0] is not None:
            assert {case["input"]["measure"] for case in load(parameter.values[0])["cases"]} <= offered
