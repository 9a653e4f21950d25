"""Golden results computed by established R implementations on published data, and how to compare with them."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def shared() -> Path | None:
    """The folder of reference data beside the checkout (or where BALM_SHARED points), if it is there."""
    for candidate in (os.environ.get("BALM_SHARED"), CHECKOUT.parent / "shared"):
        if candidate and (Path(candidate) / "reference").is_dir():
            return Path(candidate)
    return None


def golden_files(family: str) -> list[Any]:
    """One pytest parameter a golden file; a failing or skipped one when the folder is missing."""
    root = shared()
    if root is None:
        if os.environ.get("CI"):
            raise RuntimeError("the reference data are missing: put them in ../shared or set BALM_SHARED")
        reason = "no reference data beside this checkout (../shared/reference); set BALM_SHARED to point to them"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id=f"{family}-missing")]
    files = sorted((root / "reference" / "golden" / family).glob("*.json"))
    assert files, f"no golden files for {family}"
    return [pytest.param(f, id=f.stem) for f in files]


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def number(value: Any) -> float:
    """A golden number: ``null`` is nan, "Inf" and "-Inf" are infinities."""
    return math.nan if value is None else float(value)


def close(got: Any, want: Any, tol: float = 1e-8) -> bool:
    """The mixed test of the reference's README; lists are compared entry by entry."""
    if isinstance(want, list):
        got = list(got)
        return len(got) == len(want) and all(close(g, w, tol) for g, w in zip(got, want, strict=True))
    g, w = number(got), number(want)
    if math.isnan(w) or math.isnan(g):
        return math.isnan(w) and math.isnan(g)
    if math.isinf(w) or math.isinf(g):
        return g == w
    return abs(g - w) <= tol * max(1.0, abs(w))


def close_p(got: Any, want: Any, tol: float = 1e-8) -> bool:
    """p-values: below 1e-8 they are compared on the log scale, as the README asks."""
    g, w = number(got), number(want)
    if 0.0 < w < 1e-8 and g > 0.0:
        return abs(math.log(g) - math.log(w)) <= max(tol, 1e-6)
    return close(got, want, tol)
