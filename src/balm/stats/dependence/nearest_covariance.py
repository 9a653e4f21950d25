"""The nearest covariance matrix to one whose assumed correlations are not possible together."""

from __future__ import annotations

from typing import Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.vocabulary.problems import InputError

#: Eigenvalues of the correlation matrix are raised to this share of the largest, so that the result has an inverse.
LEAST_SHARE = 1e-8

#: It converges linearly; matrices of assumed correlations take tens of steps.
MOST_STEPS = 2000
STEP = 1e-12


def nearest_covariance(V: Any, *, least: float = LEAST_SHARE) -> Floats:
    """The covariance matrix (k, k) with the variances of ``V`` whose correlations are nearest to those of ``V``.

    Correlations between outcomes, times or groups that are assumed one by one may contradict each other: no people
    could have them all. ``V`` then has negative eigenvalues, and :func:`balm.multilevel` refuses it. This changes the
    correlations, not the variances, as little as it takes in the sum of squared differences. ``least`` is the least
    eigenvalue of the correlations afterwards, as a share of the largest. A matrix that is possible comes back as it is.

    Look at the correlations it changed before relying on it: assumptions that contradict each other are better mended.
    Higham (2002) IMA J Numer Anal 22:329, with alternating projections.

    >>> V = [[1.0, 0.9, 0.9], [0.9, 1.0, -0.9], [0.9, -0.9, 1.0]]
    >>> nearest_covariance(V).round(3).tolist()
    [[1.0, 0.5, 0.5], [0.5, 1.0, -0.5], [0.5, -0.5, 1.0]]
    """
    try:
        given = np.array(V, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("V must be a square matrix of numbers") from None
    if given.ndim != 2 or given.shape[0] != given.shape[1] or not len(given) or not np.isfinite(given).all():
        raise InputError(f"V must be a square matrix of finite numbers; got shape {given.shape}")
    if not np.allclose(given, given.T, rtol=1e-10, atol=0.0):
        raise InputError("V is not symmetric")
    variances = np.diag(given)
    if np.any(variances <= 0.0):
        i = int(np.argmax(variances <= 0.0))
        raise InputError(f"row {i + 1}: the variance must be above 0; got {variances[i]:g}")
    if not 0.0 < least < 1.0:
        raise InputError(f"least must lie between 0 and 1, such as 1e-8; got {least:g}")
    sd = np.sqrt(variances)
    wanted = given / np.outer(sd, sd)
    roots = np.linalg.eigvalsh(wanted)
    if roots[0] >= least * roots[-1]:
        return given
    found, correction = wanted, np.zeros_like(wanted)
    for _ in range(MOST_STEPS):
        shifted = found - correction
        valid = _raised(shifted, least)
        correction = valid - shifted
        following = valid.copy()
        np.fill_diagonal(following, 1.0)
        moved = float(np.abs(following - found).max())
        found = following
        if moved <= STEP:
            break
    final = _raised(found, least)
    root = np.sqrt(np.diag(final))
    out: Floats = final / np.outer(root, root) * np.outer(sd, sd)
    out = 0.5 * (out + out.T)
    np.fill_diagonal(out, variances)
    return out


def _raised(matrix: Floats, least: float) -> Floats:
    """The nearest matrix without eigenvalues below ``least`` of the largest."""
    roots, basis = np.linalg.eigh(matrix)
    return np.asarray((basis * np.maximum(roots, least * roots[-1])) @ basis.T, dtype=np.float64)
