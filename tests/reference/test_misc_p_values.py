"""Golden combinations and adjustments of p values, under the names of the other packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from balm.stats.p_values import METHODS, adjust_p, combine_p
from tests.reference.golden import close, close_p, golden_files, load

COMBINATIONS = {
    "Fisher": "fisher",
    "Stouffer": "stouffer",
    "Tippett": "tippett",
    "Wilkinson": "wilkinson",
    "maximump": "maximum",
    "meanp": "mean",
    "logitp": "logit",
    "sump": "edgington",
    "hmp": "harmonic",
    "cct": "cauchy",
}
ADJUSTMENTS = {"bonferroni": "bonferroni", "holm": "holm", "BH": "benjamini-hochberg"}
FILES = [f for f in golden_files("misc") if f.values[0] is None or "pvalues" in f.values[0].name]


def test_every_method_is_compared() -> None:
    assert set(COMBINATIONS.values()) == set(METHODS)


@pytest.mark.parametrize("path", FILES)
def test_p_values(path: Path) -> None:
    golden = load(path)
    p, wrong, seen = golden["effects"]["p"], [], set()
    for case in golden["cases"]:
        tol, given = case.get("tol", 1e-8), case["input"]
        if case["analysis"] == "adjust_p":
            for name, want in case["output"].items():
                got = adjust_p(p, method=ADJUSTMENTS[name])
                if not close(got, want, tol):
                    wrong.append((case["id"], name, got, want))
            continue
        assert case["analysis"] == "combine_p"
        found = combine_p(p, method=COMBINATIONS[given["method"]], r=given.get("r"))
        seen.add(found.method)
        for name, want in case["output"].items():
            if name == "p":
                same, got = close_p(found.p, want, tol), found.p
            else:
                got = found.df if name == "df" else found.statistic
                same = close(got, want, tol)
            if not same:
                wrong.append((case["id"], name, got, want))
    assert seen
    assert not wrong, wrong
