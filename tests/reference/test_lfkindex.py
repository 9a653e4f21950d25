"""LFK indices of R's metasens."""

from __future__ import annotations

from pathlib import Path

import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.small_study.lfk_index import lfk_index
from tests.reference.golden import close, golden_files, load

#: Only these files have one.
FILES = [p for p in golden_files("meta_pkg") if p.values[0] is None or "metagen" in p.id]


@pytest.mark.parametrize("path", FILES)
def test_against_metasens(path: Path) -> None:
    golden = load(path)
    effects = golden["effects"]
    for case in (case for case in golden["cases"] if case["analysis"] == "lfkindex"):
        found = lfk_index(EffectSizes(effect=effects["yi"], variance=effects["vi"]))
        want = case["output"]
        assert close(found.index, want["lfkindex"], case["tol"]), (found.index, want)
        assert f"{found.asymmetry} asymmetry" == want["interpretation"]
