"""Mantel-Haenszel and Peto against the results that RevMan 5 itself stored in published Cochrane reviews.

Outcomes whose totals are shown (TOTALS="YES"); under "SUB" the stored overall effect is not the pooled one.  No file
here has a Mantel-Haenszel risk difference.
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from math import exp
from pathlib import Path
from typing import Any

import pytest

from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.peto import peto
from balm.stats.pooling.pooled import Pooled
from tests.reference.golden import close, shared

#: What RevMan printed to 16 digits.
TOLERANCE = 1e-12


def files() -> list[Any]:
    root = shared()
    found = sorted((root / "samples" / "revman").glob("*.rm5")) if root else []
    if not found:
        assert not os.environ.get("CI"), "the RevMan files are missing: put them in ../shared or set BALM_SHARED"
        return [pytest.param(None, marks=pytest.mark.skip(reason="no RevMan files beside this checkout"), id="missing")]
    return [pytest.param(path, id=path.stem) for path in found]


def tables(outcome: ET.Element) -> dict[str, list[float]] | None:
    """The 2x2 tables of an outcome, without rows that nobody was in."""
    names = {"events_1": "EVENTS_1", "n_1": "TOTAL_1", "events_2": "EVENTS_2", "n_2": "TOTAL_2"}
    rows = [row for row in outcome.iter("DICH_DATA") if float(row.get("TOTAL_1", 0)) and float(row.get("TOTAL_2", 0))]
    return {ours: [float(row.get(theirs, "nan")) for row in rows] for ours, theirs in names.items()} if rows else None


def fit(outcome: ET.Element, columns: dict[str, list[float]]) -> Pooled | None:
    model = "random" if outcome.get("RANDOM") == "YES" else "common"
    if outcome.get("METHOD") == "PETO":
        return peto(profile="revman5", model=model, **columns)
    if outcome.get("METHOD") == "MH":
        return mantel_haenszel(outcome.get("EFFECT_MEASURE", ""), profile="revman5", model=model, **columns)
    return None


@pytest.mark.parametrize("path", files())
def test_against_stored_results(path: Path):
    wrong: list[str] = []
    for outcome in ET.parse(path).iter("DICH_OUTCOME"):
        columns = tables(outcome)
        if outcome.get("TOTALS") != "YES" or columns is None:
            continue
        got = fit(outcome, columns)
        if got is None:
            continue
        stored = {
            name: float(outcome.get(name, "nan")) for name in ("EFFECT_SIZE", "CI_START", "CI_END", "CHI2", "TAU2")
        }
        if stored["EFFECT_SIZE"] == 0.0:  # RevMan's way to store "not estimable"
            assert got.estimate != got.estimate and "estimate" in got.reasons
            continue
        ours = {
            "EFFECT_SIZE": exp(got.estimate),
            "CI_START": exp(got.interval.low),
            "CI_END": exp(got.interval.high),
        }
        if got.k > 1:
            ours["CHI2"] = got.q
            if got.conventions["model"] == "random":
                ours["TAU2"] = got.tau2
        wrong += [
            f"{outcome.get('ID')} {name}: got {value!r}, stored {stored[name]!r}"
            for name, value in ours.items()
            if not close(value, stored[name], TOLERANCE)
        ]
    assert not wrong, "\n".join(wrong)


def test_enough_results_are_compared():
    """The samples hold this many outcomes that the test above pools; fewer would mean that the reading has changed."""
    found = [p.values[0] for p in files()]
    if found == [None]:
        pytest.skip("no RevMan files beside this checkout")
    pooled = [
        outcome
        for path in found
        for outcome in ET.parse(path).iter("DICH_OUTCOME")
        if outcome.get("TOTALS") == "YES" and outcome.get("METHOD") in ("MH", "PETO") and tables(outcome)
    ]
    assert len(pooled) >= 150
