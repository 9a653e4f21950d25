"""Agreement of more than two raters: Fleiss' kappa and Krippendorff's alpha, both for categories without an order.

Fleiss (1971), Psychol Bull 76:378; Krippendorff (2011), Computing Krippendorff's alpha-reliability.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]


def _counts(codes: Codes, k: int) -> npt.NDArray[np.float64]:
    """How many raters put each record (row) into each category; -1 is no vote."""
    return np.stack([(codes == category).sum(axis=0) for category in range(k)], axis=1).astype(float)


def fleiss_kappa(codes: Codes, k: int) -> tuple[float | None, str]:
    """``(kappa, "")``, or ``(None, why not)``; ``codes`` is (raters, records) without missing votes.

    >>> kappa, _ = fleiss_kappa(np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 1, 1, 1]]), 2)
    >>> round(kappa, 4)
    0.6571
    """
    raters, n = codes.shape
    if n == 0:
        return None, "no record was rated by all"
    counts = _counts(codes, k)
    agreed = float(((counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))).mean())
    share = counts.sum(axis=0) / (n * raters)
    chance = float((share**2).sum())
    if 1 - chance < 1e-12:
        return None, "all raters used one and the same category throughout"
    return (agreed - chance) / (1 - chance), ""


def krippendorff_alpha(codes: Codes, k: int) -> tuple[float | None, str]:
    """``(alpha, "")``, or ``(None, why not)``; ``codes`` is (raters, records), -1 where a vote is missing.

    Records with fewer than two votes carry nothing and are left out.

    >>> alpha, _ = krippendorff_alpha(np.array([[0, 0, 1, -1], [0, 1, 1, 1]]), 2)
    >>> round(alpha, 4)
    0.4444
    """
    counts = _counts(codes, k)
    rated = counts.sum(axis=1)
    counts, rated = counts[rated >= 2], rated[rated >= 2]
    if not len(counts):
        return None, "no record was rated by two"
    total = counts.sum(axis=0)
    n = float(total.sum())
    apart = float(((rated**2 - (counts**2).sum(axis=1)) / (rated - 1)).sum()) / n
    expected = float(n * n - (total**2).sum()) / (n * (n - 1))
    if expected == 0:
        return None, "all raters used one and the same category throughout"
    return 1 - apart / expected, ""
